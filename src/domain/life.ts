import type {
  Content,
  EditEvent,
  EditedContent,
  Event,
  GoneContent,
  MessageEvent,
  Wish,
  WishedEvent,
} from "../protocol/events.ts";
import type { UserId } from "../protocol/ids.ts";
import { LIMITS, TIMES } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import type { ConversationKind, Membership } from "./membership.ts";

/** The life of a message after it was sent: who may change it, until when, and what stays. */

export type Because = GoneContent["because"];
export type LateWish = Exclude<Wish, { kind: "message" }>;

/** `target`: the message the wish is about, if there is one that the member may see. `now`: epoch ms. */
type Facts = { kind: ConversationKind; member: Membership; target: MessageEvent | undefined; now: number };

/** [LM-22] Nobody has it any more. What the server alone has forgotten is there, on everybody's devices. */
export const isGone = (content: { type: string; delivered?: true | undefined }): boolean =>
  content.type === "gone" && content.delivered !== true;

/** [LM-22] What the server keeps of words that every device has. */
export const forgottenOf = <E extends { content: unknown }>(event: E): E & { content: GoneContent } => ({
  ...event,
  content: { type: "gone", because: "expired", delivered: true },
});

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
  if (isGone(target.content) || isExpired(target, now)) return refuse("too_late", "the message is gone"); // [LM-4]
  if (wish.kind === "edit" && !isEditable(target.content, wish.content))
    return refuse("invalid_request", "event.content.type: not what the message is"); // [LM-23]
  if (wish.kind === "edit" && target.content.type !== "gone" && target.content.forwards !== undefined)
    return refuse("forbidden", "the words are somebody else's"); // [LM-24]
  if (wish.kind === "edit" && age > TIMES.editMs) return refuse("too_late"); // [LM-2]
  if (wish.kind === "recall" && !isAdmin && age > TIMES.recallMs) return refuse("too_late"); // [LM-3]
  return ok(wish);
}

/** A text is edited by a text, also one that the server has forgotten, and media by a caption. [LM-22] */
const isEditable = (content: MessageEvent["content"], edited: EditedContent): boolean =>
  (content.type === "media") === (edited.type === "caption");

/** [LM-11] [LM-23] The content with the edit in it: what is not the edit's to say stays. */
export function edited(content: Content, edit: EditedContent): Content {
  const { mentions: _, ...kept } = content;
  if (kept.type === "text") return edit.type === "text" ? { ...kept, ...edit } : content;
  if (edit.type === "text") return content;
  const { caption: __, ...media } = kept;
  const { type: ___, ...said } = edit;
  return { ...media, ...said };
}

/** [LM-24] What passes this content on: what it says and shows, but to nobody and in answer to nothing. Media needs an id of its own then. */
export function forwarded({ mentions: _, replyTo: __, forwards = 0, ...kept }: Content): Content {
  return { ...kept, forwards: Math.min(forwards + 1, LIMITS.forwards) };
}

/** [LM-13] When a message's content is to be taken away (epoch ms): the conversation's choice, and never later than the deployer's. */
export function expiryOf(
  receivedAt: number,
  { chosenMs, deployerMs }: { chosenMs: number; deployerMs: number },
): number | null {
  const keeps = [chosenMs, deployerMs].filter((ms) => ms > 0);
  return keeps.length > 0 ? receivedAt + Math.min(...keeps) : null;
}

/** [LM-17] What was received by then has had the deployer's time, whenever that was set (epoch ms); null: there is none. */
export const agedBy = (now: number, deployerMs: number): number | null => (deployerMs > 0 ? now - deployerMs : null);

/** What a deployer's number of days means in ms; 0: for ever. */
export const daysToMs = (days: string | undefined): number => {
  const ms = Number(days ?? "") * 24 * 60 * 60_000;
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
};

/** The words that somebody wrote in a message, where there are any. */
export function textOf(content: (MessageEvent | EditEvent)["content"]): string | undefined {
  if (content.type === "text") return content.text;
  return content.type === "gone" ? undefined : content.caption;
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
