import type { EdgewiseError } from "./errors.ts";
import type { Storage } from "./storage.ts";
import type {
  Contact,
  Device,
  DoorName,
  Doors,
  ErrorCode,
  Event,
  EventReceipts,
  ExportError,
  ExportLine,
  ExportMore,
  FoundPerson,
  Invite,
  InvitePreview,
  JoinRequest,
  Me,
  MediaContent,
  MediaPlace,
  Member,
  MemberEvent,
  MessageEvent,
  Mine,
  Presence,
  Privacy,
  Profile,
  Role,
  SearchPage,
  SettingsEvent,
  StarsPage,
  TextContent,
  Ticks,
  Trace,
  Conversation as WireConversation,
  Wish,
} from "./wire.ts";

/** What an app sees of the SDK. Ids are strings, times epoch ms, all that is read is immutable and the same object until it changes. */

/** The class of sockets: the global one, or that of `ws`. */
export type WebSocketClass = new (url: string, protocols: string[]) => SocketLike;
/** As much of a socket as is used. */
export type SocketLike = {
  send(text: string): void;
  close(code?: number): void;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { code: number }) => void): void;
};
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

export type ClientOptions = {
  /** Of the server: `https://chat.example.com`. */
  readonly url: string;
  /** Where this device keeps what it has; IndexedDB where there is one, else memory. */
  readonly storage?: Storage;
  /** A store holds one device; two people in one browser are two profiles. */
  readonly profile?: string;
  /** How the person's list of devices names this one. */
  readonly deviceName?: string;
  /** Messages kept of each conversation. */
  readonly keep?: number;
  /** Share one socket between the tabs of a browser; true unless said otherwise. */
  readonly tabs?: boolean;
  /** Nobody looks: the person does not count as online. Where there is a page, its visibility says so instead. */
  readonly background?: boolean;
  readonly fetch?: Fetch;
  /** Needed where there is no global one. */
  readonly WebSocket?: WebSocketClass;
};

/** How the connection is. `retryAt`: epoch ms. */
export type ConnectionState =
  | { readonly is: "offline" | "connecting" | "catching_up" | "live" }
  | { readonly is: "waiting"; readonly retryAt: number }
  | { readonly is: "stopped"; readonly why: StopReason };
/** `replaced`: another program is this device. `refused`: the server does not speak with this version of the SDK. */
export type StopReason = "signed_out" | "replaced" | "refused";

/**
 * `because`: null when nobody was signed in here; `revoked`: ended by another device or by the server, and nothing is kept here but what was
 * written; `expired`: it has run out, and the same person goes on with all that is here; `erased`: the account is no more, and nothing of it is
 * left on this device. `handle`: whose what is kept here is.
 */
export type SessionState =
  | {
      readonly is: "signed_out";
      readonly because: "signed_out" | "revoked" | "expired" | "erased" | null;
      readonly handle: string | null;
    }
  | { readonly is: "signed_in"; readonly userId: string; readonly deviceId: string; readonly handle: string };

export type Shed = "typing" | "presence" | "receipts" | "history";

/** How far a message of this device's person has come. */
export type MessageState =
  | { readonly is: "queued" }
  | { readonly is: "sent" | "delivered" | "read"; readonly seq: number }
  | { readonly is: "failed"; readonly code: ErrorCode; readonly retryable: boolean };

export type Reaction = { readonly emoji: string; readonly userIds: readonly string[] };
/** What a message shows: as last edited, or that it is gone. */
export type ShownContent = MessageEvent["content"];

export type Message = {
  readonly is: "message";
  /** The same from the moment of writing on. */
  readonly id: string;
  readonly conversationId: string;
  /** Its place in the conversation; null until the server has it. */
  readonly seq: number | null;
  readonly senderId: string;
  readonly mine: boolean;
  readonly content: ShownContent;
  /** The words or the caption; of media without one, what it is; empty when it is gone. */
  readonly text: string;
  readonly edited: boolean;
  readonly reactions: readonly Reaction[];
  /** When it was written. Epoch ms. */
  readonly at: number;
  /** Null for what others wrote. */
  readonly state: MessageState | null;
};
/** What happened to the conversation: somebody came or left, or its settings changed. */
export type Note = {
  readonly is: "note";
  readonly id: string;
  readonly seq: number;
  readonly at: number;
  readonly event: MemberEvent | SettingsEvent;
};
export type Line = Message | Note;

/** How a conversation is set; what is not said is as it is by itself. */
export type Settings = Pick<
  WireConversation,
  "retentionMs" | "avatarMediaId" | "sending" | "setting" | "adding" | "approval" | "history"
>;

export type ConversationSnapshot = {
  readonly id: string;
  /** Null until the server told. */
  readonly kind: "direct" | "group" | null;
  /** A group's title, or what the other person is called; empty until it is known. */
  readonly title: string;
  readonly peer: Profile | null;
  /** Mine; null: not a member (any more), or not known yet. */
  readonly role: Role | null;
  /** Null until `members.load()`. */
  readonly members: readonly Member[] | null;
  readonly memberCount: number;
  readonly unread: number;
  /** The last message. */
  readonly preview: Message | null;
  /** Of the last message, else of the last change. Epoch ms; 0: nothing is here yet. */
  readonly lastAt: number;
  /** How far everybody else has received and read. */
  readonly ticks: Ticks;
  readonly mine: Mine;
  /** Who types just now. */
  readonly typing: readonly string[];
  /** Of a group; null until the server told. */
  readonly settings: Settings | null;
  /** The messages that the person has starred. */
  readonly starred: readonly number[];
  /** How many wait to be let in, where the person is an admin. */
  readonly requestCount: number;
  /** How far the person has read, and what is here. */
  readonly read: number;
  readonly head: number;
  /** Whether `loadOlder` would find something. */
  readonly hasOlder: boolean;
};

/**
 * What lies around a message that is not kept here: a window of its own, in this tab alone. When it has met what is kept, which then goes on from
 * here without a gap, `hasNewer` is false, and the conversation's own `messages()` has it all.
 */
export type Past = {
  /** As the wire has them, oldest first, without a gap. */
  readonly events: readonly Event[];
  messages(): readonly Line[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  /** A page more; how many came. */
  loadOlder(): Promise<number>;
  loadNewer(): Promise<number>;
};

/** A message on its way. */
export type Sending = {
  readonly id: string;
  readonly state: MessageState;
  /** Its seq, once the server has it; rejects with an `EdgewiseError` when it was refused for good. */
  readonly sent: Promise<number>;
};

export type SendOptions = { readonly replyTo?: number; readonly mentions?: readonly string[] };
/** Words, or a content of the wire. */
export type Sendable = string | Omit<TextContent, "mentions" | "replyTo"> | Omit<MediaContent, "mentions" | "replyTo">;

export type Conversation = {
  readonly id: string;
  snapshot(): ConversationSnapshot;
  /** Oldest first; what is on its way last. */
  messages(): readonly Line[];
  subscribe(listener: () => void): () => void;
  /** Fetches a page of older messages and keeps it; how many came. */
  loadOlder(): Promise<number>;
  /** What lies around a message that is not kept here (a hit, a quote, a star), in two small pages; null: it is kept, `messages()` has it. */
  around(seq: number): Promise<Past | null>;
  send(content: Sendable, options?: SendOptions): Sending;
  edit(seq: number, text: string, options?: Pick<SendOptions, "mentions">): Sending;
  recall(seq: number): Sending;
  /** Anything that the wire lets one wish for: what the names here have no word for. */
  wish(event: Wish): Sending;
  /** Null takes it back. */
  react(seq: number, emoji: string | null): Sending;
  /** Everything up to `seq` was on the screen; without it, all that is here. */
  markRead(seq?: number): void;
  /** The person types, said with every key; or has stopped. */
  typing(active: boolean): void;
  /** Words in the messages that are kept here, newest first. */
  searchLocal(words: string): readonly Message[];
  set(mine: {
    mutedUntil?: number | null;
    mentionsPierce?: boolean;
    pinned?: boolean;
    archived?: boolean;
  }): Promise<Mine>;
  change(settings: GroupChange): Promise<void>;
  /** Clears it for this person alone, on all devices. */
  clear(): Promise<void>;
  /** Deletes one message for this person alone, with what it was edited to, on all devices. */
  deleteForMe(seq: number): Promise<void>;
  leave(): Promise<void>;
  readonly members: {
    load(): Promise<readonly Member[]>;
    put(userId: string, role?: Role): Promise<void>;
    remove(userId: string): Promise<void>;
    online(): Promise<readonly Presence[]>;
  };
  /** Those who asked to come in by an invite, where admins let people in. */
  readonly requests: {
    load(): Promise<readonly JoinRequest[]>;
    accept(userId: string): Promise<void>;
    decline(userId: string): Promise<void>;
  };
  readonly invites: {
    create(options?: { expiresAt?: number; maxUses?: number; readmits?: boolean }): Promise<Invite>;
    list(): Promise<readonly Invite[]>;
    revoke(code: string): Promise<void>;
  };
  /** Who has a message of mine, since when; how it came there. */
  receipts(seq: number): Promise<EventReceipts>;
  /** For this person alone, on all devices. */
  star(seq: number): Promise<void>;
  unstar(seq: number): Promise<void>;
  /** Passes a message of this conversation on: its words, or its media without uploading them again. */
  forward(message: Message, toConversationId: string): Promise<Sending>;
  trace(seq: number): Promise<Trace>;
};

/** Bytes to upload: a `File` or `Blob`, or what is like one. */
export type Uploadable = {
  readonly size: number;
  readonly type?: string;
  readonly name?: string;
  readonly lastModified?: number;
  arrayBuffer(): Promise<ArrayBuffer>;
  slice(from: number, to: number): Uploadable;
};
export type UploadState =
  | { readonly is: "running" | "paused"; readonly bytes: number }
  | { readonly is: "done"; readonly content: MediaContent }
  | { readonly is: "failed"; readonly code: ErrorCode; readonly retryable: boolean }
  | { readonly is: "cancelled" };
export type MediaUpload = {
  readonly state: UploadState;
  subscribe(listener: () => void): () => void;
  /** Breaks off what is on its way. Of a large file the parts that have come stay, also past a reload: upload the same file again. */
  pause(): void;
  resume(): void;
  cancel(): void;
  /** What to `send`, once the bytes are there. */
  readonly done: Promise<MediaContent>;
};

export type ClientEvents = {
  /** A message came that was not here before, also from another device of the same person; live, or while catching up. */
  message: { readonly conversationId: string; readonly message: Message };
  conversation: ConversationSnapshot;
  typing: { readonly conversationId: string; readonly userIds: readonly string[] };
  presence: readonly Presence[];
  connection: ConnectionState;
  session: SessionState;
  contacts: readonly Contact[];
  shed: readonly Shed[];
  sent: { readonly id: string; readonly conversationId: string; readonly seq: number };
  failed: { readonly id: string; readonly conversationId: string; readonly error: EdgewiseError };
};

/** `requested`: an admin is to let the person in. */
export type Joined =
  | { readonly is: "member"; readonly conversation: Conversation }
  | { readonly is: "requested"; readonly conversationId: string };
export type GroupChange = NonNullable<Doors["changeConversation"]["body"]>;
export type Report = Omit<Doors["report"]["body"], "idempotencyKey">;

/** A line of an export: as the server writes it, but for where one of its answers ended and the next began. */
export type ExportedLine = Exclude<ExportLine, ExportMore | ExportError>;
/** What has come and is whole so far. */
export type ExportProgress = {
  readonly bytes: number;
  readonly conversations: number;
  readonly events: number;
  readonly media: number;
};
export type ExportOptions = {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ExportProgress) => void;
};
/**
 * All that is the person's, line by line, as a stream of bytes or as one file: each use asks the server anew. What was broken off goes on
 * by itself behind the last line that came. Where the whole cannot be had, each fails with an `EdgewiseError`, and so a part is never taken
 * for the whole; aborted, with the signal's reason.
 */
export type Export = AsyncIterable<ExportedLine> & {
  /** JSON lines in UTF-8. What is not read is not asked for. */
  stream(): ReadableStream<Uint8Array>;
  /** Resolves only when it is whole; where the platform can, the bytes lie on the disk and not in memory. */
  blob(): Promise<Blob>;
};
/** Who asks for an erasure: with the password, or with a fresh token of the deployer's own issuer. */
export type Proof = { readonly password: string } | { readonly token: string };

/** What a door is asked with. */
export type Asked<D extends DoorName> = Omit<Doors[D], "answer">;
/** A door that needs nothing is called without a second argument. */
export type CallArguments<D extends DoorName> =
  Record<never, never> extends Asked<D> ? [sent?: Asked<D>] : [sent: Asked<D>];

export type Client = {
  readonly url: string;
  readonly session: SessionState;
  readonly connection: ConnectionState;
  readonly shed: readonly Shed[];
  /** `full`: there is no room for messages, only for what was written here. */
  readonly storage: "ok" | "full";
  /** Epoch ms by the server's clock, as far as it is known. */
  readonly serverNow: number;

  subscribe(listener: () => void): () => void;
  on<E extends keyof ClientEvents>(event: E, listener: (told: ClientEvents[E]) => void): () => void;

  signUp(wanted: { handle: string; password: string; displayName?: string }): Promise<void>;
  signIn(wanted: { handle: string; password: string }): Promise<void>;
  /** With a token of the deployer's own issuer. */
  exchange(wanted: { token: string }): Promise<void>;
  /** Ends the session and clears the store wholly, also when the server does not answer. */
  signOut(): Promise<void>;
  /** All that is the person's. */
  export(options?: ExportOptions): Export;
  /**
   * Ends the account for ever, on all devices, with all that the person wrote. With a wrong proof it is `invalid_credentials`, and nothing is
   * lost. Without an answer (`unavailable`) it may have been done: asking again is harmless, and a device that is told so later ends as if
   * the answer had come.
   */
  erase(proof: Proof): Promise<void>;

  call<D extends DoorName>(door: D, ...sent: CallArguments<D>): Promise<Doors[D]["answer"]>;

  readonly conversations: {
    list(): readonly ConversationSnapshot[];
    get(id: string): Conversation;
    openDirect(userId: string): Promise<Conversation>;
    createGroup(wanted: { title: string; memberIds: readonly string[] }): Promise<Conversation>;
    join(inviteCode: string): Promise<Joined>;
  };
  readonly invites: {
    /** Where an invite leads, before one joins. */
    preview(code: string): Promise<InvitePreview>;
  };
  /** What failed goes out again, as a new message in the last place. */
  retry(id: string): Sending;
  /** Takes a failed one off the screen. */
  discard(id: string): void;
  /** The people whose presence the screen shows; replaces those before. */
  watch(userIds: readonly string[]): void;
  /** Of those who are watched. */
  presenceOf(userId: string): Presence | null;

  readonly people: {
    find(handle: string): Promise<Profile>;
    /** By the beginning of handles and names, as far as people choose to be found. */
    search(words: string): Promise<readonly FoundPerson[]>;
    get(userId: string): Promise<Profile>;
    /** As it is kept here; of a deleted account a profile without a name. */
    known(userId: string): Profile | null;
  };
  readonly contacts: {
    /** As they are kept here; once they were loaded they are kept up to date. [CL-52] */
    list(): readonly Contact[];
    load(): Promise<readonly Contact[]>;
    put(userId: string): Promise<void>;
    remove(userId: string): Promise<void>;
  };
  readonly blocks: {
    load(): Promise<readonly Profile[]>;
    put(userId: string): Promise<void>;
    remove(userId: string): Promise<void>;
  };
  readonly devices: { load(): Promise<readonly Device[]>; revoke(deviceId: string): Promise<void> };
  readonly profile: {
    load(): Promise<Me>;
    change(wanted: { displayName?: string; privacy?: Partial<Privacy> }): Promise<Me>;
  };
  readonly reports: {
    /** To whoever runs the server: somebody, or messages of a conversation. */
    send(wanted: Report): Promise<void>;
  };
  /** What was starred last comes first. */
  stars(query?: { cursor?: number; limit?: number }): Promise<StarsPage>;
  search(query: { q: string; conversationId?: string; cursor?: string; limit?: number }): Promise<SearchPage>;
  readonly media: {
    upload(
      conversationId: string,
      file: Uploadable,
      options?: { contentType?: string; name?: string },
    ): Promise<MediaUpload>;
    /** Where the bytes lie, for some minutes. */
    place(mediaId: string): Promise<MediaPlace>;
  };

  /** Opens a socket at once, whatever the back-off says; or keeps it closed until then. */
  connect(): void;
  disconnect(): void;
  /** Hangs up until somebody looks, so that pushes come instead; not while somebody does in any tab, or something waits to be sent. */
  rest(): Promise<boolean>;
  /** Resolves when all that was done so far is on the disk. */
  flush(): Promise<void>;
  /** Lets go of socket, timers and store; another tab takes over. */
  close(): Promise<void>;
};
