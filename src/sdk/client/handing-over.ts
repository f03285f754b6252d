import type { Event } from "../../protocol/events.ts";
import type { ConversationId } from "../../protocol/ids.ts";
import { conversationIds, heldOf } from "../state.ts";
import { type ClientState, withLogs } from "./state.ts";
import { tailOf } from "./stored.ts";

/** How the tab that leads gives its state to one that joins: what a list is drawn from at once, the logs behind it piece by piece. [CL-60] */

/** Events of a piece at most. */
const PIECE_EVENTS = 1_000;
/** A tab that has asked for nothing this long has died. Ms. */
const ASKED_MS = 75_000;

/** A part of a log; those of one log follow each other. `from`: where the whole log begins. */
type Stretch = { readonly conversationId: ConversationId; readonly from: number; readonly events: readonly Event[] };
export type Piece = readonly Stretch[];

/** The state with no more of each log than its tail. */
export function headOf(state: ClientState): ClientState {
  return withLogs(state, (_, held) => {
    const events = tailOf(held.events);
    if (events.length === held.events.length) return held;
    return { ...held, from: Math.max(held.from, events[0]?.seq ?? 0), events };
  });
}

/** The logs of which the head has no more than the tail. */
export function piecesOf({ replica }: ClientState): readonly Piece[] {
  const pieces: Stretch[][] = [];
  let room = 0;
  for (const conversationId of conversationIds(replica)) {
    const { from, events } = heldOf(replica, conversationId);
    if (tailOf(events).length === events.length) continue;
    for (let at = 0; at < events.length; ) {
      if (room === 0) {
        pieces.push([]);
        room = PIECE_EVENTS;
      }
      const stretch = events.slice(at, at + room);
      pieces.at(-1)?.push({ conversationId, from, events: stretch });
      at += stretch.length;
      room -= stretch.length;
    }
  }
  return pieces;
}

type Handing = { readonly number: number; readonly pieces: readonly Piece[]; until: number };

/** As the leader: what is on its way to other tabs. A tab asks for each piece, so the leader does other things in between. */
export class Handings {
  readonly #byTab = new Map<string, Handing>();
  #last = 0;

  /** `number`: of this handing over; `count`: of the pieces that are to be asked for. */
  begin(tab: string, state: ClientState, now: number): { head: ClientState; number: number; count: number } {
    for (const [other, { until }] of this.#byTab) if (until <= now) this.#byTab.delete(other);
    const pieces = piecesOf(state);
    const number = ++this.#last;
    if (pieces.length > 0) this.#byTab.set(tab, { number, pieces, until: now + ASKED_MS });
    return { head: headOf(state), number, count: pieces.length };
  }

  isUnderWay(tab: string): boolean {
    return this.#byTab.has(tab);
  }

  /** Null: this handing over is not known, or not any more. */
  piece(tab: string, number: number, at: number, now: number): Piece | null {
    const handing = this.#byTab.get(tab);
    if (handing?.number !== number) return null;
    handing.until = now + ASKED_MS;
    if (at === handing.pieces.length - 1) this.#byTab.delete(tab);
    return handing.pieces[at] ?? null;
  }

  clear(): void {
    this.#byTab.clear();
  }
}
