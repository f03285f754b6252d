import * as z from "zod";
import type { ErrorCode } from "./errors.ts";
import { Event, Role } from "./events.ts";
import { Ack, SendBody, Summary } from "./frames.ts";
import { ConversationId, DeviceId, EpochMs, IdempotencyKey, Seq, SeqOrZero, UserId } from "./ids.ts";
import { LIMITS } from "./limits.ts";

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

const Visibility = z.enum(["everyone", "contacts", "nobody"]).meta({ id: "Visibility" });
export const Privacy = z.object({ lastSeen: Visibility, readReceipts: Visibility }).meta({ id: "Privacy" });
export type Privacy = z.infer<typeof Privacy>;

export const Profile = z
  .object({ userId: UserId, handle: z.string(), displayName: z.string() })
  .meta({ id: "Profile", description: "What anybody may see of a user." });
export type Profile = z.infer<typeof Profile>;
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

const SignedDevice = z.strictObject({ name: DeviceName, id: DeviceId.optional() });
const ofConversation = z.strictObject({ id: ConversationId });
const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max));

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
    summary: "A user's public profile",
    access: "device",
    params: z.strictObject({ userId: UserId }),
    answers: { 200: Profile },
    refusals: ["not_found"],
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
    summary: "Change a group's settings (admins)",
    access: "device",
    params: ofConversation,
    body: z.strictObject({ title: Title }),
    answers: { 200: ConversationAnswer },
    refusals: ["not_found", "not_member", "forbidden"],
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
    refusals: ["not_found", "not_member", "idempotency_conflict", "key_out_of_order", "device_revoked", "rate_limited"],
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
