import { ERRORS } from "../src/protocol/errors.ts";
import type { MediaContent } from "../src/protocol/events.ts";
import type { IdempotencyKey } from "../src/protocol/ids.ts";
import { clock } from "./clock.ts";
import { h } from "./dom.ts";
import { GONE } from "./phrases.ts";
import type { MessageRow, ReactionShown, Row, Tick } from "./rows.ts";

const TICK: Record<Tick, string> = { queued: "◷", sent: "✓", delivered: "✓✓", read: "✓✓", failed: "!" };

/** A row with all that is written in it. */
export type Drawn = Row & { sender: string; note: string };
/** What a person may do with a message. */
export type RowActs = {
  discard: (wishId: IdempotencyKey) => void;
  info: (seq: number) => void;
  /** Asks for all that may be done, near the button. */
  menu: (row: MessageRow, button: HTMLElement) => void;
  react: (seq: number, emoji: string | null) => void;
  /** The picture, sound or file to show. */
  media: (media: MediaContent) => HTMLElement;
};

/** One row of the log. */
export function drawRow(row: Drawn, acts: RowActs): HTMLElement {
  if (row.is === "note") return h("li", { class: "note", "data-seq": `${row.seq}` }, row.note);
  const bubble = h("div", { class: "bubble" });
  if (Object.values(row.may).some(Boolean)) bubble.append(menuButton(row, acts));
  if (row.sender) bubble.append(h("strong", {}, row.sender));
  const at = h("time", { datetime: new Date(row.at).toISOString() }, clock(row.at));
  if (row.media) bubble.append(acts.media(row.media));
  const words = row.media ? (row.media.caption ?? "") : row.text;
  const text = row.gone ? h("p", { class: "gone" }, GONE[row.gone]) : h("p", { hidden: words === "" }, words);
  const about = [...(row.edited ? ["edited "] : []), at, ...(row.tick ? [tickElement(row.tick, row.seq, acts)] : [])];
  bubble.append(text, h("small", {}, ...about));
  if (row.reactions.length > 0) bubble.append(reactions(row, acts));
  if (row.tick === "failed") bubble.append(failure(row, acts));
  const seq = row.seq === null ? {} : { "data-seq": `${row.seq}` };
  return h("li", { class: row.isMine ? "message mine" : "message", "data-tick": row.tick ?? "", ...seq }, bubble);
}

function menuButton(row: MessageRow, acts: RowActs): HTMLElement {
  const label = { "aria-label": "What to do with this message", "aria-haspopup": "true", title: "More" };
  const button = h("button", { type: "button", class: "more", tabindex: "-1", ...label }, "⋯");
  button.onclick = () => acts.menu(row, button);
  return button;
}

function reactions({ seq, reactions }: MessageRow, acts: RowActs): HTMLElement {
  const chips = reactions.map((reaction) =>
    h(
      "li",
      {},
      chip(reaction, (emoji) => seq && acts.react(seq, emoji)),
    ),
  );
  return h("ul", { class: "plain reactions", "aria-label": "Reactions" }, ...chips);
}

/** Taking part in a reaction, and taking one's own back. */
function chip({ emoji, count, mine }: ReactionShown, react: (emoji: string | null) => void): HTMLElement {
  const label = `${emoji} ${count}${mine ? ", yours" : ""}`;
  const pressed = { "aria-pressed": `${mine}`, "aria-label": label };
  const button = h("button", { type: "button", class: "chip", tabindex: "-1", ...pressed }, `${emoji} ${count}`);
  button.onclick = () => react(mine ? null : emoji);
  return button;
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

const ROVING = ["button.tick", "button.more", "button.chip"];

/**
 * Of all ticks, one is reached with the Tab key, the newest at first; from there the arrows lead to the others; and so of all menus and
 * of all reactions. So the keyboard's way from the list to the composer is not as long as the log.
 */
export function rove(rows: HTMLElement): void {
  const groups = ROVING.map((selector) => [...rows.querySelectorAll<HTMLElement>(selector)]);
  for (const group of groups) choose(group, group.find((each) => each.matches(":focus")) ?? group.at(-1));
  rows.onkeydown = (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const group = groups.find((each) => each.some((button) => button.matches(":focus"))) ?? [];
    const at = group.findIndex((button) => button.matches(":focus"));
    const next = step === undefined || at < 0 ? undefined : group[at + step];
    if (!next) return;
    event.preventDefault();
    choose(group, next);
    next.focus();
  };
}

function choose(group: readonly HTMLElement[], chosen: HTMLElement | undefined): void {
  for (const each of group) each.tabIndex = each === chosen ? 0 : -1;
}
