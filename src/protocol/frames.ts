import * as z from "zod";
import { ErrorCode } from "./errors.ts";
import { Event, Role, Wish } from "./events.ts";
import { GroupRules } from "./group-rules.ts";
import {
  ConversationId,
  Cursor,
  DeviceId,
  EpochMs,
  EventId,
  IdempotencyKey,
  MediaId,
  Seq,
  SeqOrZero,
  UserId,
} from "./ids.ts";
import { LIMITS, TIMES } from "./limits.ts";
import { Mine, Presence, Receipt, Self, Shed, Ticks } from "./states.ts";

export { PING, PONG } from "./heartbeat.ts";

const FrameId = z.int().min(0).meta({ description: "Unique on the socket; the one answer carries it." });
const id = FrameId.optional();

export const Hello = z
  .strictObject({
    type: z.literal("hello"),
    id,
    version: z.int(),
    cursor: Cursor.nullable(),
    background: z.boolean().optional(),
  })
  .meta({ id: "HelloFrame" });

/** The wish and its times: the body of `POST …/events`, and of a `send` frame with the conversation beside it. */
export const SendBody = z
  .strictObject({ idempotencyKey: IdempotencyKey, composedAt: EpochMs, sentAt: EpochMs, event: Wish })
  .meta({ id: "SendBody" });
export type SendBody = z.infer<typeof SendBody>;

export const Send = z
  .strictObject({ type: z.literal("send"), id, conversationId: ConversationId, ...SendBody.shape })
  .meta({ id: "SendFrame" });

export const Pull = z
  .strictObject({
    type: z.literal("pull"),
    id,
    conversationId: ConversationId,
    after: SeqOrZero,
    limit: z.int().min(1).max(LIMITS.pullPage).optional(),
  })
  .meta({ id: "PullFrame" });

export const ReceiptFrame = z
  .strictObject({
    type: z.literal("receipt"),
    id,
    conversationId: ConversationId,
    delivered: SeqOrZero.optional(),
    read: SeqOrZero.optional(),
  })
  .meta({ id: "ReceiptFrame" });

export const CursorFrame = z
  .strictObject({ type: z.literal("cursor"), id, cursor: Cursor })
  .meta({ id: "CursorFrame" });

export const TypingFrame = z
  .strictObject({
    type: z.literal("typing"),
    id,
    conversationId: ConversationId,
    active: z.boolean().meta({
      description: `True while the person writes: repeat it before ${TIMES.typingMs} ms have passed, or it ends by itself.`,
    }),
  })
  .meta({ id: "TypingFrame" });

export const Watch = z
  .strictObject({
    type: z.literal("watch"),
    id,
    userIds: z
      .array(UserId)
      .max(LIMITS.watched)
      .meta({
        description: `The people whose presence a screen shows: replaces the ones before, and lasts ${TIMES.watchMs} ms unless repeated.`,
      }),
  })
  .meta({ id: "WatchFrame" });

export const ClientFrame = z
  .discriminatedUnion("type", [Hello, Send, Pull, ReceiptFrame, CursorFrame, TypingFrame, Watch])
  .meta({ id: "ClientFrame" });
export type ClientFrame = z.infer<typeof ClientFrame>;

export const Ack = z
  .object({
    conversationId: ConversationId,
    seq: Seq,
    eventId: EventId,
    receivedAt: EpochMs,
    occurredAt: EpochMs,
    expiresAt: EpochMs.optional().meta({ description: "When the content will be taken away." }),
    duplicate: z.boolean().meta({ description: "This wish had been appended before; the ack is the first one's." }),
  })
  .meta({ id: "Ack" });
export type Ack = z.infer<typeof Ack>;

const Deleted = z.array(z.object({ from: Seq, to: Seq })).meta({
  description:
    "Stretches of seqs, both ends included, that I have deleted for myself, here or on another device: drop what you hold of them. " +
    "They only grow, but for what lies below `floor`. Absent: none.",
});

/** Several events of one conversation, in seq order. */
export const Page = z
  .object({
    conversationId: ConversationId,
    events: z.array(Event),
    head: SeqOrZero,
    floor: Seq,
    deleted: Deleted.optional(),
    recalled: z.array(Seq).optional().meta({
      description:
        "Messages that were recalled by events which this page steps over: delete what you hold of their content, and of their edits.",
    }),
  })
  .meta({
    id: "Page",
    description:
      "What follows `after`. It is authoritative up to its last event, or up to `head` when it has none: a seq that it steps over is one " +
      "you may not see (you were not a member then), not one to pull again.",
  });

/** One conversation as its member sees it now. */
export const Summary = z
  .object({
    conversationId: ConversationId,
    kind: z.enum(["direct", "group"]),
    title: z.string().optional(),
    avatarMediaId: MediaId.optional().meta({ description: "A group's picture." }),
    ...GroupRules.partial().shape,
    requestCount: z
      .int()
      .optional()
      .meta({ description: "Where I am an admin and people wait to be let in: how many." }),
    peer: z.object({ userId: UserId }).optional().meta({ description: "The other person of a direct conversation." }),
    role: Role.nullable().meta({ description: "Mine; null once I am not a member any more." }),
    head: SeqOrZero,
    floor: Seq,
    deleted: Deleted.optional(),
    readSeq: SeqOrZero,
    unread: z.int().min(0),
    lastEvent: Event.optional(),
    receipts: z
      .array(Receipt)
      .optional()
      .meta({ description: "In a direct conversation: how far the other one has received." }),
    ticks: Ticks.optional().meta({ description: `Absent above ${LIMITS.receiptMembers} members.` }),
    memberCount: z.int().min(0),
    starred: z.array(Seq).optional().meta({ description: "The messages that I have starred; absent: none." }),
    ...Mine.shape,
  })
  .meta({ id: "Summary" });
export type Summary = z.infer<typeof Summary>;

/** A `changed` entry. When the conversation could not be asked just now only its id is known: pull. */
export const Changed = z.union([Summary, z.object({ conversationId: ConversationId })]);
export type Changed = z.infer<typeof Changed>;

export const ServerFrame = z
  .discriminatedUnion("type", [
    z
      .object({
        type: z.literal("welcome"),
        id,
        userId: UserId,
        deviceId: DeviceId,
        mode: z.enum(["resume", "reset"]),
        serverTime: EpochMs,
        keepMs: z.int().min(1).optional().meta({
          description: "No message is kept for longer, whenever it was sent: this long after `receivedAt` it is gone.",
        }),
      })
      .meta({ id: "WelcomeFrame" }),
    z.object({ type: z.literal("ack"), id, ...Ack.shape }).meta({ id: "AckFrame" }),
    z.object({ type: z.literal("page"), id, ...Page.shape }).meta({ id: "PageFrame" }),
    z
      .object({ type: z.literal("events"), conversationId: ConversationId, events: z.array(Event) })
      .meta({ id: "EventsFrame" }),
    z.object({ type: z.literal("changed"), conversations: z.array(Changed) }).meta({ id: "ChangedFrame" }),
    z.object({ type: z.literal("caught_up"), cursor: Cursor }).meta({ id: "CaughtUpFrame" }),
    z
      .object({
        type: z.literal("receipts"),
        conversationId: ConversationId,
        receipts: z.array(Receipt),
        ticks: Ticks.optional(),
      })
      .meta({ id: "ReceiptsFrame" }),
    z
      .object({
        type: z.literal("typing"),
        conversationId: ConversationId,
        userId: UserId,
        active: z.boolean().meta({ description: `Ends by itself when not repeated within ${TIMES.typingMs} ms.` }),
      })
      .meta({ id: "TypingToldFrame" }),
    z.object({ type: z.literal("presence"), id, users: z.array(Presence) }).meta({ id: "PresenceFrame" }),
    z
      .object({
        type: z.literal("self"),
        conversations: z
          .array(
            z.object({
              conversationId: ConversationId,
              readSeq: SeqOrZero.optional(),
              unread: z.int().min(0).optional(),
              mine: Mine.optional(),
              starred: z.array(Seq).optional().meta({ description: "All that I have starred in it now." }),
            }),
          )
          .optional(),
        profile: Self.optional(),
        contactsVersion: z.int().optional().meta({
          description: "My contacts have changed: unless you have this version or a newer one, ask for what changed.",
        }),
      })
      .meta({ id: "SelfFrame" }),
    z.object({ type: z.literal("degraded"), shed: z.array(Shed) }).meta({ id: "DegradedFrame" }),
    z
      .object({
        type: z.literal("error"),
        id,
        code: ErrorCode,
        detail: z.string(),
        retryable: z.boolean(),
        retryAfterMs: z.int().min(0).optional(),
      })
      .meta({ id: "ErrorFrame" }),
  ])
  .meta({ id: "ServerFrame" });
export type ServerFrame = z.infer<typeof ServerFrame>;
