import type { Command, Ended } from "./commands.ts";
import type { Channel } from "./environment.ts";
import { EdgewiseError } from "./errors.ts";
import { Coming, forHead, Handings, headOver } from "./handing-over.ts";
import type { Leader, LeaderPorts } from "./leader.ts";
import { type Moment, NO_MOMENT } from "./moment.ts";
import { applyClientChange, type ClientChange, type ClientState, NOTHING_KEPT } from "./state.ts";
import type { Joining, Refused, ToLeader, Told } from "./told.ts";

type Open = {
  readonly command: Command;
  toldTo: string | null;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
};
type Ports = Omit<LeaderPorts, "onChange" | "onCleared"> & {
  /** What the tabs of one device call the lock and the channel; null: nobody shares the store. */
  readonly shared: { readonly name: string; readonly channel: Channel } | null;
  readonly tab: string;
  readonly onChange: (changes: readonly ClientChange[], ended: readonly Ended[]) => void;
  readonly onCleared: () => void;
};

/**
 * One of the tabs of a device: it leads, or says to the one that does what is wished for here. Both show the same, because the state is
 * the fold of its changes, wherever they are applied. [CL-48]
 */
export class Hub {
  readonly #ports: Ports;
  #state: ClientState;
  #isWhole: boolean;
  #moment: Moment = NO_MOMENT;
  #leader: Leader | null = null;
  /** The tab that leads, once it has given its state: from then on what it tells follows on, and it is told what is wished for here. */
  #following: string | null = null;
  /** [CL-60] What it gives, until all of it is here. */
  #coming: Coming | null = null;
  readonly #handings = new Handings();
  /** [CL-48] What was asked and not answered: said again to whoever leads next. */
  readonly #open = new Map<number, Open>();
  #lastId = 0;
  #release = () => {};
  #isClosed = false;

  /** `state`: as it lies in the store, to be shown at once; `isWhole`: with its logs. */
  constructor(ports: Ports, state: ClientState, isWhole: boolean) {
    this.#ports = ports;
    this.#state = state;
    this.#isWhole = isWhole;
    ports.shared?.channel.listen((told) => this.#hear(told as Told));
  }

  get state(): ClientState {
    return this.#leader?.state ?? this.#state;
  }
  get moment(): Moment {
    return this.#leader?.moment ?? this.#moment;
  }
  get isWhole(): boolean {
    return this.#isWhole;
  }
  get isLeader(): boolean {
    return this.#leader !== null;
  }
  /** What was asked here and is not known to be on the disk. */
  get waiting(): readonly Command[] {
    return this.#leader ? [] : [...this.#open.values()].map(({ command }) => command);
  }

  /** What leads is code of its own: a tab that only follows does not need it, and what lies in the store is shown before. */
  async start(): Promise<void> {
    const { shared, environment } = this.#ports;
    if (!shared || !environment.locks) {
      await this.#lead();
      return;
    }
    const led = environment.locks.hold(`${shared.name}.leader`, () => this.#hold());
    led.catch(() => {}); // the page is going
    this.#join();
  }

  #join(): void {
    this.#following = null;
    this.#coming = null;
    this.#post({ type: "join", from: this.#ports.tab, inPieces: true });
  }

  /** Leads until this tab closes. */
  async #hold(): Promise<void> {
    if (this.#isClosed) return;
    const released = new Promise<void>((resolve) => {
      this.#release = resolve;
    });
    await this.#lead();
    await released;
  }

  async #lead(): Promise<void> {
    const { sessions, onChange, onCleared } = this.#ports;
    const [{ Leader }] = await Promise.all([import("./leader.ts"), sessions.load()]);
    if (this.#isClosed) return;
    const leader = new Leader({
      ...this.#ports,
      onChange: (changes, ended) => {
        if (this.#leader !== leader) return;
        this.#post({ type: "delta", changes, moment: leader.moment, ended });
        onChange(changes, ended);
      },
      onCleared: () => {
        this.#handings.clear();
        this.#post({ type: "cleared" });
        onCleared();
      },
    });
    await leader.start();
    if (this.#isClosed) return void leader.close(); // while it read the logs
    this.#leader = leader;
    this.#coming = null;
    this.#isWhole = true;
    this.#post({ type: "lead" });
    onChange([], []);
    for (const [id, open] of this.#open) this.#try(id, open);
  }

  /** Resolves when it is done and on the disk, whichever tab leads by then; rejects with an `EdgewiseError`. */
  do(command: Command): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const open: Open = { command, toldTo: null, resolve, reject };
      this.#open.set(id, open);
      if (this.#leader) this.#try(id, open);
      else this.#sayOpen();
    });
  }

  /** [CL-48] In the order in which it was wished for, and to each that leads once. */
  #sayOpen(): void {
    const { tab: from } = this.#ports;
    const to = this.#following;
    for (const [id, open] of this.#open) {
      if (to === null || open.toldTo === to) continue;
      open.toldTo = to;
      this.#post({ type: "do", from, to, id, command: open.command });
    }
  }

  #try(id: number, { command, resolve, reject }: Open): void {
    const end = (settle: () => void) => {
      this.#open.delete(id);
      settle();
    };
    this.#leader?.do(this.#ports.tab, command).then(
      (value) => end(() => resolve(value)),
      (error) => end(() => reject(error)),
    );
  }

  /** The session has changed here: the other tabs read it anew. */
  sessionChanged(): void {
    const { state } = this.#ports.sessions;
    const because = state.is === "signed_out" ? state.because : null;
    if (this.#leader) this.#post({ type: "session", because });
  }

  #post(told: Told): void {
    if (!this.#isClosed) this.#ports.shared?.channel.post(told);
  }

  #hear(told: Told): void {
    if (this.#isClosed) return;
    if (told.type === "join" || told.type === "more" || told.type === "do") this.#serve(told);
    else if (!this.#leader) this.#follow(told);
  }

  // --- as the leader ---

  #serve(told: ToLeader): void {
    const leader = this.#leader;
    if (!leader) return;
    const to = told.from;
    if (told.type === "join") {
      this.#handOver(leader, told);
      return;
    }
    if (told.to !== this.#ports.tab) return;
    if (told.type === "more") {
      const { number, at } = told;
      const piece = this.#handings.piece(to, number, at, this.#ports.environment.now());
      if (piece) this.#post({ type: "piece", to, leader: this.#ports.tab, number, at, piece });
      else if (!this.#handings.isUnderWay(to)) this.#handOver(leader, told); // it slept too long
      return;
    }
    const { id } = told;
    leader.do(told.from, told.command).then(
      (value) => this.#post({ type: "done", to, id, value }),
      (error) => this.#post({ type: "refused", to, id, error: refusedBy(error) }),
    );
  }

  /** [CL-60] What is left of the logs is asked for. */
  #handOver({ state, moment }: Leader, { from: to, inPieces }: Joining): void {
    const all = { type: "state", to, leader: this.#ports.tab, moment } as const;
    if (!inPieces) {
      this.#post({ ...all, state });
      return;
    }
    const { head, ...parts } = this.#handings.begin(to, state, this.#ports.environment.now());
    this.#post({ ...all, state: head, parts });
  }

  // --- as one that follows ---

  #follow(told: Exclude<Told, ToLeader>): void {
    const { tab, sessions, onChange, onCleared } = this.#ports;
    switch (told.type) {
      case "lead":
        this.#join();
        break;
      case "state":
        if (told.to !== tab) return;
        this.#following = told.leader;
        this.#begin(told);
        this.#moment = told.moment;
        this.#sayOpen();
        void sessions.load();
        onChange([], []);
        break;
      case "piece":
        if (told.to === tab && told.leader === this.#following) this.#come(told);
        break;
      case "delta":
        if (this.#following === null) return;
        this.#coming?.changed(told.changes);
        this.#state = (this.#coming ? forHead(told.changes) : told.changes).reduce(applyClientChange, this.#state);
        this.#moment = told.moment;
        onChange(told.changes, told.ended);
        break;
      case "cleared":
        this.#state = NOTHING_KEPT;
        this.#join();
        onCleared();
        break;
      case "session":
        void sessions.load(told.because);
        break;
      case "done":
      case "refused":
        if (told.to === tab) this.#settle(told);
    }
  }

  #begin({ state, parts }: Extract<Told, { type: "state" }>): void {
    this.#coming = parts && parts.count > 0 ? new Coming(parts.number, state, parts.count) : null;
    this.#state = this.#coming ? headOver(this.#state, state) : state;
    if (this.#coming) this.#askNext(this.#coming);
    else this.#isWhole = true;
  }

  /** Each when the one before has come: both tabs do other things in between. */
  #askNext({ number, next: at }: Coming): void {
    const { tab: from } = this.#ports;
    if (this.#following !== null) this.#post({ type: "more", from, inPieces: true, to: this.#following, number, at });
  }

  #come({ number, at, piece }: Extract<Told, { type: "piece" }>): void {
    const coming = this.#coming;
    if (!coming?.take(number, at, piece)) return;
    const { whole } = coming;
    if (!whole) {
      this.#askNext(coming);
      return;
    }
    this.#state = whole;
    this.#coming = null;
    this.#isWhole = true;
    this.#ports.onChange([], []);
  }

  #settle(told: Extract<Told, { type: "done" | "refused" }>): void {
    const open = this.#open.get(told.id);
    this.#open.delete(told.id);
    if (told.type === "done") open?.resolve(told.value);
    else
      open?.reject(
        new EdgewiseError(told.error.code, { ...told.error, retryAfterMs: told.error.retryAfterMs ?? undefined }),
      );
    this.#ports.onChange([], []);
  }

  /** [CL-63] What was said to the tab that leads, or waits for one, is on the disk when what was asked after it is answered. */
  async flush(): Promise<void> {
    if (this.#leader) await this.#leader.flush();
    else await this.do({ do: "flush" });
  }

  #tellGone(): void {
    const { tab: from } = this.#ports;
    if (this.#following !== null) this.#post({ type: "do", from, to: this.#following, id: 0, command: { do: "gone" } });
  }

  async close(): Promise<void> {
    if (!this.#leader) this.#tellGone();
    await this.#leader?.close();
    this.#isClosed = true;
    this.#ports.shared?.channel.close();
    this.#release();
    const gone = new EdgewiseError("unavailable", { detail: "the client was closed" });
    for (const { reject } of this.#open.values()) reject(gone);
    this.#open.clear();
  }
}

function refusedBy(error: unknown): Refused {
  if (!(error instanceof EdgewiseError)) return { code: "internal", detail: String(error), retryAfterMs: null };
  return { code: error.code, detail: error.detail, retryAfterMs: error.retryAfterMs };
}
