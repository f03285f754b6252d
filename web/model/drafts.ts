import { type Signal, signal } from "@preact/signals";
import { isConversationId, isCount, isFields } from "../checks.ts";
import { keepJson, readJson } from "../storage.ts";
import type { ConversationId } from "../wire.ts";

/** What stands in the field of a conversation, and which message it answers. */
export type Draft = { text: string; replyTo: number | null };
const NOTHING: Draft = { text: "", replyTo: null };

/** [AP-5] What was not sent yet, kept for each conversation past a reload; it goes with the device. */
export class Drafts {
  readonly #key: string;
  readonly all: Signal<Readonly<Record<string, Draft>>>;

  constructor(deviceId: string) {
    this.#key = `edgewise.drafts.${deviceId}`;
    this.all = signal(draftsIn(readJson(this.#key)));
    addEventListener("storage", ({ key }) => {
      if (key === this.#key) this.all.value = draftsIn(readJson(this.#key)); // another tab of the same person
    });
  }

  of(id: ConversationId): Draft {
    return this.all.value[id] ?? NOTHING;
  }

  set(id: ConversationId, draft: Draft): void {
    const { [id]: _, ...others } = this.all.peek();
    const isEmpty = draft.text === "" && draft.replyTo === null;
    this.all.value = isEmpty ? others : { ...others, [id]: draft };
    keepJson(this.#key, Object.keys(this.all.value).length > 0 ? this.all.value : null);
  }

  /** They go with the device. */
  forget(): void {
    keepJson(this.#key, null);
  }
}

function draftsIn(stored: unknown): Record<string, Draft> {
  const entries = Object.entries(isFields(stored) ? stored : {}).flatMap(([id, draft]): [string, Draft][] => {
    if (!isConversationId(id) || !isFields(draft) || typeof draft.text !== "string") return [];
    return [[id, { text: draft.text, replyTo: isCount(draft.replyTo, 1) ? draft.replyTo : null }]];
  });
  return Object.fromEntries(entries);
}
