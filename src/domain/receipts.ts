import { ok, type Result, refuse } from "../protocol/result.ts";

/** A member's watermarks; `at` (epoch ms) is when either last moved. */
export type Watermarks = { readonly delivered: number; readonly read: number; readonly at: number };
export const NOTHING_RECEIVED: Watermarks = { delivered: 0, read: 0, at: 0 };

/** The same object back when nothing moved. */
export function advance(
  prev: Watermarks,
  next: { delivered?: number | undefined; read?: number | undefined },
  head: number,
  now: number,
): Result<Watermarks, "receipt_ahead"> {
  if (Math.max(next.delivered ?? 0, next.read ?? 0) > head) return refuse("receipt_ahead"); // [RC-3]
  const read = Math.max(prev.read, next.read ?? 0); // [RC-1] receipts only move forward
  const delivered = Math.max(prev.delivered, next.delivered ?? 0, read); // [RC-2] read implies delivered
  return ok(read === prev.read && delivered === prev.delivered ? prev : { delivered, read, at: now });
}
