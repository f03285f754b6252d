import type { Store, Value, Write } from "../../src/sdk/client/storage.ts";
import type { Clockwork } from "./clockwork.ts";

/** Whose acts these are: a tab that is gone hears of nothing, and part of what it had begun never happens. */
type Owner = { readonly isAlive: boolean };
type Act = { owner: Owner; run: () => unknown; resolve: (value: never) => void; reject: (error: Error) => void };

/** What the tabs of a device share: acts take effect whole, late and in the order in which they were begun. [CL-40] */
export class DeviceDisk {
  readonly rows = new Map<string, string>();
  /** So many characters fit. */
  quota = Number.POSITIVE_INFINITY;
  /** Rises with every act that changed something. */
  version = 0;
  /** Told of each batch that has landed. */
  landed: (batch: readonly Write[]) => void = () => {};
  readonly #works: Clockwork;
  /** How often an act takes long; some disks are slow. */
  readonly #slow: number;
  #acts: Act[] = [];
  #isBusy = false;
  #stalledUntil = 0;

  constructor(works: Clockwork) {
    this.#works = works;
    this.#slow = works.chance(0.25) ? 0.3 : 0.03;
  }

  /** Nothing lands for so long: something else keeps it busy. Ms. */
  stall(ms: number): void {
    this.#stalledUntil = this.#works.now + ms;
  }

  get isIdle(): boolean {
    return this.#acts.length === 0;
  }

  get size(): number {
    let size = 0;
    for (const [key, text] of this.rows) size += key.length + text.length;
    return size;
  }

  put(batch: readonly Write[]): void {
    const before = new Map(this.rows);
    const sizeBefore = this.size;
    for (const { key, value } of batch) {
      if (value === undefined) this.rows.delete(key);
      else this.rows.set(key, JSON.stringify(value));
    }
    if (this.size > Math.max(this.quota, sizeBefore)) {
      this.rows.clear();
      for (const [key, text] of before) this.rows.set(key, text);
      throw new Error("QuotaExceededError");
    }
    this.version += 1;
    this.landed(batch);
  }

  read(prefix: string): [string, Value][] {
    const keys = [...this.rows.keys()].filter((key) => key.startsWith(prefix)).sort();
    return keys.map((key) => [key, JSON.parse(this.rows.get(key) ?? "null")]);
  }

  /** As one tab has it. */
  storeOf(owner: Owner): Store {
    const act = <T>(run: () => T) => this.#begin<T>(owner, run);
    return {
      read: (prefix) => act(() => this.read(prefix)),
      write: (batch) => {
        const plain = batch.map(({ key, value }) => ({ key, value: structuredClone(value) }));
        return act(() => this.put(plain));
      },
      clear: () => act(() => this.#clear()),
      close: async () => {},
    };
  }

  #clear(): void {
    this.rows.clear();
    this.version += 1;
  }

  #begin<T>(owner: Owner, run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#acts.push({ owner, run, resolve, reject } as Act);
      if (!this.#isBusy) this.#next();
    });
  }

  #next(): void {
    const works = this.#works;
    this.#isBusy = this.#acts.length > 0;
    if (!this.#isBusy) return;
    const ms = works.chance(this.#slow) ? works.pick(1_500) : works.pick(12);
    works.after(Math.max(ms, this.#stalledUntil - works.now), () => {
      const act = this.#acts.shift();
      if (act) this.#carryOut(act);
      this.#next();
    });
  }

  #carryOut({ owner, run, resolve, reject }: Act): void {
    try {
      const value = run();
      if (owner.isAlive) resolve(value as never);
    } catch (error) {
      if (owner.isAlive) reject(error as Error);
    }
  }

  /** The tab is gone: of what it had begun the first acts happen, and the others never do. */
  crashed(owner: Owner): void {
    const theirs = this.#acts.filter((act) => act.owner === owner);
    const gone = new Set(theirs.slice(this.#works.pick(theirs.length + 1)));
    this.#acts = this.#acts.filter((act) => !gone.has(act));
  }
}
