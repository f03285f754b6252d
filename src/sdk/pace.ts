import { type Bucket, fullBucket, type Rate, take } from "../domain/token-bucket.ts";
import { LIMITS } from "../protocol/limits.ts";

/**
 * Below what a server admits from one socket. A frame past that is refused unread, and one behind it may be read: then the order of a
 * person's messages would be lost. So a device that was away long sends its outbox at this pace.
 */
export const PACE: Rate = { perSecond: LIMITS.framesPerSecond * 0.8, burst: LIMITS.framesBurst * 0.8 };

/** [CL-22] How fast frames leave one socket. */
export class Pace {
  #bucket: Bucket | null = null;
  /** When the next frame may leave that was held back; infinite: none was. */
  at = Number.POSITIVE_INFINITY;

  /** Whether another frame may leave now; then it counts as gone. */
  admits(time: number): boolean {
    const next = take(this.#bucket ?? fullBucket(PACE, time), PACE, time);
    if (next.tokens < 0) this.at = time + Math.ceil((-next.tokens / PACE.perSecond) * 1_000);
    else this.#bucket = next;
    return next.tokens >= 0;
  }

  /** A new turn: what is held back again will say so. */
  begin(time: number): void {
    if (this.at <= time) this.at = Number.POSITIVE_INFINITY;
  }
}
