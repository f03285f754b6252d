import { and, asc, eq, gt, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { nameWords } from "../domain/people.ts";
import type { Profile } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import type { Privacy } from "../protocol/states.ts";
import { insertDevice } from "./devices.ts";
import { type Account, type DeviceRow, identities, users } from "./directory-schema.ts";
import { handleHashOf } from "./erasures.ts";
import { dropWords, putWords } from "./people.ts";
import { profileFor, profileIn } from "./pictures.ts";
import { reach } from "./reach.ts";

/** Who the outside issuer says somebody is. */
export type Identity = typeof identities.$inferSelect;

/** The ids travel as one JSON parameter: a statement binds at most 100. */
const among = (ids: readonly UserId[]): SQL =>
  sql`${users.userId} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;

/** [AC-27] What this viewer may see of users, by user; ids of nobody are left out. Any number of ids, one query. Throws `Unavailable`, as all of these do. */
export async function profilesOf(
  db: D1Database,
  viewerId: UserId,
  userIds: readonly UserId[],
): Promise<Map<UserId, Profile>> {
  if (userIds.length === 0) return new Map();
  const query = drizzle(db).select(profileFor(viewerId)).from(users).where(among(userIds));
  const rows = await reach("profiles", () => query.all());
  return new Map(rows.map((row) => [row.userId, profileIn(row, viewerId)]));
}

/** What users are called, by user, as `profilesOf`. */
export async function namesOf(
  db: D1Database,
  userIds: readonly UserId[],
): Promise<Map<UserId, Pick<Profile, "userId" | "handle" | "displayName">>> {
  if (userIds.length === 0) return new Map();
  const { userId, handle, displayName } = users;
  const query = drizzle(db).select({ userId, handle, displayName }).from(users).where(among(userIds));
  return new Map((await reach("names", () => query.all())).map((row) => [row.userId, row]));
}

/** Those of the ids that are users. Any number of ids, one query. */
export async function existingUsers(db: D1Database, userIds: readonly UserId[]): Promise<Set<UserId>> {
  if (userIds.length === 0) return new Set();
  const query = drizzle(db).select({ userId: users.userId }).from(users).where(among(userIds));
  return new Set((await reach("existing users", () => query.all())).map((row) => row.userId));
}

/** The next `limit` users in the order of their ids, from past `cursor` on; fewer means there are no more. */
export async function usersAfter(db: D1Database, cursor: UserId | undefined, limit: number): Promise<UserId[]> {
  const query = drizzle(db)
    .select({ userId: users.userId })
    .from(users)
    .where(cursor && gt(users.userId, cursor)) // [AC-29]
    .orderBy(asc(users.userId))
    .limit(limit);
  return (await reach("users page", () => query.all())).map((row) => row.userId);
}

/** `handle` in any case. */
export async function profileByHandle(db: D1Database, viewerId: UserId, handle: string): Promise<Profile | undefined> {
  const query = drizzle(db).select(profileFor(viewerId)).from(users).where(eq(users.handle, handle.toLowerCase()));
  const row = await reach("profile", () => query.get());
  return row && profileIn(row, viewerId);
}

export async function accountById(db: D1Database, userId: UserId): Promise<Account | undefined> {
  return reach("account", () => drizzle(db).select().from(users).where(eq(users.userId, userId)).get());
}

/** `handle` in any case. [AC-1] */
export async function accountByHandle(db: D1Database, handle: string): Promise<Account | undefined> {
  const query = drizzle(db).select().from(users).where(eq(users.handle, handle.toLowerCase()));
  return reach("account by handle", () => query.get());
}

export async function accountByIdentity(db: D1Database, issuer: string, subject: string): Promise<Account | undefined> {
  const query = drizzle(db)
    .select({ users })
    .from(identities)
    .innerJoin(users, eq(users.userId, identities.userId))
    .where(and(eq(identities.issuer, issuer), eq(identities.subject, subject)));
  return (await reach("account by identity", () => query.get()))?.users;
}

const valuesOf = (account: Account): SQL =>
  sql`${account.userId}, ${account.handle}, ${account.displayName}, ${account.passwordHash}, ${account.lastSeen},
      ${account.readReceipts}, ${account.createdAt}, ${account.signedInAt}, ${account.conversations}, ${account.findable},
      ${account.version}, ${account.words}, ${account.avatarMediaId}, ${account.picture}`;
/** [ER-3] Somebody who was erased had this handle. */
const isSpent = async (handle: string): Promise<SQL> =>
  sql`EXISTS (SELECT 1 FROM spent_handles WHERE handle_hash = ${await handleHashOf(handle)})`;
const accountMade = (userId: UserId): SQL => sql`EXISTS (SELECT 1 FROM users WHERE user_id = ${userId})`;

/** Makes a user and the first device in one transaction, and the words that find the user; false when the handle is in use, also when it was taken this moment. */
export async function createAccount(db: D1Database, account: Account, device: DeviceRow): Promise<boolean> {
  const orm = drizzle(db);
  const row = orm
    .insert(users)
    .select(sql`SELECT ${valuesOf(account)} WHERE NOT ${await isSpent(account.handle)}`)
    .onConflictDoNothing({ target: users.handle }); // [AC-2]
  const first = insertDevice(db, device, accountMade(account.userId));
  const [made] = await reach("create account", () => orm.batch([row, first, putWords(db, [account.userId])]));
  return made.meta.changes > 0;
}

/**
 * Makes a user for an identity of the outside issuer in one transaction; false when the identity has a user already or the handle
 * is in use: two first exchanges at the same moment make one user.
 */
export async function createVouchedAccount(db: D1Database, account: Account, identity: Identity): Promise<boolean> {
  const orm = drizzle(db);
  const { issuer, subject } = identity;
  const row = orm
    .insert(users)
    .select(
      sql`SELECT ${valuesOf(account)}
          WHERE NOT EXISTS (SELECT 1 FROM identities WHERE issuer = ${issuer} AND subject = ${subject})
            AND NOT ${await isSpent(account.handle)}`, // [AC-21]
    )
    .onConflictDoNothing({ target: users.handle });
  const link = orm
    .insert(identities)
    .select(sql`SELECT ${issuer}, ${subject}, ${account.userId} WHERE ${accountMade(account.userId)}`);
  const words = putWords(db, [account.userId]);
  const [made] = await reach("create vouched account", () => orm.batch([row, link, words]));
  return made.meta.changes > 0;
}

/** Who an outside issuer says this user is. */
export async function identitiesOf(db: D1Database, userId: UserId): Promise<Pick<Identity, "issuer" | "subject">[]> {
  const { issuer, subject } = identities;
  const query = drizzle(db).select({ issuer, subject }).from(identities).where(eq(identities.userId, userId));
  return reach("identities", () => query.all());
}

/** Changes what is given and answers the new row; undefined when there is no such user. */
export async function changeAccount(
  db: D1Database,
  userId: UserId,
  change: {
    [Field in "displayName" | keyof Privacy]: Account[Field] | undefined;
  },
): Promise<Account | undefined> {
  if (Object.values(change).every((value) => value === undefined)) return accountById(db, userId);
  const orm = drizzle(db);
  const { displayName, findable } = change;
  const words = displayName === undefined ? undefined : nameWords(displayName);
  const row = orm
    .update(users)
    .set({ ...change, ...(words ? { words: JSON.stringify(words) } : {}), version: sql`${users.version} + 1` })
    .where(eq(users.userId, userId))
    .returning();
  if (!words && findable === undefined) return reach("change account", () => row.get());
  const index = [dropWords(db, userId, words, findable), putWords(db, [userId])] as const;
  const [, [changed]] = await reach("change account", () => orm.batch([index[0], row, index[1]]));
  return changed;
}
