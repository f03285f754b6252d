import type { Wish } from "../protocol/events.ts";
import type { DeviceId, IdempotencyKey, UserId } from "../protocol/ids.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { isCurrent, type Membership } from "./membership.ts";

/** A validated wish plus who asks. */
export type SendCommand = {
  userId: UserId;
  deviceId: DeviceId;
  idempotencyKey: IdempotencyKey;
  composedAt: number;
  sentAt: number;
  event: Wish;
};

/** [EO-1] A key newer than the device's newest has never been used, because keys are monotonic on the device: no index is needed. */
export const isNewKey = (newest: IdempotencyKey | undefined, key: IdempotencyKey): boolean =>
  newest === undefined || key > newest;

/** May this be appended as a new event at `head + 1`? */
export function decideAppend(
  m: Membership | undefined,
  head: number,
  wish: Wish,
): Result<Wish, "not_found" | "not_member" | "invalid_request"> {
  if (!m) return refuse("not_found"); // [GR-1]
  if (!isCurrent(m)) return refuse("not_member"); // [GR-2]
  const { replyTo } = wish.content;
  if (replyTo !== undefined && replyTo > head) return refuse("invalid_request", "event.content.replyTo: no such event"); // [EV-4]
  return ok(wish);
}

/** A key that is not newer was used before for this same wish, for another, or never. `found`: the wish in the log under this key. */
export function decideRepeat(
  found: Wish | undefined,
  wish: Wish,
): Result<"duplicate", "idempotency_conflict" | "key_out_of_order"> {
  if (!found) return refuse("key_out_of_order"); // [EO-4] certain: nothing was appended
  return sameWish(found, wish) ? ok("duplicate") : refuse("idempotency_conflict"); // [EO-2] [EO-3]
}

/** Both were parsed by the same strict schema, which fixes the order of their fields. */
const sameWish = (a: Wish, b: Wish): boolean => JSON.stringify(a) === JSON.stringify(b);
