import { AsyncLocalStorage } from "node:async_hooks";

/** Mulberry32: a small seeded generator, so that a run is its seed. In [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Whoever's code is running: its timers die with it, and its clock is wrong by its own error. */
export type Life = { alive: boolean; skewMs: number; busy: number };
export const living = new AsyncLocalStorage<Life>();

type Step = { at: number; order: number; run: () => void };
const real = { setTimeout, clearTimeout, now: Date.now, random: Math.random, setImmediate };

/** Virtual time: steps run one after the other in the order of their times, and every microtask between two of them. */
export class Clockwork {
  readonly random: () => number;
  readonly trace: string[] = [];
  now = 1_800_000_000_000;
  /** Told that time has moved on, before what happens then. */
  ticked: () => void = () => {};
  private readonly steps: Step[] = [];
  private order = 0;
  /** Apart from what happens in the world. */
  private readonly secrets: () => number;
  private pending = 0;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(seed: number) {
    this.random = seeded(seed);
    this.secrets = seeded(~seed);
  }

  /** A whole number in [0, below). */
  pick(below: number): number {
    return Math.floor(this.random() * below);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** Runs later; equal times keep the order in which they were asked for. Answers how to call it off. */
  after(ms: number, run: () => void): () => void {
    const step = { at: this.now + Math.max(0, ms), order: this.order++, run };
    let low = 0;
    let high = this.steps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.steps[middle] as Step;
      if (other.at < step.at || (other.at === step.at && other.order < step.order)) low = middle + 1;
      else high = middle;
    }
    this.steps.splice(low, 0, step);
    return () => {
      const at = this.steps.indexOf(step);
      if (at >= 0) this.steps.splice(at, 1);
    };
  }

  note(what: string): void {
    this.trace.push(`${this.now - 1_800_000_000_000} ${what}`);
  }

  /** Notes details only when somebody looks: EDGEWISE_TELL=1. */
  tell(what: () => string): void {
    if (process.env.EDGEWISE_TELL) this.note(what());
  }

  /** The next step and everything that follows from it at once. False when nothing is left to happen. */
  async step(): Promise<boolean> {
    const next = this.steps.shift();
    if (!next) return false;
    this.now = Math.max(this.now, next.at);
    this.ticked();
    next.run();
    do await new Promise((resolve) => real.setImmediate(resolve));
    while (this.pending > 0);
    return true;
  }

  /** What the platform does in its own time takes none here: one after the other, and everything waits for it. */
  atOnce<T>(work: () => Promise<T>): Promise<T> {
    this.pending++;
    const done = this.turn.then(work);
    this.turn = done.catch(() => {});
    return done.finally(() => {
      this.pending--;
    });
  }

  /** Takes over the globals that objects and devices use; answers how to give them back. */
  install(): () => void {
    const timers = new Map<number, () => void>();
    let id = 0;
    const later = (run: () => void, ms = 0) => {
      const life = living.getStore();
      if (life) life.busy++;
      const mine = ++id;
      const end = () => {
        if (timers.delete(mine) && life) life.busy--;
      };
      const cancel = this.after(ms, () => {
        end();
        if (!life) run();
        else if (life.alive) living.run(life, run);
      });
      timers.set(mine, cancel);
      return mine;
    };
    const clear = (mine: number) => {
      timers.get(mine)?.();
      timers.delete(mine);
    };
    const giveBack = this.takeOver();
    Object.assign(globalThis, { setTimeout: later, clearTimeout: clear });
    Date.now = () => Math.floor(this.now + (living.getStore()?.skewMs ?? 0));
    Math.random = this.random;
    return () => {
      giveBack();
      Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
      Date.now = real.now;
      Math.random = real.random;
    };
  }
  /** What the doors and whole clients use besides: randomness, ciphers, deadlines. */
  private takeOver(): () => void {
    const { subtle } = crypto;
    const { timeout } = AbortSignal;
    const random = (bytes: Uint8Array) => {
      for (const at of bytes.keys()) bytes[at] = this.secrets() * 256;
      return bytes;
    };
    const names = ["sign", "verify", "digest", "importKey"] as const;
    const ours = names.map((name) => {
      const act = subtle[name] as (...args: unknown[]) => Promise<unknown>;
      return [name, (...args: unknown[]) => this.atOnce(() => act.apply(subtle, args))] as const;
    });
    Object.assign(subtle, Object.fromEntries(ours));
    Object.assign(crypto, { getRandomValues: random });
    AbortSignal.timeout = (ms) => {
      const controller = new AbortController();
      this.after(ms, () => controller.abort(new DOMException("late", "TimeoutError")));
      return controller.signal;
    };
    return () => {
      for (const name of names) Reflect.deleteProperty(subtle, name);
      Reflect.deleteProperty(crypto, "getRandomValues");
      AbortSignal.timeout = timeout;
    };
  }
}
