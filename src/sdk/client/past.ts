import type { Event } from "../../protocol/events.ts";
import type { ConversationId } from "../../protocol/ids.ts";
import { laterThan, nextExpiry, tombstonesOf } from "../fold.ts";
import { type Held, heldOf, kept } from "../state.ts";
import type { Line, Past } from "./api.ts";
import type { Parts } from "./conversation.ts";
import { type HistoryPage, historyOf } from "./history.ts";
import type { Sight } from "./view.ts";
import type { Event as WireEvent } from "./wire.ts";

/** Events asked for on each side. */
const PAGE = 100;
const NOTHING_UNHEARD: readonly number[] = [];
const NOTHING: Shown = { from: [], events: [], all: [] };

/** `view`: for its lines alone; `changed`: tells that the conversation shows something else. */
type PastParts = Pick<Parts, "view" | "sight" | "sessions" | "run" | "later"> & { readonly changed: () => void };
type Asked = { readonly before: number } | { readonly after: number };
/** What is to be seen of a window by now; `all`: with what was said of it since; `from`: what it was made from. */
type Shown = {
  readonly from: readonly unknown[];
  readonly events: readonly Event[];
  readonly all: Held["events"];
};

/** [CL-59] What lies around a message that is not kept here; null: it is. */
export async function pastAround(id: ConversationId, seq: number, parts: PastParts): Promise<Past | null> {
  const past = new PastWindow(id, parts);
  return (await past.begin(seq)) ? past : null;
}

class PastWindow implements Past {
  readonly #id: ConversationId;
  readonly #parts: PastParts;
  /** Whose window it is, and up to where the log was here when it was opened. */
  readonly #opened: { readonly me: string | null; readonly device: string | null; readonly covered: number };
  /** As they were fetched. */
  #events: readonly Event[] = [];
  #shown = NOTHING;
  /** All that I may see between these is in `events`. */
  #from = 1;
  #to = 0;
  #hasNewer = true;
  #isOver = false;
  #cancelExpiry = () => {};

  constructor(id: ConversationId, parts: PastParts) {
    this.#id = id;
    this.#parts = parts;
    const { me, device } = parts.sight();
    this.#opened = { me, device, covered: this.#held.covered };
  }

  get events(): readonly WireEvent[] {
    return this.#see().events;
  }
  get hasOlder(): boolean {
    return !this.isOver && this.#from > 1;
  }
  get hasNewer(): boolean {
    return !this.isOver && this.#hasNewer;
  }
  get isOver(): boolean {
    this.#isOver ||= isOver(this.#parts.sight(), this.#held, this.#opened, this.#to);
    if (this.#isOver) this.#cancelExpiry();
    return this.#isOver;
  }

  get #held(): Held {
    return heldOf(this.#parts.sight().state.replica, this.#id);
  }

  /** [CL-65] What was fetched, without what is gone from the log by now. */
  #see(): Shown {
    if (this.isOver) return NOTHING;
    const { events: log, deleted, clearedThrough, unheard = NOTHING_UNHEARD } = this.#held;
    const from = [this.#events, log, deleted, clearedThrough, unheard];
    if (from.every((each, i) => each === this.#shown.from[i])) return this.#shown;
    const left = kept(this.#held, this.#events);
    const takers = log.filter((event) => event.kind === "recall" || (event.kind === "member" && event.erased));
    const gone = tombstonesOf([...left, ...takers], { now: null, keepMs: Number.POSITIVE_INFINITY, unheard }); // [CL-77]
    const bySeq = new Map(gone.map((tombstone) => [tombstone.seq, tombstone]));
    const events = left.map((event) => bySeq.get(event.seq) ?? event);
    this.#shown = { from, events, all: [...events, ...laterThan(events, log)] };
    return this.#shown;
  }

  async begin(seq: number): Promise<boolean> {
    if (seq >= this.#held.from) return false;
    const [older, newer] = await Promise.all([this.#ask({ before: seq + 1 }), this.#ask({ after: seq })]);
    this.#to = seq;
    this.#takeOlder(older, seq + 1);
    await this.#takeNewer(newer);
    this.#awaitExpiry();
    return true;
  }

  async loadOlder(): Promise<number> {
    if (!this.hasOlder) return 0;
    const from = this.#from;
    const page = await this.#ask({ before: from });
    if (this.isOver || from !== this.#from) return 0; // asked twice
    this.#takeOlder(page, from);
    this.#tell();
    return page.events.length;
  }

  async loadNewer(): Promise<number> {
    if (!this.hasNewer) return 0;
    const to = this.#to;
    const page = await this.#ask({ after: to });
    if (this.isOver || to !== this.#to) return 0;
    await this.#takeNewer(page);
    this.#tell();
    return page.events.length;
  }

  /** What is said of these messages later, as far as it is here, shows on them. */
  messages(): readonly Line[] {
    const { all } = this.#see();
    const { state, ...sight } = this.#parts.sight();
    const held = { ...this.#held, events: all };
    const outbox = state.replica.outbox.filter(({ event }) => event.kind !== "message");
    const replica = { ...state.replica, conversations: { [this.#id]: held }, outbox: this.isOver ? [] : outbox };
    return this.#parts.view.lines(this.#id, { ...sight, state: { ...state, replica } });
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
    const { events } = this.#see();
    const older = { type: "older", conversationId: this.#id, before, from: this.#from, events } as const;
    await run({ do: "tell", happening: older });
    this.#hasNewer = heldOf(sight().state.replica, this.#id).from > this.#to + 1;
  }

  #tell(): void {
    this.#awaitExpiry();
    this.#parts.changed();
  }

  /** [CL-65] What disappears in it does so on time: nobody else tells. */
  #awaitExpiry(): void {
    this.#cancelExpiry();
    const { now } = this.#parts.sight();
    const at = nextExpiry(this.#see().events, now);
    if (at < Number.POSITIVE_INFINITY) this.#cancelExpiry = this.#parts.later(at - now, () => this.#tell());
  }
}

/**
 * [CL-65] Whether nothing of the window may be shown any more: somebody else is signed in, or nobody; it was cleared; or what was said since it
 * was opened is not all here, because the log begins anew behind it, or because I was out of the group meanwhile.
 */
function isOver(
  { me, device }: Sight,
  { covered, from, clearedThrough = 0, events }: Held,
  opened: { readonly me: string | null; readonly device: string | null; readonly covered: number },
  to: number,
): boolean {
  const isElse = me !== opened.me || device !== opened.device || covered === 0;
  const isBack = events.some(
    (event) => event.kind === "member" && event.change === "added" && event.userId === me && event.seq > opened.covered,
  );
  return isElse || isBack || from > opened.covered + 1 || (to > 0 && clearedThrough >= to);
}
