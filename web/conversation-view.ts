import type { Wish } from "../src/protocol/events.ts";
import type { ConversationId, UserId } from "../src/protocol/ids.ts";
import { heldOf } from "../src/sdk/index.ts";
import { byId, syncChildren } from "./dom.ts";
import type { MediaView } from "./media-view.ts";
import { MessageMenu } from "./message-menu.ts";
import type { Naming } from "./naming.ts";
import { type Drawn, drawRow, type RowActs, rove } from "./row-view.ts";
import { type MessageRow, type Row, rowsOf } from "./rows.ts";
import type { Shell } from "./shell.ts";

/** Rows shown at first, and more with each wish to see earlier ones. */
const SHOWN = 100;

/** The conversation that is open: its messages, and the field to write in. */
export class ConversationView {
  readonly #shell: Shell;
  readonly #me: UserId;
  readonly #media: MediaView;
  readonly #log = byId("log", HTMLElement);
  readonly #text = byId("text", HTMLTextAreaElement);
  readonly #drafts = new Map<ConversationId, string>();
  readonly #menu: MessageMenu;
  /** The message that the field holds to be edited, and what was in the field before. */
  #editing: { seq: number; draft: string } | null = null;
  #id: ConversationId | null = null;
  #shown = SHOWN;
  /** Whether the newest message is kept in sight. */
  #follows = true;

  constructor(shell: Shell, me: UserId, media: MediaView) {
    this.#shell = shell;
    this.#media = media;
    this.#me = me;
    this.#log.onscroll = () => this.#scrolled();
    byId("earlier", HTMLButtonElement).onclick = () => this.#showEarlier();
    byId("composer", HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      this.#send();
    };
    this.#text.onkeydown = (event) => {
      if (event.key === "Escape" && this.#editing) this.#endEdit();
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    };
    this.#text.oninput = () => {
      this.#fit();
      this.#types(this.#text.value !== "");
    };
    this.#text.onblur = () => this.#types(false);
    byId("edit-cancel", HTMLButtonElement).onclick = () => this.#endEdit();
    this.#menu = new MessageMenu({
      react: (seq, emoji) => this.#say({ kind: "reaction", targetSeq: seq, emoji }),
      recall: (seq) => this.#say({ kind: "recall", targetSeq: seq }),
      edit: (row) => this.#beginEdit(row),
    });
  }

  #say(wish: Wish): void {
    if (this.#id) this.#shell.send(this.#id, wish);
  }

  #beginEdit({ seq, text }: MessageRow): void {
    if (seq === null) return;
    this.#endEdit();
    this.#editing = { seq, draft: this.#text.value };
    this.#fill(text);
    this.#text.focus();
  }

  /** The field holds again what was in it before. */
  #endEdit(): void {
    if (!this.#editing) return;
    const { draft } = this.#editing;
    this.#editing = null;
    this.#fill(draft);
  }

  #fill(text: string): void {
    byId("editing", HTMLElement).hidden = this.#editing === null;
    this.#text.value = text;
    this.#fit();
  }

  /** [CL-31] */
  #types(active: boolean): void {
    if (this.#id) this.#shell.typing(this.#id, active);
  }

  get id(): ConversationId | null {
    return this.#id;
  }

  open(id: ConversationId | null): void {
    if (id === this.#id) return;
    this.#types(false);
    this.#endEdit();
    if (this.#id) this.#drafts.set(this.#id, this.#text.value);
    this.#id = id;
    this.#shown = SHOWN;
    this.#media.forget();
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
    const rows = rowsOf(this.#shell.state, id, {
      me: this.#me,
      now: this.#shell.serverNow,
      isAdmin: naming.isAdmin(id),
    });
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
    const acts: RowActs = {
      discard: (wishId) => this.#shell.discard(wishId),
      info: (seq) => this.onInfo(seq),
      menu: (row, button) => this.#menu.open(row, button),
      react: (seq, emoji) => this.#say({ kind: "reaction", targetSeq: seq, emoji }),
      media: (media) => this.#media.element(media),
    };
    const how = { keyOf: ({ key }: Drawn) => key, drawingOf: JSON.stringify, draw: (row: Drawn) => drawRow(row, acts) };
    const list = byId("rows", HTMLElement);
    syncChildren(list, drawn, how);
    rove(list);
  }

  #send(): void {
    const text = this.#text.value.trim();
    if (!this.#id || text === "") return;
    const content = { type: "text", text } as const;
    if (this.#editing) this.#say({ kind: "edit", targetSeq: this.#editing.seq, content });
    else this.#say({ kind: "message", content });
    this.#follows ||= !this.#editing;
    if (this.#editing) this.#endEdit();
    else this.#fill("");
    this.#types(false);
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
  /** Asks to show what is known of the way of the person's message with this seq. */
  onInfo: (seq: number) => void = () => {};

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
