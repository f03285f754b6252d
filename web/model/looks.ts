import type { UserId } from "../wire.ts";

/** Whoever was read so recently is not read again. Ms. */
const FRESH_MS = 10 * 60_000;

/**
 * [AP-44] Reads people's profiles again when they are looked at, one at a time: that somebody has another name or picture is told to nobody
 * but those who ask. [CT-14] [PF-7]
 */
export class Looks {
  readonly #read: (id: UserId) => Promise<unknown>;
  readonly #now: () => number;
  readonly #readAt = new Map<UserId, number>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(read: (id: UserId) => Promise<unknown>, now: () => number = Date.now) {
    this.#read = read;
    this.#now = now;
  }

  /** `anew`: what is known of them was seen to be old. */
  at(id: UserId, anew = false): void {
    const readAt = this.#readAt.get(id);
    if (!anew && readAt !== undefined && this.#now() - readAt < FRESH_MS) return;
    this.#readAt.set(id, this.#now());
    this.#last = this.#last.then(() => this.#read(id)).catch(() => this.#readAt.delete(id));
  }
}
