import { KeyMint } from "../keys.ts";
import { NOTHING_LIVE } from "../live.ts";
import { type Entry, NOTHING_STORED } from "../state.ts";
import type { Client } from "./api.ts";
import type { Command } from "./commands.ts";
import { changesOf } from "./conversation.ts";
import { Emitter } from "./emitter.ts";
import { EdgewiseError } from "./errors.ts";
import { Hub } from "./hub.ts";
import { type ClientParts, clientOf, type Given } from "./names.ts";
import { Sendings } from "./sendings.ts";
import { Sessions } from "./sessions.ts";
import { type ClientState, NOTHING_KEPT, wasMade } from "./state.ts";
import { Encoder, glimpseOf } from "./stored.ts";
import { Teller } from "./teller.ts";
import { type Sight, View } from "./view.ts";

const KEEP = 500;
/** How often a tab says again what its screen shows. Ms. */
const SHOW_AGAIN_MS = 30_000;

/** A client that is open, in one tab. */
export class Opened {
  readonly #given: Given;
  readonly #emitter = new Emitter();
  readonly #view = new View();
  readonly #mint = new KeyMint(NOTHING_STORED);
  readonly #sessions: Sessions;
  readonly #sendings: Sendings;
  readonly #teller: Teller;
  readonly #parts: ClientParts;
  #hub: Hub | null = null;
  #whole: Promise<void> | null = null;
  #overlay: { of: ClientState; waiting: readonly Command[]; made: ClientState } | null = null;
  #watched: readonly string[] = [];
  #ends: (() => void)[] = [];
  readonly #timers = new Set<() => void>();
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
      ...{ given, mint: this.#mint, serverNow: () => this.#serverNow },
      connection: () => this.#teller.connection,
      storage: () => this.#hub?.moment.storage ?? "ok",
      watch: (userIds) => {
        this.#watched = [...userIds];
        this.#show();
      },
      later: (ms, act) => this.#later(ms, act),
      isWhole: () => this.#hub?.isWhole ?? false,
      openWhole: () => this.#openWhole(),
      flush: async () => {
        await this.#hub?.flush();
      },
      close: () => this.#close(),
    };
    this.#teller = new Teller(this.#emitter, this.#view, () => this.#sight);
  }

  async start(): Promise<void> {
    const { store, environment, options } = this.#given;
    const { glimpse = false } = options;
    await this.#sessions.load();
    const all = this.#sessions.isRevoked ? "out/" : ""; // [CL-57] what has to go is not shown before it does
    const state = glimpse && all === "" ? await glimpseOf(store) : new Encoder().load(await store.read(all));
    this.#hub = new Hub(this.#hubPorts(), state, !glimpse);
    this.#teller.begin(this.#sessions.state, this.#hub.moment);
    if (!glimpse) await this.#openWhole();
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
        this.#emitter.tellEach(changesOf(""));
        this.#emitter.tell("", null);
      },
    };
  }

  /** [CL-54] Once, however often it is asked for. */
  async #openWhole(): Promise<void> {
    if (this.#isClosed) return;
    this.#whole ??= this.#hub?.start() ?? null;
    await this.#whole?.catch((error: unknown) => {
      if (!this.#isClosed) throw error; // the store was closed while its logs were read
    });
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
    const live = this.#hub?.moment.live ?? NOTHING_LIVE;
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

  #later(ms: number, act: () => void): () => void {
    const cancel = this.#given.environment.after(ms, act);
    this.#timers.add(cancel);
    return () => {
      cancel();
      this.#timers.delete(cancel);
    };
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return;
    for (const end of [...this.#ends, ...this.#timers]) end();
    await this.#hub?.close();
    this.#isClosed = true;
    this.#emitter.clear();
    await this.#given.store.close();
  }

  get client(): Client {
    return clientOf(this.#parts);
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
