import { LIMITS } from "../protocol/limits.ts";

/** Frames a socket may send, by `RATE_LIMITS`. A person types a few a minute; a phone that was away sends its outbox and its pulls at once. */
export const FRAME_RATE = {
  strict: { perSecond: LIMITS.framesPerSecond, burst: LIMITS.framesBurst },
  wide: { perSecond: 5_000, burst: 20_000 },
} as const;
