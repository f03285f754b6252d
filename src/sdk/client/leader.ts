import type { ServerFrame } from "../../protocol/frames.ts";
import type { ConversationId, DeviceId, IdempotencyKey, UserId } from "../../protocol/ids.ts";
import { LIMITS } from "../../protocol/limits.ts";
import type { Effects, Happening } from "../happenings.ts";
import type { KeyMint } from "../keys.ts";
import { Replica } from "../replica.ts";
import { type Entry, heldOf } from "../state.ts";
import type { Fetch, Proof, WebSocketClass } from "./api.ts";
import type { Command, Ended } from "./commands.ts";
import { Connection } from "./connection.ts";
import type { Environment } from "./environment.ts";
import { EdgewiseError, isGone } from "./errors.ts";
import { historyOf } from "./history.ts";
import type { Moment } from "./moment.ts";
import { Persister } from "./persister.ts";
import type { Sessions } from "./sessions.ts";
import {
  aboutAnswered,
  aboutChanged,
  aboutFrom,
  aboutSelf,
  applyClientChange,
  type ClientChange,
  type ClientState,
  erasedIn,
  NOTHING_KEPT,
  newestKeyOf,
  nobody,
  wasMade,
} from "./state.ts";
import type { Store } from "./storage.ts";
import { knownIds } from "./stored.ts";
import { trace, unsureOf } from "./tracing.ts";
import type { Contacts, Session } from "./wire.ts";

/** What uploads keep, to be gone on with. */
const UPLOADS = "upload/";
/** What was said of a tab's screen counts this long. Ms. */
const SHOWN_MS = 75_000;

export type LeaderPorts = {
  readonly url: string;
  readonly fetch: Fetch;
  readonly WebSocket: WebSocketClass;
  readonly environment: Environment;
  readonly store: Store;
  readonly sessions: Sessions;
  /** One for all keys that this tab mints. */
  readonly mint: KeyMint;
  readonly background: boolean;
  readonly keep: number;
  /** Something changed: to be shown here, and told to the other tabs. */
  readonly onChange: (changes: readonly ClientChange[], ended: readonly Ended[]) => void;
  /** The store was cleared: what was shown is gone. */
  readonly onCleared: () => void;
};
type Shown = { visible: boolean; userIds: readonly string[]; until: number };

/** The one tab that has the socket, the replica and the pen. */
export class Leader {
  readonly #ports: LeaderPorts;
  readonly #connection: Connection;
  #persister: Persister;
  #replica = new Replica();
  #state: ClientState = NOTHING_KEPT;
  #aheadMs = 0;
  #cancelWake = () => {};
  #cancelForget = () => {};
  /** Frames of a socket that is gone are not for the next one. */
  #round = 0;
  #wasVisible = false;
  readonly #shown = new Map<string, Shown>();
  /** What was asked about on this connection. */
  readonly #asked = new Set<string>();
  #isWanted = true;
  #isResting = false;
  #newestKey = "";
  #syncing: Promise<void> | null = null;
  #isErasing = false;
  #burying: Promise<void> | null = null;
  #isClosed = false;

  constructor(ports: LeaderPorts) {
    this.#ports = ports;
    this.#persister = this.#newPersister();
    const { url, WebSocket, environment, sessions } = ports;
    this.#connection = new Connection({
      ...{ url, WebSocket, environment },
      tokens: { token: (force) => this.#token(force), isTaken: () => sessions.isTaken() },
      isVisible: () => this.#isVisible(),
      onOpened: (background) => this.tell({ type: "opened", background }),
      onFrame: (frame) => this.#hear(frame),
      onLost: () => this.#lost(),
      onChange: () => this.#connectionChanged(),
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  get moment(): Moment {
    const { phase, live } = this.#replica;
    const told = this.#connection.state;
    const connection = told.is === "catching_up" && phase === "live" ? ({ is: "live" } as const) : told;
    return { connection, live, aheadMs: this.#aheadMs, storage: this.#persister.isFull ? "full" : "ok" };
  }

  async start(): Promise<void> {
    this.#wasVisible = this.#isVisible();
    this.#begin(await this.#persister.load());
    if (this.#ports.sessions.wasErased)
      await this.#bury(); // it died before
    else if (this.#ports.sessions.isRevoked) await this.#leave();
    if (this.#ports.sessions.state.is === "signed_in" && this.#isWanted) this.#connection.tell({ type: "connect" });
  }

  #begin(state: ClientState): void {
    this.#state = state;
    this.#replica = new Replica(state.replica, { keep: this.#ports.keep });
    this.#newestKey = newestKeyOf(state, this.#ports.sessions.owner?.deviceId ?? null);
    this.tell({ type: "pruned" });
    for (const entry of state.replica.outbox)
      if (entry.standing.is === "failed" && entry.event.kind !== "message")
        this.tell({ type: "discarded", wishId: entry.wishId }); // it was told, and no line shows it
  }

  #newPersister(): Persister {
    const { store, environment } = this.#ports;
    return new Persister(store, environment, () => this.#changed([], []));
  }

  // --- the replica ---

  tell(happening: Happening, also: readonly ClientChange[] = []): void {
    if (this.#isClosed) return;
    const now = this.#ports.environment.now();
    const open = this.#state.replica.outbox;
    const effects = this.#replica.handle(happening, now);
    const changes = [...effects.store, ...also];
    this.#take(changes.length > 0 ? [...changes, ...this.#learned(effects)] : changes);
    this.#carryOut(effects, now);
    const ended = endedBy(effects, open);
    this.#changed(changes, ended);
    for (const { wishId } of ended) this.#forgetFailed(wishId);
  }

  /** What the new events say of their conversations. */
  #learned({ store }: Effects): ClientChange[] {
    const { sessions } = this.#ports;
    const me = (sessions.owner?.userId ?? null) as UserId | null;
    return store.flatMap((change): ClientChange[] => {
      if (change.type === "skipped")
        return [{ type: "about", conversationId: change.conversationId, about: { members: null, settings: null } }]; // what was said of them was not read
      if (change.type !== "grew") return [];
      const about = aboutFrom(change.events, this.#state.about[change.conversationId], me);
      const news: ClientChange[] = about ? [{ type: "about", conversationId: change.conversationId, about }] : [];
      return [...news, ...erasedIn(change.events)];
    });
  }

  #take(changes: readonly ClientChange[]): void {
    this.#state = changes.reduce(applyClientChange, this.#state);
    this.#persister.keep(changes, this.#state);
  }

  /** [CL-45] Nothing leaves before what it follows from is on the disk. */
  #carryOut({ frames, mint, refused, wakeAt }: Effects, now: number): void {
    const round = this.#round;
    if (frames.length > 0)
      this.#persister.after(() => {
        if (round === this.#round) this.#connection.send(frames);
      });
    this.#cancelWake();
    const { environment } = this.#ports;
    if (wakeAt !== null) this.#cancelWake = environment.after(wakeAt - now, () => this.tell({ type: "woke" }));
    for (const { conversationId, wishIds, above } of mint) {
      const keys = wishIds.map((wishId) => ({ wishId, idempotencyKey: this.#ports.mint.mint(now, above) }));
      const also = keys.map(({ wishId, idempotencyKey }) => ({ type: "alias" as const, key: idempotencyKey, wishId }));
      for (const { idempotencyKey } of keys) if (idempotencyKey > this.#newestKey) this.#newestKey = idempotencyKey;
      this.tell({ type: "minted", conversationId, keys }, also);
    }
    if (refused === "device_revoked") this.#connection.tell({ type: "refused", why: "signed_out" });
    else if (refused !== null) this.#connection.tell({ type: "refused", why: "refused" });
  }

  /** What is said of a message and was refused has no line that could show it. */
  #forgetFailed(wishId: Ended["wishId"]): void {
    const entry = this.#state.replica.outbox.find((other) => other.wishId === wishId);
    if (entry?.standing.is === "failed" && entry.event.kind !== "message") this.tell({ type: "discarded", wishId });
  }

  #changed(changes: readonly ClientChange[], ended: readonly Ended[]): void {
    if (this.#isClosed) return;
    this.#ports.onChange(changes, ended);
    if (this.#replica.phase === "live") this.#askMissing();
  }

  // --- the socket ---

  #hear(frame: ServerFrame): void {
    if (frame.type === "welcome") this.#aheadMs = frame.serverTime - this.#ports.environment.now();
    const also = frame.type === "changed" ? frame.conversations.flatMap(aboutChanged) : aboutSelf(frame);
    const before = this.#replica.phase;
    this.tell({ type: "frame", frame }, also);
    if (frame.type === "self" && (frame.contactsVersion ?? 0) > (this.#state.contacts.version ?? Infinity))
      this.#refreshContacts();
    if (before === "live" || this.#replica.phase !== "live") return;
    this.#connection.tell({ type: "caught_up" });
    this.#askMissing();
    if (this.#state.contacts.version !== null) this.#refreshContacts();
  }

  #lost(): void {
    this.#round += 1;
    this.#asked.clear();
    this.tell({ type: "lost" });
  }

  #connectionChanged(): void {
    const { state } = this.#connection;
    if (state.is === "stopped" && state.why === "signed_out" && !this.#isErasing) void this.#end();
    this.#changed([], []);
  }

  /** A device whose tokens are renewed no more, for whatever reason, has to be signed in again. [CL-44] */
  async #token(force: boolean): Promise<string> {
    const { sessions } = this.#ports;
    return sessions.token(force).catch(async (error: unknown) => {
      if (error instanceof EdgewiseError && !error.retryable) await sessions.end("expired");
      throw error;
    });
  }

  /** [CL-57] The session is over, as this tab or another one was told. */
  async #over(): Promise<void> {
    const { sessions } = this.#ports;
    await sessions.load();
    if (sessions.state.is === "signed_in") return; // somebody has signed in since
    this.#connection.tell({ type: "refused", why: "signed_out" });
    if (sessions.wasErased) await this.#bury();
    else if (sessions.isRevoked) await this.#leave();
  }

  /** [CL-57] At once, and not when somebody signs in: whoever has a lost device in their hands may never do that. */
  async #leave(): Promise<void> {
    const { store, sessions } = this.#ports;
    const deviceId = (sessions.owner?.deviceId ?? "") as DeviceId;
    this.tell({ type: "left", deviceId }, [{ type: "wiped" }]);
    const uploads = await store.read(UPLOADS);
    await store.write(uploads.map(([key]) => ({ key, value: undefined })));
    await this.#persister.flush();
  }

  /** [CL-44] The server wants this device no more: all tabs are told, this one, too. */
  async #end(): Promise<void> {
    await this.#ports.sessions.end("revoked");
    await this.#over();
  }

  /** [CL-56] The account is no more: nothing of it stays here. */
  #bury(): Promise<void> {
    const { sessions } = this.#ports;
    const bury = async () => {
      await this.#clear();
      sessions.forget("erased");
    };
    this.#burying ??= bury().finally(() => {
      this.#burying = null;
    });
    return this.#burying;
  }

  #isVisible(): boolean {
    const { environment, background } = this.#ports;
    const now = environment.now();
    for (const [tab, { until }] of this.#shown) if (until <= now) this.#shown.delete(tab);
    if (environment.isVisible() === null) return !background;
    return environment.isVisible() === true || [...this.#shown.values()].some(({ visible }) => visible);
  }

  /** Asks who and what is shown without being known: once a connection. */
  #askMissing(): void {
    for (const id of knownIds(this.#state)) {
      const about = this.#state.about[id];
      if (!about?.kind) this.#ask(id, () => this.#askConversation(id));
      const { peerId } = about ?? {};
      if (peerId && !this.#state.people[peerId]) this.#ask(peerId, () => this.#askPerson(peerId));
    }
    for (const [id, entries] of unsureOf(this.#state.replica.outbox))
      this.#ask(`unsure ${id}`, async () => this.tell(await trace(this.#ports.sessions, id, entries)));
  }

  #ask(what: string, question: () => Promise<void>): void {
    if (this.#asked.has(what)) return;
    this.#asked.add(what);
    question().catch(() => {}); // it is asked again on the next connection
  }

  async #askConversation(id: ConversationId): Promise<void> {
    const { conversation } = await this.#ports.sessions.call("conversation", { params: { id } });
    await this.do("", { do: "know", conversation });
  }

  async #askPerson(userId: string): Promise<void> {
    const answer = this.#ports.sessions.call("user", { params: { userId } });
    const { handle, displayName } = await answer.catch((error: unknown) => {
      if (isGone(error)) return nobody(userId);
      throw error;
    });
    await this.do("", { do: "know", profiles: [{ userId, handle, displayName }] });
  }

  #refreshContacts(): void {
    this.#syncContacts().catch(() => {}); // on the next connection it is asked again
  }

  /** [CL-52] What has changed since the version that is here, page by page. Its version is kept with the last page alone. */
  #syncContacts(): Promise<void> {
    this.#syncing ??= this.#pullContacts().finally(() => {
      this.#syncing = null;
    });
    return this.#syncing;
  }

  async #pullContacts(): Promise<void> {
    const { sessions } = this.#ports;
    const before = this.#state.contacts.version;
    let query: { since: number } | { cursor: string } = { since: before ?? 0 };
    let isFirst = true;
    for (;;) {
      const page: Contacts = await sessions.call("contacts", { query });
      const { contacts, removed, reset, version, cursor } = page;
      const isReset = isFirst && reset ? ({ reset } as const) : {};
      const profiles = contacts.map(({ userId, handle, displayName }) => ({ userId, handle, displayName }));
      const changes: ClientChange[] = profiles.map((profile) => ({ type: "person", profile }));
      changes.push({
        ...{ type: "contacts", contacts, removed, ...isReset, version: cursor === undefined ? version : before },
      });
      this.#take(changes);
      this.#changed(changes, []);
      if (cursor === undefined) return;
      query = { cursor };
      isFirst = false;
    }
  }

  async #star({ conversationId, seq, starred }: Extract<Command, { do: "star" }>): Promise<void> {
    const params = { id: conversationId, seq };
    await this.#ports.sessions.call(starred ? "star" : "unstar", { params });
    const others = (this.#state.about[conversationId]?.starred ?? []).filter((other) => other !== seq);
    const about = { starred: starred ? [...others, seq] : others };
    const changes = [{ type: "about", conversationId, about }] as const;
    this.#take(changes);
    this.#changed(changes, []);
  }

  // --- what tabs ask for ---

  /** Resolves when it is done, and what it changed is on the disk; rejects with an `EdgewiseError`. `tab`: who asks. */
  async do(tab: string, command: Command): Promise<unknown> {
    switch (command.do) {
      case "tell":
        this.#say(command.happening);
        break;
      case "know":
        this.#know(command);
        break;
      case "enter":
        await this.#enter(command);
        break;
      case "sign_out":
        await this.#signOut();
        break;
      case "erase":
        await this.#erase(command.proof);
        break;
      case "contacts":
        await this.#syncContacts();
        break;
      case "star":
        await this.#star(command);
        break;
      case "older":
        return this.#older(command.conversationId);
      case "rest":
        return this.#rest();
      case "show":
        this.#show(tab, command);
        return null;
      case "gone":
        this.#shown.delete(tab);
        this.#watch();
        return null;
      case "connect":
      case "disconnect":
        this.#isResting = false;
        this.#isWanted = command.do === "connect";
        if (!this.#isWanted || this.#ports.sessions.state.is === "signed_in")
          this.#connection.tell({ type: command.do });
        return null;
      case "over":
        await this.#over();
    }
    await this.#persister.flush();
    return null;
  }

  #say(happening: Extract<Command, { do: "tell" }>["happening"]): void {
    if (happening.type === "wish") this.#wish(happening);
    else this.tell(happening);
  }

  /** [CL-14] [CL-48] Tabs mint apart, and what they wish for may meet here in another order: the keys that leave rise all the same. */
  #wish(wish: Extract<Happening, { type: "wish" }>): void {
    const { conversationId, idempotencyKey: wishId } = wish;
    if (wasMade(this.#state, conversationId, wishId)) return;
    const isNewest = wishId > this.#newestKey;
    const above = this.#newestKey as IdempotencyKey;
    const key = isNewest ? wishId : this.#ports.mint.mint(this.#ports.environment.now(), above);
    this.#newestKey = key;
    this.tell({ ...wish, idempotencyKey: key, wishId }, isNewest ? [] : [{ type: "alias", key, wishId }]);
  }

  #know({ conversation, profiles = [] }: Extract<Command, { do: "know" }>): void {
    const me = (this.#ports.sessions.owner?.userId ?? null) as UserId | null;
    const changes: ClientChange[] = profiles.map((profile) => ({ type: "person", profile }));
    if (conversation) changes.push(aboutAnswered(conversation, me, this.#state.replica));
    this.#take(changes);
    this.#changed(changes, []);
  }

  #show(tab: string, { visible, userIds }: Extract<Command, { do: "show" }>): void {
    this.#shown.set(tab, { visible, userIds, until: this.#ports.environment.now() + SHOWN_MS });
    this.#watch();
    const isVisible = this.#isVisible();
    if (isVisible === this.#wasVisible) return;
    this.#wasVisible = isVisible;
    if (isVisible && this.#isResting) this.#connection.tell({ type: "connect" });
    this.#isResting = false;
    this.#connection.tell({ type: "visible", visible: isVisible });
  }

  /** [CL-34] */
  #rest(): boolean {
    if (this.#isVisible() || this.#state.replica.outbox.some(({ standing }) => standing.is === "waiting")) return false;
    this.#isResting = this.#isWanted && this.#ports.sessions.state.is === "signed_in";
    if (this.#isResting) this.#connection.tell({ type: "disconnect" });
    return true;
  }

  /** [CL-32] All that some visible screen shows. */
  #watch(): void {
    const { environment } = this.#ports;
    this.#isVisible(); // forgets those that are gone
    const userIds = [...new Set([...this.#shown.values()].flatMap((shown) => shown.userIds))] as UserId[];
    this.tell({ type: "watching", userIds });
    this.#cancelForget();
    if (userIds.length > 0) this.#cancelForget = environment.after(SHOWN_MS, () => this.#watch());
  }

  /** [CL-41] A store holds one device: what another person left is cleared before anything of this one is kept. */
  async #enter({ door, body }: Extract<Command, { do: "enter" }>): Promise<void> {
    const { sessions } = this.#ports;
    if (sessions.state.is === "signed_in") throw new EdgewiseError("forbidden", { detail: "sign out first" });
    const { value, serverTime } = await sessions.enter(door, { body });
    const session: Session = value;
    const { owner } = sessions;
    const isSame = owner?.userId === session.user.userId && owner.deviceId === session.device.deviceId;
    if (owner && owner.userId !== session.user.userId) await this.#clear();
    else if (owner && !isSame) await this.#leave(); // [CL-58] before what it sent would go out as another device
    await sessions.begin(session, serverTime);
    const { userId, handle, displayName } = session.user;
    this.#know({ do: "know", profiles: [{ userId, handle, displayName }] });
    this.#isWanted = true;
    this.#connection.tell({ type: "reset" });
  }

  /** [CL-41] Also where the server does not answer: then its list of devices shows this one until somebody revokes it. */
  async #signOut(): Promise<void> {
    const { sessions } = this.#ports;
    this.#connection.tell({ type: "disconnect" });
    if (sessions.state.is === "signed_in") await sessions.call("signOut", {}).catch(() => {});
    await this.#clear();
    sessions.forget("signed_out");
  }

  /** [CL-56] What has lost its answer may have been done: then the session is over, and it is told why. */
  async #erase(proof: Proof): Promise<void> {
    const { sessions } = this.#ports;
    this.#isErasing = true;
    try {
      await sessions.call("eraseMe", { body: proof });
      await this.#bury();
      this.#connection.tell({ type: "refused", why: "signed_out" });
    } catch (error) {
      if (this.#isOver()) await this.#end();
      const { state } = sessions;
      if (state.is === "signed_in" || state.because !== "erased") throw error;
    } finally {
      this.#isErasing = false;
    }
  }

  #isOver(): boolean {
    const { state } = this.#connection;
    const isStopped = state.is === "stopped" && state.why === "signed_out";
    return isStopped || this.#ports.sessions.state.is === "signed_out";
  }

  async #clear(): Promise<void> {
    await this.#persister.flush();
    this.#persister.close();
    await this.#ports.store.clear();
    this.#persister = this.#newPersister();
    this.#begin(NOTHING_KEPT);
    this.#ports.onCleared();
  }

  async #older(conversationId: ConversationId): Promise<number> {
    const { from = 1 } = heldOf(this.#state.replica, conversationId);
    if (from <= 1) return 0;
    const query = { before: from, limit: LIMITS.historyPage };
    const page = await historyOf(this.#ports.sessions, conversationId, query);
    const events = page.events.toReversed();
    const reached = page.hasMore ? (events[0]?.seq ?? from) : 1;
    this.tell({ type: "older", conversationId, before: from, from: reached, events });
    await this.#persister.flush();
    return events.length;
  }

  flush(): Promise<void> {
    return this.#persister.flush();
  }

  async close(): Promise<void> {
    await this.#persister.flush();
    this.#connection.close();
    this.#isClosed = true;
    this.#cancelWake();
    this.#cancelForget();
    this.#persister.close();
  }
}

/** `open`: the outbox as it was before; what has ended may have left it. */
const endedBy = ({ outcomes }: Effects, open: readonly Entry[]): Ended[] =>
  outcomes.flatMap((outcome) => {
    const entry = open.find(({ wishId }) => wishId === outcome.wishId);
    return entry ? [{ ...outcome, conversationId: entry.conversationId }] : [];
  });
