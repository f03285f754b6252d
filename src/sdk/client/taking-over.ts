import { isWithin } from "../../domain/spans.ts";
import type { Event } from "../../protocol/events.ts";
import { groupBy } from "../group-by.ts";
import { heldOf } from "../state.ts";
import type { Piece } from "./handing-over.ts";
import { applyClientChange, type ClientChange, type ClientState, withLogs } from "./state.ts";

/** How a tab that joins takes what the one that leads gives: what a list is drawn from at once, the logs behind it piece by piece. [CL-60] */

/** The state that was taken apart. */
export function wholeOf(head: ClientState, pieces: readonly Piece[]): ClientState {
  const logs = groupBy(pieces.flat(), ({ conversationId }) => conversationId);
  return withLogs(head, (id, held) => {
    const stretches = logs.get(id);
    const [first] = stretches ?? [];
    if (!stretches || !first) return held;
    return { ...held, from: first.from, events: stretches.flatMap(({ events }) => events) };
  });
}

/** The head, and before each tail what was shown here already, where that reaches up to it: nothing leaves the screen meanwhile. */
export function headOver(shown: ClientState, head: ClientState): ClientState {
  return withLogs(head, (id, held) => {
    const before = heldOf(shown.replica, id);
    if (before.covered < held.from - 1 || before.from >= held.from) return held;
    const isKept = ({ seq }: Event) => seq < held.from && !isWithin(held.deleted ?? [], seq);
    return { ...held, from: before.from, events: [...before.events.filter(isKept), ...held.events] };
  });
}

/** As one that joins: what has come of a state, and what has changed since it was taken apart. */
export class Coming {
  readonly number: number;
  readonly #head: ClientState;
  readonly #count: number;
  readonly #pieces: Piece[] = [];
  readonly #changes: ClientChange[] = [];

  constructor(number: number, head: ClientState, count: number) {
    this.number = number;
    this.#head = head;
    this.#count = count;
  }

  /** The piece to ask for. */
  get next(): number {
    return this.#pieces.length;
  }

  changed(changes: readonly ClientChange[]): void {
    this.#changes.push(...changes);
  }

  /** Whether it is the one that was asked for. */
  take(number: number, at: number, piece: Piece): boolean {
    if (number !== this.number || at !== this.next) return false;
    this.#pieces.push(piece);
    return true;
  }

  /** [CL-1] Null: not all of it is here. */
  get whole(): ClientState | null {
    if (this.#pieces.length < this.#count) return null;
    return this.#changes.reduce(applyClientChange, wholeOf(this.#head, this.#pieces));
  }
}

/** [CL-39] What lies before a log of which only the end is here would leave a gap. */
export const forHead = (changes: readonly ClientChange[]): readonly ClientChange[] =>
  changes.filter(({ type }) => type !== "older");
