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

  constructor(seed: number) {
    this.random = seeded(seed);
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
    await new Promise((resolve) => real.setImmediate(resolve));
    return true;
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
    Object.assign(globalThis, { setTimeout: later, clearTimeout: clear });
    Date.now = () => Math.floor(this.now + (living.getStore()?.skewMs ?? 0));
    Math.random = this.random;
    return () => {
      Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
      Date.now = real.now;
      Math.random = real.random;
    };
  }
}
