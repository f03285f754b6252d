import { and, asc, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Profile } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import { blocks, users } from "./directory-schema.ts";
import { profileFor, profileIn } from "./pictures.ts";
import { reach } from "./reach.ts";

const isRow = (blockerId: UserId, blockedId: UserId) =>
  and(eq(blocks.blockerId, blockerId), eq(blocks.blockedId, blockedId));

/** Whom this user blocks, by handle. Throws `Unavailable`, as all of these do. */
export async function blocksOf(db: D1Database, userId: UserId): Promise<Profile[]> {
  const query = drizzle(db)
    .select(profileFor(userId))
    .from(blocks)
    .innerJoin(users, eq(users.userId, blocks.blockedId))
    .where(eq(blocks.blockerId, userId))
    .orderBy(asc(users.handle));
  return (await reach("blocks", () => query.all())).map((row) => profileIn(row, userId));
}

export async function isBlocked(db: D1Database, blockerId: UserId, blockedId: UserId): Promise<boolean> {
  const query = drizzle(db).select({ blockedId: blocks.blockedId }).from(blocks).where(isRow(blockerId, blockedId));
  return (await reach("block", () => query.get())) !== undefined;
}

/** False when the user blocks as many as they may, and nothing has changed. A repeat writes nothing. */
export async function putBlock(db: D1Database, blockerId: UserId, blockedId: UserId, room: number): Promise<boolean> {
  const orm = drizzle(db);
  const put = orm
    .insert(blocks)
    .select(
      sql`SELECT ${blockerId}, ${blockedId} WHERE (SELECT count(*) FROM ${blocks} WHERE ${eq(blocks.blockerId, blockerId)}) < ${room}`, // [BL-7]
    )
    .onConflictDoNothing();
  const look = orm.select({ blockedId: blocks.blockedId }).from(blocks).where(isRow(blockerId, blockedId));
  const [, rows] = await reach("put block", () => orm.batch([put, look]));
  return rows.length > 0;
}

export async function removeBlock(db: D1Database, blockerId: UserId, blockedId: UserId): Promise<void> {
  await reach("remove block", () => drizzle(db).delete(blocks).where(isRow(blockerId, blockedId)).run());
}
