/** When the server may forget words that every member's devices have (FORGET_DELIVERED). */

/** A device that has not come for this long holds up nobody; when it comes, tombstones tell it what it missed. Ms. */
const AWAY_MS = 30 * 24 * 60 * 60_000;

/** Between two tries, doubling while somebody's devices lack something. Ms. */
const RETRY = { baseMs: 60_000, capMs: 6 * 60 * 60_000 };

/** A device of one user: up to which position of the index it has everything, and when it was last here (epoch ms). */
export type Kept = { position: number; at: number };

/**
 * [LM-21] Whether every device that counts has what lies up to `position`. Who has no device at all, for now, is waited for: what nobody
 * holds is not forgotten.
 */
export const haveAll = (devices: readonly Kept[], position: number, now: number): boolean =>
  devices.length > 0 && devices.every((device) => device.position >= position || now - device.at >= AWAY_MS);

/** What a member's inbox has confirmed: all devices have everything up to `seq`, when the user had had so many devices. */
export type HeldBy = { seq: number; devices: number };

/** [LM-21] Through which seq all devices of a user have it: what they said before they added a device does not count any more. */
export const heldThrough = (known: HeldBy | undefined, devices: number): number =>
  known && known.devices >= devices ? known.seq : 0;

/** How it went so far: tries in a row that left something, and when the last one was (epoch ms). */
export type Tries = { count: number; at: number };

/** When the next try may be made. Epoch ms. */
export const nextTryAt = ({ count, at }: Tries): number => at + Math.min(RETRY.capMs, RETRY.baseMs * 2 ** count);
