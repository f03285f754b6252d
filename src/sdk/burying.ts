import type { Event } from "../protocol/events.ts";
import type { ConversationId } from "../protocol/ids.ts";
import { tombstonesOf } from "./fold.ts";
import { conversationIds, type ReplicaState } from "./state.ts";
import type { Turn } from "./turn.ts";

const NEVER = Number.POSITIVE_INFINITY;

/** [LM-12] Takes away what these events took away, from what is stored. */
export function buryRecalled(turn: Turn, id: ConversationId, fresh: readonly Event[]): void {
  if (fresh.some(({ kind }) => kind === "recall" || kind === "edit")) bury(turn, id, null);
}

export function bury(turn: Turn, conversationId: ConversationId, now: number | null): void {
  const events = tombstonesOf(turn.held(conversationId).events, now);
  if (events.length > 0) turn.change({ type: "buried", conversationId, events });
}

/** When something next expires, over all that is stored; infinite: nothing does. Epoch ms by the server's clock. */
const nextExpiry = ({ conversations }: ReplicaState): number =>
  Math.min(NEVER, ...Object.values(conversations).map(({ events }) => earliest(events)));

function earliest(events: readonly Event[]): number {
  let at = NEVER;
  for (const event of events)
    if (event.kind === "message" && event.content.type !== "gone" && event.expiresAt !== undefined)
      at = Math.min(at, event.expiresAt);
  return at;
}

/**
 * Takes away what expires, once a server has said what time it is: a clock that is wrong would take away what is not due. (Hiding it
 * asks no server.)
 */
export class Expiring {
  #nextAt: number | null = null;
  #aheadMs: number | null = null;

  /** `serverTime`, `now`: epoch ms by either clock. */
  learn(serverTime: number, now: number): void {
    this.#aheadMs = serverTime - now;
  }

  due(turn: Turn): void {
    if (this.#aheadMs === null) return;
    this.#nextAt ??= nextExpiry(turn.state);
    for (const change of turn.store)
      if (change.type === "grew" || change.type === "older")
        this.#nextAt = Math.min(this.#nextAt, earliest(change.events));
    const now = turn.now + this.#aheadMs;
    if (this.#nextAt > now) return;
    for (const id of conversationIds(turn.state)) bury(turn, id, now);
    this.#nextAt = nextExpiry(turn.state);
  }

  /** When to look again, by the device's clock; infinite: nothing expires. */
  get wakeAt(): number {
    return this.#aheadMs === null || this.#nextAt === null ? NEVER : this.#nextAt - this.#aheadMs;
  }
}
