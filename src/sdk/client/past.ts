import type { Event } from "../../protocol/events.ts";
import type { ConversationId } from "../../protocol/ids.ts";
import { laterThan } from "../fold.ts";
import { type Held, heldOf } from "../state.ts";
import type { Line, Past } from "./api.ts";
import type { Parts } from "./conversation.ts";
import { changesOf } from "./conversation.ts";
import { type HistoryPage, historyOf } from "./history.ts";
import { View } from "./view.ts";
import type { Event as WireEvent } from "./wire.ts";

/** Events asked for on each side. */
const PAGE = 100;

type Asked = { readonly before: number } | { readonly after: number };

/** [CL-59] What lies around a message that is not kept here; null: it is. */
export async function pastAround(id: ConversationId, seq: number, parts: Parts): Promise<Past | null> {
  const past = new PastWindow(id, parts);
  return (await past.begin(seq)) ? past : null;
}

class PastWindow implements Past {
  readonly #id: ConversationId;
  readonly #parts: Parts;
  readonly #view = new View();
  #events: readonly Event[] = [];
  /** All that I may see between these is in `events`. */
  #from = 1;
  #to = 0;
  #hasNewer = true;

  constructor(id: ConversationId, parts: Parts) {
    this.#id = id;
    this.#parts = parts;
  }

  get events(): readonly WireEvent[] {
    return this.#events;
  }
  get hasOlder(): boolean {
    return this.#from > 1;
  }
  get hasNewer(): boolean {
    return this.#hasNewer;
  }

  get #held(): Held {
    return heldOf(this.#parts.sight().state.replica, this.#id);
  }

  async begin(seq: number): Promise<boolean> {
    if (seq >= this.#held.from) return false;
    const [older, newer] = await Promise.all([this.#ask({ before: seq + 1 }), this.#ask({ after: seq })]);
    this.#to = seq;
    this.#takeOlder(older, seq + 1);
    await this.#takeNewer(newer);
    return true;
  }

  async loadOlder(): Promise<number> {
    if (!this.hasOlder) return 0;
    const from = this.#from;
    const page = await this.#ask({ before: from });
    if (from !== this.#from) return 0; // asked twice
    this.#takeOlder(page, from);
    this.#tell();
    return page.events.length;
  }

  async loadNewer(): Promise<number> {
    if (!this.#hasNewer) return 0;
    const to = this.#to;
    const page = await this.#ask({ after: to });
    if (to !== this.#to) return 0;
    await this.#takeNewer(page);
    this.#tell();
    return page.events.length;
  }

  /** What is said of these messages later, as far as it is here, shows on them. */
  messages(): readonly Line[] {
    const { state, ...sight } = this.#parts.sight();
    const held = { ...this.#held, events: [...this.#events, ...laterThan(this.#events, this.#held.events)] };
    const outbox = state.replica.outbox.filter(({ event }) => event.kind !== "message");
    const replica = { ...state.replica, conversations: { [this.#id]: held }, outbox };
    return this.#view.lines(this.#id, { ...sight, state: { ...state, replica } });
  }

  #ask(asked: Asked): Promise<HistoryPage> {
    return historyOf(this.#parts.sessions, this.#id, { ...asked, limit: PAGE });
  }

  #takeOlder({ events, hasMore }: HistoryPage, before: number): void {
    this.#from = hasMore ? (events.at(-1)?.seq ?? before) : 1;
    this.#events = [...events.toReversed(), ...this.#events];
  }

  async #takeNewer({ events, hasMore }: HistoryPage): Promise<void> {
    const { from } = this.#held;
    const fresh = events.filter(({ seq }) => seq < from);
    this.#events = [...this.#events, ...fresh];
    this.#to = fresh.at(-1)?.seq ?? this.#to;
    if (!hasMore || fresh.length < events.length || this.#to === from - 1) await this.#join(from);
  }

  /** [CL-39] [CL-59] It has met what is kept, which begins here from now on: without a gap, as after every older page. */
  async #join(before: number): Promise<void> {
    const { run, sight } = this.#parts;
    const events = this.#events;
    const older = { type: "older", conversationId: this.#id, before, from: this.#from, events } as const;
    await run({ do: "tell", happening: older });
    this.#hasNewer = heldOf(sight().state.replica, this.#id).from > this.#to + 1;
  }

  #tell(): void {
    this.#parts.emitter.tell(changesOf(this.#id), null);
    this.#parts.emitter.tell("", null);
  }
}
