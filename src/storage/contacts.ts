import { and, asc, eq, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { contactState, type Place } from "../domain/contacts.ts";
import type { Contact, ContactState } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import { TIMES } from "../protocol/limits.ts";
import { blocks, contacts, users } from "./directory-schema.ts";
import { PROFILE, type ProfileRow, profileFor, profileIn } from "./pictures.ts";
import { reach } from "./reach.ts";

/**
 * How many contacts a user may have with those they have asked, how many may wait for a user's answer, and how many requests may have
 * come to nothing of late.
 */
type Room = { contacts: number; requests: number; ended: number };

/** What there is between two, as the first of them sees it, and the versions at which the two inboxes and lists have it. */
export type Standing = { state: ContactState | "none"; version: number; theirVersion: number };
const NOTHING: Standing = { state: "none", version: 0, theirVersion: 0 };

/** What was settled so long before now no change that is still under way can come before. Ms. */
const SETTLED_MS = 60_000;
/** What has ended is kept somewhat longer than it is told, for the clocks of two machines. Ms. */
const KEPT_MS = TIMES.contactsToldMs + 24 * 60 * 60_000;
/** The database's own clock: all versions are of one. */
const NOW = sql`CAST(unixepoch('subsec') * 1000 AS INTEGER)`;

const pairOf = (a: UserId, b: UserId) => (a < b ? { lowId: a, highId: b } : { lowId: b, highId: a });
const isPair = (a: UserId, b: UserId) => {
  const { lowId, highId } = pairOf(a, b);
  return and(eq(contacts.lowId, lowId), eq(contacts.highId, highId));
};
const isOf = (userId: UserId) => or(eq(contacts.lowId, userId), eq(contacts.highId, userId));
const isOn = eq(contacts.ended, 0);

const hasRoom = (userId: UserId, { contacts: max }: Room): SQL =>
  sql`(SELECT count(*) FROM ${contacts} WHERE (${isOf(userId)}) AND ${isOn} AND coalesce(${contacts.askerId}, ${userId}) = ${userId}) < ${max}`;
const mayBeAsked = (userId: UserId, { requests: max }: Room): SQL =>
  sql`(SELECT count(*) FROM ${contacts} WHERE (${isOf(userId)}) AND ${isOn} AND ${contacts.askerId} <> ${userId}) < ${max}`;
const mayAskMore = (userId: UserId, { ended: max }: Room): SQL =>
  sql`(SELECT count(*) FROM ${contacts} WHERE (${isOf(userId)}) AND ${contacts.ended} = 1 AND ${contacts.askerId} = ${userId}) < ${max}`;

/** [BL-6] Whom the user blocks may ask to be a contact, and is not heard. */
const notBlocked = (userId: UserId): SQL =>
  sql`NOT EXISTS (SELECT 1 FROM ${blocks} WHERE ${eq(blocks.blockerId, userId)} AND ${blocks.blockedId} = ${users.userId})`;

// --- versions ---

const versionFor = (userId: UserId): SQL =>
  sql`iif(${contacts.lowId} = ${userId}, ${contacts.lowVersion}, ${contacts.highVersion})`;
const newestOf = (userId: UserId): SQL =>
  sql`(SELECT coalesce(max(${versionFor(userId)}), 0) FROM ${contacts} WHERE ${isOf(userId)})`;
/** [CT-14] Above all that this user's pairs ever had: those that are forgotten had less than the time. */
const nextFor = (userId: UserId): SQL => sql`max(${NOW}, 1 + ${newestOf(userId)})`;
/** Every change from now on has more than this. */
const headFor = (userId: UserId): SQL<number> => sql`max(${NOW} - ${SETTLED_MS}, ${newestOf(userId)})`;
const headQuery = (db: D1Database, userId: UserId) =>
  drizzle(db)
    .select({ head: headFor(userId) })
    .from(sql`(SELECT 1)`);

/** [CT-15] What has ended and is told to nobody any more goes when its user asks somebody next. */
const forget = (db: D1Database, userId: UserId) =>
  drizzle(db)
    .delete(contacts)
    .where(
      and(
        isOf(userId),
        eq(contacts.ended, 1),
        sql`max(${contacts.lowVersion}, ${contacts.highVersion}) < ${NOW} - ${KEPT_MS}`,
      ),
    );

// --- reading ---

/** Everybody with whom the user has begun something, by handle, and the version of that. Throws `Unavailable`, as all of these do. */
export async function contactsOf(db: D1Database, userId: UserId): Promise<{ contacts: Contact[]; version: number }> {
  const isOther = sql`${users.userId} = iif(${contacts.lowId} = ${userId}, ${contacts.highId}, ${contacts.lowId})`;
  const orm = drizzle(db);
  const query = orm
    .select({ ...profileFor(userId), askerId: contacts.askerId })
    .from(contacts)
    .innerJoin(users, isOther)
    .where(and(isOf(userId), isOn, notBlocked(userId))) // [CT-8]
    .orderBy(asc(users.handle));
  const [rows, [head]] = await reach("contacts", () => orm.batch([query, headQuery(db, userId)]));
  const contactOf = ({ askerId, ...row }: (typeof rows)[number]): Contact => ({
    ...profileIn(row, userId),
    state: contactState(askerId, userId),
  });
  return { contacts: rows.map(contactOf), version: head?.head ?? 0 };
}

/** The version of a user's contacts by now. */
export async function contactsHead(db: D1Database, userId: UserId): Promise<number> {
  return (await reach("contacts head", () => headQuery(db, userId).get()))?.head ?? 0;
}

type ChangeRow = Omit<ProfileRow, "userId"> & {
  other: UserId;
  version: number;
  gone: number;
  askerId: UserId | null;
};
/** One contact as it is now, or who is none any more. */
export type ContactChange = { version: number; userId: UserId; contact: Contact | null };

// [BL-6] To the blocker a pair that they block is none, whatever the other one asks.
const CHANGES = `
  SELECT * FROM (
    SELECT pair.other, pair.version, pair.asker_id AS askerId, ${PROFILE},
      pair.ended = 1 OR users.user_id IS NULL
        OR EXISTS (SELECT 1 FROM blocks WHERE blocker_id = ?1 AND blocked_id = pair.other) AS gone
    FROM (
      SELECT high_id AS other, low_version AS version, asker_id, ended FROM contacts WHERE low_id = ?1 AND low_version >= ?2
      UNION ALL
      SELECT low_id, high_version, asker_id, ended FROM contacts WHERE high_id = ?1 AND high_version >= ?2
    ) AS pair LEFT JOIN users ON users.user_id = pair.other
    WHERE (pair.version, pair.other) > (?2, ?3))
  WHERE NOT gone OR version > ?4 ORDER BY version, other LIMIT ?5`;

/** [CT-14] What has changed after this place, the oldest change first. */
export async function contactChanges(
  db: D1Database,
  userId: UserId,
  { began, version, userId: after }: Place,
  limit: number,
): Promise<ContactChange[]> {
  const statement = db.prepare(CHANGES).bind(userId, version, after, began, limit);
  const { results } = await reach("contact changes", () => statement.all<ChangeRow>());
  return results.map(({ gone, askerId, other, version, ...row }) => {
    const change = { version, userId: other };
    if (gone) return { ...change, contact: null };
    const state = contactState(askerId, userId);
    return { ...change, contact: { ...profileIn({ ...row, userId: other }, userId), state } };
  });
}

const standingColumns = {
  lowId: contacts.lowId,
  askerId: contacts.askerId,
  lowVersion: contacts.lowVersion,
  highVersion: contacts.highVersion,
  ended: contacts.ended,
};
type PairRow = { [Column in keyof typeof standingColumns]: (typeof contacts.$inferSelect)[Column] };

function standingIn(row: PairRow | undefined, viewerId: UserId): Standing {
  if (!row) return NOTHING;
  const state = row.ended === 1 ? "none" : contactState(row.askerId, viewerId);
  const [version, theirVersion] = [row.lowVersion, row.highVersion];
  return row.lowId === viewerId
    ? { state, version, theirVersion }
    : { state, version: theirVersion, theirVersion: version };
}

/** What there is between the two, as the user sees it. */
export async function standingOf(db: D1Database, userId: UserId, otherId: UserId): Promise<Standing> {
  const query = drizzle(db).select(standingColumns).from(contacts).where(isPair(userId, otherId));
  return standingIn(await reach("contact", () => query.get()), userId);
}

// --- writing ---

/**
 * Asks, or accepts when the other one has asked; a repeat writes nothing. `full`: one of the two has no room, and nothing has changed.
 * `nobody`: there is no such user.
 */
export async function putContact(
  db: D1Database,
  userId: UserId,
  otherId: UserId,
  room: Room,
): Promise<(Standing & { state: ContactState }) | "full" | "nobody"> {
  const orm = drizzle(db);
  const { lowId, highId } = pairOf(userId, otherId);
  const begun = sql`EXISTS (SELECT 1 FROM ${contacts} WHERE ${isPair(userId, otherId)} AND ${isOn})`;
  const put = orm
    .insert(contacts)
    .select(
      sql`SELECT ${lowId}, ${highId}, ${userId}, ${nextFor(lowId)}, ${nextFor(highId)}, 0
          WHERE EXISTS (SELECT 1 FROM ${users} WHERE ${eq(users.userId, otherId)})
            AND ${hasRoom(userId, room)} AND (${begun} OR (${mayBeAsked(otherId, room)} AND ${mayAskMore(userId, room)}))`, // [CT-4] [CT-5]
    )
    .onConflictDoUpdate({
      target: [contacts.lowId, contacts.highId],
      set: {
        askerId: sql`iif(${contacts.ended} = 1, excluded.asker_id, NULL)`,
        lowVersion: sql`excluded.low_version`,
        highVersion: sql`excluded.high_version`,
        ended: 0,
      },
      // [CT-2] The second of two who ask accepts; [CT-3] [CT-12] a repeat writes nothing.
      setWhere: sql`${contacts.ended} = 1 OR ${contacts.askerId} <> excluded.asker_id`,
    });
  const look = orm
    .select({ userId: users.userId, pair: standingColumns })
    .from(users)
    .leftJoin(contacts, isPair(userId, otherId))
    .where(eq(users.userId, otherId));
  const [, , [row]] = await reach("put contact", () => orm.batch([forget(db, userId), put, look]));
  if (!row) return "nobody";
  const standing = standingIn(row.pair ?? undefined, userId);
  const { state } = standing;
  return state === "none" || state === "incoming" ? "full" : { ...standing, state };
}

const nextVersions = (lowId: UserId, highId: UserId) => ({ lowVersion: nextFor(lowId), highVersion: nextFor(highId) });

/** [CT-3] Takes back, declines or ends, whatever there is. What it was stays for a while, to be told. */
export async function removeContact(db: D1Database, userId: UserId, otherId: UserId): Promise<void> {
  const { lowId, highId } = pairOf(userId, otherId);
  const query = drizzle(db)
    .update(contacts)
    .set({ ...nextVersions(lowId, highId), ended: 1 })
    .where(and(isPair(userId, otherId), isOn));
  await reach("remove contact", () => query.run());
}

/** [BL-6] A request that the user did not hear, because they blocked who asked, is news to them now; and to nobody else. */
export async function hearRequest(db: D1Database, userId: UserId, otherId: UserId): Promise<void> {
  const { lowId, highId } = pairOf(userId, otherId);
  const { lowVersion, highVersion } = nextVersions(lowId, highId);
  const query = drizzle(db)
    .update(contacts)
    .set(userId === lowId ? { lowVersion } : { highVersion })
    .where(and(isPair(userId, otherId), isOn, eq(contacts.askerId, otherId)));
  await reach("hear request", () => query.run());
}
