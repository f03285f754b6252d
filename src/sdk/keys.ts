import type { IdempotencyKey } from "../protocol/ids.ts";
import type { ReplicaState } from "./state.ts";
import { risingUlids, timeOf } from "./ulid.ts";

/**
 * [CL-14] Mints idempotency keys: ULIDs, each greater than all before it on this device, also where its clock goes backwards. Keys of
 * before a restart that still matter are in the outbox, so it starts above those.
 */
export class KeyMint {
  readonly #next: (ms: number) => string;
  readonly #floorMs: number;

  /** `random` in [0, 1); only a simulation gives its own. */
  constructor({ outbox }: ReplicaState, random?: () => number) {
    this.#next = risingUlids(random);
    this.#floorMs = Math.max(0, ...outbox.map(({ idempotencyKey }) => timeOf(idempotencyKey) + 1));
  }

  /** `now`: epoch ms. The key is greater than `above`, too: the one that a `MintRequest` names. */
  mint(now: number, above: string | null): IdempotencyKey {
    const aboveMs = above === null ? 0 : timeOf(above) + 1;
    return this.#next(Math.max(now, aboveMs, this.#floorMs)) as IdempotencyKey; // a ULID is one
  }
}
