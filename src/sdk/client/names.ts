import type { ConversationId } from "../../protocol/ids.ts";
import type { KeyMint } from "../keys.ts";
import type { Entry } from "../state.ts";
import type {
  CallArguments,
  Client,
  ClientOptions,
  ConnectionState,
  Conversation,
  Fetch,
  Joined,
  Uploadable,
  WebSocketClass,
} from "./api.ts";
import { conversationOf, type Parts } from "./conversation.ts";
import type { Environment } from "./environment.ts";
import { EdgewiseError, isGone } from "./errors.ts";
import { exportOf } from "./export.ts";
import type { Sessions } from "./sessions.ts";
import { nobody, profileIn } from "./state.ts";
import type { Store } from "./storage.ts";
import type { Named } from "./uploads.ts";
import type { Sight } from "./view.ts";
import type { DoorName, Doors, Me, MediaPlace, Presence } from "./wire.ts";

/** What a client was opened with. */
export type Given = {
  readonly options: ClientOptions;
  readonly environment: Environment;
  readonly WebSocket: WebSocketClass;
  readonly url: string;
  readonly name: string;
  readonly store: Store;
  readonly fetch: Fetch;
};

/** What the client of an app is made of. */
export type ClientParts = Parts & {
  readonly given: Given;
  readonly mint: KeyMint;
  readonly serverNow: () => number;
  readonly connection: () => ConnectionState;
  readonly storage: () => "ok" | "full";
  readonly watch: (userIds: readonly string[]) => void;
  readonly isWhole: () => boolean;
  readonly openWhole: () => Promise<void>;
  readonly flush: () => Promise<void>;
  readonly close: () => Promise<void>;
};
type Answered = { readonly conversation: Doors["conversation"]["answer"]["conversation"] };
type Found = Doors["findUser"]["answer"];

/** The names under which an app finds what it can see and do: none has a state of its own. [CL-53] */
export function clientOf(parts: ClientParts): Client {
  const { given, sessions, view, sight, emitter, sendings, mint, run, tell } = parts;
  const { url, fetch, environment, store } = given;
  const opened = (answer: Promise<Answered>) => openedBy(parts, answer);
  const person = (answer: Promise<Found>) => personIn(parts, answer);
  const loadContacts = async () => {
    await run({ do: "contacts" });
    return view.contacts(sight());
  };
  const discard = ({ wishId }: Entry) => tell({ do: "tell", happening: { type: "discarded", wishId } });
  const newKey = () => mint.mint(environment.now(), null);
  const call = <D extends DoorName>(door: D, ...[sent]: CallArguments<D>) => sessions.call(door, sent ?? {});
  const upload = async (conversationId: string | null, file: Uploadable, named?: Named) => {
    const { startUpload } = await import("./uploads.ts"); // most who open an app upload nothing
    return startUpload({ sessions, fetch, store, random: environment.random }, conversationId, file, named);
  };
  return {
    url,
    get session() {
      return sessions.state;
    },
    get connection() {
      return parts.connection();
    },
    get shed() {
      return sight().moment.live.shed;
    },
    get storage() {
      return parts.storage();
    },
    get serverNow() {
      return parts.serverNow();
    },
    get state() {
      return sight().state;
    },
    get live() {
      return sight().moment.live;
    },
    get isWhole() {
      return parts.isWhole();
    },
    openWhole: parts.openWhole,
    subscribe: (listener) => emitter.on("", listener),
    on: (event, listener) => emitter.on(event, listener),
    signUp: ({ displayName, ...wanted }) =>
      enter(parts, "signUp", { ...wanted, displayName: displayName ?? wanted.handle } as { handle: string }),
    signIn: (wanted) => enter(parts, "signIn", wanted),
    exchange: (wanted) => enter(parts, "exchange", wanted as { handle?: string }),
    signOut: async () => void (await run({ do: "sign_out" })),
    export: (options = {}) => {
      return exportOf({ sessions, url, fetch, after: environment.after }, options);
    },
    erase: async (proof) => void (await run({ do: "erase", proof })),
    call,
    conversations: {
      list: () => view.list(sight()),
      get: (id) => conversationOf(id as ConversationId, parts),
      openDirect: (userId) => opened(sessions.call("openDirect", { params: { userId } })),
      createGroup: (wanted) => opened(sessions.call("createGroup", { body: { idempotencyKey: newKey(), ...wanted } })),
      join: (code) => join(parts, code),
    },
    invites: { preview: (code) => call("invite", { params: { code } }) },
    retry: (id) => {
      const entry = failedEntry(sight(), id);
      const sending = sendings.send(entry.conversationId, entry.event);
      discard(entry);
      return sending;
    },
    discard: (id) => discard(failedEntry(sight(), id)),
    watch: parts.watch,
    presenceOf: (userId): Presence | null =>
      sight().moment.live.presence.find((presence) => presence.userId === userId) ?? null,
    people: {
      search: async (words) => (await call("findPeople", { query: { q: words } })).users,
      find: (handle) => person(sessions.call("findUser", { query: { handle } })),
      get: (userId) =>
        person(sessions.call("user", { params: { userId } })).catch(async (error: unknown) => {
          if (isGone(error)) await run({ do: "know", profiles: [nobody(userId)] });
          throw error;
        }),
      known: (userId) => sight().state.people[userId] ?? null,
      keep: async (known) => void (await run({ do: "know", profiles: [profileIn(known)] })),
      picture: (userId) => pictureOf(parts, userId),
    },
    contacts: {
      list: () => view.contacts(sight()),
      load: () => loadContacts(),
      put: async (userId) => {
        await call("putContact", { params: { userId } });
        await loadContacts();
      },
      remove: async (userId) => {
        await call("removeContact", { params: { userId } });
        await loadContacts();
      },
    },
    blocks: {
      load: async () => (await call("blocks")).blocks,
      put: async (userId) => void (await call("block", { params: { userId } })),
      remove: async (userId) => void (await call("unblock", { params: { userId } })),
    },
    devices: {
      load: async () => (await call("devices")).devices,
      revoke: async (deviceId) => void (await call("revokeDevice", { params: { deviceId } })),
    },
    profile: {
      load: () => mine(parts, call("me")),
      change: (wanted) => mine(parts, sessions.call("changeMe", { body: wanted })),
      uploadPicture: (file, named) => upload(null, file, named),
    },
    reports: {
      send: async (wanted) => void (await call("report", { body: { idempotencyKey: newKey(), ...wanted } })),
    },
    newKey,
    stars: ({ cursor, ...query } = {}) =>
      call("stars", { query: { ...query, ...(cursor === undefined ? {} : { cursor: Number(cursor) }) } }),
    search: (query) => call("search", { query }),
    media: {
      upload,
      place: async (mediaId) => {
        const place = await call("media", { params: { mediaId }, query: { as: "url" } });
        if (!place) throw new EdgewiseError("not_found");
        return place;
      },
    },
    connect: () => tell({ do: "connect" }),
    disconnect: () => tell({ do: "disconnect" }),
    rest: async () => Boolean(await run({ do: "rest" })),
    flush: parts.flush,
    close: parts.close,
  };
}

async function enter(
  { given, sessions, run }: ClientParts,
  door: "signUp" | "signIn" | "exchange",
  wanted: { handle?: string },
): Promise<void> {
  const { state, owner } = sessions;
  const name = given.options.deviceName ?? "Edgewise";
  const isSame = owner && state.is === "signed_out" && state.handle === wanted.handle?.toLowerCase();
  const device = { name, ...(door === "signIn" && isSame ? { id: owner.deviceId } : {}) };
  await run({ do: "enter", door, body: { ...wanted, device } });
  await sessions.load();
}

async function openedBy(parts: ClientParts, answer: Promise<Answered>): Promise<Conversation> {
  const { conversation } = await answer;
  await parts.run({ do: "know", conversation });
  return conversationOf(conversation.conversationId as ConversationId, parts);
}

async function personIn({ run }: ClientParts, answer: Promise<Found>): Promise<Found> {
  const profile = profileIn(await answer);
  await run({ do: "know", profiles: [profile] });
  return profile;
}

/** My own profile, which is kept like anybody's. */
async function mine({ run }: ClientParts, answer: Promise<Me>): Promise<Me> {
  const me = await answer;
  await run({ do: "know", profiles: [profileIn(me)] });
  return me;
}

/** [CL-73] Where somebody's picture is. What is known of it may be old: then they are asked for anew, once. */
async function pictureOf(parts: ClientParts, userId: string): Promise<MediaPlace | null> {
  const { sessions, sight } = parts;
  const known = sight().state.people[userId]?.avatarMediaId;
  const place = known ? await placeOf(sessions, known) : null;
  if (place) return place;
  const { avatarMediaId } = await personIn(parts, sessions.call("user", { params: { userId } }));
  return avatarMediaId && avatarMediaId !== known ? placeOf(sessions, avatarMediaId) : null;
}

/** Null: it is not shown to this person, or not any more. */
async function placeOf(sessions: Sessions, mediaId: string): Promise<MediaPlace | null> {
  const asked = sessions.call("media", { params: { mediaId }, query: { as: "url" } });
  return asked.catch((error: unknown) => {
    if (isGone(error)) return null;
    throw error;
  });
}

async function join(parts: ClientParts, code: string): Promise<Joined> {
  const answer = await parts.sessions.call("join", { params: { code } });
  if (!("conversation" in answer)) return { is: "requested", conversationId: answer.conversationId };
  return { is: "member", conversation: await openedBy(parts, Promise.resolve(answer)) };
}

function failedEntry({ state }: Sight, id: string): Entry {
  const isIt = ({ wishId, idempotencyKey }: Entry) => wishId === id || idempotencyKey === id;
  const entry = state.replica.outbox.find(isIt);
  if (entry?.standing.is !== "failed")
    throw new EdgewiseError("not_found", { detail: "no failed message has this id" });
  return entry;
}
