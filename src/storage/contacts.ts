import { and, asc, eq, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { contactState } from "../domain/contacts.ts";
import type { Contact, ContactState } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import { blocks, contacts, users } from "./directory-schema.ts";
import { reach } from "./reach.ts";

/** How many contacts a user may have with those they have asked, and how many may wait for a user's answer. */
type Room = { contacts: number; requests: number };

const pairOf = (a: UserId, b: UserId) => (a < b ? { lowId: a, highId: b } : { lowId: b, highId: a });
const isPair = (a: UserId, b: UserId) => {
  const { lowId, highId } = pairOf(a, b);
  return and(eq(contacts.lowId, lowId), eq(contacts.highId, highId));
};
const isOf = (userId: UserId) => or(eq(contacts.lowId, userId), eq(contacts.highId, userId));

const hasRoom = (userId: UserId, { contacts: max }: Room): SQL =>
  sql`(SELECT count(*) FROM ${contacts} WHERE (${isOf(userId)}) AND coalesce(${contacts.askerId}, ${userId}) = ${userId}) < ${max}`;
const mayBeAsked = (userId: UserId, { requests: max }: Room): SQL =>
  sql`(SELECT count(*) FROM ${contacts} WHERE (${isOf(userId)}) AND ${contacts.askerId} <> ${userId}) < ${max}`;

/** [BL-6] Whom the user blocks may ask to be a contact, and is not heard. */
const notBlocked = (userId: UserId): SQL =>
  sql`NOT EXISTS (SELECT 1 FROM ${blocks} WHERE ${eq(blocks.blockerId, userId)} AND ${blocks.blockedId} = ${users.userId})`;

/** Everybody with whom the user has begun something, by handle. Throws `Unavailable`, as all of these do. */
export async function contactsOf(db: D1Database, userId: UserId): Promise<Contact[]> {
  const { handle, displayName } = users;
  const isOther = sql`${users.userId} = iif(${contacts.lowId} = ${userId}, ${contacts.highId}, ${contacts.lowId})`;
  const query = drizzle(db)
    .select({ userId: users.userId, handle, displayName, askerId: contacts.askerId })
    .from(contacts)
    .innerJoin(users, isOther)
    .where(and(isOf(userId), notBlocked(userId))) // [CT-8]
    .orderBy(asc(handle));
  const rows = await reach("contacts", () => query.all());
  return rows.map(({ askerId, ...profile }) => ({ ...profile, state: contactState(askerId, userId) }));
}

/** What the user sees of the other one; undefined where nothing has begun. */
export async function contactStateOf(
  db: D1Database,
  userId: UserId,
  otherId: UserId,
): Promise<ContactState | undefined> {
  const query = drizzle(db).select({ askerId: contacts.askerId }).from(contacts).where(isPair(userId, otherId));
  const row = await reach("contact", () => query.get());
  return row && contactState(row.askerId, userId);
}

/**
 * Asks, or accepts when the other one has asked; a repeat writes nothing. `full`: one of the two has no room, and nothing has changed.
 * `nobody`: there is no such user.
 */
export async function putContact(
  db: D1Database,
  userId: UserId,
  otherId: UserId,
  room: Room,
): Promise<"requested" | "accepted" | "full" | "nobody"> {
  const orm = drizzle(db);
  const { lowId, highId } = pairOf(userId, otherId);
  const begun = sql`EXISTS (SELECT 1 FROM ${contacts} WHERE ${isPair(userId, otherId)})`;
  const put = orm
    .insert(contacts)
    .select(
      sql`SELECT ${lowId}, ${highId}, ${userId}
          WHERE EXISTS (SELECT 1 FROM ${users} WHERE ${eq(users.userId, otherId)})
            AND ${hasRoom(userId, room)} AND (${begun} OR ${mayBeAsked(otherId, room)})`, // [CT-4] [CT-5]
    )
    .onConflictDoUpdate({
      target: [contacts.lowId, contacts.highId],
      set: { askerId: null },
      // [CT-2] The second of two who ask accepts; [CT-3] [CT-12] a repeat writes nothing.
      setWhere: sql`${contacts.askerId} <> excluded.asker_id`,
    });
  const look = orm
    .select({ lowId: contacts.lowId, askerId: contacts.askerId })
    .from(users)
    .leftJoin(contacts, isPair(userId, otherId))
    .where(eq(users.userId, otherId));
  const [, [row]] = await reach("put contact", () => orm.batch([put, look]));
  if (!row) return "nobody";
  const state = row.lowId && contactState(row.askerId, userId);
  return state === null || state === "incoming" ? "full" : state;
}

/** [CT-3] Takes back, declines or ends, whatever there is. */
export async function removeContact(db: D1Database, userId: UserId, otherId: UserId): Promise<void> {
  await reach("remove contact", () => drizzle(db).delete(contacts).where(isPair(userId, otherId)).run());
}
