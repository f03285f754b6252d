/** A token bucket. `tokens` may be fractional; times are epoch ms. */
export type Bucket = { tokens: number; at: number };
export type Rate = { perSecond: number; burst: number };

export const fullBucket = (rate: Rate, now: number): Bucket => ({ tokens: rate.burst, at: now });

/** Takes `cost` tokens; below zero means refused, and how far below tells how much was refused in a row. */
export function take(bucket: Bucket, rate: Rate, now: number, cost = 1): Bucket {
  const refilled = Math.min(rate.burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1_000) * rate.perSecond);
  return { tokens: refilled - cost, at: Math.max(now, bucket.at) };
}
