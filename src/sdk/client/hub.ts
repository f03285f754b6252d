import type { Command, Ended } from "./commands.ts";
import type { Channel } from "./environment.ts";
import { EdgewiseError } from "./errors.ts";
import { Following, type Settled } from "./following.ts";
import type { Leader, LeaderPorts } from "./leader.ts";
import type { Moment } from "./moment.ts";
import type { Serving } from "./serving.ts";
import type { ClientChange, ClientState } from "./state.ts";
import type { Told } from "./told.ts";

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
  readonly #following: Following;
  #leader: Leader | null = null;
  /** Where this tab leads. */
  #serving: Serving | null = null;
  /** [CL-48] What was asked and not answered: said again to whoever leads next. */
  readonly #open = new Map<number, Open>();
  #lastId = 0;
  #release = () => {};
  #isClosed = false;

  /** `state`: as it lies in the store, to be shown at once; `isWhole`: with its logs. */
  constructor(ports: Ports, state: ClientState, isWhole: boolean) {
    this.#ports = ports;
    const { tab, sessions, onChange, onCleared } = ports;
    const post = (told: Told) => this.#post(told);
    const onLed = () => this.#sayOpen();
    const onSettled = (told: Settled) => this.#settle(told);
    this.#following = new Following({ tab, sessions, post, onChange, onCleared, onLed, onSettled }, state, isWhole);
    ports.shared?.channel.listen((told) => this.#hear(told as Told));
  }

  get state(): ClientState {
    return this.#leader?.state ?? this.#following.state;
  }
  get moment(): Moment {
    return this.#leader?.moment ?? this.#following.moment;
  }
  get isWhole(): boolean {
    return this.isLeader || this.#following.isWhole;
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
    this.#following.join();
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
    const { sessions, onChange, onCleared, tab, environment } = this.#ports;
    const [{ Leader, Serving }] = await Promise.all([import("./leader.ts"), sessions.load()]);
    if (this.#isClosed) return;
    const leader = new Leader({
      ...this.#ports,
      onChange: (changes, ended) => {
        if (this.#leader !== leader) return;
        this.#post({ type: "delta", leader: tab, changes, moment: leader.moment, ended });
        onChange(changes, ended);
      },
      onCleared: () => {
        this.#serving?.clear();
        this.#post({ type: "cleared", leader: tab });
        onCleared();
      },
    });
    await leader.start();
    if (this.#isClosed) return void leader.close(); // while it read the logs
    this.#leader = leader;
    this.#serving = new Serving({ tab, now: environment.now, post: (told) => this.#post(told) });
    this.#following.end();
    this.#post({ type: "lead" });
    onChange([], []);
    for (const [id, open] of this.#open) this.#try(id, open);
  }

  // --- what is wished for here ---

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
    const to = this.#following.leader;
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

  #settle(told: Settled): void {
    const open = this.#open.get(told.id);
    this.#open.delete(told.id);
    if (told.type === "done") open?.resolve(told.value);
    else
      open?.reject(
        new EdgewiseError(told.error.code, { ...told.error, retryAfterMs: told.error.retryAfterMs ?? undefined }),
      );
    this.#ports.onChange([], []);
  }

  // --- the other tabs ---

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
    if (told.type === "join" || told.type === "more" || told.type === "do") {
      if (this.#leader) this.#serving?.hear(this.#leader, told);
    } else if (!this.#leader) this.#following.hear(told);
  }

  /** [CL-63] What was said to the tab that leads, or waits for one, is on the disk when what was asked after it is answered. */
  async flush(): Promise<void> {
    if (this.#leader) await this.#leader.flush();
    else await this.do({ do: "flush" });
  }

  #tellGone(): void {
    const { tab: from } = this.#ports;
    const to = this.#following.leader;
    if (to !== null) this.#post({ type: "do", from, to, id: 0, command: { do: "gone" } });
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
