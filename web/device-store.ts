import type { Event } from "../src/protocol/events.ts";
import type { ConversationId, DeviceId } from "../src/protocol/ids.ts";
import { type Change, conversationIds, heldOf, NOTHING_STORED, type ReplicaState } from "../src/sdk/index.ts";
import { isConversationId } from "./checks.ts";
import { namesWith, readJson } from "./storage.ts";
import { eventsIn, outboxIn, type Small, smallIn } from "./stored.ts";

/** Events lie in pieces of this many seqs, so that a new one does not write the whole log again. */
const PIECE = 200;
/** Raised when a state of before lacks what only the server knows. */
const SHAPE = 2;

/**
 * A replica's state in `localStorage`. Events are written before the value that says how far they count; so whenever the page dies,
 * what is read back is a state that the replica was in.
 */
export class DeviceStore {
  readonly #prefix: string;
  #isFull = false;

  constructor(deviceId: DeviceId) {
    this.#prefix = `edgewise.device.${deviceId}.`;
  }

  get #stateKey(): string {
    return `${this.#prefix}state`;
  }
  #pieceKey(id: ConversationId, piece: number): string {
    return `${this.#prefix}events.${id}.${piece}`;
  }

  /** The state that was stored last. Of what an older page stored in another shape, at least the outbox where that can be read. */
  load(): ReplicaState {
    const stored = readJson(this.#stateKey);
    const small = smallIn(stored);
    try {
      if (!small) throw new Error("of another shape");
      const { shape, cursor, outbox } = small;
      const ids = Object.keys(small.conversations).filter(isConversationId);
      const held = ids.flatMap((id) => {
        const rest = small.conversations[id];
        return rest ? [[id, { ...rest, events: this.#eventsOf(id, rest.covered) }]] : [];
      });
      // [CL-29] A page of before has missed things: all is listed anew, and until then what it kept is shown.
      return { outbox, cursor: shape === SHAPE ? cursor : null, conversations: Object.fromEntries(held) };
    } catch {
      return { ...NOTHING_STORED, outbox: outboxIn(stored) ?? [] };
    }
  }

  #eventsOf(id: ConversationId, covered: number): Event[] {
    const pieces = Array.from({ length: Math.floor(covered / PIECE) + 1 }, (_, piece) => {
      return eventsIn(readJson(this.#pieceKey(id, piece)) ?? []);
    });
    return pieces.flat().filter(({ seq }) => seq <= covered);
  }

  /** Stores what changed; `state` is the state with the changes. */
  keep(changes: readonly Change[], state: ReplicaState): void {
    if (changes.length === 0) return;
    try {
      if (!this.#isFull) this.#keepEvents(changes, state);
    } catch {
      this.#isFull = true; // [CL-24] no room: the logs are pulled anew next time, so that the outbox always fits
      this.#removePieces();
    }
    const logs = this.#isFull ? NOTHING_STORED : { cursor: state.cursor, conversations: withoutEvents(state) };
    localStorage.setItem(
      this.#stateKey,
      JSON.stringify({ ...logs, outbox: state.outbox, shape: SHAPE } satisfies Small),
    );
  }

  #keepEvents(changes: readonly Change[], state: ReplicaState): void {
    for (const change of changes) {
      if (change.type === "forgot") this.#removePieces();
      if (change.type === "cleared") this.#keepPieces(change.conversationId, change.through, state);
      if (change.type !== "grew" && change.type !== "buried") continue;
      const { events } = heldOf(state, change.conversationId);
      for (const piece of new Set(change.events.map(({ seq }) => Math.floor(seq / PIECE)))) {
        const inPiece = events.filter(({ seq }) => Math.floor(seq / PIECE) === piece);
        localStorage.setItem(this.#pieceKey(change.conversationId, piece), JSON.stringify(inPiece));
      }
    }
  }

  /** Those up to this seq anew; an empty one is none. */
  #keepPieces(id: ConversationId, through: number, state: ReplicaState): void {
    const { events } = heldOf(state, id);
    for (let piece = 0; piece <= Math.floor(through / PIECE); piece++) {
      const inPiece = events.filter(({ seq }) => Math.floor(seq / PIECE) === piece);
      if (inPiece.length > 0) localStorage.setItem(this.#pieceKey(id, piece), JSON.stringify(inPiece));
      else localStorage.removeItem(this.#pieceKey(id, piece));
    }
  }

  #removePieces(): void {
    for (const name of namesWith(`${this.#prefix}events.`)) localStorage.removeItem(name);
  }

  /** Removes all that is stored of this device. */
  forget(): void {
    for (const name of namesWith(this.#prefix)) localStorage.removeItem(name);
  }
}

const withoutEvents = (state: ReplicaState): Small["conversations"] =>
  Object.fromEntries(
    conversationIds(state).map((id) => {
      const { events: _, ...rest } = heldOf(state, id);
      return [id, rest];
    }),
  );
