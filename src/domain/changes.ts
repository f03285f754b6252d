/**
 * The inbox's index of changed conversations (law: one row written a cursor advance, not one a message).
 * `position`: where a conversation's row stands; `top`: the highest position; `handed`: the highest one handed to any device.
 */

/** [IX-1] Past `handed`, every device will look there anyway: nothing is written. */
export const mustWrite = (position: number | undefined, handed: number): boolean =>
  position === undefined || position <= handed;

/** A cursor names the index it came from: one of another (erased, restored) index means nothing here. */
export const formatCursor = (epoch: string, position: number): string => `${epoch}.${position}`;

export type Resume = { mode: "resume" | "reset"; from: number };

/** [IX-4] Unknown, foreign, or ahead of the durable index: start over; null is a new device, which has nothing to forget. */
export function resumeFrom(cursor: string | null, index: { epoch: string; top: number }): Resume {
  if (cursor === null) return { mode: "resume", from: 0 };
  const [, epoch, digits] = /^([0-9A-Z]+)\.(\d{1,15})$/.exec(cursor) ?? [];
  const position = Number(digits);
  if (epoch !== index.epoch || position > index.top) return { mode: "reset", from: 0 };
  return { mode: "resume", from: position };
}

/** Live devices are handed a new cursor seldom: each hand-out makes the next event of each conversation write its row again. */
export const HAND_OUT_EVERY_MS = 60_000;
export const mayHandOut = (socket: { handed: number; handedAt: number }, top: number, now: number): boolean =>
  top > socket.handed && now - socket.handedAt >= HAND_OUT_EVERY_MS;
