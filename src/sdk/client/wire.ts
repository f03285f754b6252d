/** Made from src/protocol/ by `npm run docs`. Do not edit. */

/** Every code that the server, or this client, refuses with. */
export type ErrorCode =
  | "invalid_request"
  | "unsupported_version"
  | "unauthenticated"
  | "token_expired"
  | "invalid_credentials"
  | "refresh_reused"
  | "device_revoked"
  | "forbidden"
  | "not_member"
  | "not_found"
  | "method_not_allowed"
  | "handle_taken"
  | "idempotency_conflict"
  | "key_out_of_order"
  | "hello_required"
  | "last_admin"
  | "group_full"
  | "too_many_devices"
  | "too_many_invites"
  | "too_many_waiting"
  | "invite_over"
  | "too_many_blocks"
  | "too_many_contacts"
  | "too_many_stars"
  | "too_many_deletions"
  | "too_late"
  | "receipt_ahead"
  | "push_not_offered"
  | "people_search_not_offered"
  | "media_not_offered"
  | "media_not_uploaded"
  | "media_too_large"
  | "payload_too_large"
  | "upgrade_required"
  | "rate_limited"
  | "internal"
  | "unavailable";

export type Ack = { readonly conversationId: ConversationId; readonly seq: Seq; readonly eventId: EventId; readonly receivedAt: EpochMs; readonly occurredAt: EpochMs; readonly expiresAt?: EpochMs | undefined; readonly duplicate: boolean };

export type Contact = { readonly userId: UserId; readonly handle: string; readonly displayName: string; readonly avatarMediaId?: MediaId | undefined; readonly state: ContactState };

export type ContactState = "requested" | "incoming" | "accepted";

export type Contacts = { readonly contacts: readonly (Contact)[]; readonly removed?: readonly (UserId)[] | undefined; readonly version: number; readonly reset?: true | undefined; readonly cursor?: string | undefined };

export type ContentType = string;

export type Conversation = { readonly conversationId: ConversationId; readonly kind: "direct" | "group"; readonly title?: string | undefined; readonly avatarMediaId?: MediaId | undefined; readonly sending?: "members" | "admins" | undefined; readonly setting?: "members" | "admins" | undefined; readonly adding?: "members" | "admins" | undefined; readonly approval?: boolean | undefined; readonly history?: "joined" | "all" | undefined; readonly createdAt: EpochMs; readonly retentionMs?: RetentionMs | undefined; readonly head: number; readonly floor: Seq; readonly members: readonly (Member)[]; readonly mine: { readonly role: Role | null; readonly delivered: number; readonly read: number; readonly unread: number } };

export type ConversationAnswer = { readonly conversation: Conversation };

export type ConversationId = string;

export type Device = { readonly deviceId: DeviceId; readonly name: string; readonly createdAt: EpochMs; readonly lastUsedAt: EpochMs; readonly current: boolean };

export type DeviceId = string;

export type EditEvent = { readonly conversationId: ConversationId; readonly seq: Seq; readonly eventId: EventId; readonly senderId: UserId; readonly receivedAt: EpochMs; readonly occurredAt: EpochMs; readonly deviceId: DeviceId; readonly idempotencyKey: IdempotencyKey; readonly composedAt: EpochMs; readonly sentAt: EpochMs; readonly kind: "edit"; readonly targetSeq: Seq; readonly content: EditedText | EditedCaption | GoneContent; readonly expiresAt?: EpochMs | undefined };

export type EditedCaption = { readonly type: "caption"; readonly caption?: string | undefined; readonly mentions?: readonly (UserId)[] | undefined };

export type EditedCaptionInput = { readonly type: "caption"; readonly caption?: string | undefined; readonly mentions?: readonly (UserId)[] | undefined };

export type EditedContent = EditedTextInput | EditedCaptionInput;

export type EditedText = { readonly type: "text"; readonly text: string; readonly mentions?: readonly (UserId)[] | undefined };

export type EditedTextInput = { readonly type: "text"; readonly text: string; readonly mentions?: readonly (UserId)[] | undefined };

export type Emoji = string;

export type EpochMs = number;

export type Erasure = { readonly userId: UserId; readonly state: ErasureState; readonly askedBy: "user" | "operator"; readonly begunAt: EpochMs; readonly doneAt?: EpochMs | undefined; readonly rounds: number; readonly counts: Tally; readonly rescan?: { readonly at: EpochMs; readonly remaining: Tally } | undefined };

export type ErasureState = "erasing" | "settling" | "done";

export type Event = MessageEvent | EditEvent | RecallEvent | ReactionEvent | MemberEvent | SettingsEvent;

export type EventId = string;

export type EventReceipts = { readonly seq: Seq; readonly memberCount: number; readonly deliveredCount: number; readonly readCount: number; readonly members?: readonly ({ readonly userId: UserId; readonly deliveredAt?: EpochMs | undefined; readonly readAt?: EpochMs | undefined })[] | undefined };

export type ExportAfter = string;

export type ExportBlock = { readonly type: "block"; readonly userId: UserId; readonly handle: string; readonly displayName: string };

export type ExportContact = { readonly type: "contact"; readonly userId: UserId; readonly handle: string; readonly displayName: string; readonly state: "requested" | "incoming" | "accepted" };

export type ExportConversation = { readonly type: "conversation"; readonly conversationId: ConversationId; readonly kind: "direct" | "group"; readonly title?: string | undefined; readonly createdAt: EpochMs; readonly role: Role | null; readonly floor: Seq; readonly head: number; readonly delivered: number; readonly read: number; readonly mine: Mine; readonly starred: readonly (Seq)[]; readonly members: readonly ({ readonly userId: UserId; readonly role: Role; readonly handle?: string | undefined; readonly displayName?: string | undefined })[] };

export type ExportCounts = { readonly device: number; readonly contact: number; readonly block: number; readonly pushSubscription: number; readonly report: number; readonly conversation: number; readonly event: number; readonly media: number };

export type ExportDevice = { readonly type: "device"; readonly deviceId: DeviceId; readonly name: string; readonly createdAt: EpochMs; readonly lastUsedAt: EpochMs; readonly revokedAt?: EpochMs | undefined };

export type ExportEnd = { readonly type: "end"; readonly counts: ExportCounts };

export type ExportError = { readonly type: "error"; readonly code: ErrorCode; readonly after?: ExportAfter | undefined };

export type ExportEvent = { readonly type: "event"; readonly event: Event };

export type ExportLine = ExportManifest | ExportProfile | ExportDevice | ExportContact | ExportBlock | ExportPushSubscription | ExportReport | ExportConversation | ExportEvent | ExportMedia | ExportEnd | ExportMore | ExportError;

export type ExportManifest = { readonly type: "manifest"; readonly format: "edgewise.export.1"; readonly userId: UserId; readonly exportedAt: EpochMs; readonly after?: ExportAfter | undefined };

export type ExportMedia = { readonly type: "media"; readonly mediaId: MediaId; readonly conversationId: ConversationId; readonly contentType: ContentType; readonly bytes: number; readonly sha256: string; readonly href: string };

export type ExportMore = { readonly type: "more"; readonly after: ExportAfter; readonly counts: ExportCounts };

export type ExportProfile = { readonly type: "profile"; readonly userId: UserId; readonly handle: string; readonly displayName: string; readonly privacy: Privacy; readonly createdAt: EpochMs; readonly identities: readonly ({ readonly issuer: string; readonly subject: string })[]; readonly lastSeenAt?: EpochMs | undefined; readonly picture?: { readonly mediaId: MediaId; readonly contentType: ContentType; readonly bytes: number; readonly sha256: string; readonly href: string } | undefined };

export type ExportPushSubscription = { readonly type: "pushSubscription"; readonly deviceId: DeviceId; readonly provider: "web" | "fcm"; readonly preview: boolean };

export type ExportReport = { readonly type: "report"; readonly reportId: ReportId; readonly reportedId?: UserId | undefined; readonly conversationId?: ConversationId | undefined; readonly reason: string; readonly note?: string | undefined; readonly createdAt: EpochMs };

export type FoundPerson = { readonly userId: UserId; readonly handle: string; readonly displayName: string; readonly avatarMediaId?: MediaId | undefined; readonly isContact: boolean };

export type GoneContent = { readonly type: "gone"; readonly because: "recalled" | "expired"; readonly delivered?: true | undefined };

export type Handle = string;

export type History = { readonly events: readonly (Event)[]; readonly head: number; readonly floor: Seq; readonly hasMore: boolean };

export type IdempotencyKey = string;

export type Invite = { readonly code: InviteCode; readonly makerId: UserId; readonly expiresAt: EpochMs; readonly maxUses: number | null; readonly uses: number; readonly readmits: boolean };

export type InviteCode = string;

export type InvitePreview = { readonly conversationId: ConversationId; readonly title: string; readonly memberCount: number; readonly approval: boolean; readonly state: "outside" | "requested" | "member"; readonly avatar?: MediaPlace | undefined };

export type JoinRequest = { readonly userId: UserId; readonly askedAt: EpochMs };

export type JoinRequested = { readonly state: "requested"; readonly conversationId: ConversationId; readonly askedAt: EpochMs };

export type ListedConversation = { readonly conversationId: ConversationId; readonly kind: "direct" | "group"; readonly title?: string | undefined; readonly avatarMediaId?: MediaId | undefined; readonly sending?: "members" | "admins" | undefined; readonly setting?: "members" | "admins" | undefined; readonly adding?: "members" | "admins" | undefined; readonly approval?: boolean | undefined; readonly history?: "joined" | "all" | undefined; readonly requestCount?: number | undefined; readonly peer?: Profile | { readonly userId: UserId } | undefined; readonly role: Role | null; readonly head: number; readonly floor: Seq; readonly deleted?: readonly ({ readonly from: Seq; readonly to: Seq })[] | undefined; readonly readSeq: number; readonly unread: number; readonly lastEvent?: Event | undefined; readonly receipts?: readonly (Receipt)[] | undefined; readonly ticks?: Ticks | undefined; readonly memberCount: number; readonly starred?: readonly (Seq)[] | undefined; readonly mutedUntil?: EpochMs | undefined; readonly mentionsPierce: boolean; readonly pinned: boolean; readonly archived: boolean };

export type Md5 = string;

export type Me = { readonly userId: UserId; readonly handle: string; readonly displayName: string; readonly avatarMediaId?: MediaId | undefined; readonly privacy: Privacy; readonly createdAt: EpochMs };

export type MediaContent = { readonly type: "media"; readonly mediaId: MediaId; readonly contentType: ContentType; readonly bytes: number; readonly name?: string | undefined; readonly caption?: string | undefined; readonly width?: number | undefined; readonly height?: number | undefined; readonly durationMs?: number | undefined; readonly thumbhash?: string | undefined; readonly thumbnail?: string | undefined; readonly waveform?: string | undefined; readonly mentions?: readonly (UserId)[] | undefined; readonly replyTo?: Seq | undefined; readonly forwards?: number | undefined };

export type MediaContentInput = { readonly type: "media"; readonly mediaId: MediaId; readonly contentType: ContentType; readonly bytes: number; readonly name?: string | undefined; readonly caption?: string | undefined; readonly width?: number | undefined; readonly height?: number | undefined; readonly durationMs?: number | undefined; readonly thumbhash?: string | undefined; readonly thumbnail?: string | undefined; readonly waveform?: string | undefined; readonly mentions?: readonly (UserId)[] | undefined; readonly replyTo?: Seq | undefined; readonly forwards?: number | undefined };

export type MediaId = string;

export type MediaPlace = { readonly url: string; readonly expiresAt: EpochMs };

export type MediaTicket = { readonly mediaId: MediaId; readonly parted?: PartedUpload | undefined; readonly upload?: Upload | undefined };

export type Member = { readonly userId: UserId; readonly role: Role; readonly joinedSeq: number };

export type MemberEvent = { readonly conversationId: ConversationId; readonly seq: Seq; readonly eventId: EventId; readonly senderId: UserId; readonly receivedAt: EpochMs; readonly occurredAt: EpochMs; readonly kind: "member"; readonly userId: UserId; readonly change: "added" | "removed" | "left" | "role"; readonly role?: Role | undefined; readonly erased?: true | undefined };

export type MessageEvent = { readonly conversationId: ConversationId; readonly seq: Seq; readonly eventId: EventId; readonly senderId: UserId; readonly receivedAt: EpochMs; readonly occurredAt: EpochMs; readonly deviceId: DeviceId; readonly idempotencyKey: IdempotencyKey; readonly composedAt: EpochMs; readonly sentAt: EpochMs; readonly kind: "message"; readonly content: TextContent | MediaContent | GoneContent; readonly expiresAt?: EpochMs | undefined };

export type Mine = { readonly mutedUntil?: EpochMs | undefined; readonly mentionsPierce: boolean; readonly pinned: boolean; readonly archived: boolean };

export type NewFile = { readonly conversationId: ConversationId; readonly contentType: ContentType; readonly bytes: number; readonly sha256: string; readonly parts?: readonly (Md5)[] | undefined };

export type NewPicture = { readonly for: "me"; readonly contentType: ContentType; readonly bytes: number; readonly sha256: string };

export type PartedUpload = { readonly partBytes: number; readonly partCount: number; readonly there: readonly (number)[]; readonly parts: readonly ({ readonly part: number; readonly method: "PUT"; readonly url: string; readonly headers: { readonly [name: string]: string }; readonly expiresAt: EpochMs })[] };

export type PassedOn = { readonly conversationId: ConversationId; readonly from: MediaId };

export type Presence = { readonly userId: UserId; readonly state: "online" | "offline" | "unknown"; readonly lastSeenAt?: EpochMs | undefined };

export type Privacy = { readonly lastSeen: Visibility; readonly readReceipts: Visibility; readonly conversations: Visibility; readonly findable: Visibility; readonly picture: Visibility };

export type Profile = { readonly userId: UserId; readonly handle: string; readonly displayName: string; readonly avatarMediaId?: MediaId | undefined };

export type PushPayload = { readonly type: "message"; readonly conversationId: ConversationId; readonly seq: Seq; readonly unread: number; readonly sender?: { readonly userId: UserId; readonly displayName: string } | undefined; readonly title?: string | undefined; readonly text?: string | undefined; readonly expiresAt?: EpochMs | undefined } | { readonly type: "read"; readonly conversationId: ConversationId; readonly seq: Seq; readonly unread: number } | { readonly type: "gone"; readonly conversationId: ConversationId; readonly seq: Seq; readonly unread: number };

export type ReactionEvent = { readonly conversationId: ConversationId; readonly seq: Seq; readonly eventId: EventId; readonly senderId: UserId; readonly receivedAt: EpochMs; readonly occurredAt: EpochMs; readonly deviceId: DeviceId; readonly idempotencyKey: IdempotencyKey; readonly composedAt: EpochMs; readonly sentAt: EpochMs; readonly kind: "reaction"; readonly targetSeq: Seq; readonly emoji: Emoji | null };

export type RecallEvent = { readonly conversationId: ConversationId; readonly seq: Seq; readonly eventId: EventId; readonly senderId: UserId; readonly receivedAt: EpochMs; readonly occurredAt: EpochMs; readonly deviceId: DeviceId; readonly idempotencyKey: IdempotencyKey; readonly composedAt: EpochMs; readonly sentAt: EpochMs; readonly kind: "recall"; readonly targetSeq: Seq };

export type Receipt = { readonly userId: UserId; readonly delivered: number; readonly read: number; readonly at: EpochMs };

export type ReportId = string;

export type ReportReason = "spam" | "scam" | "harassment" | "threat" | "hate" | "self_harm" | "sexual" | "child_safety" | "impersonation" | "other";

export type RetentionMs = number;

export type Role = "admin" | "member";

export type SearchHit = { readonly conversationId: ConversationId; readonly seq: Seq; readonly eventId: EventId; readonly senderId: UserId; readonly receivedAt: EpochMs; readonly occurredAt: EpochMs; readonly snippet: { readonly text: string; readonly from: number; readonly to: number } };

export type SearchPage = { readonly hits: readonly (SearchHit)[]; readonly cursor?: string | undefined; readonly incomplete: boolean };

export type SendBody = { readonly idempotencyKey: IdempotencyKey; readonly composedAt: EpochMs; readonly sentAt: EpochMs; readonly event: Wish };

export type Seq = number;

export type Session = { readonly user: Me; readonly device: Device; readonly accessToken: string; readonly accessExpiresAt: EpochMs; readonly refreshToken?: string | undefined };

export type SettingsEvent = { readonly conversationId: ConversationId; readonly seq: Seq; readonly eventId: EventId; readonly senderId: UserId; readonly receivedAt: EpochMs; readonly occurredAt: EpochMs; readonly kind: "settings"; readonly title?: string | undefined; readonly avatarMediaId?: MediaId | null | undefined; readonly retentionMs?: RetentionMs | undefined; readonly sending?: "members" | "admins" | undefined; readonly setting?: "members" | "admins" | undefined; readonly adding?: "members" | "admins" | undefined; readonly approval?: boolean | undefined; readonly history?: "joined" | "all" | undefined };

export type StarredMessage = { readonly conversationId: ConversationId; readonly seq: Seq; readonly starredAt: EpochMs; readonly event: MessageEvent; readonly edit?: EditEvent | undefined };

export type StarsPage = { readonly stars: readonly (StarredMessage)[]; readonly cursor?: string | undefined; readonly incomplete: boolean };

export type Tally = { readonly accounts: number; readonly identities: number; readonly devices: number; readonly contacts: number; readonly blocks: number; readonly names: number; readonly reports: number; readonly copies: number; readonly pushEndpoints: number; readonly conversations: number; readonly messages: number; readonly edits: number; readonly reactions: number; readonly invites: number; readonly historyRows: number; readonly searchEntries: number; readonly mediaRows: number; readonly bucketObjects: number; readonly inboxRows: number; readonly unreached: number };

export type TextContent = { readonly type: "text"; readonly text: string; readonly mentions?: readonly (UserId)[] | undefined; readonly replyTo?: Seq | undefined; readonly forwards?: number | undefined };

export type TextContentInput = { readonly type: "text"; readonly text: string; readonly mentions?: readonly (UserId)[] | undefined; readonly replyTo?: Seq | undefined; readonly forwards?: number | undefined };

export type Ticks = { readonly delivered: number; readonly read: number; readonly except?: readonly ({ readonly from: Seq; readonly to: Seq })[] | undefined };

export type TokenPair = { readonly accessToken: string; readonly accessExpiresAt: EpochMs; readonly refreshToken?: string | undefined };

export type Trace = { readonly seq: Seq; readonly appendedAt: EpochMs; readonly inHistory: boolean; readonly members: readonly (TracedMember)[] };

export type TraceState = "waiting" | "retrying" | "parked" | "inbox" | "pushed" | "socket" | "delivered" | "read";

export type TracedMember = { readonly userId: UserId; readonly state: TraceState; readonly inboxAt?: EpochMs | undefined; readonly socketAt?: EpochMs | undefined; readonly deliveredAt?: EpochMs | undefined; readonly readAt?: EpochMs | undefined; readonly pushes: readonly ({ readonly at: EpochMs; readonly provider: "web" | "fcm"; readonly seq: Seq; readonly answer: string })[]; readonly failures?: number | undefined; readonly retryAt?: EpochMs | undefined };

export type Upload = { readonly method: "PUT"; readonly url: string; readonly headers: { readonly [name: string]: string }; readonly expiresAt: EpochMs };

export type UserId = string;

export type Visibility = "everyone" | "contacts" | "nobody";

export type Wish = { readonly kind: "message"; readonly content: TextContentInput | MediaContentInput } | { readonly kind: "edit"; readonly targetSeq: Seq; readonly content: EditedContent } | { readonly kind: "recall"; readonly targetSeq: Seq } | { readonly kind: "reaction"; readonly targetSeq: Seq; readonly emoji: Emoji | null };

/** What each door is asked with, and what it answers. */
export type Doors = {
  signUp: { body: { readonly handle: Handle; readonly password: string; readonly displayName: string; readonly device: { readonly name: string }; readonly refreshTokenIn?: "body" | "cookie" | undefined }; answer: Session };
  signIn: { body: { readonly handle: string; readonly password: string; readonly device: { readonly name: string; readonly id?: DeviceId | undefined }; readonly refreshTokenIn?: "body" | "cookie" | undefined }; answer: Session };
  exchange: { body: { readonly token: string; readonly device: { readonly name: string; readonly id?: DeviceId | undefined }; readonly refreshTokenIn?: "body" | "cookie" | undefined }; answer: Session };
  refresh: { body: { readonly refreshToken: string; readonly refreshTokenIn?: "body" | "cookie" | undefined; readonly idempotencyKey?: IdempotencyKey | undefined } | { readonly deviceId: DeviceId; readonly idempotencyKey?: IdempotencyKey | undefined }; answer: TokenPair };
  signOut: { answer: null };
  me: { answer: Me };
  changeMe: { body?: { readonly displayName?: string | undefined; readonly avatarMediaId?: MediaId | null | undefined; readonly privacy?: { readonly lastSeen?: Visibility | undefined; readonly readReceipts?: Visibility | undefined; readonly conversations?: Visibility | undefined; readonly findable?: Visibility | undefined; readonly picture?: Visibility | undefined } | undefined }; answer: Me };
  exportMe: { query?: { readonly after?: ExportAfter | undefined }; answer: ExportLine };
  eraseMe: { body: { readonly password?: string | undefined; readonly token?: string | undefined }; answer: Erasure };
  devices: { answer: { readonly devices: readonly (Device)[] } };
  revokeDevice: { params: { readonly deviceId: DeviceId }; answer: null };
  findUser: { query: { readonly handle: string }; answer: Profile };
  findPeople: { query: { readonly q: string }; answer: { readonly users: readonly (FoundPerson)[] } };
  user: { params: { readonly userId: UserId }; answer: { readonly userId: UserId; readonly handle: string; readonly displayName: string; readonly avatarMediaId?: MediaId | undefined; readonly presence?: { readonly state: "online" | "offline" | "unknown"; readonly lastSeenAt?: EpochMs | undefined } | undefined } };
  contacts: { query?: { readonly since?: number | undefined; readonly cursor?: string | undefined }; answer: Contacts };
  putContact: { params: { readonly userId: UserId }; answer: { readonly userId: UserId; readonly state: ContactState } };
  removeContact: { params: { readonly userId: UserId }; answer: null };
  blocks: { answer: { readonly blocks: readonly (Profile)[] } };
  block: { params: { readonly userId: UserId }; answer: null };
  unblock: { params: { readonly userId: UserId }; answer: null };
  openDirect: { params: { readonly userId: UserId }; answer: ConversationAnswer };
  createGroup: { body: { readonly title: string; readonly memberIds: readonly (UserId)[]; readonly idempotencyKey?: IdempotencyKey | undefined }; answer: ConversationAnswer };
  conversations: { query?: { readonly cursor?: string | undefined; readonly limit?: number | undefined }; answer: { readonly conversations: readonly (ListedConversation)[]; readonly cursor?: string | undefined } };
  conversation: { params: { readonly id: ConversationId }; answer: ConversationAnswer };
  changeConversation: { params: { readonly id: ConversationId }; body: { readonly title?: string | undefined; readonly retentionMs?: 0 | number | null | undefined; readonly avatarMediaId?: MediaId | null | undefined; readonly sending?: "members" | "admins" | undefined; readonly setting?: "members" | "admins" | undefined; readonly adding?: "members" | "admins" | undefined; readonly approval?: boolean | undefined; readonly history?: "joined" | "all" | undefined }; answer: ConversationAnswer };
  clearConversation: { params: { readonly id: ConversationId }; answer: null };
  changeMine: { params: { readonly id: ConversationId }; body?: { readonly mutedUntil?: EpochMs | null | undefined; readonly mentionsPierce?: boolean | undefined; readonly pinned?: boolean | undefined; readonly archived?: boolean | undefined }; answer: Mine };
  conversationPresence: { params: { readonly id: ConversationId }; answer: { readonly users: readonly (Presence)[] } };
  putMember: { params: { readonly id: ConversationId; readonly userId: UserId }; body?: { readonly role?: Role | undefined }; answer: ConversationAnswer };
  removeMember: { params: { readonly id: ConversationId; readonly userId: UserId }; answer: null };
  createInvite: { params: { readonly id: ConversationId }; body?: { readonly expiresAt?: EpochMs | undefined; readonly maxUses?: number | undefined; readonly readmits?: boolean | undefined }; answer: Invite };
  invites: { params: { readonly id: ConversationId }; answer: { readonly invites: readonly (Invite)[] } };
  revokeInvite: { params: { readonly id: ConversationId; readonly code: InviteCode }; answer: null };
  join: { params: { readonly code: InviteCode }; answer: ConversationAnswer | JoinRequested };
  invite: { params: { readonly code: InviteCode }; answer: InvitePreview };
  joinRequests: { params: { readonly id: ConversationId }; answer: { readonly requests: readonly (JoinRequest)[] } };
  acceptRequest: { params: { readonly id: ConversationId; readonly userId: UserId }; answer: ConversationAnswer };
  dropRequest: { params: { readonly id: ConversationId; readonly userId: UserId }; answer: null };
  history: { params: { readonly id: ConversationId }; query?: { readonly before?: number | undefined; readonly after?: number | undefined; readonly limit?: number | undefined }; answer: History };
  send: { params: { readonly id: ConversationId }; body: SendBody; answer: Ack };
  eventReceipts: { params: { readonly id: ConversationId; readonly seq: number }; answer: EventReceipts };
  trace: { params: { readonly id: ConversationId; readonly seq: number }; answer: Trace };
  star: { params: { readonly id: ConversationId; readonly seq: number }; answer: null };
  unstar: { params: { readonly id: ConversationId; readonly seq: number }; answer: null };
  deleteEvent: { params: { readonly id: ConversationId; readonly seq: number }; answer: null };
  stars: { query?: { readonly cursor?: number | undefined; readonly limit?: number | undefined }; answer: StarsPage };
  newMedia: { body: NewFile | NewPicture | PassedOn; answer: MediaTicket };
  media: { params: { readonly mediaId: MediaId }; query?: { readonly as?: "url" | undefined }; answer: MediaPlace | null };
  search: { query: { readonly q: string; readonly conversationId?: ConversationId | undefined; readonly cursor?: string | undefined; readonly limit?: number | undefined }; answer: SearchPage };
  upload: { params: { readonly mediaId: MediaId }; answer: PartedUpload };
  tellParts: { params: { readonly mediaId: MediaId }; body: { readonly parts: readonly ({ readonly part: number; readonly etag: string })[] }; answer: PartedUpload };
  completeUpload: { params: { readonly mediaId: MediaId }; answer: null };
  dropUpload: { params: { readonly mediaId: MediaId }; answer: null };
  report: { body: { readonly idempotencyKey: IdempotencyKey; readonly userId?: UserId | undefined; readonly conversationId?: ConversationId | undefined; readonly seqs?: readonly (Seq)[] | undefined; readonly reason: ReportReason; readonly note?: string | undefined }; answer: { readonly reportId: ReportId } };
  pushKey: { answer: { readonly publicKey: string } };
  subscribePush: { body: { readonly endpoint?: string | undefined; readonly expirationTime?: number | null | undefined; readonly keys?: { readonly p256dh: string; readonly auth: string } | undefined; readonly fcmToken?: string | undefined; readonly preview?: boolean | undefined }; answer: null };
  unsubscribePush: { answer: null };
  health: { answer: { readonly status: "ok" } };
};
export type DoorName = keyof Doors;
