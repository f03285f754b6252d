import { ERRORS } from "../src/protocol/errors.ts";
import type { IdempotencyKey } from "../src/protocol/ids.ts";
import { clock } from "./clock.ts";
import { h } from "./dom.ts";
import type { Row, Tick } from "./rows.ts";

const TICK: Record<Tick, string> = { queued: "◷", sent: "✓", delivered: "✓✓", read: "✓✓", failed: "!" };

/** A row with all that is written in it. */
export type Drawn = Row & { sender: string; note: string };
/** What a person may do with a message of theirs. */
export type RowActs = { discard: (wishId: IdempotencyKey) => void; info: (seq: number) => void };

/** One row of the log. */
export function drawRow(row: Drawn, acts: RowActs): HTMLElement {
  if (row.is === "note") return h("li", { class: "note", "data-seq": `${row.seq}` }, row.note);
  const bubble = h("div", { class: "bubble" });
  if (row.sender) bubble.append(h("strong", {}, row.sender));
  const at = h("time", { datetime: new Date(row.at).toISOString() }, clock(row.at));
  bubble.append(h("p", {}, row.text), h("small", {}, at, ...(row.tick ? [tickElement(row.tick, row.seq, acts)] : [])));
  if (row.tick === "failed") bubble.append(failure(row, acts));
  const seq = row.seq === null ? {} : { "data-seq": `${row.seq}` };
  return h("li", { class: row.tick ? "message mine" : "message", "data-tick": row.tick ?? "", ...seq }, bubble);
}

/** The ticks of a message that is in the log open what is known of its way. */
function tickElement(tick: Tick, seq: number | null, acts: RowActs): HTMLElement {
  const signs = [h("span", { "aria-hidden": "true" }, TICK[tick]), h("span", { class: "unseen" }, ` ${tick}`)];
  if (seq === null) return h("span", { class: "tick" }, ...signs);
  const about = h("span", { class: "unseen" }, ": message info");
  const button = h("button", { type: "button", class: "tick", tabindex: "-1", title: "Message info" }, ...signs, about);
  button.onclick = () => acts.info(seq);
  return button;
}

function failure({ wishId, code }: Drawn & { is: "message" }, acts: RowActs): HTMLElement {
  const button = h("button", { type: "button", class: "link" }, "Dismiss");
  button.onclick = () => wishId && acts.discard(wishId);
  return h("p", { class: "problem" }, code ? `${ERRORS[code].title}. ` : "", button);
}

/**
 * One of the ticks is reached with the Tab key, the newest at first; from there the arrows lead to the others. So the keyboard's way from
 * the list to the composer is not as long as the log.
 */
export function roveTicks(rows: HTMLElement): void {
  const ticks = [...rows.querySelectorAll<HTMLElement>("button.tick")];
  const chosen = ticks.find((tick) => tick.tabIndex === 0 && tick.matches(":focus")) ?? ticks.at(-1);
  for (const tick of ticks) tick.tabIndex = tick === chosen ? 0 : -1;
  rows.onkeydown = (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const at = ticks.findIndex((tick) => tick.matches(":focus"));
    const next = step === undefined || at < 0 ? undefined : ticks[at + step];
    if (!next) return;
    event.preventDefault();
    for (const tick of ticks) tick.tabIndex = tick === next ? 0 : -1;
    next.focus();
  };
}
