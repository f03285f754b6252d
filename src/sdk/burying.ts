import { isGone } from "../domain/life.ts";
import type { Event } from "../protocol/events.ts";
import type { ConversationId } from "../protocol/ids.ts";
import { expiryOfHeld, tombstonesOf } from "./fold.ts";
import { conversationIds, type ReplicaState } from "./state.ts";
import type { Turn } from "./turn.ts";

const NEVER = Number.POSITIVE_INFINITY;
/** As many as a page tells of. */
const UNHEARD_MAX = 1_000;
/** Where nobody knows what time it is. */
const UNTIMED = { now: null, keepMs: NEVER };

/** [LM-12] Takes away what these events took away, from what is stored. */
export function buryRecalled(turn: Turn, id: ConversationId, fresh: readonly Event[]): void {
  if (fresh.some(takesAway)) bury(turn, id);
}

/** [LM-19] So much was recalled while I could not hear of it. [CL-77] What is not kept here may be shown by somebody, or be on its way. */
export function buryUnheard(turn: Turn, conversationId: ConversationId, told: readonly number[] = []): void {
  const { unheard: known = [] } = turn.held(conversationId);
  const fresh = told.filter((seq) => !known.includes(seq));
  if (fresh.length === 0) return;
  const unheard = [...known, ...fresh].slice(-UNHEARD_MAX);
  turn.change({ type: "marked", conversationId, marks: { unheard } });
  bury(turn, conversationId);
}

const takesAway = (event: Event): boolean =>
  event.kind === "recall" || event.kind === "edit" || (event.kind === "member" && event.erased === true); // [ER-9]

export function bury(
  turn: Turn,
  conversationId: ConversationId,
  by: Omit<Parameters<typeof tombstonesOf>[1], "unheard"> = UNTIMED,
): void {
  const held = turn.held(conversationId);
  const events = tombstonesOf(held.events, { ...by, unheard: held.unheard ?? [] });
  if (events.length > 0) turn.change({ type: "buried", conversationId, events });
}

/** When something next expires, over all that is stored; infinite: nothing does. Epoch ms by the server's clock. */
const nextExpiry = ({ conversations }: ReplicaState, keepMs: number): number =>
  Math.min(NEVER, ...Object.values(conversations).map(({ events }) => earliest(events, keepMs)));

function earliest(events: readonly Event[], keepMs: number): number {
  let at = NEVER;
  for (const event of events)
    if ((event.kind === "message" || event.kind === "edit") && !isGone(event.content))
      at = Math.min(at, expiryOfHeld(event, keepMs));
  return at;
}

/**
 * Takes away what expires, once a server has said what time it is: a clock that is wrong would take away what is not due. (Hiding it
 * asks no server.)
 */
export class Expiring {
  #nextAt: number | null = null;
  #aheadMs: number | null = null;
  /** [LM-17] The longest that anything is kept. */
  #keepMs = NEVER;

  /** `serverTime`, `now`: epoch ms by either clock. */
  learn(serverTime: number, keepMs: number | undefined, now: number): void {
    this.#aheadMs = serverTime - now;
    if (this.#keepMs !== (keepMs ?? NEVER)) this.#nextAt = null;
    this.#keepMs = keepMs ?? NEVER;
  }

  due(turn: Turn): void {
    if (this.#aheadMs === null) return;
    this.#nextAt ??= nextExpiry(turn.state, this.#keepMs);
    for (const change of turn.store)
      if (change.type === "grew" || change.type === "older")
        this.#nextAt = Math.min(this.#nextAt, earliest(change.events, this.#keepMs));
    const now = turn.now + this.#aheadMs;
    if (this.#nextAt > now) return;
    const by = { now, keepMs: this.#keepMs };
    for (const id of conversationIds(turn.state)) bury(turn, id, by);
    this.#nextAt = nextExpiry(turn.state, this.#keepMs);
  }

  /** When to look again, by the device's clock; infinite: nothing expires. */
  get wakeAt(): number {
    return this.#aheadMs === null || this.#nextAt === null ? NEVER : this.#nextAt - this.#aheadMs;
  }
}
