import type { Environment } from "./environment.ts";
import type { ClientChange, ClientState } from "./state.ts";
import type { Store, Value } from "./storage.ts";
import { Encoder, rowsOf } from "./stored.ts";

/** What is kept where there is no room for more. */
const KEPT_WHEN_FULL: ReadonlySet<ClientChange["type"]> = new Set<ClientChange["type"]>(["entry", "left", "alias"]);
/** Where that lies. */
const OF_WISHES = /^(out|alias)\//;
/** When a write that failed is tried again. Ms. */
const AGAIN_MS = 5_000;

type Waiting = { act: () => void; after: number };

/**
 * Puts changes on the disk, those of one happening together, and what comes while a write is under way in the next one. What must not
 * happen before something is on the disk waits here, in order.
 */
export class Persister {
  readonly #store: Store;
  readonly #environment: Environment;
  readonly #onFull: () => void;
  readonly #encoder = new Encoder();
  readonly #pending = new Map<string, Value>();
  readonly #waiting: Waiting[] = [];
  #state: ClientState | null = null;
  /** How many happenings were given, and how many of them are on the disk. */
  #given = 0;
  #stored = 0;
  #isWriting = false;
  #isFull = false;
  #isClosed = false;

  constructor(store: Store, environment: Environment, onFull: () => void) {
    this.#store = store;
    this.#environment = environment;
    this.#onFull = onFull;
  }

  /** [AP-37] What is made of the rows is a task of its own, and what follows from it another one. */
  async load(): Promise<ClientState> {
    const rows = await rowsOf(this.#store);
    await this.#nextTask();
    const state = this.#encoder.load(rows);
    await this.#nextTask();
    return state;
  }

  #nextTask(): Promise<void> {
    return new Promise((resolve) => void this.#environment.after(0, resolve));
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  keep(changes: readonly ClientChange[], state: ClientState): void {
    if (changes.length === 0 || this.#isClosed) return;
    this.#state = state;
    this.#given += 1;
    const kept = this.#isFull ? changes.filter(({ type }) => KEPT_WHEN_FULL.has(type)) : changes;
    for (const { key, value } of this.#encoder.encode(kept, state)) this.#pending.set(key, value);
    if (this.#isFull && this.#pending.has("meta")) this.#pending.delete("meta"); // the cursor stands for logs that are not there
    if (!this.#isWriting) void this.#write();
  }

  /** Acts once everything that was given so far is on the disk: at once where it is. [CL-45] */
  after(act: () => void): void {
    if (this.#stored === this.#given && this.#waiting.length === 0) act();
    else this.#waiting.push({ act, after: this.#given });
  }

  flush(): Promise<void> {
    return new Promise((resolve) => this.after(resolve));
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    while (this.#stored < this.#given && !this.#isClosed) {
      const batch = [...this.#pending].map(([key, value]) => ({ key, value }));
      const given = this.#given;
      this.#pending.clear();
      try {
        await this.#store.write(batch);
      } catch {
        await this.#makeRoom();
      }
      this.#stored = given;
      this.#release();
    }
    this.#isWriting = false;
  }

  /** [CL-24] No room: the logs are let go, and fetched anew next time, so that the outbox fits. */
  async #makeRoom(): Promise<void> {
    const wasFull = this.#isFull;
    this.#isFull = true;
    for (const key of this.#pending.keys()) if (!OF_WISHES.test(key)) this.#pending.delete(key); // it would stand for logs that are let go
    while (this.#state && !this.#isClosed) {
      try {
        await this.#store.write(this.#encoder.encodeWithoutLogs(this.#state));
        break;
      } catch {
        if (!wasFull) this.#onFull();
        await new Promise<void>((resolve) => this.#environment.after(AGAIN_MS, resolve));
      }
    }
    if (!wasFull) this.#onFull();
  }

  #release(): void {
    while (this.#waiting[0] && this.#waiting[0].after <= this.#stored) this.#waiting.shift()?.act();
  }

  /** Nothing is written from now on, and nobody waits. */
  close(): void {
    this.#isClosed = true;
    for (const { act } of this.#waiting.splice(0)) act();
  }
}
