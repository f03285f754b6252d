import type {
  Doors,
  ErrorCode,
  Event,
  EventReceipts,
  Invite,
  JoinRequest,
  MediaContent,
  Member,
  MemberEvent,
  MessageEvent,
  Mine,
  Presence,
  Profile,
  Role,
  SettingsEvent,
  TextContent,
  Ticks,
  Trace,
  Conversation as WireConversation,
  Wish,
} from "./wire.ts";

/** What an app sees of a conversation. */

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
 * What lies around a message that is not kept here, as it is by now: what becomes of these messages shows here as in the log. A window of its
 * own, in this tab alone. When it has met what is kept, which then goes on from here without a gap, `hasNewer` is false, and the conversation's
 * own `messages()` has it all.
 */
export type Past = {
  /** As the wire has them, oldest first, without a gap. */
  readonly events: readonly Event[];
  messages(): readonly Line[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  /**
   * Nothing of it is shown any more: the conversation was cleared, the session has ended, or this device was away for so long that it does not
   * know what became of these messages. The conversation's own `messages()` is what there is.
   */
  readonly isOver: boolean;
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
  forward(message: Pick<Message, "content">, toConversationId: string): Promise<Sending>;
  trace(seq: number): Promise<Trace>;
};

export type GroupChange = NonNullable<Doors["changeConversation"]["body"]>;
