import * as z from "zod";
import { GroupRules } from "./group-rules.ts";
import { ConversationId, DeviceId, EpochMs, EventId, IdempotencyKey, MediaId, Seq, UserId } from "./ids.ts";
import { LIMITS } from "./limits.ts";

/** What any content may say of whom and what it is about. */
const mentions = z.array(UserId).max(LIMITS.mentions).optional();
const addressed = {
  mentions,
  replyTo: Seq.optional().meta({ description: "The seq of the event this answers." }),
  forwards: z
    .int()
    .min(1)
    .max(LIMITS.forwards)
    .optional()
    .meta({
      description: `How often it was passed on, as its sender says; ${LIMITS.forwards}: that often or more. Absent: it is their own.`,
    }),
};

export const TextContent = z
  .strictObject({ type: z.literal("text"), text: z.string().min(1).max(LIMITS.textLength), ...addressed })
  .meta({ id: "TextContent" });

export const ContentType = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.+-]{0,62}\/[a-z0-9][a-z0-9.+-]{0,62}$/)
  .meta({ id: "ContentType", description: "A media type without parameters, in lower case: `image/jpeg`." });
export const MediaBytes = z.int().min(1).max(Math.max(LIMITS.videoBytes, LIMITS.fileBytes));
const Caption = z.string().min(1).max(LIMITS.captionLength);
const Pixels = z.int().min(1).max(LIMITS.mediaPixels);

export const MediaContent = z
  .strictObject({
    type: z.literal("media"),
    mediaId: MediaId,
    contentType: ContentType,
    bytes: MediaBytes,
    name: z.string().min(1).max(LIMITS.fileNameLength).optional().meta({ description: "What the file is called." }),
    caption: Caption.optional(),
    width: Pixels.optional(),
    height: Pixels.optional(),
    durationMs: z.int().min(0).max(LIMITS.mediaDurationMs).optional(),
    thumbhash: z
      .string()
      .min(1)
      .max(LIMITS.thumbhashLength)
      .regex(/^[A-Za-z0-9_-]+$/)
      .optional()
      .meta({ description: "A ThumbHash in base64url." }),
    thumbnail: z
      .string()
      .min(1)
      .max(LIMITS.thumbnailLength)
      .regex(/^[A-Za-z0-9+/]+={0,2}$/)
      .optional()
      .meta({ description: "A small JPEG in base64, to show before the media is there." }),
    waveform: z
      .string()
      .min(1)
      .max(LIMITS.waveformLength)
      .regex(/^[A-Za-z0-9_-]+$/)
      .optional()
      .meta({ description: "How loud a sound is from its beginning to its end: at most 64 bytes in base64url." }),
    ...addressed,
  })
  .meta({ id: "MediaContent", description: "A file. Type and size are those that it was uploaded with." });
export type MediaContent = z.infer<typeof MediaContent>;

/** What a message says. */
export const Content = z.discriminatedUnion("type", [TextContent, MediaContent]);
export type Content = z.infer<typeof Content>;

/** What an edit puts in the place of a text; what the message answers stays. */
const EditedText = TextContent.omit({ replyTo: true, forwards: true }).meta({ id: "EditedText" });
const EditedCaption = z
  .strictObject({ type: z.literal("caption"), caption: Caption.optional(), mentions })
  .meta({ id: "EditedCaption", description: "What media says from now on; without `caption`: nothing." });
export const EditedContent = z.discriminatedUnion("type", [EditedText, EditedCaption]).meta({ id: "EditedContent" });
export type EditedContent = z.infer<typeof EditedContent>;

/** The tombstone: all that is left of content that was taken away, in the log, on pages and in history. */
export const GoneContent = z
  .object({
    type: z.literal("gone"),
    because: z.enum(["recalled", "expired"]),
    delivered: z.literal(true).optional().meta({
      description:
        "The server has forgotten the words because every member's devices have them: who holds them keeps them, until a recall or `expiresAt`.",
    }),
  })
  .meta({
    id: "GoneContent",
    description: "The content was recalled, or its time is over: the server has it no more.",
  });
export type GoneContent = z.infer<typeof GoneContent>;

/** One emoji as people see it: a flag, a keycap, or pictographs with skin tones, tags and joiners between them (UTS #51). */
const PICTOGRAPH = String.raw`\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\uFE0F)?(?:[\u{E0020}-\u{E007E}]+\u{E007F})?`;
const EMOJI = new RegExp(
  String.raw`^(?:\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3|${PICTOGRAPH}(?:\u200D${PICTOGRAPH})*)$`,
  "u",
);
export const Emoji = z
  .string()
  .max(LIMITS.emojiLength)
  .regex(EMOJI)
  .meta({ id: "Emoji", description: "One emoji, as people see it." });

/** What is said of an earlier message. */
const target = { targetSeq: Seq.meta({ description: "The seq of the message this is about." }) };
const reacting = {
  ...target,
  emoji: Emoji.nullable().meta({ description: "One a member: replaces the one before; null takes it back." }),
};

/** What a client may wish to append; the server adds seq, sender and times. */
export const Wish = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("message"), content: Content }),
    z.strictObject({ kind: z.literal("edit"), ...target, content: EditedContent }),
    z.strictObject({ kind: z.literal("recall"), ...target }),
    z.strictObject({ kind: z.literal("reaction"), ...reacting }),
  ])
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
  .object({
    ...envelope,
    ...origin,
    kind: z.literal("message"),
    content: z.discriminatedUnion("type", [TextContent, MediaContent, GoneContent]),
    expiresAt: EpochMs.optional().meta({ description: "By the server's clock: then the content is taken away." }),
  })
  .meta({ id: "MessageEvent" });

export const EditEvent = z
  .object({
    ...envelope,
    ...origin,
    kind: z.literal("edit"),
    ...target,
    content: z.discriminatedUnion("type", [EditedText, EditedCaption, GoneContent]),
    expiresAt: EpochMs.optional().meta({
      description: "When the message that it edits is taken away, and this with it.",
    }),
  })
  .meta({ id: "EditEvent", description: "The message shows this content from now on, and that it was edited." });

export const RecallEvent = z
  .object({ ...envelope, ...origin, kind: z.literal("recall"), ...target })
  .meta({ id: "RecallEvent", description: "Delete what you hold of the message's content, and of its edits." });

export const ReactionEvent = z
  .object({ ...envelope, ...origin, kind: z.literal("reaction"), ...reacting })
  .meta({ id: "ReactionEvent" });

export const MemberEvent = z
  .object({
    ...envelope,
    kind: z.literal("member"),
    userId: UserId,
    change: z.enum(["added", "removed", "left", "role"]),
    role: Role.optional(),
    erased: z.literal(true).optional().meta({
      description:
        "With `left`: the person is gone for good. Take the content off all they wrote before it, and their reactions, as if recalled.",
    }),
  })
  .meta({ id: "MemberEvent" });

/** How long the messages of a conversation are kept. */
export const RetentionMs = z.int().min(0).meta({
  id: "RetentionMs",
  description:
    "How long after the server received it a message disappears; 0: never. What was sent before keeps its own time.",
});

export const SettingsEvent = z
  .object({
    ...envelope,
    kind: z.literal("settings"),
    title: z.string().optional(),
    avatarMediaId: MediaId.nullable().optional().meta({ description: "The group's picture; null: it has none now." }),
    retentionMs: RetentionMs.optional(),
    ...GroupRules.partial().shape,
  })
  .meta({ id: "SettingsEvent", description: "What is given has changed." });

export const Event = z
  .discriminatedUnion("kind", [MessageEvent, EditEvent, RecallEvent, ReactionEvent, MemberEvent, SettingsEvent])
  .meta({ id: "Event", description: "One entry of a conversation's log." });
export type Event = z.infer<typeof Event>;
export type MessageEvent = z.infer<typeof MessageEvent>;
export type EditEvent = z.infer<typeof EditEvent>;
export type ReactionEvent = z.infer<typeof ReactionEvent>;
export type RecallEvent = z.infer<typeof RecallEvent>;
/** An event that a device wished for. */
export type WishedEvent = Extract<Event, { kind: Wish["kind"] }>;
/** What the conversation itself decides; the appender adds the envelope. */
export type ServerChange =
  | Pick<z.infer<typeof MemberEvent>, "kind" | "userId" | "change" | "role" | "erased">
  | Omit<z.infer<typeof SettingsEvent>, keyof typeof envelope>;
