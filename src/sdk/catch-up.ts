import type { Event } from "../protocol/events.ts";
import type { ConversationId } from "../protocol/ids.ts";
import type { RetryAt } from "./turn.ts";

/** Pulls under way at a time, over all conversations: a device that was away long does not storm the server. */
const PULLS_AT_ONCE = 8;

/** A conversation that may reach further than the log here does. */
type Need = {
  /** The highest seq that the server named; `unsure`: it may reach further than that. */
  head: number;
  unsure: boolean;
  /** The pull under way, and what was heard after it had left: of that its answer is not the last word. */
  pull: { id: number; higher: boolean; unsure: boolean } | null;
  failures: number;
  retryAt: number;
  ahead: readonly Event[];
};

type CoveredOf = (id: ConversationId) => number;

/** What is behind on one socket, which pulls mend it, and when the cursor that the server offers may be taken. */
export class CatchUp {
  readonly #needs = new Map<ConversationId, Need>();
  #offer: { cursor: string; waits: Map<ConversationId, number> } | null = null;

  /** The conversation reaches at least to `head`; null: how far is not known, so only a pull tells. */
  heard(id: ConversationId, head: number | null): void {
    const need = this.#needOf(id);
    const unsure = head === null;
    if (need.pull) Object.assign(need.pull, unsure ? { unsure } : { higher: true });
    need.head = Math.max(need.head, head ?? 0);
    need.unsure ||= unsure;
  }

  /** Keeps live events that lie past a gap until it is closed. */
  keepAhead(id: ConversationId, ahead: readonly Event[]): void {
    if (ahead.length === 0 && !this.#needs.has(id)) return;
    this.#needOf(id).ahead = ahead;
    const last = ahead.at(-1);
    if (last) this.heard(id, last.seq);
  }

  aheadOf(id: ConversationId): readonly Event[] {
    return this.#needs.get(id)?.ahead ?? [];
  }

  /** The conversations to pull now. Forgets those that are not behind any more. */
  due(time: number, coveredOf: CoveredOf): ConversationId[] {
    const due: ConversationId[] = [];
    let room = PULLS_AT_ONCE - [...this.#needs.values()].filter(({ pull }) => pull).length;
    for (const [id, need] of this.#needs) {
      if (need.pull || need.retryAt > time) continue;
      if (!isBehind(need, coveredOf(id))) this.#needs.delete(id);
      else if (room-- > 0) due.push(id);
    }
    return due;
  }

  pulled(id: ConversationId, frameId: number): void {
    this.#needOf(id).pull = { id: frameId, higher: false, unsure: false };
  }

  /** The pull was answered: what the page says of the head holds, also when it is lower, unless more was heard meanwhile. [CL-6] */
  answered(id: ConversationId, frameId: number, head: number): void {
    const need = this.#needs.get(id);
    if (need?.pull?.id !== frameId) return;
    const { higher, unsure } = need.pull;
    Object.assign(need, { head: higher ? Math.max(need.head, head) : head, unsure });
    Object.assign(need, { pull: null, failures: 0, retryAt: 0 });
  }

  /** The pull was refused for now. It is tried again. [CL-7] */
  failed(id: ConversationId, frameId: number, retryAt: RetryAt): void {
    const need = this.#needs.get(id);
    if (need?.pull?.id !== frameId) return;
    const failures = need.failures + 1;
    Object.assign(need, { pull: null, failures, retryAt: retryAt(failures) });
  }

  /** Some frame was refused and nobody knows which: all pulls are asked again. */
  failedAll(retryAt: RetryAt): void {
    for (const [id, { pull }] of this.#needs) if (pull) this.failed(id, pull.id, retryAt);
  }

  /** Not mine to see (any more). [CL-7] */
  drop(id: ConversationId): void {
    this.#needs.delete(id);
  }

  /** The server offers a cursor: it may be taken once all that was heard of before it is stored here. The newest offer counts. */
  offer(cursor: string, coveredOf: CoveredOf): void {
    const behind = [...this.#needs].filter(([id, need]) => isBehind(need, coveredOf(id)));
    const waits = new Map(behind.map(([id, { head, unsure }]) => [id, unsure ? Number.POSITIVE_INFINITY : head]));
    this.#offer = { cursor, waits };
  }

  /** [CL-8] The offered cursor, once, when everything that was sent before it on this socket is stored; else null. */
  takeCursor(coveredOf: CoveredOf): string | null {
    if (!this.#offer) return null;
    const { cursor, waits } = this.#offer;
    for (const [id, head] of waits) {
      const need = this.#needs.get(id);
      if (!need || !isBehind(need, coveredOf(id)) || coveredOf(id) >= head) waits.delete(id);
    }
    if (waits.size > 0) return null;
    this.#offer = null;
    return cursor;
  }

  /** When the next refused pull is to be tried again. */
  nextAt(time: number): number {
    const waiting = [...this.#needs.values()].filter(({ pull, retryAt }) => !pull && retryAt > time);
    return Math.min(...waiting.map(({ retryAt }) => retryAt));
  }

  #needOf(id: ConversationId): Need {
    const need = this.#needs.get(id) ?? { head: 0, unsure: false, pull: null, failures: 0, retryAt: 0, ahead: [] };
    this.#needs.set(id, need);
    return need;
  }
}

const isBehind = ({ head, unsure }: Need, covered: number): boolean => unsure || head > covered;
