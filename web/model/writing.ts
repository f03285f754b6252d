import { signal } from "@preact/signals";
import { LIMITS } from "../../src/protocol/limits.ts";
import type { MessageRow } from "../rows.ts";
import type { ConversationId } from "../wire.ts";
import { mentionsOf } from "../words.ts";
import type { Session } from "./session.ts";

/** What is being written in one conversation: a new message, an answer, or another text for an earlier one. */
export class Writing {
  readonly id: ConversationId;
  /** The message whose text is being changed, and the text so far. */
  readonly editing = signal<{ seq: number; text: string; isCaption: boolean } | null>(null);
  /** Goes up when something was sent: the newest is to be seen then. */
  readonly sentCount = signal(0);
  /** Goes up when the field is to have the focus. */
  readonly focusCount = signal(0);
  readonly #session: Session;

  constructor(session: Session, id: ConversationId) {
    this.#session = session;
    this.id = id;
  }

  get text(): string {
    return this.editing.value?.text ?? this.#session.drafts.of(this.id).text;
  }
  get replyTo(): number | null {
    return this.editing.value ? null : this.#session.drafts.of(this.id).replyTo;
  }

  /** [CL-31] The person has typed. */
  type(text: string): void {
    const { value: editing } = this.editing;
    if (editing) this.editing.value = { ...editing, text };
    else this.#session.drafts.set(this.id, { text, replyTo: this.replyTo });
    this.#session.typing(this.id, text !== "");
  }
  rest(): void {
    this.#session.typing(this.id, false);
  }

  edit({ seq, text, media }: Pick<MessageRow, "seq" | "text" | "media">): void {
    if (seq === null) return;
    this.editing.value = { seq, text: media ? (media.caption ?? "") : text, isCaption: media !== null };
    this.focus();
  }
  endEdit(): void {
    this.editing.value = null;
    this.focus();
  }
  answer(replyTo: number | null): void {
    this.editing.value = null;
    this.#session.drafts.set(this.id, { text: this.#session.drafts.of(this.id).text, replyTo });
    this.focus();
  }
  /** Where the caret is to stand then; null: behind all. */
  caret: number | null = null;
  /** The field has it as soon as it shows what it is to show. */
  focus(caret: number | null = null): void {
    this.caret = caret;
    this.focusCount.value += 1;
  }

  stage(files: ArrayLike<File> | null | undefined): boolean {
    if (!files || files.length === 0) return false;
    this.#session.uploads.stage(this.id, Array.from(files));
    this.focus();
    return true;
  }

  /** A message, an edit, or the files that are staged with the text as their caption. */
  send(text: string): void {
    const said = text.trim();
    const editing = this.editing.peek();
    if (editing) this.#sendEdit(editing, said);
    else this.#sendNew(said);
    this.rest();
  }

  /** [LM-23] A caption may be taken away; a text may not. */
  #sendEdit({ seq: targetSeq, isCaption }: { seq: number; isCaption: boolean }, said: string): void {
    if (said === "" && !isCaption) return;
    const mentions = this.#mentions(said);
    const content = isCaption
      ? ({ type: "caption", ...(said === "" ? {} : { caption: said }), ...mentions } as const)
      : ({ type: "text", text: said, ...mentions } as const);
    this.#session.say(this.id, { kind: "edit", targetSeq, content });
    this.editing.value = null;
  }

  #sendNew(said: string): void {
    const { replyTo } = this;
    const caption = said.length <= LIMITS.captionLength ? said : "";
    const hasFiles = this.#session.uploads.sendStaged(this.id, caption, replyTo);
    const answers = replyTo === null || hasFiles ? {} : { replyTo };
    if (said !== "" && (!hasFiles || caption === "")) {
      const content = { type: "text", text: said, ...this.#mentions(said), ...answers } as const;
      this.#session.say(this.id, { kind: "message", content });
    } else if (!hasFiles) return;
    this.#session.drafts.set(this.id, { text: "", replyTo: null });
    this.sentCount.value += 1;
  }

  #mentions(text: string): { mentions?: ReturnType<typeof mentionsOf> } {
    const naming = this.#session.naming.peek();
    if (!text.includes("@") || !naming.isGroup(this.id)) return {};
    const people = naming.others(this.id).map((userId) => ({ userId, name: naming.handle(userId) }));
    const mentions = mentionsOf(text, people).slice(0, LIMITS.mentions);
    return mentions.length > 0 ? { mentions } : {};
  }
}
