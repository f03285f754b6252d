import type { Conversation, ConversationSnapshot, Message, Sending } from "./api-conversation.ts";
import type { Export, ExportOptions, MediaUpload, Uploadable } from "./api-files.ts";
import type { DeviceState, Live } from "./api-state.ts";
import type { EdgewiseError } from "./errors.ts";
import type { Storage } from "./storage.ts";
import type {
  Contact,
  Device,
  DoorName,
  Doors,
  FoundPerson,
  InvitePreview,
  Me,
  MediaPlace,
  Presence,
  Privacy,
  Profile,
  SearchPage,
  StarsPage,
} from "./wire.ts";

/** What an app sees of the SDK. Ids are strings, times epoch ms, all that is read is immutable and the same object until it changes. */

export type * from "./api-conversation.ts";
export type * from "./api-files.ts";
export type * from "./api-state.ts";

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
  /**
   * Answers before the logs are read, with what a list is drawn from: each conversation with its last message. Nothing connects, and what
   * leaves the device waits, until `openWhole()`. For an app whose first screen is a list: that is there at once, however much is kept. [CL-54]
   */
  readonly glimpse?: boolean;
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
export type Report = Omit<Doors["report"]["body"], "idempotencyKey"> & Once;
/** `idempotencyKey`: of `client.newKey()`, for whoever may ask again: with the same key it is done once. */
export type Once = { readonly idempotencyKey?: string };

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
  /** What this device keeps, for an app that draws by functions of its own (`@edgewise/sdk/drawing`); the snapshots need nobody to read it. [CL-64] */
  readonly state: DeviceState;
  readonly live: Live;
  /** Whether the logs are read; false after `createClient({ glimpse: true })` until they are, which is told like every change. */
  readonly isWhole: boolean;
  /** Goes on from a glimpse: reads the logs, and connects. Harmless where that was begun already. Rejects where the store cannot be read. */
  openWhole(): Promise<void>;

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
    createGroup(wanted: { title: string; memberIds: readonly string[] } & Once): Promise<Conversation>;
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
    /** Keeps who somebody is, as a search or a contact has told it: `known` then names them without asking. */
    keep(person: Profile): Promise<void>;
    /** Where their picture is, for some minutes; null: they have none, or do not show it to this person. */
    picture(userId: string): Promise<MediaPlace | null>;
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
    /** `avatarMediaId`: what `uploadPicture` has brought there; null takes the picture off. */
    change(wanted: { displayName?: string; avatarMediaId?: string | null; privacy?: Partial<Privacy> }): Promise<Me>;
    /** Of a kind that browsers show, and of 1 MiB at most. Nobody sees it before the profile is changed to it. */
    uploadPicture(file: Uploadable, options?: { contentType?: string }): Promise<MediaUpload>;
  };
  readonly reports: {
    /** To whoever runs the server: somebody, or messages of a conversation. */
    send(wanted: Report): Promise<void>;
  };
  /** Names one wish, so that it is done once however often it is asked for. */
  newKey(): string;
  /** What was starred last comes first. */
  stars(query?: { cursor?: string | number; limit?: number }): Promise<StarsPage>;
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
