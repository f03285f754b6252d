import * as z from "zod";
import { NOT_MUTED } from "../domain/ringing.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { Event, Wish } from "../protocol/events.ts";
import { ConversationId, Cursor, DeviceId, EpochMs, IdempotencyKey, Seq, SeqOrZero } from "../protocol/ids.ts";
import { Mine } from "../protocol/states.ts";

/** What a device keeps, as schemas for whoever reads it back from a disk that others write to. */

const Marks = z.object({ delivered: SeqOrZero, read: SeqOrZero });
export type Marks = z.infer<typeof Marks>;
const TicksHeld = Marks.extend({
  /** Below them, what the other one never got. [RC-11] */
  except: z.array(z.object({ from: z.int(), to: z.int() })).default([]),
});
const NO_TICKS = { delivered: 0, read: 0, except: [] };

/** What a device holds of one conversation. Fields with a default came later: a device that stored the older shape reads on. [CL-29] */
export const Held = z.object({
  /** Every event from `from` up to this seq that I may see is in `events`; what is absent there I may not see. */
  covered: SeqOrZero,
  /** [CL-39] What lies below is not kept here. */
  from: Seq.default(1),
  /** The newest key among what was let go of, where there is one: this device's new ones must pass it. */
  passed: IdempotencyKey.optional(),
  events: z.array(Event),
  /** [LM-16] What lies up to this seq was cleared by the person, for themselves. */
  clearedThrough: Seq.optional(),
  /** [LM-26] Seqs that the person has deleted for themselves. */
  deleted: z
    .array(z.tuple([Seq, Seq]).readonly())
    .readonly()
    .optional(),
  /** [CL-77] The last of what was recalled by events that are not mine to see: it may be shown, or be on its way, without being kept here. */
  unheard: z.array(Seq).readonly().optional(),
  /** [CL-17] The last of what was here and was cleared or deleted since: it was received all the same. */
  received: SeqOrZero.optional(),
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

/**
 * `sent`: it has left under its present key, so it may have been appended. Acked: its event is not in the log here yet. Unsure: it left as
 * another device, which was signed out since, and may lie in the log past `after`.
 */
const Standing = z.discriminatedUnion("is", [
  z.object({ is: z.literal("waiting"), sent: z.boolean() }),
  z.object({ is: z.literal("unsure"), after: SeqOrZero }),
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
  /** The device, signed out since, as which it may have been appended; absent: this one. */
  leftAs: DeviceId.optional(),
  standing: Standing,
});
export type Entry = z.infer<typeof Entry>;

/** All that a device keeps. Plain JSON. */
export const ReplicaState = z.object({
  cursor: Cursor.nullable(),
  conversations: z.record(ConversationId, Held),
  outbox: z.array(Entry),
});
export type ReplicaState = z.infer<typeof ReplicaState>;
