import type { Event, GoneContent, MessageEvent, Wish, WishedEvent } from "../protocol/events.ts";
import type { UserId } from "../protocol/ids.ts";
import { TIMES } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { type ConversationKind, type Membership, mayAdminister, type Roster } from "./membership.ts";

/** The life of a message after it was sent: who may change it, until when, and what stays. */

export type Because = GoneContent["because"];
export type LateWish = Exclude<Wish, { kind: "message" }>;

/** `target`: the message the wish is about, if there is one that the member may see. `now`: epoch ms. */
type Facts = { kind: ConversationKind; member: Membership; target: MessageEvent | undefined; now: number };

export const isExpired = ({ expiresAt }: MessageEvent, now: number): boolean =>
  expiresAt !== undefined && expiresAt <= now;

/** May this be said of that message? */
export function decideLate(
  { kind, member, target, now }: Facts,
  wish: LateWish,
): Result<LateWish, "invalid_request" | "forbidden" | "too_late"> {
  if (!target) return refuse("invalid_request", "event.targetSeq: no such message"); // [LM-1]
  const isOwn = target.senderId === member.userId;
  const isAdmin = kind === "group" && member.role === "admin";
  const age = now - target.receivedAt;
  if (wish.kind === "edit" && !isOwn) return refuse("forbidden", "only its sender may edit a message"); // [LM-2]
  if (wish.kind === "recall" && !isOwn && !isAdmin) return refuse("forbidden", "only its sender or an admin"); // [LM-3]
  if (target.content.type === "gone" || isExpired(target, now)) return refuse("too_late", "the message is gone"); // [LM-4]
  if (wish.kind === "edit" && target.content.type !== "text")
    return refuse("invalid_request", "event.targetSeq: no text");
  if (wish.kind === "edit" && age > TIMES.editMs) return refuse("too_late"); // [LM-2]
  if (wish.kind === "recall" && !isAdmin && age > TIMES.recallMs) return refuse("too_late"); // [LM-3]
  return ok(wish);
}

/** [LM-13] When a message's content is to be taken away (epoch ms): the conversation's choice, and never later than the deployer's. */
export function expiryOf(
  receivedAt: number,
  { chosenMs, deployerMs }: { chosenMs: number; deployerMs: number },
): number | null {
  const keeps = [chosenMs, deployerMs].filter((ms) => ms > 0);
  return keeps.length > 0 ? receivedAt + Math.min(...keeps) : null;
}

/** What a deployer's number of days means in ms; 0: for ever. */
export const daysToMs = (days: string | undefined): number => {
  const ms = Number(days ?? "") * 24 * 60 * 60_000;
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
};

export type SettingsChange = { title?: string | undefined; retentionMs?: number | undefined };

/** [LM-14] How long messages are kept is either's to say in a direct conversation, and the admins' in a group. */
export function maySet(
  facts: { kind: ConversationKind; roster: Roster; actorId: UserId },
  change: SettingsChange,
): Result<Membership, "not_found" | "not_member" | "forbidden"> {
  if (facts.kind === "group" || change.title !== undefined) return mayAdminister(facts);
  const actor = facts.roster.get(facts.actorId);
  return actor ? ok(actor) : refuse("not_found"); // [GR-1]
}

/** The words that somebody wrote in a message, where there are any. */
export function textOf(content: MessageEvent["content"]): string | undefined {
  if (content.type === "text") return content.text;
  return content.type === "media" ? content.caption : undefined;
}

export const mentionsOf = (content: MessageEvent["content"]): readonly UserId[] =>
  content.type === "gone" ? [] : (content.mentions ?? []);

/** [LM-5] What stays of an event when its content is taken away: everything but the content. */
export const tombstoneOf = <E extends { content: unknown }>(
  event: E,
  because: Because,
): E & { content: GoneContent } => ({
  ...event,
  content: { type: "gone", because },
});

/** The wish that an event answers; null: it cannot be told any more, for its content is gone. */
export function wishOf(event: WishedEvent): Wish | null {
  switch (event.kind) {
    case "message":
      return event.content.type === "gone" ? null : { kind: event.kind, content: event.content };
    case "edit":
      if (event.content.type === "gone") return null;
      return { kind: event.kind, targetSeq: event.targetSeq, content: event.content };
    case "recall":
      return { kind: event.kind, targetSeq: event.targetSeq };
    case "reaction":
      return { kind: event.kind, targetSeq: event.targetSeq, emoji: event.emoji };
  }
}

/** Events that a device wished for say which. */
export const isWished = (event: Event): event is WishedEvent => "idempotencyKey" in event;

/**
 * [LM-9] Whether a member's notification is the one for this message: it rang, was not read, and nothing newer rang in its place.
 * `rung` and `read`: the seqs up to which the member was; `newest`: the last message of others up to `rung` that is not gone.
 */
export const isShownRung = (
  targetSeq: number,
  { rung, read, newest }: { rung: number; read: number; newest: number },
) => targetSeq <= rung && targetSeq > read && targetSeq > newest;
