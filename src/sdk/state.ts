import * as z from "zod";
import { NOT_MUTED } from "../domain/ringing.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { Event, Wish } from "../protocol/events.ts";
import { ConversationId, Cursor, EpochMs, IdempotencyKey, SeqOrZero } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { Mine } from "../protocol/states.ts";

const Marks = z.object({ delivered: SeqOrZero, read: SeqOrZero });
export type Marks = z.infer<typeof Marks>;
const NO_MARKS: Marks = { delivered: 0, read: 0 };

const TicksHeld = Marks.extend({
  /** Below them, what the other one never got. [RC-11] */
  except: z.array(z.object({ from: z.int(), to: z.int() })).default([]),
});
const NO_TICKS = { ...NO_MARKS, except: [] };

/** What a device holds of one conversation. Fields with a default came later: a device that stored the older shape reads on. [CL-29] */
export const Held = z.object({
  /** Every event up to this seq that I may see is in `events`; what is absent there I may not see. */
  covered: SeqOrZero,
  events: z.array(Event),
  /** How far the person has read, here or on another device. */
  read: SeqOrZero,
  /** The receipt that was sent last. */
  told: Marks,
  /** How far everybody else has received, the highest that the server ever told. [CL-28] */
  ticks: TicksHeld.default(NO_TICKS),
  /** What the person has set for it, on any device. */
  mine: Mine.default(NOT_MUTED),
  /** 0 until the server told. */
  memberCount: z.int().default(0),
});
export type Held = z.infer<typeof Held>;

/** `sent`: it has left under its present key, so it may have been appended. Acked: its event is not in the log here yet. */
const Standing = z.discriminatedUnion("is", [
  z.object({ is: z.literal("waiting"), sent: z.boolean() }),
  z.object({ is: z.literal("acked"), seq: z.int() }),
  z.object({ is: z.literal("failed"), code: ErrorCode }),
]);

/** One wish in the outbox. */
export const Entry = z.object({
  /** The key it was first given; it names the wish for ever, also when the server asks for another key. */
  wishId: IdempotencyKey,
  idempotencyKey: IdempotencyKey,
  conversationId: ConversationId,
  composedAt: EpochMs,
  event: Wish,
  standing: Standing,
});
export type Entry = z.infer<typeof Entry>;

/** All that a device keeps. Plain JSON; the schema is for whoever reads it back from a disk. */
export const ReplicaState = z.object({
  cursor: Cursor.nullable(),
  conversations: z.record(ConversationId, Held),
  outbox: z.array(Entry),
});
export type ReplicaState = z.infer<typeof ReplicaState>;

export const NOTHING_STORED: ReplicaState = { cursor: null, conversations: {}, outbox: [] };
const NOTHING_HELD: Held = {
  ...{ covered: 0, events: [], read: 0, told: NO_MARKS },
  ...{ ticks: NO_TICKS, mine: NOT_MUTED, memberCount: 0 },
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
  | { type: "marked"; conversationId: ConversationId; marks: Partial<Omit<Held, "covered" | "events">> }
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
        events: change.events.length > 0 ? [...held.events, ...change.events] : held.events,
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
        ...held,
        covered: Math.max(held.covered, change.through),
        events: held.events.filter(({ seq }) => seq > change.through),
      }));
    case "marked":
      return withHeld(state, change.conversationId, (held) => ({ ...held, ...change.marks }));
    case "entry":
      return { ...state, outbox: putEntry(state.outbox, change.entry) };
    case "left":
      return { ...state, outbox: state.outbox.filter((entry) => entry.wishId !== change.wishId) };
  }
}

function withHeld(state: ReplicaState, id: ConversationId, change: (held: Held) => Held): ReplicaState {
  return { ...state, conversations: { ...state.conversations, [id]: change(heldOf(state, id)) } };
}

function putEntry(outbox: readonly Entry[], entry: Entry): Entry[] {
  const known = outbox.some(({ wishId }) => wishId === entry.wishId);
  return known ? outbox.map((other) => (other.wishId === entry.wishId ? entry : other)) : [...outbox, entry];
}
