import type { DeviceId, UserId } from "../protocol/ids.ts";
import { deviceOf } from "../storage/devices.ts";
import { log } from "./log.ts";

/** How long this isolate trusts that a device it has looked up is not revoked: the longest a revoked one is still served. Ms. */
export const REVOKED_WITHIN_MS = 20_000;
/** Devices remembered by one isolate; about 100 bytes each. */
const REMEMBERED = 20_000;
/** Past this the look-up counts as failed: the access token's signature is good, so the caller does not wait for a slow database. Ms. */
const LOOK_UP_MS = 2_000;

/** When a device was last seen not revoked; null: it is revoked, which is for ever. Oldest look-up first. */
const seen = new Map<DeviceId, number | null>();

/**
 * Whether the device was revoked, or is not known at all. When the database does not answer, a device not known to be revoked
 * passes: its token is signed and lives an hour at most, and refusing would sign everybody out for as long as D1 is away.
 */
export async function isRevoked(db: D1Database, userId: UserId, deviceId: DeviceId, now: number): Promise<boolean> {
  const at = seen.get(deviceId);
  if (at === null) return true;
  if (at !== undefined && now - at < REVOKED_WITHIN_MS) return false; // [AC-10]
  const revoked = await lookUp(db, userId, deviceId);
  remember(deviceId, revoked ? null : now);
  return revoked;
}

/** What this isolate itself revoked, it refuses at once. */
export const rememberRevoked = (deviceId: DeviceId): void => remember(deviceId, null);

async function lookUp(db: D1Database, userId: UserId, deviceId: DeviceId): Promise<boolean> {
  try {
    const device = await deviceOf(db, userId, deviceId, LOOK_UP_MS);
    return device === undefined || device.revokedAt !== null;
  } catch (error) {
    log.warn("revocation_not_checked", { error }); // [AC-25]
    return false;
  }
}

function remember(deviceId: DeviceId, at: number | null): void {
  if (seen.get(deviceId) === null) return; // a look-up that began before the revocation does not undo it
  seen.delete(deviceId);
  seen.set(deviceId, at);
  if (seen.size <= REMEMBERED) return;
  const [oldest] = seen.keys();
  if (oldest !== undefined) seen.delete(oldest);
}
