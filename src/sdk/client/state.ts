import { isWished } from "../../domain/life.ts";
import type { Event } from "../../protocol/events.ts";
import type { Changed } from "../../protocol/frames.ts";
import type { ConversationId, UserId } from "../../protocol/ids.ts";
import { applyChange, type Change, heldOf, NOTHING_STORED, type ReplicaState } from "../state.ts";
import type { Conversation, Member, Profile, Role } from "./wire.ts";

/** What is known of a conversation besides its log. */
export type About = {
  readonly kind: "direct" | "group" | null;
  readonly title: string | null;
  readonly peerId: string | null;
  readonly role: Role | null;
  /** Null: nobody asked. */
  readonly members: readonly Member[] | null;
  readonly createdAt: number;
  /** Unread messages when the log reached `head`, as the server counts them. */
  readonly unread: number;
  readonly head: number;
};
const NOTHING_KNOWN: About = {
  ...{ kind: null, title: null, peerId: null, role: null, members: null },
  ...{ createdAt: 0, unread: 0, head: 0 },
};

/** All that a device keeps, and all that is shown is made from. */
export type ClientState = {
  readonly replica: ReplicaState;
  readonly about: Readonly<Record<string, About>>;
  readonly people: Readonly<Record<string, Profile>>;
  /** The wishes that got another key than the one that names them, by that key: the newest of them. */
  readonly aliases: Readonly<Record<string, string>>;
};
export const NOTHING_KEPT: ClientState = { replica: NOTHING_STORED, about: {}, people: {}, aliases: {} };
const ALIASES_MAX = 200;

export type ClientChange =
  | Change
  | { readonly type: "about"; readonly conversationId: ConversationId; readonly about: Partial<About> }
  | { readonly type: "person"; readonly profile: Profile }
  | { readonly type: "alias"; readonly key: string; readonly wishId: string };

/** [CL-1] The state is the fold of its changes, in the tab that makes them and in those that are told. */
export function applyClientChange(state: ClientState, change: ClientChange): ClientState {
  if (change.type === "person")
    return { ...state, people: { ...state.people, [change.profile.userId]: change.profile } };
  if (change.type === "alias") {
    const all = Object.entries({ ...state.aliases, [change.key]: change.wishId }).sort(([a], [b]) => (a < b ? -1 : 1));
    return { ...state, aliases: Object.fromEntries(all.slice(-ALIASES_MAX)) };
  }
  if (change.type !== "about") return { ...state, replica: applyChange(state.replica, change) };
  const { conversationId, about } = change;
  const known = state.about[conversationId] ?? NOTHING_KNOWN;
  return { ...state, about: { ...state.about, [conversationId]: { ...known, ...about } } };
}

type AboutChange = Extract<ClientChange, { type: "about" }>;

/** What a `changed` entry says. */
export function aboutChanged(changed: Changed): AboutChange[] {
  if (!("head" in changed)) return [];
  const { conversationId, kind, title = null, peer, role, unread, head } = changed;
  return [{ type: "about", conversationId, about: { kind, title, peerId: peer?.userId ?? null, role, unread, head } }];
}

/** What a door says of a conversation. */
export function aboutAnswered(conversation: Conversation, me: string): AboutChange {
  const { kind, title = null, members, createdAt, head, mine } = conversation;
  const peerId = kind === "direct" ? (members.find(({ userId }) => userId !== me)?.userId ?? null) : null;
  const about = { kind, title, peerId, role: mine.role, members, createdAt, unread: mine.unread, head };
  return { type: "about", conversationId: conversation.conversationId as ConversationId, about };
}

/** What new events say of the conversation that they are of. */
export function aboutFrom(
  events: readonly Event[],
  known: About | undefined,
  me: UserId | null,
): Partial<About> | null {
  let about: Partial<About> = {};
  let members = known?.members ?? null;
  for (const event of events) {
    if (event.kind === "settings" && event.title !== undefined) about = { ...about, title: event.title };
    if (event.kind !== "member") continue;
    const role = event.change === "removed" || event.change === "left" ? null : (event.role ?? "member");
    if (event.userId === me) about = { ...about, role };
    members = members && membersAfter(members, event.userId, role, event.seq);
  }
  if (members !== (known?.members ?? null)) about = { ...about, members };
  return Object.keys(about).length > 0 ? about : null;
}

function membersAfter(members: readonly Member[], userId: string, role: Role | null, seq: number): Member[] {
  const known = members.find((member) => member.userId === userId);
  const others = members.filter((member) => member.userId !== userId);
  return role === null ? others : [...others, { userId, role, joinedSeq: known?.joinedSeq ?? seq }];
}

/** Whether the wish of this name was made before, as far as that is known here: then making it again would change nothing. */
export function wasMade({ replica, aliases }: ClientState, id: ConversationId, wishId: string): boolean {
  const isOut = replica.outbox.some((entry) => entry.wishId === wishId);
  const isKey = (event: Event) => isWished(event) && event.idempotencyKey === wishId;
  return isOut || Object.values(aliases).includes(wishId) || heldOf(replica, id).events.some(isKey);
}

/** [CL-14] The newest key of this device that is known here. */
export function newestKeyOf({ replica }: ClientState, deviceId: string | null): string {
  const logs = Object.values(replica.conversations);
  const logged = logs.flatMap(({ events }) =>
    events.flatMap((event) => (isWished(event) && event.deviceId === deviceId ? [event.idempotencyKey] : [])),
  );
  const keys = [...replica.outbox.map(({ idempotencyKey }) => idempotencyKey), ...logged];
  return keys.reduce<string>((newest, key) => (key > newest ? key : newest), "");
}
