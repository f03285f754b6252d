import type { ConversationId, IdempotencyKey } from "../protocol/ids.ts";
import type { Entry } from "./state.ts";
import type { RetryAt } from "./turn.ts";

/** Sends without an answer, per conversation. */
export const SENDS_IN_FLIGHT = 32;

/** How the sends to one conversation stand on this socket. */
type Lane = {
  /** The frame that carries a wish, while its answer is out. */
  flights: Map<IdempotencyKey, number>;
  /** Wishes whose key the server calls too old. */
  stale: Set<IdempotencyKey>;
  /** Wishes for which a new key was asked, until it comes. */
  minting: boolean;
  failures: number;
  resumeAt: number;
  /** A wish that was refused for now, and then seen in the log. */
  probe: Entry | null;
};

type Named = Pick<Entry, "conversationId" | "wishId">;
export type Plan = { readonly send: readonly Entry[]; readonly mint: readonly Entry[] };
const NOTHING_DUE: Plan = { send: [], mint: [] };

/** Sends go out in the order of the outbox, per conversation; what one socket knows of them dies with it. */
export class Lanes {
  readonly #lanes = new Map<ConversationId, Lane>();

  /** What is to be sent now, and which wishes need a new key first. `waiting`: those of one conversation, in order. */
  plan(id: ConversationId, waiting: readonly Entry[], time: number): Plan {
    const lane = this.#laneOf(id);
    if (lane.resumeAt > time || lane.minting) return NOTHING_DUE;
    const open = lane.stale.size === 0 ? waiting : waiting.filter((entry) => mayBeAppended(entry, lane));
    if (open.length === 0) return { send: [], mint: waiting }; // [CL-13]
    const asked = lane.probe ? [lane.probe, ...open] : open;
    const unsent = asked.filter(({ wishId }) => !lane.flights.has(wishId));
    return { send: unsent.slice(0, SENDS_IN_FLIGHT - lane.flights.size), mint: [] }; // [CL-10]
  }

  sent({ conversationId, wishId }: Entry, frameId: number): void {
    this.#laneOf(conversationId).flights.set(wishId, frameId);
  }

  acked({ conversationId, wishId }: Named): void {
    const lane = this.#laneOf(conversationId);
    this.done({ conversationId, wishId });
    lane.failures = 0;
    if (lane.probe?.wishId === wishId) lane.probe = null;
  }

  done({ conversationId, wishId }: Named): void {
    const lane = this.#laneOf(conversationId);
    lane.flights.delete(wishId);
    lane.stale.delete(wishId);
  }

  /** Whether this frame is the wish's latest attempt: a refusal of an earlier one says nothing any more. */
  isLatest({ conversationId, wishId }: Named, frameId: number): boolean {
    return this.#laneOf(conversationId).flights.get(wishId) === frameId;
  }

  /**
   * The wish's event was seen in the log. If it is the server that refused it for now, it holds up the wishes behind it until it is
   * repeated: so it is, once more. [CL-11]
   */
  seen(entry: Entry, time: number): void {
    const lane = this.#laneOf(entry.conversationId);
    this.done(entry);
    if (lane.resumeAt > time) lane.probe ??= entry;
  }

  /** Refused for now: after the delay everything that is open goes out again, from the first one on, in order. [CL-11] */
  failed(id: ConversationId, retryAt: RetryAt): void {
    const lane = this.#laneOf(id);
    lane.failures += 1;
    lane.flights.clear();
    lane.resumeAt = retryAt(lane.failures);
  }

  /** Some frame was refused and nobody knows which. */
  failedAll(retryAt: RetryAt): void {
    for (const [id, lane] of this.#lanes) if (lane.flights.size > 0) this.failed(id, retryAt);
  }

  /** The key is too old, and nothing was appended under it. The first time is answered at once, then with a delay. [CL-13] */
  outOfOrder({ conversationId, wishId }: Entry, retryAt: RetryAt): void {
    const lane = this.#laneOf(conversationId);
    lane.flights.delete(wishId);
    if (lane.stale.size === 0 && lane.failures++ > 0) lane.resumeAt = retryAt(lane.failures);
    lane.stale.add(wishId);
  }

  minting(id: ConversationId): void {
    this.#laneOf(id).minting = true;
  }

  minted(id: ConversationId): void {
    const lane = this.#laneOf(id);
    lane.minting = false;
    lane.stale.clear();
  }

  /** When the next lane goes on. */
  nextAt(time: number): number {
    return Math.min(...[...this.#lanes.values()].map(({ resumeAt }) => resumeAt).filter((at) => at > time));
  }

  #laneOf(id: ConversationId): Lane {
    const fresh = {
      flights: new Map(),
      stale: new Set<IdempotencyKey>(),
      minting: false,
      failures: 0,
      resumeAt: 0,
      probe: null,
    };
    const lane = this.#lanes.get(id) ?? fresh;
    this.#lanes.set(id, lane);
    return lane;
  }
}

/** Only a wish that has left may have been appended; a stale one has not. Until all of these are answered nobody gets a new key. */
const mayBeAppended = ({ standing, wishId }: Entry, { stale }: Lane): boolean =>
  standing.is === "waiting" && standing.sent && !stale.has(wishId);
