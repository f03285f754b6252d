import { backoffMs } from "../domain/retry.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { ClientFrame, ServerFrame } from "../protocol/frames.ts";
import type { ConversationId, IdempotencyKey } from "../protocol/ids.ts";
import type { MintRequest, Outcome } from "./happenings.ts";
import { applyChange, type Change, type Entry, type Held, heldOf, type ReplicaState } from "./state.ts";

export type Frame<T extends ServerFrame["type"]> = Extract<ServerFrame, { type: T }>;

const RETRY = { baseMs: 1_000, capMs: 30_000 };

/** One happening being worked on: the state as it is by now, and what is to be done in the end. */
export class Turn {
  state: ReplicaState;
  /** Epoch ms by the device's clock, for what people and the server are told. */
  readonly now: number;
  /** The same, but it never goes back, for what is to be done later. */
  readonly time: number;
  readonly store: Change[] = [];
  readonly frames: ClientFrame[] = [];
  readonly mint: MintRequest[] = [];
  readonly outcomes: Outcome[] = [];
  refused: ErrorCode | null = null;

  /** Events to keep of each conversation. */
  readonly keep: number;

  constructor(state: ReplicaState, now: number, time: number, keep = Number.POSITIVE_INFINITY) {
    this.state = state;
    this.keep = keep;
    this.now = now;
    this.time = time;
  }

  change(change: Change): void {
    this.state = applyChange(this.state, change); // [CL-1]
    this.store.push(change);
  }

  held(id: ConversationId): Held {
    return heldOf(this.state, id);
  }

  readonly covered = (id: ConversationId): number => this.held(id).covered;

  entry(wishId: IdempotencyKey): Entry | undefined {
    return this.state.outbox.find((entry) => entry.wishId === wishId);
  }

  /** When something refused goes on, by how often it was refused in a row: never before the server says. */
  retryAt({ retryAfterMs = 0 }: Frame<"error">): RetryAt {
    return (failures) => this.time + Math.max(retryAfterMs, backoffMs(RETRY, failures, 1));
  }
}
export type RetryAt = (failures: number) => number;
