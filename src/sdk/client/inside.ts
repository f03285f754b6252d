import type { ConversationId } from "../../protocol/ids.ts";
import { KeyMint } from "../keys.ts";
import { type Entry, NOTHING_STORED } from "../state.ts";
import type { CallArguments, Client, ClientOptions, Conversation, Fetch, Joined, WebSocketClass } from "./api.ts";
import type { Command } from "./commands.ts";
import { conversationOf, type Parts } from "./conversation.ts";
import { Emitter } from "./emitter.ts";
import type { Environment } from "./environment.ts";
import { EdgewiseError, isGone } from "./errors.ts";
import { exportOf } from "./export.ts";
import { Hub } from "./hub.ts";
import { indexedDbStorage } from "./indexed-db-storage.ts";
import { memoryStorage } from "./memory-storage.ts";
import { Sendings } from "./sendings.ts";
import { Sessions } from "./sessions.ts";
import { type ClientState, NOTHING_KEPT, nobody, wasMade } from "./state.ts";
import type { Storage, Store } from "./storage.ts";
import { Encoder, glimpseOf } from "./stored.ts";
import { Teller } from "./teller.ts";
import { type Sight, View } from "./view.ts";
import type { Contact, DoorName, Doors, Presence } from "./wire.ts";

const KEEP = 500;
/** How often a tab says again what its screen shows. Ms. */
const SHOW_AGAIN_MS = 30_000;

/** A client with what it is made of: for our own app, which draws from the state itself. Not of the package. */
export type Inside = {
  readonly client: Client;
  /** All that is shown is made from this. */
  readonly sight: () => Sight;
  readonly run: (command: Command) => Promise<unknown>;
  /** Whether the logs are read by now; changes are told like others. */
  readonly isWhole: () => boolean;
  /** Goes on from a glimpse: reads the logs, and connects. */
  readonly goOn: () => Promise<void>;
};

/** `glimpse`: answers before the logs are read, with what a list is drawn from, and goes on when it is told. [CL-54] */
export async function openClient(environment: Environment, options: ClientOptions, glimpse = false): Promise<Inside> {
  const WebSocket = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket;
  if (!WebSocket) throw new Error("There is no global WebSocket here: pass one, as in createClient({ WebSocket })");
  const url = options.url.replace(/\/+$/, "");
  const name = `${options.profile ?? "default"}@${url}`;
  const store = await (options.storage ?? defaultStorage()).open(name);
  const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const opened = new Opened({ options, environment, WebSocket, url, name, store, fetch });
  await opened.start(glimpse);
  return opened.inside;
}

const defaultStorage = (): Storage => ("indexedDB" in globalThis ? indexedDbStorage() : memoryStorage());

type Given = {
  readonly options: ClientOptions;
  readonly environment: Environment;
  readonly WebSocket: WebSocketClass;
  readonly url: string;
  readonly name: string;
  readonly store: Store;
  readonly fetch: Fetch;
};

/** A client that is open, in one tab. */
class Opened {
  readonly #given: Given;
  readonly #emitter = new Emitter();
  readonly #view = new View();
  readonly #mint = new KeyMint(NOTHING_STORED);
  readonly #sessions: Sessions;
  readonly #sendings: Sendings;
  readonly #teller: Teller;
  readonly #parts: Parts;
  #hub: Hub | null = null;
  #overlay: { of: ClientState; waiting: readonly Command[]; made: ClientState } | null = null;
  #watched: readonly string[] = [];
  #ends: (() => void)[] = [];
  #isClosed = false;

  constructor(given: Given) {
    this.#given = given;
    const { url, fetch, store, environment, name } = given;
    const { locks } = environment;
    this.#sessions = new Sessions({
      ...{ url, fetch, store, now: environment.now, after: environment.after },
      exclusive: (act) => (locks ? locks.hold(`edgewise.${name}.tokens`, act) : act()),
      onChange: () => this.#sessionChanged(),
    });
    this.#sendings = new Sendings({
      ...{ mint: this.#mint, now: environment.now, state: () => this.#state },
      tell: (happening) => this.#tell({ do: "tell", happening }),
    });
    this.#parts = {
      ...{ view: this.#view, sight: () => this.#sight, sendings: this.#sendings, sessions: this.#sessions },
      ...{ emitter: this.#emitter, run: (command) => this.#run(command), tell: (command) => this.#tell(command) },
    };
    this.#teller = new Teller(this.#emitter, this.#view, () => this.#sight);
  }

  async start(glimpse: boolean): Promise<void> {
    const { store, environment, options } = this.#given;
    await this.#sessions.load();
    const all = this.#sessions.isRevoked ? "out/" : ""; // [CL-57] what has to go is not shown before it does
    const state = glimpse && all === "" ? await glimpseOf(store) : new Encoder().load(await store.read(all));
    this.#hub = new Hub(this.#hubPorts(), state, !glimpse);
    this.#teller.begin(this.#sessions.state, this.#hub.moment);
    if (!glimpse) await this.#hub.start();
    this.#ends = [environment.onVisible(() => this.#show())];
    if (environment.isVisible() !== null || options.background) this.#show();
  }

  #hubPorts(): ConstructorParameters<typeof Hub>[0] {
    const { options, environment, WebSocket, url, name, store, fetch } = this.#given;
    const channel = options.tabs === false ? null : environment.channel;
    const shared = channel ? { name: `edgewise.${name}`, channel: channel(`edgewise.${name}`) } : null;
    return {
      ...{ url, fetch, WebSocket, environment, store, sessions: this.#sessions, mint: this.#mint },
      ...{ background: options.background ?? false, keep: options.keep ?? KEEP },
      ...{ shared, tab: `${environment.now().toString(36)}${environment.random().toString(36).slice(2)}` },
      onChange: (changes, ended) => {
        for (const each of ended) this.#sendings.ended(each);
        if (changes.length === 0) this.#sendings.reconcile();
        if (this.#hub) this.#teller.changed(changes, ended, this.#hub.moment);
      },
      onCleared: () => {
        this.#view.forget();
        this.#emitter.tell("", null);
      },
    };
  }

  // --- what is shown ---

  get #state(): ClientState {
    const hub = this.#hub;
    if (!hub) return NOTHING_KEPT;
    const { state, waiting } = hub;
    return waiting.length > 0 ? this.#withWaiting(state, waiting) : state;
  }

  /** [CL-48] What was written in this tab shows at once, also before the tab that leads has it. */
  #withWaiting(of: ClientState, waiting: readonly Command[]): ClientState {
    const known = this.#overlay;
    const isSame = known?.waiting.length === waiting.length && known.waiting.every((each, i) => each === waiting[i]);
    if (known && isSame && known.of === of) return known.made;
    const outbox = [...of.replica.outbox, ...waiting.flatMap((command) => entryOf(command, of))];
    const made = { ...of, replica: { ...of.replica, outbox } };
    this.#overlay = { of, waiting, made };
    return made;
  }

  get #serverNow(): number {
    return this.#given.environment.now() + (this.#hub?.moment.aheadMs ?? 0);
  }

  get #sight(): Sight {
    const live = this.#hub?.moment.live ?? { typing: [], presence: [], shed: [], shedUntil: 0, profile: null };
    const { userId: me = null, deviceId: device = null } = this.#sessions.owner ?? {};
    return { state: this.#state, moment: { live }, me, device, now: this.#serverNow };
  }

  // --- what is done ---

  #run(command: Command): Promise<unknown> {
    if (!this.#hub || this.#isClosed)
      return Promise.reject(new EdgewiseError("unavailable", { detail: "the client was closed" }));
    return this.#hub.do(command);
  }

  #tell(command: Command): void {
    this.#run(command).catch(() => {});
    if (this.#hub && !this.#hub.isLeader) this.#teller.changed([], [], this.#hub.moment);
  }

  /** [CL-44] A session that ended in this tab has ended in all of them. */
  #sessionChanged(): void {
    if (!this.#hub) return;
    const { state } = this.#sessions;
    if (state.is === "signed_out" && state.handle !== null) this.#tell({ do: "over" });
    this.#hub.sessionChanged();
    this.#teller.session(state);
  }

  #show(): void {
    const { environment, options } = this.#given;
    const visible = environment.isVisible() ?? !options.background;
    this.#tell({ do: "show", visible, userIds: visible ? this.#watched : [] });
    this.#ends[1]?.();
    this.#ends[1] = environment.after(SHOW_AGAIN_MS, () => this.#show());
  }

  async #enter(door: "signUp" | "signIn" | "exchange", wanted: { handle?: string }): Promise<void> {
    const { state, owner } = this.#sessions;
    const name = this.#given.options.deviceName ?? "Edgewise";
    const isSame = owner && state.is === "signed_out" && state.handle === wanted.handle?.toLowerCase();
    const device = { name, ...(door === "signIn" && isSame ? { id: owner.deviceId } : {}) };
    await this.#run({ do: "enter", door, body: { ...wanted, device } });
    await this.#sessions.load();
  }

  #conversation(id: string): Conversation {
    return conversationOf(id as ConversationId, this.#parts);
  }

  async #opened(
    answer: Promise<{ conversation: Doors["conversation"]["answer"]["conversation"] }>,
  ): Promise<Conversation> {
    const { conversation } = await answer;
    await this.#run({ do: "know", conversation });
    return this.#conversation(conversation.conversationId);
  }

  async #person(answer: Promise<Doors["findUser"]["answer"]>): Promise<Doors["findUser"]["answer"]> {
    const { userId, handle, displayName } = await answer;
    const profile = { userId, handle, displayName };
    await this.#run({ do: "know", profiles: [profile] });
    return profile;
  }

  async #loadContacts(): Promise<readonly Contact[]> {
    await this.#run({ do: "contacts" });
    return this.#view.contacts(this.#sight);
  }

  async #join(code: string): Promise<Joined> {
    const answer = await this.#sessions.call("join", { params: { code } });
    if (!("conversation" in answer)) return { is: "requested", conversationId: answer.conversationId };
    return { is: "member", conversation: await this.#opened(Promise.resolve(answer)) };
  }

  #failedEntry(id: string): Entry {
    const isIt = ({ wishId, idempotencyKey }: Entry) => wishId === id || idempotencyKey === id;
    const entry = this.#state.replica.outbox.find(isIt);
    if (entry?.standing.is !== "failed")
      throw new EdgewiseError("not_found", { detail: "no failed message has this id" });
    return entry;
  }

  #discard({ wishId }: Entry): void {
    this.#tell({ do: "tell", happening: { type: "discarded", wishId } });
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return;
    for (const end of this.#ends) end();
    await this.#hub?.close();
    this.#isClosed = true;
    this.#emitter.clear();
    await this.#given.store.close();
  }

  get inside(): Inside {
    return {
      client: this.#client,
      sight: () => this.#sight,
      run: (command) => this.#run(command),
      isWhole: () => this.#hub?.isWhole ?? false,
      goOn: async () => {
        const started = this.#isClosed ? undefined : this.#hub?.start();
        await started?.catch((error: unknown) => {
          if (!this.#isClosed) throw error; // the store was closed while its logs were read
        });
      },
    };
  }

  get #client(): Client {
    const sessions = this.#sessions;
    const opened = this;
    const call = <D extends DoorName>(door: D, ...[sent]: CallArguments<D>) => sessions.call(door, sent ?? {});
    return {
      url: this.#given.url,
      get session() {
        return sessions.state;
      },
      get connection() {
        return opened.#teller.connection;
      },
      get shed() {
        return opened.#sight.moment.live.shed;
      },
      get storage() {
        return opened.#hub?.moment.storage ?? "ok";
      },
      get serverNow() {
        return opened.#serverNow;
      },
      subscribe: (listener) => this.#emitter.on("", listener),
      on: (event, listener) => this.#emitter.on(event, listener),
      signUp: ({ displayName, ...wanted }) =>
        this.#enter("signUp", { ...wanted, displayName: displayName ?? wanted.handle } as { handle: string }),
      signIn: (wanted) => this.#enter("signIn", wanted),
      exchange: (wanted) => this.#enter("exchange", wanted as { handle?: string }),
      signOut: async () => void (await this.#run({ do: "sign_out" })),
      export: (options = {}) => {
        const { url, fetch, environment } = this.#given;
        return exportOf({ sessions, url, fetch, after: environment.after }, options);
      },
      erase: async (proof) => void (await this.#run({ do: "erase", proof })),
      call,
      conversations: {
        list: () => this.#view.list(this.#sight),
        get: (id) => this.#conversation(id),
        openDirect: (userId) => this.#opened(sessions.call("openDirect", { params: { userId } })),
        createGroup: (wanted) => {
          const idempotencyKey = this.#mint.mint(this.#given.environment.now(), null);
          return this.#opened(sessions.call("createGroup", { body: { ...wanted, idempotencyKey } }));
        },
        join: (code) => this.#join(code),
      },
      invites: { preview: (code) => call("invite", { params: { code } }) },
      retry: (id) => {
        const entry = this.#failedEntry(id);
        const sending = this.#sendings.send(entry.conversationId, entry.event);
        this.#discard(entry);
        return sending;
      },
      discard: (id) => this.#discard(this.#failedEntry(id)),
      watch: (userIds) => {
        this.#watched = [...userIds];
        this.#show();
      },
      presenceOf: (userId): Presence | null =>
        this.#sight.moment.live.presence.find((presence) => presence.userId === userId) ?? null,
      people: {
        search: async (words) => (await call("findPeople", { query: { q: words } })).users,
        find: (handle) => this.#person(sessions.call("findUser", { query: { handle } })),
        get: (userId) =>
          this.#person(sessions.call("user", { params: { userId } })).catch(async (error: unknown) => {
            if (isGone(error)) await this.#run({ do: "know", profiles: [nobody(userId)] });
            throw error;
          }),
        known: (userId) => this.#state.people[userId] ?? null,
      },
      contacts: {
        list: () => this.#view.contacts(this.#sight),
        load: () => this.#loadContacts(),
        put: async (userId) => {
          await call("putContact", { params: { userId } });
          await this.#loadContacts();
        },
        remove: async (userId) => {
          await call("removeContact", { params: { userId } });
          await this.#loadContacts();
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
      profile: { load: () => call("me"), change: (wanted) => sessions.call("changeMe", { body: wanted }) },
      reports: {
        send: async (wanted) => {
          const idempotencyKey = this.#mint.mint(this.#given.environment.now(), null);
          await call("report", { body: { ...wanted, idempotencyKey } });
        },
      },
      stars: (query = {}) => call("stars", { query }),
      search: (query) => call("search", { query }),
      media: {
        upload: async (conversationId, file, named) => {
          const { fetch, environment, store } = this.#given;
          const { startUpload } = await import("./uploads.ts"); // most who open an app upload nothing
          return startUpload({ sessions, fetch, store, random: environment.random }, conversationId, file, named);
        },
        place: async (mediaId) => {
          const place = await call("media", { params: { mediaId }, query: { as: "url" } });
          if (!place) throw new EdgewiseError("not_found");
          return place;
        },
      },
      connect: () => this.#tell({ do: "connect" }),
      disconnect: () => this.#tell({ do: "disconnect" }),
      rest: async () => Boolean(await this.#run({ do: "rest" })),
      flush: async () => {
        await this.#hub?.flush();
      },
      close: () => this.#close(),
    };
  }
}

/** A wish that was asked for in this tab, as the leader will keep it. */
function entryOf(command: Command, state: ClientState): Entry[] {
  if (command.do !== "tell" || command.happening.type !== "wish") return [];
  const { conversationId, idempotencyKey, composedAt, event } = command.happening;
  if (wasMade(state, conversationId, idempotencyKey)) return [];
  const standing = { is: "waiting", sent: false } as const;
  return [{ wishId: idempotencyKey, idempotencyKey, conversationId, composedAt, event, standing }];
}
