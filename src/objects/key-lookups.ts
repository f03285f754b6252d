import { type Bucket, fullBucket, type Rate, take } from "../domain/token-bucket.ts";
import type { Event } from "../protocol/events.ts";
import type { DeviceId, IdempotencyKey, UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { LogStore } from "../storage/log-store.ts";
import type { Outcome } from "./rpc.ts";

/** Rows that the lookups of one user read at once, and a second: a third of a second of the object's time, and then a hundredth of it. */
const ROWS: Rate = { burst: 1_000_000, perSecond: 20_000 };

type Wished = { userId: UserId; deviceId: DeviceId; idempotencyKey: IdempotencyKey };

/**
 * Finds what was appended under a key that is not new. The log has no index of keys, so that a lookup may read much of it, back to where the
 * device was at that time. [EO-6] Each user pays for what theirs have read, and waits when they have read too much.
 */
export class KeyLookups {
  private readonly buckets = new Map<UserId, Bucket>();

  /** `now`: epoch ms. */
  find(log: LogStore, { userId, deviceId, idempotencyKey }: Wished, now: number): Outcome<Event | undefined> {
    const before = take(this.buckets.get(userId) ?? fullBucket(ROWS, now), ROWS, now, 0);
    if (before.tokens <= 0) {
      const retryAfterMs = Math.ceil((1 - before.tokens) / (ROWS.perSecond / 1_000));
      return { ...refuse("rate_limited"), retryAfterMs };
    }
    const { event, rowsRead } = log.findByKey(deviceId, idempotencyKey);
    this.buckets.set(userId, take(before, ROWS, now, rowsRead));
    return ok(event);
  }
}
