import type { ConversationId } from "../protocol/ids.ts";
import type { Marks } from "./state.ts";

type Claim = { marks: Marks; after: number };

/**
 * The receipts that one socket owes and has sent. They have no answer of their own; but frames are read in order, so a receipt has come
 * when something that was asked after it is answered. Until then it may have been lost with the socket, or a crash.
 */
export class Telling {
  readonly #owing = new Set<ConversationId>();
  readonly #claims = new Map<ConversationId, Claim>();
  /** When the owed ones go out; infinite: none are owed. */
  at = Number.POSITIVE_INFINITY;

  /** At `at` at the latest. */
  owe(id: ConversationId, at: number): void {
    this.#owing.add(id);
    this.at = Math.min(this.at, at);
  }

  /** The conversations to tell about if it is time; they owe nothing from then on. */
  due(time: number): ConversationId[] {
    if (this.at > time) return [];
    const due = [...this.#owing];
    this.#owing.clear();
    this.at = Number.POSITIVE_INFINITY;
    return due;
  }

  /** The receipt left after the frame with the id `after`. */
  sent(id: ConversationId, marks: Marks, after: number): void {
    this.#claims.set(id, { marks, after });
  }

  claimOf(id: ConversationId): Marks | undefined {
    return this.#claims.get(id)?.marks;
  }

  /** A frame was answered: the receipts that had left before it have come. */
  answered(frameId: number): [ConversationId, Marks][] {
    const come = [...this.#claims].filter(([, { after }]) => after < frameId);
    for (const [id] of come) this.#claims.delete(id);
    return come.map(([id, { marks }]) => [id, marks]);
  }

  /** This one may not have come. */
  again(id: ConversationId, at: number): void {
    this.#claims.delete(id);
    this.owe(id, at);
  }

  /** Nobody knows whether any has come. */
  forgetAll(at: number): void {
    for (const id of this.#claims.keys()) this.owe(id, at);
    this.#claims.clear();
  }
}
