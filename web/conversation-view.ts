import { ERRORS } from "../src/protocol/errors.ts";
import type { ConversationId, UserId } from "../src/protocol/ids.ts";
import { heldOf } from "../src/sdk/index.ts";
import { clock } from "./clock.ts";
import { byId, h, setText, syncChildren } from "./dom.ts";
import type { Naming } from "./naming.ts";
import { type Row, rowsOf, type Tick } from "./rows.ts";
import type { Shell } from "./shell.ts";

/** Rows shown at first, and more with each wish to see earlier ones. */
const SHOWN = 100;
const TICK: Record<Tick, string> = { queued: "◷", sent: "✓", delivered: "✓✓", read: "✓✓", failed: "!" };

type Drawn = Row & { sender: string; note: string };

/** The conversation that is open: its messages, and the field to write in. */
export class ConversationView {
  readonly #shell: Shell;
  readonly #me: UserId;
  readonly #log = byId("log", HTMLElement);
  readonly #text = byId("text", HTMLTextAreaElement);
  readonly #drafts = new Map<ConversationId, string>();
  #id: ConversationId | null = null;
  #shown = SHOWN;
  /** Whether the newest message is kept in sight. */
  #follows = true;

  constructor(shell: Shell, me: UserId) {
    this.#shell = shell;
    this.#me = me;
    this.#log.onscroll = () => this.#scrolled();
    byId("earlier", HTMLButtonElement).onclick = () => this.#showEarlier();
    byId("composer", HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      this.#send();
    };
    this.#text.onkeydown = (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    };
    this.#text.oninput = () => this.#fit();
  }

  get id(): ConversationId | null {
    return this.#id;
  }

  open(id: ConversationId | null): void {
    if (id === this.#id) return;
    if (this.#id) this.#drafts.set(this.#id, this.#text.value);
    this.#id = id;
    this.#shown = SHOWN;
    this.#follows = true;
    this.#text.value = (id && this.#drafts.get(id)) ?? "";
    byId("conversation", HTMLElement).hidden = id === null;
    byId("none-open", HTMLElement).hidden = id !== null;
    byId("rows", HTMLElement).replaceChildren();
    this.#fit();
    if (id && matchMedia("(pointer: fine)").matches) this.#text.focus();
  }

  draw(naming: Naming): void {
    const id = this.#id;
    if (!id) return;
    setText(byId("title", HTMLElement), naming.title(id));
    setText(byId("members", HTMLElement), naming.members(id));
    const rows = rowsOf(this.#shell.state, id, this.#me, naming.others(id));
    byId("earlier", HTMLElement).hidden = rows.length <= this.#shown;
    this.#drawRows(rows.slice(-this.#shown), naming);
    if (this.#follows) this.#log.scrollTop = this.#log.scrollHeight;
    this.#noteRead();
  }

  #drawRows(rows: Row[], naming: Naming): void {
    const isGroup = this.#id !== null && naming.isGroup(this.#id);
    const drawn = rows.map((row): Drawn => {
      if (row.is === "note") return { ...row, sender: "", note: naming.note(row.event) };
      return { ...row, sender: row.senderId === this.#me || !isGroup ? "" : naming.handle(row.senderId), note: "" };
    });
    const how = { keyOf: ({ key }: Drawn) => key, drawingOf: JSON.stringify, draw: (row: Drawn) => this.#drawRow(row) };
    syncChildren(byId("rows", HTMLElement), drawn, how);
  }

  #drawRow(row: Drawn): HTMLElement {
    if (row.is === "note") return h("li", { class: "note", "data-seq": `${row.seq}` }, row.note);
    const bubble = h("div", { class: "bubble" });
    if (row.sender) bubble.append(h("strong", {}, row.sender));
    const at = h("time", { datetime: new Date(row.at).toISOString() }, clock(row.at));
    bubble.append(h("p", {}, row.text), h("small", {}, at, ...(row.tick ? [tickElement(row.tick)] : [])));
    if (row.tick === "failed") bubble.append(this.#failure(row));
    const seq = row.seq === null ? {} : { "data-seq": `${row.seq}` };
    return h("li", { class: row.tick ? "message mine" : "message", "data-tick": row.tick ?? "", ...seq }, bubble);
  }

  #failure({ wishId, code }: Drawn & { is: "message" }): HTMLElement {
    const button = h("button", { type: "button", class: "link" }, "Dismiss");
    button.onclick = () => wishId && this.#shell.discard(wishId);
    return h("p", { class: "problem" }, code ? `${ERRORS[code].title}. ` : "", button);
  }

  #send(): void {
    const text = this.#text.value.trim();
    if (!this.#id || text === "") return;
    this.#text.value = "";
    this.#fit();
    this.#follows = true;
    this.#shell.send(this.#id, text);
  }

  #fit(): void {
    this.#text.rows = Math.min(6, this.#text.value.split("\n").length);
  }

  #scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    this.#follows = scrollHeight - scrollTop - clientHeight < 40;
    this.#noteRead();
  }

  #showEarlier(): void {
    const fromEnd = this.#log.scrollHeight - this.#log.scrollTop;
    this.#shown += SHOWN;
    this.#follows = false;
    this.onWish();
    this.#log.scrollTop = this.#log.scrollHeight - fromEnd;
  }

  /** Asks to be drawn again. */
  onWish: () => void = () => {};

  /** [CL-26] Read is what a visible page shows on the screen, and nothing else. */
  #noteRead(): void {
    if (!this.#id || document.visibilityState !== "visible") return;
    const bottom = this.#log.getBoundingClientRect().bottom;
    const rows = [...byId("rows", HTMLElement).children].filter(
      (row): row is HTMLElement => row instanceof HTMLElement,
    );
    const last = rows.findLast((row) => row.dataset.seq && row.getBoundingClientRect().top < bottom - 8);
    const seq = Number(last?.dataset.seq ?? 0);
    if (seq > heldOf(this.#shell.state, this.#id).read) this.#shell.read(this.#id, seq);
  }
}

const tickElement = (tick: Tick): HTMLElement =>
  h(
    "span",
    { class: "tick" },
    h("span", { "aria-hidden": "true" }, TICK[tick]),
    h("span", { class: "unseen" }, ` ${tick}`),
  );
