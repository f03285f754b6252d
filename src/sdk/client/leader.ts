import type { ServerFrame } from "../../protocol/frames.ts";
import type { UserId } from "../../protocol/ids.ts";
import type { Effects, Happening } from "../happenings.ts";
import type { KeyMint } from "../keys.ts";
import { Replica } from "../replica.ts";
import type { Entry } from "../state.ts";
import type { Fetch, WebSocketClass } from "./api.ts";
import { Asking } from "./asking.ts";
import type { Command, Ended } from "./commands.ts";
import { Connection } from "./connection.ts";
import type { Environment } from "./environment.ts";
import { fulfil } from "./fulfilling.ts";
import type { Moment } from "./moment.ts";
import { Persister } from "./persister.ts";
import { RisingKeys } from "./rising-keys.ts";
import { Screens } from "./screens.ts";
import { isSignedOut, SessionLife } from "./session-life.ts";
import type { Sessions } from "./sessions.ts";
import {
  aboutAnswered,
  aboutChanged,
  aboutSelf,
  applyClientChange,
  type ClientChange,
  type ClientState,
  learnedFrom,
  meSelf,
  NOTHING_KEPT,
  newestKeyOf,
  wasMade,
} from "./state.ts";
import type { Store } from "./storage.ts";

export { Serving } from "./serving.ts";

/** So long a failure that no line shows is kept for the tab in which it was wished for, when another one leads. Ms. */
const TOLD_WITHIN_MS = 10_000;

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

/** The one tab that has the socket, the replica and the pen. */
export class Leader {
  readonly #ports: LeaderPorts;
  readonly #connection: Connection;
  readonly #screens: Screens;
  readonly #asking: Asking;
  readonly #life: SessionLife;
  readonly #keys: RisingKeys;
  #persister: Persister;
  #replica = new Replica();
  #state: ClientState = NOTHING_KEPT;
  #aheadMs = 0;
  #cancelWake = () => {};
  #cancelForget = () => {};
  /** Frames of a socket that is gone are not for the next one. */
  #round = 0;
  #isClosed = false;

  constructor(ports: LeaderPorts) {
    this.#ports = ports;
    this.#keys = new RisingKeys(ports.mint);
    this.#persister = this.#newPersister();
    const { url, WebSocket, environment, background, store, sessions } = ports;
    this.#connection = new Connection({
      ...{ url, WebSocket, environment },
      tokens: { token: (force) => this.#life.token(force), isTaken: () => sessions.isTaken() },
      isVisible: () => this.#screens.isVisible(),
      onOpened: (background) => this.tell({ type: "opened", background }),
      onFrame: (frame) => this.#hear(frame),
      onLost: () => this.#lost(),
      onChange: () => this.#connectionChanged(),
    });
    const connection = this.#connection;
    const tell = (happening: Happening, also: readonly ClientChange[] = []) => this.tell(happening, also);
    this.#screens = new Screens({
      ...{ environment, background, sessions, connection },
      watch: (userIds) => tell({ type: "watching", userIds }),
      isSending: () => this.#state.replica.outbox.some(({ standing }) => standing.is === "waiting"),
    });
    this.#asking = new Asking({
      ...{ sessions, tell, state: () => this.#state, after: environment.after },
      put: (changes) => this.#put(changes),
      know: (known) => this.#know(known),
    });
    this.#life = new SessionLife({
      ...{ store, sessions, connection, tell, flush: () => this.flush(), clear: () => this.#clear() },
      onEntered: (profile) => {
        this.#know({ profiles: [profile] });
        this.#screens.entered();
      },
    });
  }

  get #me(): UserId | null {
    return (this.#ports.sessions.owner?.userId ?? null) as UserId | null;
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
    this.#begin(await this.#persister.load());
    await this.#life.finish();
    const { state } = this.#ports.sessions;
    if (state.is === "signed_in" && this.#screens.isWanted) this.#connection.tell({ type: "connect" });
  }

  #begin(state: ClientState): void {
    this.#state = state;
    this.#replica = new Replica(state.replica, { keep: this.#ports.keep });
    this.#keys.begin(newestKeyOf(state, this.#ports.sessions.owner?.deviceId ?? null));
    this.tell({ type: "pruned" });
    this.#cancelForget();
    const forget = () => {
      for (const { wishId } of this.#state.replica.outbox) this.#forgetFailed(wishId);
    };
    this.#cancelForget = this.#ports.environment.after(TOLD_WITHIN_MS, forget); // [CL-76]
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
    const changes = [...effects.store, ...also, ...learnedFrom(effects.store, this.#state, this.#me)];
    this.#take(changes);
    this.#carryOut(effects, now);
    const ended = endedBy(effects, open);
    this.#changed(changes, ended);
    for (const { wishId } of ended) this.#forgetFailed(wishId);
  }

  #take(changes: readonly ClientChange[]): void {
    this.#state = changes.reduce(applyClientChange, this.#state);
    this.#persister.keep(changes, this.#state);
  }

  /** What was learned elsewhere than from the replica. */
  #put(changes: readonly ClientChange[]): void {
    this.#take(changes);
    this.#changed(changes, []);
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
    for (const request of mint) {
      const { keys, also } = this.#keys.minted(request, now);
      this.tell({ type: "minted", conversationId: request.conversationId, keys }, also);
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
    if (this.#replica.phase === "live") this.#asking.missing();
  }

  // --- the socket ---

  #hear(frame: ServerFrame): void {
    if (frame.type === "welcome") this.#aheadMs = frame.serverTime - this.#ports.environment.now();
    const me = this.#state.people[this.#ports.sessions.owner?.userId ?? ""];
    const also =
      frame.type === "changed"
        ? frame.conversations.flatMap(aboutChanged)
        : [...aboutSelf(frame), ...meSelf(frame, me)];
    const before = this.#replica.phase;
    this.tell({ type: "frame", frame }, also);
    if (frame.type === "self" && (frame.contactsVersion ?? 0) > (this.#state.contacts.version ?? Infinity))
      this.#asking.refreshContacts();
    if (before === "live" || this.#replica.phase !== "live") return;
    this.#connection.tell({ type: "caught_up" });
    this.#asking.missing();
    if (this.#state.contacts.version !== null) this.#asking.refreshContacts();
  }

  #lost(): void {
    this.#round += 1;
    this.#asking.lost();
    this.tell({ type: "lost" });
  }

  #connectionChanged(): void {
    if (isSignedOut(this.#connection)) this.#life.refused();
    this.#changed([], []);
  }

  // --- what tabs ask for ---

  /** Resolves when it is done, and what it changed is on the disk; rejects with an `EdgewiseError`. `tab`: who asks. */
  do(tab: string, command: Command): Promise<unknown> {
    return fulfil(tab, command, {
      ...{ life: this.#life, asking: this.#asking, screens: this.#screens, flush: () => this.flush() },
      say: (happening) => this.#say(happening),
      know: (known) => this.#know(known),
    });
  }

  #say(happening: Extract<Command, { do: "tell" }>["happening"]): void {
    if (happening.type !== "wish") {
      this.tell(happening);
      return;
    }
    if (wasMade(this.#state, happening.conversationId, happening.idempotencyKey)) return;
    const { wish, also } = this.#keys.risen(happening, this.#ports.environment.now());
    this.tell(wish, also);
  }

  #know({ conversation, profiles = [] }: Omit<Extract<Command, { do: "know" }>, "do">): void {
    const { people } = this.#state;
    const news = profiles.filter((profile) => JSON.stringify(profile) !== JSON.stringify(people[profile.userId])); // [CL-47]
    const changes: ClientChange[] = news.map((profile) => ({ type: "person", profile }));
    if (conversation) changes.push(aboutAnswered(conversation, this.#me, this.#state.replica));
    this.#put(changes);
  }

  async #clear(): Promise<void> {
    await this.#persister.flush();
    this.#persister.close();
    await this.#ports.store.clear();
    this.#persister = this.#newPersister();
    this.#begin(NOTHING_KEPT);
    this.#ports.onCleared();
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
    this.#asking.lost();
    this.#screens.close();
    this.#persister.close();
  }
}

/** `open`: the outbox as it was before; what has ended may have left it. */
const endedBy = ({ outcomes }: Effects, open: readonly Entry[]): Ended[] =>
  outcomes.flatMap((outcome) => {
    const entry = open.find(({ wishId }) => wishId === outcome.wishId);
    return entry ? [{ ...outcome, conversationId: entry.conversationId }] : [];
  });
