import { type Bucket, fullBucket, take } from "../domain/token-bucket.ts";
import type { Env } from "../platform/env.ts";
import { FRAME_RATE } from "../platform/frame-rate.ts";
import type { ClientFrame } from "../protocol/frames.ts";
import type { DeviceId } from "../protocol/ids.ts";

/** Refusals in a row past an empty bucket after which a socket is closed. */
const FLOOD = 500;

/** Watching many asks as many inboxes. */
const costOf = (frame: ClientFrame | undefined): number => (frame?.type === "watch" ? 1 + frame.userIds.length / 4 : 1);

/** [SO-6] Counts what a device sends, whichever door it uses and however often it reconnects. */
export class FrameGate {
  private readonly buckets = new Map<DeviceId, Bucket>();
  private readonly env: Env;

  constructor(env: Env) {
    this.env = env;
  }

  /** Slightly too many are refused, a flood is cut. */
  count(deviceId: DeviceId, now: number, frame?: ClientFrame): "pass" | "refuse" | "cut" {
    const rate = FRAME_RATE[this.env.RATE_LIMITS === "wide" ? "wide" : "strict"];
    const bucket = take(this.buckets.get(deviceId) ?? fullBucket(rate, now), rate, now, costOf(frame));
    this.buckets.set(deviceId, bucket);
    if (bucket.tokens >= 0) return "pass";
    return bucket.tokens < -FLOOD ? "cut" : "refuse";
  }
}
