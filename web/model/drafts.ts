import { type Signal, signal } from "@preact/signals";
import type { ConversationId } from "../../src/protocol/ids.ts";
import { isConversationId, isCount, isFields } from "../checks.ts";
import { readJson } from "../storage.ts";

/** What stands in the field of a conversation, and which message it answers. */
export type Draft = { text: string; replyTo: number | null };
const NOTHING: Draft = { text: "", replyTo: null };

/** [AP-5] What was not sent yet, kept for each conversation past a reload; it goes with the device. */
export class Drafts {
  readonly #key: string;
  readonly all: Signal<Readonly<Record<string, Draft>>>;

  constructor(deviceId: string) {
    this.#key = `edgewise.device.${deviceId}.drafts`;
    this.all = signal(draftsIn(readJson(this.#key)));
  }

  of(id: ConversationId): Draft {
    return this.all.value[id] ?? NOTHING;
  }

  set(id: ConversationId, draft: Draft): void {
    const { [id]: _, ...others } = this.all.peek();
    const isEmpty = draft.text === "" && draft.replyTo === null;
    this.all.value = isEmpty ? others : { ...others, [id]: draft };
    try {
      if (Object.keys(this.all.value).length === 0) localStorage.removeItem(this.#key);
      else localStorage.setItem(this.#key, JSON.stringify(this.all.value));
    } catch {
      // no room: it is kept as long as the page
    }
  }
}

function draftsIn(stored: unknown): Record<string, Draft> {
  const entries = Object.entries(isFields(stored) ? stored : {}).flatMap(([id, draft]): [string, Draft][] => {
    if (!isConversationId(id) || !isFields(draft) || typeof draft.text !== "string") return [];
    return [[id, { text: draft.text, replyTo: isCount(draft.replyTo, 1) ? draft.replyTo : null }]];
  });
  return Object.fromEntries(entries);
}
