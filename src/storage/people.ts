import { and, eq, inArray, isNull, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { PeopleQuestion } from "../domain/people.ts";
import type { FoundPerson } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import type { Visibility } from "../protocol/states.ts";
import { nameWords, users } from "./directory-schema.ts";
import { IS_CONTACT, PROFILE, type ProfileRow, profileIn } from "./pictures.ts";
import { reach } from "./reach.ts";

/**
 * The index of names: a row a word, of those alone whom everyone may find; a contact is found by the words in the user's own row. Whatever
 * is asked for is a bound value and the end of a range of keys, never syntax.
 */

/** Rows of the index that one search looks at. */
const LOOKED_AT = 1_000;

/** Greater than whatever follows a word's beginning. */
const LAST = "char(1114111)";
/** Each of the words (?2, JSON) begins a word of the name. */
const NAMED = `(json_array_length(?2) > 0 AND NOT EXISTS (
  SELECT 1 FROM json_each(?2) AS asked WHERE NOT EXISTS (
    SELECT 1 FROM json_each(users.words) AS has WHERE has.value >= asked.value AND has.value < asked.value || ${LAST})))`;
const BEGINS = `handle >= ?3 AND handle < ?3 || ${LAST}`;
/** [PE-4] Whom one blocks oneself, one does not find. */
const NOT_BLOCKED = "NOT EXISTS (SELECT 1 FROM blocks WHERE blocker_id = ?1 AND blocked_id = users.user_id)";
const COLUMNS = `${PROFILE}, ${IS_CONTACT} AS isKnown`;

// Every statement names all four values, so that all are bound alike.
const ALL_NAMED = "WITH given AS (SELECT ?1, ?2, ?3, ?4)";
const EXACT = `${ALL_NAMED} SELECT ${COLUMNS} FROM users WHERE handle = ?3 AND ${NOT_BLOCKED}`;
const CONTACTS = `${ALL_NAMED} SELECT ${COLUMNS} FROM (
    SELECT high_id AS other FROM contacts WHERE low_id = ?1 AND ended = 0 AND asker_id IS NULL
    UNION ALL SELECT low_id FROM contacts WHERE high_id = ?1 AND ended = 0 AND asker_id IS NULL
  ) JOIN users ON users.user_id = other
  WHERE findable <> 'nobody' AND ${NOT_BLOCKED} AND ((${BEGINS}) OR ${NAMED}) ORDER BY handle LIMIT ?4`;
const PREFIX = `${ALL_NAMED} SELECT ${COLUMNS} FROM (SELECT * FROM users WHERE ${BEGINS} ORDER BY handle LIMIT ${LOOKED_AT}) AS users
  WHERE findable = 'everyone' AND ${NOT_BLOCKED} ORDER BY handle LIMIT ?4`;
const INDEXED = `${ALL_NAMED} SELECT ${COLUMNS} FROM (
    SELECT DISTINCT user_id AS other FROM (
      SELECT user_id FROM name_words WHERE word >= ?3 AND word < ?3 || ${LAST} LIMIT ${LOOKED_AT})
  ) JOIN users ON users.user_id = other
  WHERE findable = 'everyone' AND ${NOT_BLOCKED} AND ${NAMED} ORDER BY handle LIMIT ?4`;

type Row = ProfileRow & { isKnown: number };

/** [PE-3] Who may be found so by this user. Throws `Unavailable`. */
export async function findPeople(
  db: D1Database,
  userId: UserId,
  { handle, prefix, words, index }: PeopleQuestion,
  limit: number,
): Promise<Record<"exact" | "contacts" | "prefix" | "named", FoundPerson[]>> {
  const ask = (query: string, text: string) => db.prepare(query).bind(userId, JSON.stringify(words), text, limit + 1);
  const asked = [
    ask(EXACT, handle),
    ask(CONTACTS, handle),
    ...(prefix === null ? [] : [ask(PREFIX, prefix)]),
    ...(index === null ? [] : [ask(INDEXED, index)]),
  ];
  const answers = await reach("find people", () => db.batch<Row>(asked));
  const [exact = [], contacts = [], ...others] = answers.map(({ results }) =>
    results.map((row) => ({ ...profileIn(row, userId), isContact: row.isKnown === 1 })),
  );
  return {
    exact,
    contacts,
    prefix: prefix === null ? [] : (others.shift() ?? []),
    named: index === null ? [] : (others.shift() ?? []),
  };
}

// --- keeping the index: in the transaction that changes the user's row ---

/** To be run before the row is changed. `words`: those of the new name, `findable`: the new choice; undefined: as before. */
export const dropWords = (
  db: D1Database,
  userId: UserId,
  words: readonly string[] | undefined,
  findable: Visibility | undefined,
) => {
  const is = (column: "words" | "findable") => sql`(SELECT ${sql.raw(column)} FROM users WHERE user_id = ${userId})`;
  const stay = words ? sql`${JSON.stringify(words)}` : is("words");
  return drizzle(db)
    .delete(nameWords)
    .where(
      sql`${eq(nameWords.userId, userId)} AND ${nameWords.word} IN (SELECT value FROM json_each(${is("words")}))
        AND NOT (coalesce(${findable ?? null}, ${is("findable")}) = 'everyone'
          AND ${nameWords.word} IN (SELECT value FROM json_each(${stay})))`, // [PE-7]
    );
};

/** To be run after the rows were written: what is there already is not written again. */
export const putWords = (db: D1Database, userIds: readonly UserId[]) =>
  drizzle(db)
    .insert(nameWords)
    .select(
      sql`SELECT has.value, users.user_id FROM users, json_each(users.words) AS has
        WHERE users.user_id IN (SELECT value FROM json_each(${JSON.stringify(userIds)})) AND findable = 'everyone'`, // [PE-3] [PE-7]
    )
    .onConflictDoNothing();

/** Users of before there was an index. */
export async function usersWithoutWords(
  db: D1Database,
  limit: number,
): Promise<{ userId: UserId; displayName: string }[]> {
  const query = "SELECT user_id AS userId, display_name AS displayName FROM users WHERE words IS NULL LIMIT ?";
  const statement = db.prepare(query).bind(limit);
  return (await reach("users without words", () => statement.all<{ userId: UserId; displayName: string }>())).results;
}

/** Gives these users their words, unless somebody has renamed themselves meanwhile. */
export async function giveWords(
  db: D1Database,
  people: readonly { userId: UserId; displayName: string; words: readonly string[] }[],
): Promise<void> {
  const orm = drizzle(db);
  const given = sql`SELECT json_extract(value, '$.words') FROM json_each(${JSON.stringify(people)})
    WHERE json_extract(value, '$.userId') = ${users.userId} AND json_extract(value, '$.displayName') = ${users.displayName}`;
  const ids = people.map(({ userId }) => userId);
  const give = orm
    .update(users)
    .set({ words: sql`(${given})` })
    .where(and(isNull(users.words), inArray(users.userId, sql`(SELECT value FROM json_each(${JSON.stringify(ids)}))`)));
  await reach("give words", () => orm.batch([give, putWords(db, ids)]));
}
