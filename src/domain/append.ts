import type { Wish } from "../protocol/events.ts";
import type { Allowed } from "../protocol/group-rules.ts";
import type { DeviceId, IdempotencyKey, UserId } from "../protocol/ids.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { FIRST_RULES, isAllowed } from "./group-rules.ts";
import { mentionsOf } from "./life.ts";
import { isBlocking, isCurrent, type Membership } from "./membership.ts";

/** A validated wish plus who asks. */
export type SendCommand = {
  userId: UserId;
  deviceId: DeviceId;
  idempotencyKey: IdempotencyKey;
  composedAt: number;
  sentAt: number;
  event: Wish;
  /** Why its media cannot be a message's, as the inbox has found; absent: nothing is wrong with it. */
  unfit?: string;
};

const NOBODY: ReadonlySet<UserId> = new Set();
/** Whom these wishes name. */
export function mentionedBy(commands: readonly SendCommand[]): ReadonlySet<UserId> {
  const named = commands.flatMap(({ event }) => (event.kind === "message" ? mentionsOf(event.content) : []));
  return named.length > 0 ? new Set(named) : NOBODY;
}

/** [EO-1] A key newer than the device's newest has never been used, because keys are monotonic on the device: no index is needed. */
export const isNewKey = (newest: IdempotencyKey | undefined, key: IdempotencyKey): boolean =>
  newest === undefined || key > newest;

/** [GR-9] To take back, or to nod, one needs nobody's leave. */
const needsLeave = ({ kind }: Wish): boolean => kind === "message" || kind === "edit";

/** May this be appended as a new event at `head + 1`? `unfit`: why its media cannot be a message's. `sending`: who may send. */
export function decideAppend(
  m: Membership | undefined,
  head: number,
  wish: Wish,
  { unfit, sending = FIRST_RULES.sending }: { unfit?: string | undefined; sending?: Allowed } = {},
): Result<Wish, "not_found" | "not_member" | "forbidden" | "invalid_request"> {
  if (!m) return refuse("not_found"); // [GR-1]
  if (!isCurrent(m)) return refuse("not_member"); // [GR-2]
  if (isBlocking(m)) return refuse("forbidden", "unblock this person first"); // [BL-3]
  if (needsLeave(wish) && !isAllowed(m, sending)) return refuse("forbidden", "only admins send here"); // [GR-9]
  const replyTo = wish.kind === "message" ? wish.content.replyTo : undefined;
  if (replyTo !== undefined && replyTo > head) return refuse("invalid_request", "event.content.replyTo: no such event"); // [EV-4]
  if (unfit !== undefined) return refuse("invalid_request", `event.content.mediaId: ${unfit}`); // [MD-8]
  return ok(wish);
}

/**
 * A key that is not newer was used before for this same wish, for another, or never. `found`: the wish in the log under this key;
 * null: there is one, but what it said is gone.
 */
export function decideRepeat(
  found: Wish | null | undefined,
  wish: Wish,
): Result<"duplicate", "idempotency_conflict" | "key_out_of_order"> {
  if (found === undefined) return refuse("key_out_of_order"); // [EO-4] certain: nothing was appended
  if (found === null) return ok("duplicate"); // [LM-6] nobody can tell any more whether it was another
  return sameWish(found, wish) ? ok("duplicate") : refuse("idempotency_conflict"); // [EO-2] [EO-3]
}

/** Both were parsed by the same strict schema, which fixes the order of their fields. */
const sameWish = (a: Wish, b: Wish): boolean => JSON.stringify(a) === JSON.stringify(b);
