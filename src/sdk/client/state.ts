import { isWished } from "../../domain/life.ts";
import type { Event } from "../../protocol/events.ts";
import type { Changed, ServerFrame } from "../../protocol/frames.ts";
import type { ConversationId, UserId } from "../../protocol/ids.ts";
import {
  applyChange,
  type Change,
  conversationIds,
  type Held,
  heldOf,
  NOTHING_STORED,
  type ReplicaState,
} from "../state.ts";
import type { About, Settings } from "./api.ts";
import type { Contact, Contacts as ContactsPage, Conversation, Member, Profile, Role } from "./wire.ts";

const NOTHING_KNOWN: About = {
  ...{ kind: null, title: null, peerId: null, role: null, members: null, settings: null },
  ...{ starred: [], requestCount: 0, createdAt: 0, unread: 0, head: 0 },
};

/** All that a device keeps, and all that is shown is made from. */
export type ClientState = {
  readonly replica: ReplicaState;
  readonly about: Readonly<Record<string, About>>;
  readonly people: Readonly<Record<string, Profile>>;
  /** The wishes that got another key than the one that names them, by that key: the newest of them. */
  readonly aliases: Readonly<Record<string, string>>;
  readonly contacts: Contacts;
};
/** `version`: up to which they are here; null: nobody asked for them. */
export type Contacts = { readonly version: number | null; readonly byId: Readonly<Record<string, Contact>> };
const NO_CONTACTS: Contacts = { version: null, byId: {} };
export const NOTHING_KEPT: ClientState = {
  ...{ replica: NOTHING_STORED, about: {}, people: {}, aliases: {}, contacts: NO_CONTACTS },
};
const ALIASES_MAX = 200;

/** [CL-72] What is kept of somebody, whatever else the answer tells that they are in. */
export const profileIn = ({ userId, handle, displayName, avatarMediaId }: Profile): Profile => ({
  ...{ userId, handle, displayName },
  ...(avatarMediaId ? { avatarMediaId } : {}),
});

/** [ER-9] What is kept of somebody who was erased: a profile without a name. */
export const nobody = (userId: string): Profile => ({ userId, handle: "", displayName: "" });
export const erasedIn = (events: readonly Event[]): ClientChange[] =>
  events.flatMap((event) =>
    event.kind === "member" && event.erased ? [{ type: "person", profile: nobody(event.userId) }] : [],
  );

export type ClientChange =
  | Change
  | { readonly type: "about"; readonly conversationId: ConversationId; readonly about: Partial<About> }
  | { readonly type: "person"; readonly profile: Profile }
  | { readonly type: "alias"; readonly key: string; readonly wishId: string }
  /** What is known besides the logs and the outbox is let go of. */
  | { readonly type: "wiped" }
  /** `reset`: these are all. */
  | ({ readonly type: "contacts" } & Pick<ContactsPage, "contacts" | "removed" | "reset"> & {
        readonly version: number | null;
      });

/** The state with each log changed. */
export function withLogs(state: ClientState, change: (id: ConversationId, held: Held) => Held): ClientState {
  const { replica } = state;
  const conversations = conversationIds(replica).map((id) => [id, change(id, heldOf(replica, id))] as const);
  return { ...state, replica: { ...replica, conversations: Object.fromEntries(conversations) } };
}

/** [CL-1] The state is the fold of its changes, in the tab that makes them and in those that are told. */
export function applyClientChange(state: ClientState, change: ClientChange): ClientState {
  if (change.type === "person")
    return { ...state, people: { ...state.people, [change.profile.userId]: change.profile } };
  if (change.type === "wiped") return { ...NOTHING_KEPT, replica: state.replica, aliases: state.aliases };
  if (change.type === "alias") {
    const all = Object.entries({ ...state.aliases, [change.key]: change.wishId }).sort(([a], [b]) => (a < b ? -1 : 1));
    return { ...state, aliases: Object.fromEntries(all.slice(-ALIASES_MAX)) };
  }
  if (change.type === "contacts") return { ...state, contacts: contactsAfter(state.contacts, change) };
  if (change.type !== "about") return { ...state, replica: applyChange(state.replica, change) };
  const { conversationId, about } = change;
  const known = state.about[conversationId] ?? NOTHING_KNOWN;
  return { ...state, about: { ...state.about, [conversationId]: { ...known, ...about } } };
}

type ContactsChange = Extract<ClientChange, { type: "contacts" }>;
function contactsAfter(known: Contacts, { contacts, removed = [], reset, version }: ContactsChange): Contacts {
  const before = reset ? [] : Object.values(known.byId).filter(({ userId }) => !removed.includes(userId));
  const byId = Object.fromEntries([...before, ...contacts].map((contact) => [contact.userId, contact]));
  return { version, byId };
}

type AboutChange = Extract<ClientChange, { type: "about" }>;

/** What a `changed` entry says. */
export function aboutChanged(changed: Changed): AboutChange[] {
  if (!("head" in changed)) return [];
  const { conversationId, kind, title = null, peer, role, unread, head, starred = [], requestCount = 0 } = changed;
  const about = { kind, title, peerId: peer?.userId ?? null, role, unread, head, starred, requestCount };
  return [{ type: "about", conversationId, about }];
}

/** What another device of the same person did. */
export function aboutSelf(frame: ServerFrame): AboutChange[] {
  if (frame.type !== "self") return [];
  return (frame.conversations ?? []).flatMap(({ conversationId, starred }) =>
    starred ? [{ type: "about", conversationId, about: { starred } } as const] : [],
  );
}

/** [CL-72] My own profile, as another device of mine has changed it. */
export function meSelf(frame: ServerFrame, me: Profile | undefined): ClientChange[] {
  if (frame.type !== "self" || !frame.profile || !me) return [];
  const { userId, handle } = me;
  return [{ type: "person", profile: profileIn({ userId, handle, ...frame.profile }) }];
}

/**
 * What a door says of a conversation, and what the log as it is here says past the answer's head: an answer that comes late takes
 * nothing back. [AP-33]
 */
export function aboutAnswered(conversation: Conversation, me: UserId | null, replica: ReplicaState): AboutChange {
  const conversationId = conversation.conversationId as ConversationId;
  const { kind, title = null, members, createdAt, head, mine } = conversation;
  const peerId = kind === "direct" ? (members.find(({ userId }) => userId !== me)?.userId ?? null) : null;
  const settings = settingsOf(conversation);
  const about = { kind, title, peerId, role: mine.role, members, settings, createdAt, unread: mine.unread, head };
  const later = heldOf(replica, conversationId).events.filter(({ seq }) => seq > head);
  return { type: "about", conversationId, about: { ...about, ...aboutFrom(later, about, me) } };
}

function settingsOf(said: Settings): Settings {
  const { retentionMs, avatarMediaId, sending, setting, adding, approval, history } = said;
  return { retentionMs, avatarMediaId, sending, setting, adding, approval, history };
}

/** The settings with what an event says of them. */
function settingsAfter(known: Settings, event: Extract<Event, { kind: "settings" }>): Settings {
  const said = Object.entries(settingsOf(event as Settings)).filter(([, value]) => value !== undefined);
  return { ...known, ...Object.fromEntries(said.map(([name, value]) => [name, value ?? undefined])) }; // null: the picture is gone
}

/** What new events say, besides being in their logs: of their conversations, and of who was erased. */
export function learnedFrom(changes: readonly Change[], { about }: ClientState, me: UserId | null): ClientChange[] {
  return changes.flatMap((change): ClientChange[] => {
    if (change.type === "skipped")
      return [{ type: "about", conversationId: change.conversationId, about: { members: null, settings: null } }]; // what was said of them was not read
    if (change.type !== "grew") return [];
    const { conversationId, events } = change;
    const said = aboutFrom(events, about[conversationId], me);
    return [...(said ? [{ type: "about", conversationId, about: said } as const] : []), ...erasedIn(events)];
  });
}

/** What new events say of the conversation that they are of. */
export function aboutFrom(
  events: readonly Event[],
  known: Pick<About, "members" | "settings"> | undefined,
  me: UserId | null,
): Partial<About> | null {
  const about: { -readonly [A in keyof About]?: About[A] } = {};
  let members = known?.members ?? null;
  let settings = known?.settings ?? null;
  for (const event of events) {
    if (event.kind === "settings") {
      if (event.title !== undefined) about.title = event.title;
      settings = settings && settingsAfter(settings, event);
    }
    if (event.kind !== "member") continue;
    const role = event.change === "removed" || event.change === "left" ? null : (event.role ?? "member");
    if (event.userId === me) about.role = role;
    members = members && membersAfter(members, event.userId, role, event.seq);
  }
  if (members !== (known?.members ?? null)) about.members = members;
  if (settings !== (known?.settings ?? null)) about.settings = settings;
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
  let newest = "";
  for (const { idempotencyKey } of replica.outbox) if (idempotencyKey > newest) newest = idempotencyKey;
  for (const { events } of Object.values(replica.conversations))
    for (const event of events)
      if (isWished(event) && event.deviceId === deviceId && event.idempotencyKey > newest)
        newest = event.idempotencyKey;
  return newest;
}
