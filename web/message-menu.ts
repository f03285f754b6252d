import { byId, h } from "./dom.ts";
import type { MessageRow } from "./rows.ts";

/** What people say without words, and what it is called. */
const QUICK: readonly [emoji: string, name: string][] = [
  ["👍", "thumbs up"],
  ["❤️", "heart"],
  ["😂", "laughing"],
  ["😮", "surprised"],
  ["😢", "sad"],
  ["🙏", "thank you"],
];
/** Between the menu and what it hangs on, and the edges of the screen. Px. */
const GAP = 6;

type Acts = {
  react: (seq: number, emoji: string | null) => void;
  edit: (row: MessageRow) => void;
  recall: (seq: number) => void;
};

/** The menu of one message: a reaction, or, as long as it may be done, editing and deleting. */
export class MessageMenu {
  readonly #acts: Acts;
  readonly #menu = byId("message-menu", HTMLElement);
  readonly #reactions = byId("message-reactions", HTMLElement);
  #row: MessageRow | null = null;

  constructor(acts: Acts) {
    this.#acts = acts;
    byId("message-edit", HTMLButtonElement).onclick = () => this.#do((row) => acts.edit(row));
    byId("message-recall", HTMLButtonElement).onclick = () => this.#do(({ seq }) => seq && acts.recall(seq));
  }

  open(row: MessageRow, button: HTMLElement): void {
    this.#row = row;
    this.#reactions.replaceChildren(...QUICK.map((quick) => this.#quick(quick, row)));
    byId("message-edit", HTMLElement).hidden = !row.may.edit;
    byId("message-recall", HTMLElement).hidden = !row.may.recall;
    this.#menu.showPopover();
    this.#place(button.getBoundingClientRect());
    this.#menu.querySelector("button")?.focus();
  }

  #quick([emoji, name]: (typeof QUICK)[number], { reactions }: MessageRow): HTMLElement {
    const isMine = reactions.some((reaction) => reaction.emoji === emoji && reaction.mine);
    const label = { "aria-label": `React with ${name}`, "aria-pressed": `${isMine}` };
    const button = h("button", { type: "button", class: "bare", ...label }, emoji);
    button.onclick = () => this.#do(({ seq }) => seq && this.#acts.react(seq, isMine ? null : emoji));
    return button;
  }

  #do(act: (row: MessageRow) => void): void {
    const row = this.#row;
    this.#menu.hidePopover();
    if (row) act(row);
  }

  /** Under the button, or over it where there is no room, and on the screen. */
  #place(at: DOMRect): void {
    const { width, height } = this.#menu.getBoundingClientRect();
    const below = at.bottom + GAP;
    const top = below + height + GAP > innerHeight ? at.top - height - GAP : below;
    const left = Math.min(at.left, innerWidth - width - GAP);
    Object.assign(this.#menu.style, { top: `${Math.max(GAP, top)}px`, left: `${Math.max(GAP, left)}px` });
  }
}
