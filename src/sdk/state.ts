import { isWished } from "../domain/life.ts";
import { NOT_MUTED } from "../domain/ringing.ts";
import { isWithin, type Range } from "../domain/spans.ts";
import type { Event } from "../protocol/events.ts";
import type { ConversationId, IdempotencyKey } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { Entry, Held, Marks, ReplicaState } from "./stored.ts";

export type { Entry, Held, Marks, ReplicaState } from "./stored.ts";

export const NO_MARKS: Marks = { delivered: 0, read: 0 };
export const NOTHING_STORED: ReplicaState = { cursor: null, conversations: {}, outbox: [] };
const NOTHING_HELD: Held = {
  ...{ covered: 0, from: 1, events: [], read: 0, told: NO_MARKS },
  ...{ ticks: { ...NO_MARKS, except: [] }, mine: NOT_MUTED, memberCount: 0 },
};
export const heldOf = (state: ReplicaState, id: ConversationId): Held => state.conversations[id] ?? NOTHING_HELD;
export const conversationIds = (state: ReplicaState): ConversationId[] =>
  Object.keys(state.conversations) as ConversationId[];

/** So many members that receipts are counts, and nobody is told who types. */
export const isCrowd = ({ memberCount }: Held): boolean => memberCount > LIMITS.receiptMembers;
export const isKnownSmall = (held: Held): boolean => held.memberCount > 0 && !isCrowd(held);

/** One step of the stored state. What one happening changes is stored together, or not at all. */
export type Change =
  | { type: "forgot" }
  | { type: "cursor"; cursor: string }
  | { type: "grew"; conversationId: ConversationId; covered: number; events: readonly Event[] }
  /** Tombstones for events that are held. */
  | { type: "buried"; conversationId: ConversationId; events: readonly Event[] }
  /** What lies up to this seq is not mine to see any more. */
  | { type: "cleared"; conversationId: ConversationId; through: number }
  /** [LM-26] `deleted`: nothing that lies there is mine to see any more, whenever it comes. `events`: what is held of it. */
  | { type: "deleted"; conversationId: ConversationId; deleted: readonly Range[]; events: readonly Event[] }
  /** [CL-39] Nothing below `from` is kept, and the log begins anew there. `passed`: the newest key among what was let go of. */
  | { type: "skipped" | "trimmed"; conversationId: ConversationId; from: number; passed: IdempotencyKey | null }
  /** [CL-39] All that I may see from `from` up to where the window began. */
  | { type: "older"; conversationId: ConversationId; from: number; events: readonly Event[] }
  | {
      type: "marked";
      conversationId: ConversationId;
      marks: Partial<Omit<Held, "covered" | "from" | "passed" | "events">>;
    }
  | { type: "entry"; entry: Entry }
  | { type: "left"; wishId: IdempotencyKey };

/** [CL-1] The state is the fold of the changes that were given out to be stored, so a restored device knows what the old one knew. */
export function applyChange(state: ReplicaState, change: Change): ReplicaState {
  switch (change.type) {
    case "forgot": // [CL-3] what was acked will come with the log
      return {
        cursor: null,
        conversations: {},
        outbox: state.outbox.filter(({ standing }) => standing.is !== "acked"),
      };
    case "cursor":
      return { ...state, cursor: change.cursor };
    case "grew":
      return withHeld(state, change.conversationId, (held) => ({
        ...held,
        covered: change.covered,
        events: change.events.length > 0 ? [...held.events, ...kept(held, change.events)] : held.events,
      }));
    case "buried": {
      const bySeq = new Map(change.events.map((event) => [event.seq, event]));
      return withHeld(state, change.conversationId, (held) => ({
        ...held,
        events: held.events.map((event) => bySeq.get(event.seq) ?? event),
      }));
    }
    case "cleared":
      return withHeld(state, change.conversationId, (held) => ({
        ...withReceived(
          held,
          held.events.filter(({ seq }) => seq <= change.through),
        ),
        covered: Math.max(held.covered, change.through),
        clearedThrough: Math.max(held.clearedThrough ?? 0, change.through),
        events: held.events.filter(({ seq }) => seq > change.through),
        deleted: held.deleted?.filter(([, to]) => to > change.through),
      }));
    case "deleted":
      return withHeld(state, change.conversationId, (held) => {
        const received = withReceived(held, change.events);
        const without = { ...withPassed(received, newestKey(change.events)), deleted: change.deleted };
        return { ...without, events: kept(without, held.events) };
      });
    case "skipped":
      return withHeld(state, change.conversationId, (held) => ({
        ...withPassed(held, change.passed),
        ...{ from: change.from, covered: change.from - 1, events: [] },
      }));
    case "trimmed":
      return withHeld(state, change.conversationId, (held) => ({
        ...withPassed(held, change.passed),
        ...{ from: change.from, events: held.events.filter(({ seq }) => seq >= change.from) },
      }));
    case "older":
      return withHeld(state, change.conversationId, (held) => ({
        ...held,
        ...{ from: change.from, events: [...kept(held, change.events), ...held.events] },
      }));
    case "marked":
      return withHeld(state, change.conversationId, (held) => ({ ...held, ...change.marks }));
    case "entry":
      return { ...state, outbox: putEntry(state.outbox, change.entry) };
    case "left":
      return { ...state, outbox: state.outbox.filter((entry) => entry.wishId !== change.wishId) };
  }
}

/** [CL-17] */
const withReceived = (held: Held, gone: readonly Event[]): Held => {
  const received = gone.at(-1)?.seq ?? 0;
  return received > (held.received ?? 0) ? { ...held, received } : held;
};

/** [LM-16] [LM-26] Without what the person has cleared or deleted. */
export const kept = ({ deleted, clearedThrough = 0 }: Held, events: readonly Event[]): Event[] =>
  events.filter(({ seq }) => seq > clearedThrough && !isWithin(deleted ?? [], seq));

function withPassed(held: Held, passed: IdempotencyKey | null): Held {
  return passed !== null && passed > (held.passed ?? "") ? { ...held, passed } : held;
}

function withHeld(state: ReplicaState, id: ConversationId, change: (held: Held) => Held): ReplicaState {
  return { ...state, conversations: { ...state.conversations, [id]: change(heldOf(state, id)) } };
}

/** [CL-14] Keys that may be this device's are remembered when their events are let go: new ones must pass them. */
export function newestKey(events: readonly Event[]): IdempotencyKey | null {
  let newest: IdempotencyKey | null = null;
  for (const event of events)
    if (isWished(event) && event.idempotencyKey > (newest ?? "")) newest = event.idempotencyKey;
  return newest;
}

function putEntry(outbox: readonly Entry[], entry: Entry): Entry[] {
  const known = outbox.some(({ wishId }) => wishId === entry.wishId);
  return known ? outbox.map((other) => (other.wishId === entry.wishId ? entry : other)) : [...outbox, entry];
}
