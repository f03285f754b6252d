import * as z from "zod";
import { ConversationId, DeviceId, EpochMs, EventId, IdempotencyKey, Seq, UserId } from "./ids.ts";
import { LIMITS } from "./limits.ts";

export const TextContent = z
  .strictObject({
    type: z.literal("text"),
    text: z.string().min(1).max(LIMITS.textLength),
    mentions: z.array(UserId).max(LIMITS.mentions).optional(),
    replyTo: Seq.optional().meta({ description: "The seq of the event this answers." }),
  })
  .meta({ id: "TextContent" });

/** What a client may wish to append; the server adds seq, sender and times. */
export const Wish = z
  .discriminatedUnion("kind", [z.strictObject({ kind: z.literal("message"), content: TextContent })])
  .meta({ id: "Wish" });
export type Wish = z.infer<typeof Wish>;

export const Role = z.enum(["admin", "member"]).meta({ id: "Role" });
export type Role = z.infer<typeof Role>;

const envelope = {
  conversationId: ConversationId,
  seq: Seq,
  eventId: EventId,
  senderId: UserId,
  receivedAt: EpochMs.meta({ description: "By the server's clock." }),
  occurredAt: EpochMs.meta({ description: "composedAt + (receivedAt - sentAt), never later than receivedAt." }),
};

/** Only events that a device wished for carry these. */
const origin = {
  deviceId: DeviceId,
  idempotencyKey: IdempotencyKey,
  composedAt: EpochMs.meta({ description: "By the device's clock: when the person wrote it." }),
  sentAt: EpochMs.meta({ description: "By the device's clock: when this attempt left." }),
};

export const MessageEvent = z
  .object({ ...envelope, ...origin, kind: z.literal("message"), content: TextContent })
  .meta({ id: "MessageEvent" });

export const MemberEvent = z
  .object({
    ...envelope,
    kind: z.literal("member"),
    userId: UserId,
    change: z.enum(["added", "removed", "left", "role"]),
    role: Role.optional(),
  })
  .meta({ id: "MemberEvent" });

export const SettingsEvent = z
  .object({ ...envelope, kind: z.literal("settings"), title: z.string().optional() })
  .meta({ id: "SettingsEvent" });

export const Event = z
  .discriminatedUnion("kind", [MessageEvent, MemberEvent, SettingsEvent])
  .meta({ id: "Event", description: "One entry of a conversation's log." });
export type Event = z.infer<typeof Event>;
export type MessageEvent = z.infer<typeof MessageEvent>;
/** What the conversation itself decides; the appender adds the envelope. */
export type ServerChange =
  | Pick<z.infer<typeof MemberEvent>, "kind" | "userId" | "change" | "role">
  | Pick<z.infer<typeof SettingsEvent>, "kind" | "title">;
