/** How long after an append its leftovers are settled: history, the checkpoint, inboxes that were not reached. Ms. */
export const SETTLE_AFTER_MS = 5_000;
/** When shipping to history, or settling at all, has failed. Ms. */
export const SETTLE_RETRY_MS = 15_000;
/** Watermarks are written at once when the last write is this old, and otherwise with the next checkpoint. Ms. */
const RECEIPTS_EVERY_MS = 10_000;

/**
 * When a conversation's alarm rings for what is left (epoch ms): soon, but a lagging inbox alone (`shipped` tells that history is whole,
 * `failed` that it could not be made so) is given its time.
 */
export function nextSettleAt(left: { failed: boolean; shipped: boolean; retryAt: number | null }, now: number): number {
  const soon = now + (left.failed ? SETTLE_RETRY_MS : SETTLE_AFTER_MS);
  return left.shipped && left.retryAt !== null ? Math.max(left.retryAt, soon) : soon;
}

/** [RC-4] What to do about watermarks that moved: a checkpoint that is due anyway takes them, quiet is a time to write, else ring for it. */
export function keepReceipts(checkpointIsDue: boolean, writtenAt: number, now: number): "wait" | "write" | "ring" {
  if (checkpointIsDue) return "wait";
  return now - writtenAt >= RECEIPTS_EVERY_MS ? "write" : "ring";
}
