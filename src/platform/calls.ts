import { backoffMs } from "../domain/retry.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { late, within } from "../storage/reach.ts";

/** A call between objects is given up after this long. Ms. */
export const CALL_TIMEOUT_MS = 10_000;
const RETRY = { baseMs: 40, capMs: 400 };

/** Calls under way from one object at a time; whether the runtime caps calls between objects is not documented. */
export const CALL_WINDOW = 50;

type PlatformError = { overloaded?: boolean; remote?: boolean };

/** Whether trying again could help: not when the callee is overloaded (it makes it worse) or threw (it will again). */
function isWorthRetrying(error: unknown): boolean {
  const { overloaded, remote } = error as PlatformError;
  return overloaded !== true && remote !== true;
}

/** Gives a call up when it is late. */
type Limit = <T>(promise: Promise<T>) => Promise<T>;

/**
 * Makes an idempotent call between objects. `call` must take a fresh stub each time, because an exception breaks the old one.
 * `unavailable` leaves open whether the callee has acted.
 */
export async function tryCall<T>(
  call: () => Promise<T>,
  tries = 3,
  limit: Limit = byTimer,
): Promise<Result<T, "unavailable">> {
  for (let failures = 1; ; failures++) {
    try {
      return ok(await limit(call()));
    } catch (error) {
      if (failures >= tries || !isWorthRetrying(error)) return refuse("unavailable");
      await new Promise((resolve) => setTimeout(resolve, backoffMs(RETRY, failures, Math.random())));
    }
  }
}

/** The same for a call whose answer is a `Result` itself. */
export async function ask<T, C extends string>(
  call: () => Promise<Result<T, C>>,
  tries = 3,
): Promise<Result<T, C | "unavailable">> {
  const answer = await tryCall(call, tries);
  return answer.ok ? answer.value : answer;
}

const byTimer: Limit = (promise) => within(CALL_TIMEOUT_MS, promise);

/**
 * How often an object with calls under way looks for late ones; also how long the timer outlives the last call. Tests look more often: an
 * object that is evicted goes when its timers have run out.
 */
export const LATE_CALLS = { lookEveryMs: 2_000 };

/** The deadlines of one object's calls on one timer: setting and clearing one a call would cost more than the call's own code. */
export class Deadlines {
  private readonly open = new Map<object, { at: number; giveUp: () => void }>();
  private looking = false;

  readonly limit: Limit = <T>(promise: Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const call = {};
      this.open.set(call, { at: Date.now() + CALL_TIMEOUT_MS, giveUp: () => reject(late(CALL_TIMEOUT_MS)) });
      const settle =
        <V>(done: (value: V) => void) =>
        (value: V) => {
          this.open.delete(call);
          done(value);
        };
      promise.then(settle(resolve), settle(reject));
      if (!this.looking) this.lookLater();
    });

  private lookLater(): void {
    this.looking = true;
    setTimeout(() => {
      for (const [call, { at, giveUp }] of this.open) if (at <= Date.now() && this.open.delete(call)) giveUp();
      this.looking = false;
      if (this.open.size > 0) this.lookLater();
    }, LATE_CALLS.lookEveryMs);
  }
}

/** Runs `work` over the items with at most `width` under way, and answers in the items' order. */
export async function mapWindowed<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}
