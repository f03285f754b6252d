import { and, desc, eq, gt, isNull, lte, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { DeviceId, IdempotencyKey, UserId } from "../protocol/ids.ts";
import { type DeviceRow, devices, users } from "./directory-schema.ts";
import { reach } from "./reach.ts";

/** How many devices a user may have, not counting those last used at or before `liveSince` (ms). */
export type Room = { max: number; liveSince: number };

const hasRoom = (userId: UserId, { max, liveSince }: Room): SQL =>
  sql`(SELECT count(*) FROM devices WHERE user_id = ${userId} AND revoked_at IS NULL AND last_used_at > ${liveSince}) < ${max}`;
/** [ER-4] Of an account that was erased while it signed in, no device is made any more. */
const isThere = (userId: UserId): SQL => sql`EXISTS (SELECT 1 FROM users WHERE user_id = ${userId})`;
const ofUser = (userId: UserId, deviceId: DeviceId) => and(eq(devices.deviceId, deviceId), eq(devices.userId, userId));

/** A device of this user, revoked or not. Throws `Unavailable`, as all of these do. */
export async function deviceOf(
  db: D1Database,
  userId: UserId,
  deviceId: DeviceId,
  withinMs?: number,
): Promise<DeviceRow | undefined> {
  const query = drizzle(db).select().from(devices).where(ofUser(userId, deviceId));
  return reach("device", () => query.get(), withinMs);
}

/** The user's devices that are signed in, the one used last first. */
export async function liveDevices(db: D1Database, userId: UserId, liveSince: number): Promise<DeviceRow[]> {
  const query = drizzle(db)
    .select()
    .from(devices)
    .where(and(eq(devices.userId, userId), isNull(devices.revokedAt), gt(devices.lastUsedAt, liveSince)))
    .orderBy(desc(devices.lastUsedAt), desc(devices.deviceId));
  return reach("devices", () => query.all());
}

/** All devices that the user has ever had, signed out or not, oldest first. */
export async function allDevices(db: D1Database, userId: UserId): Promise<DeviceRow[]> {
  const query = drizzle(db).select().from(devices).where(eq(devices.userId, userId)).orderBy(devices.deviceId);
  return reach("all devices", () => query.all());
}

/** A statement that adds a device if the condition holds at that moment. */
export const insertDevice = (db: D1Database, device: DeviceRow, condition: SQL) =>
  drizzle(db)
    .insert(devices)
    .select(
      sql`SELECT ${device.deviceId}, ${device.userId}, ${device.name}, ${device.generation}, ${device.createdAt},
                 ${device.lastUsedAt}, ${device.revokedAt}, ${device.renewedBy}
          WHERE ${condition}`,
    );

/** Adds a device and notes the sign-in, in one transaction; false, and nothing written, when there is no room. */
export async function addDevice(db: D1Database, device: DeviceRow, room: Room): Promise<boolean> {
  const orm = drizzle(db);
  const row = insertDevice(db, device, sql`${isThere(device.userId)} AND ${hasRoom(device.userId, room)}`); // [AC-11]
  const [added] = await reach("add device", () =>
    orm.batch([row, signInNoted(db, device.userId, device.deviceId, device.lastUsedAt)]),
  );
  return added.meta.changes > 0;
}

/**
 * Signs a device in again: same id, new generation, so that its earlier refresh tokens are used up. Undefined when the id is not
 * this user's, is revoked, or was out of use for so long that it needs room again and there is none.
 */
export async function returnDevice(
  db: D1Database,
  { userId, deviceId, name, now }: { userId: UserId; deviceId: DeviceId; name: string; now: number },
  room: Room,
): Promise<DeviceRow | undefined> {
  const orm = drizzle(db);
  const row = orm
    .update(devices)
    .set({ generation: sql`${devices.generation} + 1`, name, lastUsedAt: now, renewedBy: null })
    .where(
      and(
        ofUser(userId, deviceId),
        isNull(devices.revokedAt),
        sql`(${devices.lastUsedAt} > ${room.liveSince} OR ${hasRoom(userId, room)})`,
      ),
    )
    .returning();
  const [returned] = await reach("return device", () => orm.batch([row, signInNoted(db, userId, deviceId, now)]));
  return returned[0];
}

/** Only a success starts the count of wrong passwords anew: the row must have been written in this transaction. */
const signInNoted = (db: D1Database, userId: UserId, deviceId: DeviceId, now: number) =>
  drizzle(db)
    .update(users)
    .set({ signedInAt: now })
    .where(
      and(
        eq(users.userId, userId),
        sql`EXISTS (SELECT 1 FROM devices WHERE device_id = ${deviceId} AND user_id = ${userId} AND revoked_at IS NULL AND last_used_at = ${now})`,
      ),
    );

/** Trades generation for the next; false when another refresh was faster, or the device was revoked meanwhile. `key`: of this trade. */
export async function rotateGeneration(
  db: D1Database,
  { deviceId, generation, key }: { deviceId: DeviceId; generation: number; key: IdempotencyKey | undefined },
  now: number,
): Promise<boolean> {
  const query = drizzle(db)
    .update(devices)
    .set({ generation: generation + 1, lastUsedAt: now, renewedBy: key ?? null })
    .where(and(eq(devices.deviceId, deviceId), lte(devices.generation, generation), isNull(devices.revokedAt))); // [AC-7]
  return (await reach("rotate", () => query.run())).meta.changes > 0;
}

/** Revokes, once and for ever. */
export async function markRevoked(db: D1Database, userId: UserId, deviceId: DeviceId, now: number): Promise<void> {
  const query = drizzle(db)
    .update(devices)
    .set({ revokedAt: now })
    .where(and(ofUser(userId, deviceId), isNull(devices.revokedAt)));
  await reach("revoke", () => query.run());
}
