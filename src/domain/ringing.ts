import type { ConversationId, DeviceId, UserId } from "../protocol/ids.ts";
import type { Mine } from "../protocol/states.ts";
import { type PushJob, previewOf, type Subscription } from "./push.ts";

/** The newest message of somebody else among those just delivered, as its receiver's inbox needs it to ring. */
export type Bell = {
  seq: number;
  senderId: UserId;
  /** Unread messages of the conversation, this one included. */
  unread: number;
  mentioned: boolean;
  title?: string;
  /** Absent for content that must not leave in the clear. */
  text?: string;
  /** When the message disappears. Epoch ms. */
  expiresAt?: number;
};

/** A message that is gone and whose notification a member's devices may still show. `unread`: of the conversation, without it. */
export type Silence = { seq: number; unread: number };

export const NOT_MUTED: Mine = { mentionsPierce: false, pinned: false, archived: false };
const isMuted = ({ mutedUntil = 0 }: Mine, now: number): boolean => mutedUntil > now;

/** [PU-2] [PU-3] A muted conversation does not ring, unless for a mention where the person lets that through. */
export const rings = (mine: Mine, mentioned: boolean, now: number): boolean =>
  !isMuted(mine, now) || (mentioned && mine.mentionsPierce);

export type MineChange = {
  mutedUntil?: number | null | undefined;
  mentionsPierce?: boolean | undefined;
  pinned?: boolean | undefined;
  archived?: boolean | undefined;
};

/** What is given changes, the rest stays; a mute until null or a time that has passed is none. */
export function changedMine(before: Mine, change: MineChange, now: number): Mine {
  const {
    mutedUntil: muted,
    mentionsPierce = before.mentionsPierce,
    pinned = before.pinned,
    archived = before.archived,
  } = change;
  const mutedUntil = muted === undefined ? before.mutedUntil : muted;
  const mine = { mentionsPierce, pinned, archived };
  return mutedUntil !== null && mutedUntil !== undefined && mutedUntil > now ? { ...mine, mutedUntil } : mine;
}

/**
 * Why an inbox with no device online need not be called. `until`: epoch ms, null: until it attends; `unlessMentioned`: a mention is told
 * all the same.
 */
export type Park = { until: number | null; unlessMentioned: boolean };

/** [IX-6] [PU-4] Nobody to tell: no device is connected, and none is to be rung. Null: call again for the next message. */
export function parkFor(facts: { live: boolean; subscribed: boolean; mine: Mine; now: number }): Park | null {
  const { live, subscribed, mine, now } = facts;
  if (live) return null;
  if (!subscribed) return { until: null, unlessMentioned: false };
  return isMuted(mine, now) ? { until: mine.mutedUntil ?? null, unlessMentioned: mine.mentionsPierce } : null;
}

type To = {
  userId: UserId;
  deviceId: DeviceId;
  subscription: Subscription;
  conversationId: ConversationId;
  now: number;
};
const addressed = ({ userId, deviceId, subscription, conversationId, now }: To) =>
  ({ userId, deviceId, endpoint: subscription.endpoint, conversationId, decidedAt: now }) as const;

/** [PU-5] What a push may tell is the device's choice; the count is always told. */
export function messageJob(to: To, { seq, unread, senderId, title, text, expiresAt }: Bell): PushJob {
  const named = { senderId, ...(title === undefined ? {} : { title }) };
  const preview = text === undefined ? named : { ...named, text: previewOf(text) };
  const life = expiresAt === undefined ? {} : { expiresAt };
  const job = { ...addressed(to), kind: "message", seq, unread, ...life } as const;
  return to.subscription.preview ? { ...job, preview } : job;
}

/** [LM-9] [LM-18] Silent: takes down what rang for this message, for it is gone. */
export const goneJob = (to: To, { seq, unread }: Silence): PushJob => ({ ...addressed(to), kind: "gone", seq, unread });

/** [PU-6] Silent: takes down what rang up to `seq`, for it was read elsewhere. */
export const readJob = (to: To, seq: number, unread: number): PushJob => ({
  ...addressed(to),
  kind: "read",
  seq,
  unread,
});
