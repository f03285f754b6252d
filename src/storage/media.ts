import { and, asc, eq, gt, isNull, lte, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { DeviceId, IdempotencyKey, MediaId, UserId } from "../protocol/ids.ts";
import { media } from "./directory-schema.ts";
import { counted } from "./erasures.ts";
import { reach } from "./reach.ts";

export type MediaRow = typeof media.$inferSelect;

/** What shows it: the wish that names it, or its group, or its person, as a picture. Neither kind ever takes over what the other has. */
export type WishClaim = { deviceId: DeviceId; idempotencyKey: IdempotencyKey };
export type Claim = WishClaim | typeof AVATAR;
export const AVATAR = "avatar";
const textOf = (claim: Claim): string => (claim === AVATAR ? AVATAR : `${claim.deviceId} ${claim.idempotencyKey}`);
/** Null: nobody's any more, for it is being deleted. */
export function claimOf(text: string): Claim | null {
  if (text === AVATAR) return AVATAR;
  const [deviceId, idempotencyKey] = text.split(" ");
  return idempotencyKey === undefined
    ? null
    : { deviceId: deviceId as DeviceId, idempotencyKey: idempotencyKey as IdempotencyKey };
}
export const SWEPT = "swept";

/** The values travel as one JSON parameter: a statement binds at most 100. */
const isAmong = (column: typeof media.mediaId | typeof media.objectKey, values: readonly string[]): SQL =>
  sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(values)}))`;

/** All of these throw `Unavailable`. */
export async function insertMedia(db: D1Database, row: Omit<MediaRow, "claim" | "kept">): Promise<void> {
  await reach("insert media", () =>
    drizzle(db)
      .insert(media)
      .values({ ...row, claim: null, kept: 0 })
      .run(),
  );
}

export async function mediaById(db: D1Database, mediaId: MediaId): Promise<MediaRow | undefined> {
  return reach("media row", () => drizzle(db).select().from(media).where(eq(media.mediaId, mediaId)).get());
}

/** [MD-9] Takes it for a wish or a picture; false when another has it. `instead`: the claim that is known to have come to nothing. */
export async function claimMedia(
  db: D1Database,
  mediaId: MediaId,
  claim: Claim,
  instead: Claim | null,
  now: number,
): Promise<boolean> {
  const free = or(isNull(media.claim), eq(media.claim, textOf(claim)), eq(media.claim, textOf(instead ?? claim)));
  const query = drizzle(db)
    .update(media)
    .set({ claim: textOf(claim), touchedAt: now })
    .where(and(eq(media.mediaId, mediaId), free));
  return (await reach("claim media", () => query.run())).meta.changes > 0;
}

/** The bucket's objects that these mean. */
export async function objectsOf(db: D1Database, mediaIds: readonly MediaId[]): Promise<string[]> {
  const query = drizzle(db)
    .selectDistinct({ key: media.objectKey })
    .from(media)
    .where(isAmong(media.mediaId, mediaIds));
  return (await reach("media objects", () => query.all())).map((row) => row.key);
}

/** Those of the objects that media besides these mean. */
export async function objectsOfOthers(
  db: D1Database,
  objects: readonly string[],
  mediaIds: readonly MediaId[],
): Promise<Set<string>> {
  const query = drizzle(db)
    .selectDistinct({ key: media.objectKey })
    .from(media)
    .where(and(isAmong(media.objectKey, objects), sql`NOT ${isAmong(media.mediaId, mediaIds)}`));
  return new Set((await reach("shared objects", () => query.all())).map((row) => row.key));
}

/** The next media that this user has made, in the order of their ids. */
export async function mediaOfUser(db: D1Database, userId: UserId, after: string, limit: number): Promise<MediaRow[]> {
  const query = drizzle(db)
    .select()
    .from(media)
    .where(and(eq(media.userId, userId), gt(sql`${media.mediaId}`, after)))
    .orderBy(asc(media.mediaId))
    .limit(limit);
  return reach("media of user", () => query.all());
}

/** Those of the objects that media of other users mean. */
export async function objectsOfOtherUsers(
  db: D1Database,
  objects: readonly string[],
  userId: UserId,
): Promise<Set<string>> {
  const query = drizzle(db)
    .selectDistinct({ key: media.objectKey })
    .from(media)
    .where(and(isAmong(media.objectKey, objects), sql`${media.userId} <> ${userId}`));
  return new Set((await reach("objects of other users", () => query.all())).map((row) => row.key));
}

/** These go, and are counted in the record of their maker's erasure; no wish can claim the others of them any more. */
export async function eraseMediaRows(
  db: D1Database,
  userId: UserId,
  { over, young }: { over: readonly MediaId[]; young: readonly MediaId[] },
): Promise<void> {
  const among = "media_id IN (SELECT value FROM json_each(?))";
  const gone = db.prepare(`DELETE FROM media WHERE ${among}`).bind(JSON.stringify(over));
  const condemned = db.prepare(`UPDATE media SET claim = '${SWEPT}' WHERE ${among}`).bind(JSON.stringify(young));
  await reach("erase media", () => db.batch([...counted(db, userId, "mediaRows", gone), condemned]));
}

export async function deleteMedia(db: D1Database, mediaIds: readonly MediaId[]): Promise<void> {
  await reach("delete media", () => drizzle(db).delete(media).where(isAmong(media.mediaId, mediaIds)).run());
}

/** The next media, in the order of their ids, of which it is not known that they are shown and that nobody has touched since `before` (epoch ms). */
export async function waitingMedia(
  db: D1Database,
  after: string,
  before: number,
  limit: number,
): Promise<Pick<MediaRow, "mediaId" | "conversationId" | "claim">[]> {
  const { mediaId, conversationId, claim } = media;
  const query = drizzle(db)
    .select({ mediaId, conversationId, claim })
    .from(media)
    .where(and(sql`${media.kept} = 0`, gt(sql`${media.mediaId}`, after), lte(media.touchedAt, before)))
    .orderBy(asc(media.mediaId))
    .limit(limit);
  return reach("waiting media", () => query.all());
}

/** These are shown: the sweep looks at them no more. */
export async function keepMedia(db: D1Database, mediaIds: readonly MediaId[]): Promise<void> {
  if (mediaIds.length === 0) return;
  const isShown = sql`${media.claim} IS NOT ${SWEPT}`; // it may have been replaced meanwhile
  const query = drizzle(db)
    .update(media)
    .set({ kept: 1 })
    .where(and(isAmong(media.mediaId, mediaIds), isShown));
  await reach("keep media", () => query.run());
}

/** [MD-21] Its maker wants it no more: no wish can claim it from now on. False: a wish has it, or there is none of theirs. */
export async function giveUpMedia(db: D1Database, mediaId: MediaId, userId: UserId): Promise<boolean> {
  const isOwn = and(eq(media.mediaId, mediaId), eq(media.userId, userId));
  const query = drizzle(db)
    .update(media)
    .set({ claim: SWEPT })
    .where(and(isOwn, or(isNull(media.claim), eq(media.claim, SWEPT))));
  return (await reach("give up media", () => query.run())).meta.changes > 0;
}

/** Takes those of them that nobody has touched since `before`: no wish can claim them any more. */
export async function condemnMedia(db: D1Database, mediaIds: readonly MediaId[], before: number): Promise<MediaId[]> {
  if (mediaIds.length === 0) return [];
  const untouched = and(isAmong(media.mediaId, mediaIds), lte(media.touchedAt, before));
  const query = drizzle(db).update(media).set({ claim: SWEPT }).where(untouched).returning({ id: media.mediaId });
  return (await reach("condemn media", () => query.all())).map((row) => row.id);
}
