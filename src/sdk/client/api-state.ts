import type { Settings } from "./api-conversation.ts";
import type { ErrorCode, Event, Me, Member, MessageEvent, Mine, Presence, Profile, Role, Wish } from "./wire.ts";

/**
 * What a device keeps, as an app reads it that draws by functions of its own (`@edgewise/sdk/drawing` has the SDK's). Immutable, and each
 * object in it is the same until something of it changes. [CL-64]
 */

/** What is held of a conversation's log. */
export type Held = {
  /** Oldest first: all from `from` up to `covered` that the person may see. */
  readonly events: readonly Event[];
  readonly from: number;
  readonly covered: number;
  /** How far the person has read, on any device. */
  readonly read: number;
  /** How far everybody else has received and read; `except`: what lies below and never reached the other one. */
  readonly ticks: {
    readonly delivered: number;
    readonly read: number;
    readonly except: readonly { readonly from: number; readonly to: number }[];
  };
  readonly mine: Mine;
  /** 0 until the server told. */
  readonly memberCount: number;
};

/** One wish that is on its way, or was refused. */
export type Entry = {
  /** Names it for ever; the key under which it leaves may become another. */
  readonly wishId: string;
  readonly idempotencyKey: string;
  readonly conversationId: string;
  /** Epoch ms by the device's clock. */
  readonly composedAt: number;
  readonly event: Wish;
  /** Unsure: it left as a device that was signed out since, and is being looked for. Acked: its event is not in the log here yet. */
  readonly standing:
    | { readonly is: "waiting" | "unsure" }
    | { readonly is: "acked"; readonly seq: number }
    | { readonly is: "failed"; readonly code: ErrorCode };
};

/** What lies here of the logs, and what is on its way, in the order in which it was written. */
export type ReplicaState = {
  readonly conversations: Readonly<Record<string, Held>>;
  readonly outbox: readonly Entry[];
};

/** What is known of a conversation besides its log. */
export type About = {
  readonly kind: "direct" | "group" | null;
  readonly title: string | null;
  readonly peerId: string | null;
  /** Mine; null: not a member (any more), or not known yet. */
  readonly role: Role | null;
  /** Null: nobody asked. */
  readonly members: readonly Member[] | null;
  /** Null: nobody asked. */
  readonly settings: Settings | null;
  readonly starred: readonly number[];
  /** Who waits to be let in, where the person is an admin, as the server counted last. */
  readonly requestCount: number;
  readonly createdAt: number;
  /** Unread messages when the log reached `head`, as the server counts them. */
  readonly unread: number;
  readonly head: number;
};

export type DeviceState = {
  readonly replica: ReplicaState;
  readonly about: Readonly<Record<string, About>>;
  /** Of a deleted account a profile without a name. */
  readonly people: Readonly<Record<string, Profile>>;
};

/** What is true for a moment: nothing of it is stored, and all of it ends with the socket. */
export type Live = {
  readonly typing: readonly { readonly conversationId: string; readonly userId: string }[];
  /** Of those who are watched, as far as the server told. */
  readonly presence: readonly Presence[];
  /** What the server leaves out just now. */
  readonly shed: readonly ("typing" | "presence" | "receipts" | "history")[];
  /** Mine, once another device of mine has changed it. */
  readonly profile: Pick<Me, "displayName" | "privacy" | "avatarMediaId"> | null;
};

/** A line of a conversation as it is folded from its events: what `timelineOf` answers. */
export type FoldedLine =
  | {
      readonly is: "message";
      readonly event: MessageEvent;
      /** As last edited. */
      readonly content: MessageEvent["content"];
      readonly edited: boolean;
      /** In the order in which each emoji first came. */
      readonly reactions: readonly { readonly emoji: string; readonly userIds: readonly string[] }[];
    }
  | { readonly is: "note"; readonly event: Extract<Event, { kind: "member" | "settings" }> };
