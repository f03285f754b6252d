import * as z from "zod";
import type { ErrorCode } from "./errors.ts";
import { ContentType, Event, MediaBytes, RetentionMs, Role } from "./events.ts";
import { Ack, SendBody, Summary } from "./frames.ts";
import {
  ConversationId,
  DeviceId,
  EpochMs,
  EventId,
  IdempotencyKey,
  InviteCode,
  MediaId,
  Seq,
  SeqOrZero,
  UserId,
} from "./ids.ts";
import { LIMITS, TIMES } from "./limits.ts";
import { Mine, Presence, Privacy, Visibility } from "./states.ts";

/** One HTTP door. The Hono routes, the OpenAPI document and the tests are made from these, so a door and its description cannot differ. */
export type Door = {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** With `{name}` for each path parameter. */
  readonly path: string;
  readonly summary: string;
  /** Who may call: anybody, a signed-in device, or the deployer's operator. */
  readonly access: "anyone" | "device" | "operator";
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** Body by success status; null where there is none. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** What this door may refuse with, besides what any door may (`invalid_request`, `unauthenticated`, `unavailable` …). */
  readonly refusals: readonly ErrorCode[];
};
const door = <const D extends Door>(d: D): D => d;

/** Letters, digits, `.`, `_`, `-`; compared without case, kept in lower case. */
const Handle = z
  .string()
  .min(LIMITS.handleMin)
  .max(LIMITS.handleMax)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
  .toLowerCase()
  .meta({ id: "Handle" });
const Password = z.string().min(LIMITS.passwordMin).max(LIMITS.passwordMax);
const named = (max: number) =>
  z
    .string()
    .max(max)
    .refine((s) => s.trim().length > 0 && s.isWellFormed(), "must not be blank")
    .transform((s) => s.trim());
const DisplayName = named(LIMITS.displayNameLength);
const Title = named(LIMITS.titleLength);
const DeviceName = named(LIMITS.deviceNameLength);
const Token = z.string().min(1).max(LIMITS.tokenLength);

export const Profile = z
  .object({ userId: UserId, handle: z.string(), displayName: z.string() })
  .meta({ id: "Profile", description: "What anybody may see of a user." });
export type Profile = z.infer<typeof Profile>;
/** The state of an acquaintance: I asked, they asked, or both. */
export const ContactState = z.enum(["requested", "incoming", "accepted"]).meta({ id: "ContactState" });
export type ContactState = z.infer<typeof ContactState>;
export const Contact = z.object({ ...Profile.shape, state: ContactState }).meta({ id: "Contact" });
export type Contact = z.infer<typeof Contact>;
export const Me = z.object({ ...Profile.shape, privacy: Privacy, createdAt: EpochMs }).meta({ id: "Me" });
export type Me = z.infer<typeof Me>;

export const Device = z
  .object({
    deviceId: DeviceId,
    name: z.string(),
    createdAt: EpochMs,
    lastUsedAt: EpochMs.meta({ description: "The last sign-in or refresh." }),
    current: z.boolean().meta({ description: "The device that asks." }),
  })
  .meta({ id: "Device" });
export type Device = z.infer<typeof Device>;

const tokens = { accessToken: z.string(), accessExpiresAt: EpochMs, refreshToken: z.string() };
export const TokenPair = z.object(tokens).meta({ id: "TokenPair" });
export type TokenPair = z.infer<typeof TokenPair>;
export const Session = z.object({ user: Me, device: Device, ...tokens }).meta({ id: "Session" });
export type Session = z.infer<typeof Session>;

export const Member = z.object({ userId: UserId, role: Role, joinedSeq: SeqOrZero }).meta({ id: "Member" });
export type Member = z.infer<typeof Member>;
export const Conversation = z
  .object({
    conversationId: ConversationId,
    kind: z.enum(["direct", "group"]),
    title: z.string().optional(),
    createdAt: EpochMs,
    retentionMs: RetentionMs.optional().meta({ description: "Absent where messages do not disappear." }),
    head: SeqOrZero,
    floor: Seq.meta({ description: "The lowest seq that I may see." }),
    members: z.array(Member),
    mine: z.object({ role: Role.nullable(), delivered: SeqOrZero, read: SeqOrZero, unread: z.int().min(0) }),
  })
  .meta({ id: "Conversation" });
export type Conversation = z.infer<typeof Conversation>;
const ConversationAnswer = z.object({ conversation: Conversation }).meta({ id: "ConversationAnswer" });

const ListedConversation = z
  .object({ ...Summary.shape, peer: z.union([Profile, z.object({ userId: UserId })]).optional() })
  .meta({ id: "ListedConversation" });

/** Who has one event, counted, and by name where the conversation is not too large. */
export const EventReceipts = z
  .object({
    seq: Seq,
    memberCount: z.int().meta({ description: "The members whom it was for, without its sender." }),
    deliveredCount: z.int(),
    readCount: z.int().meta({ description: "Those who show that they have read it." }),
    members: z
      .array(z.object({ userId: UserId, deliveredAt: EpochMs.optional(), readAt: EpochMs.optional() }))
      .optional()
      .meta({
        description: `Absent above ${LIMITS.receiptMembers} members. The times of what is long past are those by which it was so.`,
      }),
  })
  .meta({ id: "EventReceipts" });
export type EventReceipts = z.infer<typeof EventReceipts>;

const TraceState = z.enum(["waiting", "retrying", "parked", "inbox", "pushed", "socket", "delivered", "read"]).meta({
  id: "TraceState",
  description:
    "How far it has come: not called yet; called in vain, to be tried again; in the index of a member with nobody to tell; at the inbox; " +
    "pushed; put on a socket; acked by a device; read.",
});
/** How one event has come to one member. */
export const TracedMember = z
  .object({
    userId: UserId,
    state: TraceState,
    inboxAt: EpochMs.optional(),
    socketAt: EpochMs.optional(),
    deliveredAt: EpochMs.optional(),
    readAt: EpochMs.optional(),
    pushes: z.array(z.object({ at: EpochMs, provider: z.enum(["web", "fcm"]), seq: Seq, answer: z.string() })).meta({
      description: "Pushes for this event or a later one, with the provider's answer: its HTTP status, or a word.",
    }),
    failures: z.int().optional().meta({ description: "Calls of the inbox that failed in a row." }),
    retryAt: EpochMs.optional(),
  })
  .meta({ id: "TracedMember" });
export type TracedMember = z.infer<typeof TracedMember>;
export const Trace = z
  .object({ seq: Seq, appendedAt: EpochMs, inHistory: z.boolean(), members: z.array(TracedMember) })
  .meta({ id: "Trace" });
export type Trace = z.infer<typeof Trace>;

/** Where the bytes go, in one request of this method with these headers; what else is sent, the store refuses. */
const Upload = z
  .object({ method: z.literal("PUT"), url: z.string(), headers: z.record(z.string(), z.string()), expiresAt: EpochMs })
  .meta({ id: "Upload" });
export type Upload = z.infer<typeof Upload>;
export const MediaTicket = z
  .object({
    mediaId: MediaId,
    upload: Upload.optional().meta({
      description: "Absent where these bytes are here already. A PUT that is answered with 412 was made before.",
    }),
  })
  .meta({ id: "MediaTicket" });
export type MediaTicket = z.infer<typeof MediaTicket>;
const MediaPlace = z.object({ url: z.string(), expiresAt: EpochMs }).meta({ id: "MediaPlace" });
export type MediaPlace = z.infer<typeof MediaPlace>;

export const Invite = z
  .object({
    code: InviteCode,
    makerId: UserId,
    expiresAt: EpochMs,
    maxUses: z.int().nullable().meta({ description: "How many it lets in; null: as many as the group holds." }),
    uses: z.int().min(0),
    readmits: z.boolean().meta({ description: "Also those who had been removed before it was made." }),
  })
  .meta({ id: "Invite" });
export type Invite = z.infer<typeof Invite>;

export const SearchHit = z
  .object({
    conversationId: ConversationId,
    seq: Seq,
    eventId: EventId,
    senderId: UserId,
    receivedAt: EpochMs,
    occurredAt: EpochMs,
    snippet: z.object({ text: z.string(), from: z.int().min(0), to: z.int().min(0) }).meta({
      description: "The words that were found, from UTF-16 unit `from` to `to`, with some of what stands around them.",
    }),
  })
  .meta({ id: "SearchHit", description: "A message that shows the words." });
export type SearchHit = z.infer<typeof SearchHit>;

const SignedDevice = z.strictObject({ name: DeviceName, id: DeviceId.optional() });
const ofConversation = z.strictObject({ id: ConversationId });
const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max));

const ofEvent = z.strictObject({ id: ConversationId, seq: wholeNumber(1, Number.MAX_SAFE_INTEGER) });
/** Base64url of exactly so many bytes, padded or not. */
const pushKeyOf = (bytes: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]+={0,2}$/)
    .refine((s) => Math.floor((s.replaceAll("=", "").length * 3) / 4) === bytes, `must be ${bytes} bytes`);

export const DOORS = {
  signUp: door({
    method: "post",
    path: "/v1/auth/sign-up",
    summary: "Make an account and its first device",
    access: "anyone",
    body: z.strictObject({
      handle: Handle,
      password: Password,
      displayName: DisplayName,
      device: z.strictObject({ name: DeviceName }),
    }),
    answers: { 201: Session },
    refusals: ["handle_taken", "rate_limited"],
  }),
  signIn: door({
    method: "post",
    path: "/v1/auth/sign-in",
    summary: "Sign in; without a device id this is a new device",
    access: "anyone",
    body: z.strictObject({
      handle: z.string().min(1).max(LIMITS.handleMax),
      password: z.string().min(1).max(LIMITS.passwordMax),
      device: SignedDevice,
    }),
    answers: { 200: Session },
    refusals: ["invalid_credentials", "too_many_devices", "rate_limited"],
  }),
  exchange: door({
    method: "post",
    path: "/v1/auth/exchange",
    summary: "Trade the token of the deployer's own issuer for a device",
    access: "anyone",
    body: z.strictObject({ token: Token, device: SignedDevice }),
    answers: { 200: Session, 201: Session },
    refusals: ["invalid_credentials", "not_found", "too_many_devices", "rate_limited"],
  }),
  refresh: door({
    method: "post",
    path: "/v1/auth/refresh",
    summary: "Trade a refresh token for a new pair; each refresh token works once",
    access: "anyone",
    body: z.strictObject({ refreshToken: Token }),
    answers: { 200: TokenPair },
    refusals: ["refresh_reused", "device_revoked", "token_expired", "rate_limited"],
  }),
  signOut: door({
    method: "post",
    path: "/v1/auth/sign-out",
    summary: "Sign this device out; its sockets close with 4001",
    access: "device",
    answers: { 204: null },
    refusals: [],
  }),
  me: door({
    method: "get",
    path: "/v1/me",
    summary: "My profile",
    access: "device",
    answers: { 200: Me },
    refusals: [],
  }),
  changeMe: door({
    method: "patch",
    path: "/v1/me",
    summary: "Change my profile or privacy",
    access: "device",
    body: z.strictObject({
      displayName: DisplayName.optional(),
      privacy: z.strictObject({ lastSeen: Visibility.optional(), readReceipts: Visibility.optional() }).optional(),
    }),
    answers: { 200: Me },
    refusals: [],
  }),
  devices: door({
    method: "get",
    path: "/v1/me/devices",
    summary: "My signed-in devices",
    access: "device",
    answers: { 200: z.object({ devices: z.array(Device) }) },
    refusals: [],
  }),
  revokeDevice: door({
    method: "delete",
    path: "/v1/me/devices/{deviceId}",
    summary: "Sign one of my devices out; its sockets close with 4001 at once",
    access: "device",
    params: z.strictObject({ deviceId: DeviceId }),
    answers: { 204: null },
    refusals: ["not_found"],
  }),
  findUser: door({
    method: "get",
    path: "/v1/users",
    summary: "Find a user by handle",
    access: "device",
    query: z.strictObject({ handle: z.string().min(1).max(LIMITS.handleMax) }),
    answers: { 200: Profile },
    refusals: ["not_found"],
  }),
  user: door({
    method: "get",
    path: "/v1/users/{userId}",
    summary: "A user's public profile, and presence if they show it to me",
    access: "device",
    params: z.strictObject({ userId: UserId }),
    answers: { 200: z.object({ ...Profile.shape, presence: Presence.omit({ userId: true }).optional() }) },
    refusals: ["not_found"],
  }),
  contacts: door({
    method: "get",
    path: "/v1/contacts",
    summary: "My contacts, and who asks or is asked to be one",
    access: "device",
    answers: { 200: z.object({ contacts: z.array(Contact) }) },
    refusals: [],
  }),
  putContact: door({
    method: "put",
    path: "/v1/contacts/{userId}",
    summary: "Ask somebody to be a contact, or accept when they have asked",
    access: "device",
    params: z.strictObject({ userId: UserId }),
    answers: { 200: z.object({ userId: UserId, state: ContactState }) },
    refusals: ["not_found", "forbidden", "too_many_contacts"],
  }),
  removeContact: door({
    method: "delete",
    path: "/v1/contacts/{userId}",
    summary: "End being contacts, take back or decline a request",
    access: "device",
    params: z.strictObject({ userId: UserId }),
    answers: { 204: null },
    refusals: [],
  }),
  blocks: door({
    method: "get",
    path: "/v1/blocks",
    summary: "Whom I block",
    access: "device",
    answers: { 200: z.object({ blocks: z.array(Profile) }) },
    refusals: [],
  }),
  block: door({
    method: "put",
    path: "/v1/blocks/{userId}",
    summary:
      "Block somebody: what they write to me alone is accepted from them and never reaches me, also not later; they are not told. Groups are as before",
    access: "device",
    params: z.strictObject({ userId: UserId }),
    answers: { 204: null },
    refusals: ["not_found", "too_many_blocks"],
  }),
  unblock: door({
    method: "delete",
    path: "/v1/blocks/{userId}",
    summary: "Block somebody no more: what they write from now on reaches me",
    access: "device",
    params: z.strictObject({ userId: UserId }),
    answers: { 204: null },
    refusals: [],
  }),
  openDirect: door({
    method: "put",
    path: "/v1/conversations/direct/{userId}",
    summary: "The one direct conversation with this user; both sides get the same",
    access: "device",
    params: z.strictObject({ userId: UserId }),
    answers: { 200: ConversationAnswer, 201: ConversationAnswer },
    refusals: ["not_found"],
  }),
  createGroup: door({
    method: "post",
    path: "/v1/conversations",
    summary: "Make a group; its maker is its admin",
    access: "device",
    body: z.strictObject({
      title: Title,
      memberIds: z.array(UserId).max(LIMITS.groupMembers),
      idempotencyKey: IdempotencyKey.optional().meta({
        description: "With it, a repeat answers the group made the first time.",
      }),
    }),
    answers: { 200: ConversationAnswer, 201: ConversationAnswer },
    refusals: ["not_found", "group_full", "idempotency_conflict"],
  }),
  conversations: door({
    method: "get",
    path: "/v1/conversations",
    summary: "My conversations, newest first",
    access: "device",
    query: z.strictObject({ cursor: z.string().max(64).optional(), limit: wholeNumber(1, LIMITS.listPage).optional() }),
    answers: { 200: z.object({ conversations: z.array(ListedConversation), cursor: z.string().optional() }) },
    refusals: [],
  }),
  conversation: door({
    method: "get",
    path: "/v1/conversations/{id}",
    summary: "A conversation's state, its members and my receipts",
    access: "device",
    params: ofConversation,
    answers: { 200: ConversationAnswer },
    refusals: ["not_found"],
  }),
  changeConversation: door({
    method: "patch",
    path: "/v1/conversations/{id}",
    summary:
      "Change a group's settings (admins), or how long the messages of a conversation are kept (in a direct one either)",
    access: "device",
    params: ofConversation,
    body: z
      .strictObject({
        title: Title.optional(),
        retentionMs: z
          .union([z.literal(0), z.int().min(TIMES.retentionMinMs).max(TIMES.retentionMaxMs)])
          .nullable()
          .optional()
          .meta({ description: "From now on messages disappear after so long; 0 or null: they do not." }),
      })
      .refine((change) => Object.values(change).some((value) => value !== undefined), "nothing to change"),
    answers: { 200: ConversationAnswer },
    refusals: ["not_found", "not_member", "forbidden"],
  }),
  clearConversation: door({
    method: "delete",
    path: "/v1/conversations/{id}",
    summary: "Clear a conversation for me alone: what there is by now is not mine to see any more, on any device",
    access: "device",
    params: ofConversation,
    answers: { 204: null },
    refusals: ["not_found"],
  }),
  changeMine: door({
    method: "patch",
    path: "/v1/conversations/{id}/mine",
    summary: "Mute, pin or archive a conversation: for me alone, on all of my devices",
    access: "device",
    params: ofConversation,
    body: z.strictObject({
      mutedUntil: EpochMs.nullable()
        .optional()
        .meta({ description: "Until then it does not ring; null, or a time that has passed: it does." }),
      mentionsPierce: z.boolean().optional(),
      pinned: z.boolean().optional(),
      archived: z.boolean().optional(),
    }),
    answers: { 200: Mine },
    refusals: ["not_found"],
  }),
  conversationPresence: door({
    method: "get",
    path: "/v1/conversations/{id}/presence",
    summary: "Who of the other members is online, as far as they show it to me: fetched when a group is opened",
    access: "device",
    params: ofConversation,
    answers: { 200: z.object({ users: z.array(Presence) }) },
    refusals: ["not_found", "not_member"],
  }),
  putMember: door({
    method: "put",
    path: "/v1/conversations/{id}/members/{userId}",
    summary: "Add a member to a group, or set the role of one (admins)",
    access: "device",
    params: z.strictObject({ id: ConversationId, userId: UserId }),
    body: z.strictObject({ role: Role.default("member") }),
    answers: { 200: ConversationAnswer, 201: ConversationAnswer },
    refusals: ["not_found", "not_member", "forbidden", "group_full", "last_admin"],
  }),
  removeMember: door({
    method: "delete",
    path: "/v1/conversations/{id}/members/{userId}",
    summary: "Remove a member (admins); removing oneself leaves",
    access: "device",
    params: z.strictObject({ id: ConversationId, userId: UserId }),
    answers: { 204: null },
    refusals: ["not_found", "not_member", "forbidden", "last_admin"],
  }),
  createInvite: door({
    method: "post",
    path: "/v1/conversations/{id}/invites",
    summary: "Make an invite to a group (admins): whoever has its code may join",
    access: "device",
    params: ofConversation,
    body: z.strictObject({
      expiresAt: EpochMs.optional(),
      maxUses: z.int().min(1).max(LIMITS.groupMembers).optional(),
      readmits: z.boolean().optional(),
    }),
    answers: { 201: Invite },
    refusals: ["not_found", "not_member", "forbidden", "too_many_invites"],
  }),
  invites: door({
    method: "get",
    path: "/v1/conversations/{id}/invites",
    summary: "The invites to a group that are not over (admins)",
    access: "device",
    params: ofConversation,
    answers: { 200: z.object({ invites: z.array(Invite) }) },
    refusals: ["not_found", "not_member", "forbidden"],
  }),
  revokeInvite: door({
    method: "delete",
    path: "/v1/conversations/{id}/invites/{code}",
    summary: "Revoke an invite (admins)",
    access: "device",
    params: z.strictObject({ id: ConversationId, code: InviteCode }),
    answers: { 204: null },
    refusals: ["not_found", "not_member", "forbidden"],
  }),
  join: door({
    method: "post",
    path: "/v1/invites/{code}/join",
    summary: "Join a group by an invite; a repeat is harmless",
    access: "device",
    params: z.strictObject({ code: InviteCode }),
    answers: { 200: ConversationAnswer, 201: ConversationAnswer },
    refusals: ["not_found", "forbidden", "invite_over", "group_full"],
  }),
  history: door({
    method: "get",
    path: "/v1/conversations/{id}/events",
    summary: "A page of the log: newest first with `before` (or neither), oldest first with `after`",
    access: "device",
    params: ofConversation,
    query: z
      .strictObject({
        before: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional(),
        after: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
        limit: wholeNumber(1, LIMITS.historyPage).optional(),
      })
      .refine((q) => q.before === undefined || q.after === undefined, "either before or after"),
    answers: {
      200: z
        .object({ events: z.array(Event), head: SeqOrZero, floor: Seq, hasMore: z.boolean() })
        .meta({ id: "History" }),
    },
    refusals: ["not_found"],
  }),
  send: door({
    method: "post",
    path: "/v1/conversations/{id}/events",
    summary: "Send: the same wish, rules and ack as a `send` frame",
    access: "device",
    params: ofConversation,
    body: SendBody,
    answers: { 200: Ack, 201: Ack },
    refusals: [
      "not_found",
      "not_member",
      "forbidden",
      "idempotency_conflict",
      "key_out_of_order",
      "device_revoked",
      "rate_limited",
    ],
  }),
  eventReceipts: door({
    method: "get",
    path: "/v1/conversations/{id}/events/{seq}/receipts",
    summary: "Who has received and read an event of mine, and since when",
    access: "device",
    params: ofEvent,
    answers: { 200: EventReceipts },
    refusals: ["not_found", "not_member", "forbidden"],
  }),
  trace: door({
    method: "get",
    path: "/v1/conversations/{id}/events/{seq}/trace",
    summary: "How an event of mine has come to each member, or why it has not",
    access: "device",
    params: ofEvent,
    answers: { 200: Trace },
    refusals: ["not_found", "not_member", "forbidden"],
  }),
  newMedia: door({
    method: "post",
    path: "/v1/media",
    summary: "Where to upload a file for one message to this conversation; forwarding it elsewhere begins here, too",
    access: "device",
    body: z.strictObject({
      conversationId: ConversationId,
      contentType: ContentType,
      bytes: MediaBytes,
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .meta({ description: "Of the bytes, in hexadecimal." }),
    }),
    answers: { 201: MediaTicket },
    refusals: ["not_found", "media_not_offered", "media_too_large"],
  }),
  media: door({
    method: "get",
    path: "/v1/media/{mediaId}",
    summary: "The bytes, for members: a redirect to where they lie, or that place itself with `as=url`",
    access: "device",
    params: z.strictObject({ mediaId: MediaId }),
    query: z.strictObject({ as: z.literal("url").optional() }),
    answers: { 200: MediaPlace, 302: null },
    refusals: ["not_found", "media_not_offered", "media_not_uploaded"],
  }),
  search: door({
    method: "get",
    path: "/v1/search",
    summary: "My messages that show these words, whatever their case; those written last come first",
    access: "device",
    query: z.strictObject({
      q: z
        .string()
        .max(LIMITS.searchLength)
        .refine((q) => q.trim().length > 0, "must not be blank"),
      conversationId: ConversationId.optional(),
      cursor: z.string().max(64).optional(),
      limit: wholeNumber(1, LIMITS.searchPage).optional(),
    }),
    answers: {
      200: z
        .object({
          hits: z.array(SearchHit),
          cursor: z.string().optional().meta({
            description: "There may be more: ask again with it. A page may be short, or empty, and have one.",
          }),
          incomplete: z
            .boolean()
            .meta({ description: "Something did not answer: there may be more hits on this page." }),
        })
        .meta({ id: "SearchPage" }),
    },
    refusals: ["not_found"],
  }),
  pushKey: door({
    method: "get",
    path: "/v1/push/key",
    summary: "The server's VAPID public key: the `applicationServerKey` of a browser's subscription",
    access: "device",
    answers: { 200: z.object({ publicKey: z.string() }) },
    refusals: ["push_not_offered"],
  }),
  subscribePush: door({
    method: "put",
    path: "/v1/push/subscription",
    summary:
      "Where to push for this device while it is not connected: a Web Push subscription, or an FCM registration token",
    access: "device",
    body: z
      .strictObject({
        endpoint: z
          .url({ protocol: /^https?$/ })
          .max(LIMITS.endpointLength)
          .optional(),
        expirationTime: z.number().nullable().optional().meta({ description: "As browsers give it; not used." }),
        keys: z.strictObject({ p256dh: pushKeyOf(65), auth: pushKeyOf(16) }).optional(),
        fcmToken: z.string().min(1).max(LIMITS.endpointLength).optional(),
        preview: z
          .boolean()
          .default(true)
          .meta({ description: "Whether the push may carry the sender's name and the text." }),
      })
      .refine((s) => (s.fcmToken === undefined) === (s.endpoint !== undefined && s.keys !== undefined), {
        message: "either endpoint and keys, or fcmToken",
      }),
    answers: { 204: null },
    refusals: ["push_not_offered", "device_revoked"],
  }),
  unsubscribePush: door({
    method: "delete",
    path: "/v1/push/subscription",
    summary: "Do not push for this device any more",
    access: "device",
    answers: { 204: null },
    refusals: [],
  }),
  health: door({
    method: "get",
    path: "/healthz",
    summary: "Whether the Worker answers",
    access: "anyone",
    answers: { 200: z.object({ status: z.literal("ok") }) },
    refusals: [],
  }),
  rebuildHistory: door({
    method: "post",
    path: "/v1/operator/history/rebuild",
    summary:
      "Ship the logs of a page of users' conversations to history anew; call again with the cursor until there is none",
    access: "operator",
    body: z.strictObject({ startedAt: EpochMs, cursor: UserId.optional() }),
    answers: { 200: z.object({ users: z.int(), conversations: z.int(), cursor: UserId.optional() }) },
    refusals: [],
  }),
} as const satisfies Record<string, Door>;
export type DoorName = keyof typeof DOORS;
