import type { DIRECTORY_COUNTS, Plan } from "../domain/erasure.ts";
import type { Erasure, Tally } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import { reach } from "./reach.ts";
import { reportsGone } from "./reports.ts";

/** The directory's part of erasures: their records, and what it holds of a person. All of these throw `Unavailable`. */

type Row = {
  userId: UserId;
  askedBy: Erasure["askedBy"];
  begunAt: number;
  settling: number;
  rounds: number;
  counts: string;
  rescannedAt: number | null;
  remaining: string;
  doneAt: number | null;
};
const COLUMNS = `user_id AS userId, asked_by AS askedBy, begun_at AS begunAt, settling, rounds, counts,
  rescanned_at AS rescannedAt, remaining, done_at AS doneAt`;

const NOTHING: Tally = {
  ...{
    accounts: 0,
    identities: 0,
    devices: 0,
    contacts: 0,
    blocks: 0,
    names: 0,
    reports: 0,
    copies: 0,
    pushEndpoints: 0,
  },
  ...{ conversations: 0, messages: 0, edits: 0, reactions: 0, invites: 0, historyRows: 0, searchEntries: 0 },
  ...{ mediaRows: 0, bucketObjects: 0, inboxRows: 0, unreached: 0 },
};
const tally = (json: string): Tally => ({ ...NOTHING, ...(JSON.parse(json) as Partial<Tally>) });

function recordOf({ settling, counts, rescannedAt, remaining, doneAt, ...row }: Row): Erasure {
  return {
    ...row,
    state: doneAt !== null ? "done" : settling === 1 ? "settling" : "erasing",
    counts: tally(counts),
    ...(doneAt === null ? {} : { doneAt }),
    ...(rescannedAt === null ? {} : { rescan: { at: rescannedAt, remaining: tally(remaining) } }),
  };
}

/** Notes that an erasure was asked for. One that is under way goes on; one that is done is begun anew. */
export async function openErasure(
  db: D1Database,
  { userId, askedBy, begunAt }: Pick<Erasure, "userId" | "askedBy" | "begunAt">,
): Promise<Erasure> {
  const put = db
    .prepare(
      `INSERT INTO erasures (user_id, asked_by, begun_at) VALUES (?1, ?2, ?3)
       ON CONFLICT DO UPDATE SET asked_by = ?2, begun_at = ?3, settling = 0, rounds = 0, rescanned_at = NULL,
         remaining = '{}', done_at = NULL WHERE done_at IS NOT NULL`,
    )
    .bind(userId, askedBy, begunAt);
  const look = db.prepare(`SELECT ${COLUMNS} FROM erasures WHERE user_id = ?`).bind(userId);
  const [, found] = await reach("open erasure", () => db.batch<Row>([put, look]));
  return recordOf((found as D1Result<Row>).results[0] as Row);
}

export async function erasureOf(db: D1Database, userId: UserId): Promise<Erasure | undefined> {
  const query = db.prepare(`SELECT ${COLUMNS} FROM erasures WHERE user_id = ?`).bind(userId);
  const row = await reach("erasure", () => query.first<Row>());
  return row ? recordOf(row) : undefined;
}

/** The next erasures that are not done, in the order of their users' ids. */
export async function openErasures(db: D1Database, after: string, limit: number): Promise<Erasure[]> {
  const query = db
    .prepare(`SELECT ${COLUMNS} FROM erasures WHERE done_at IS NULL AND user_id > ?1 ORDER BY user_id LIMIT ?2`)
    .bind(after, limit);
  const { results } = await reach("open erasures", () => query.all<Row>());
  return results.map(recordOf);
}

/** Those of the ids whose erasure was asked for, or is done. Any number of ids, one query. */
export async function erasedAmong(db: D1Database, ids: readonly UserId[]): Promise<Set<UserId>> {
  if (ids.length === 0) return new Set();
  const query = db
    .prepare("SELECT user_id AS id FROM erasures WHERE user_id IN (SELECT value FROM json_each(?))")
    .bind(JSON.stringify(ids));
  const { results } = await reach("erased among", () => query.all<{ id: UserId }>());
  return new Set(results.map(({ id }) => id));
}

/** What the inbox knows of the erasure goes into its record; what the directory itself has counted stays. */
export async function noteErasure(
  db: D1Database,
  { userId, rounds, counts, rescan }: Pick<Plan, "userId" | "rounds" | "counts" | "rescan">,
  isSettling: boolean,
): Promise<void> {
  const query = db
    .prepare(
      `UPDATE erasures SET rounds = ?2, counts = json_patch(counts, ?3), settling = ?4, rescanned_at = ?5, remaining = ?6
       WHERE user_id = ?1`,
    )
    .bind(
      userId,
      rounds,
      JSON.stringify(counts),
      isSettling ? 1 : 0,
      rescan?.at ?? null,
      JSON.stringify(rescan?.remaining ?? {}),
    );
  await reach("note erasure", () => query.run());
}

export async function closeErasure(db: D1Database, userId: UserId, now: number): Promise<void> {
  const query = db.prepare("UPDATE erasures SET done_at = ?2, settling = 0 WHERE user_id = ?1").bind(userId, now);
  await reach("close erasure", () => query.run());
}

type DirectoryStore = (typeof DIRECTORY_COUNTS)[number];

/** [ER-8] Deletes, and counts in the same transaction what there was: a repeat adds nothing, a crash loses nothing. */
export function counted(db: D1Database, userId: UserId, store: DirectoryStore, deletion: D1PreparedStatement) {
  const path = `$.${store}`;
  const count = db
    .prepare(
      "UPDATE erasures SET counts = json_set(counts, ?2, coalesce(json_extract(counts, ?2), 0) + changes()) WHERE user_id = ?1",
    )
    .bind(userId, path);
  return [deletion, count];
}

/** Before the row that says which words they are. A name that an earlier version indexed otherwise goes with it. */
const NAMES_GO = `DELETE FROM name_words WHERE user_id = ?1
  AND word IN (SELECT value FROM users, json_each(users.words) WHERE users.user_id = ?1)`;

/** The account goes, with its devices and whom an outside issuer says it is. `handleHash`: of the handle that is spent with it. */
export async function eraseAccount(db: D1Database, userId: UserId, handleHash: string | null): Promise<void> {
  const of = (query: string) => db.prepare(query).bind(userId);
  const { evidence, reports } = reportsGone(db, userId);
  const spend = db.prepare("INSERT INTO spent_handles VALUES (?) ON CONFLICT DO NOTHING").bind(handleHash);
  await reach("erase account", () =>
    db.batch([
      ...(handleHash === null ? [] : [spend]), // [ER-3]
      ...evidence,
      ...counted(db, userId, "reports", reports),
      ...counted(db, userId, "identities", of("DELETE FROM identities WHERE user_id = ?")),
      ...counted(db, userId, "devices", of("DELETE FROM devices WHERE user_id = ? AND revoked_at IS NULL")),
      ...counted(db, userId, "devices", of("DELETE FROM devices WHERE user_id = ? AND revoked_at IS NOT NULL")),
      ...counted(db, userId, "names", of(NAMES_GO)),
      ...counted(db, userId, "accounts", of("DELETE FROM users WHERE user_id = ?")),
    ]),
  );
}

/** `blocked`: one of the two blocks the other. */
export type Other = { otherId: UserId; blocked: number };

/** The next people with whom there is something in the directory, in the order of their ids. */
export async function othersOf(db: D1Database, userId: UserId, after: string, limit: number): Promise<Other[]> {
  const query = db
    .prepare(
      `SELECT otherId, max(blocked) AS blocked FROM (
         SELECT high_id AS otherId, 0 AS blocked FROM contacts WHERE low_id = ?1 AND ended = 0
         UNION ALL SELECT low_id, 0 FROM contacts WHERE high_id = ?1 AND ended = 0
         UNION ALL SELECT blocked_id, 1 FROM blocks WHERE blocker_id = ?1
         UNION ALL SELECT blocker_id, 1 FROM blocks WHERE blocked_id = ?1
       ) WHERE otherId > ?2 GROUP BY otherId ORDER BY otherId LIMIT ?3`,
    )
    .bind(userId, after, limit);
  return (await reach("others", () => query.all<Other>())).results;
}

const newestOf = (
  column: "low_id" | "high_id",
): string => `(SELECT coalesce(max(iif(other.low_id = contacts.${column}, other.low_version,
  other.high_version)), 0) FROM contacts AS other WHERE other.low_id = contacts.${column} OR other.high_id = contacts.${column})`;
/** As any that has ended: the pair of ids stays for a while, so that the other one's devices are told. [CT-14] */
const ENDS = `UPDATE contacts SET ended = 1, asker_id = NULL,
  low_version = max(CAST(unixepoch('subsec') * 1000 AS INTEGER), 1 + ${newestOf("low_id")}),
  high_version = max(CAST(unixepoch('subsec') * 1000 AS INTEGER), 1 + ${newestOf("high_id")})`;

/** What there is with these people ends. */
export async function eraseOthers(db: D1Database, userId: UserId, otherIds: readonly UserId[]): Promise<void> {
  const ids = JSON.stringify(otherIds);
  const among = "IN (SELECT value FROM json_each(?2))";
  const of = (query: string) => db.prepare(query).bind(userId, ids);
  await reach("erase others", () =>
    db.batch([
      ...counted(db, userId, "contacts", of(`${ENDS} WHERE low_id = ?1 AND ended = 0 AND high_id ${among}`)),
      ...counted(db, userId, "contacts", of(`${ENDS} WHERE high_id = ?1 AND ended = 0 AND low_id ${among}`)),
      ...counted(db, userId, "blocks", of(`DELETE FROM blocks WHERE blocker_id = ?1 AND blocked_id ${among}`)),
      ...counted(db, userId, "blocks", of(`DELETE FROM blocks WHERE blocked_id = ?1 AND blocker_id ${among}`)),
    ]),
  );
}

/**
 * What the directory still holds of this person, besides the record of the erasure. `withCondemned`: also rows of media that only say where
 * a signed URL may still bring bytes.
 */
export async function directoryRemains(
  db: D1Database,
  userId: UserId,
  withCondemned: boolean,
): Promise<Partial<Tally>> {
  const query = db
    .prepare(
      `SELECT (SELECT count(*) FROM users WHERE user_id = ?1) AS accounts,
         (SELECT count(*) FROM identities WHERE user_id = ?1) AS identities,
         (SELECT count(*) FROM devices WHERE user_id = ?1 AND revoked_at IS NULL)
           + (SELECT count(*) FROM devices WHERE user_id = ?1 AND revoked_at IS NOT NULL) AS devices,
         (SELECT count(*) FROM contacts WHERE (low_id = ?1 OR high_id = ?1) AND ended = 0) AS contacts,
         (SELECT count(*) FROM blocks WHERE blocker_id = ?1 OR blocked_id = ?1) AS blocks,
         (SELECT count(*) FROM name_words WHERE user_id = ?1) AS names,
         (SELECT count(*) FROM reports WHERE reporter_id = ?1 OR (reported_id = ?1 AND state <> 'open'))
           + (SELECT count(*) FROM report_evidence AS e JOIN reports AS r USING (report_id)
              WHERE json_extract(e.body, '$.senderId') = ?1 AND NOT (e.is_reported = 1 AND r.state = 'open')) AS reports,
         (SELECT count(*) FROM media WHERE user_id = ?1 AND (?2 OR claim IS NOT 'swept')) AS mediaRows`,
    )
    .bind(userId, withCondemned ? 1 : 0);
  return (await reach("directory remains", () => query.first<Partial<Tally>>())) ?? {};
}

/** What history and search still hold of what this person wrote in a conversation. */
export async function historyRemains(
  db: D1Database,
  conversationId: string,
  userId: UserId,
): Promise<{ historyRows: number; searchEntries: number }> {
  const query = db
    .prepare(
      `SELECT count(*) AS historyRows, count(folded) AS searchEntries FROM events
       WHERE conversation_id = ?1 AND json_extract(body, '$.senderId') = ?2
         AND (folded NOT NULL OR json_extract(body, '$.content.type') <> 'gone' OR json_extract(body, '$.emoji') NOT NULL)`,
    )
    .bind(conversationId, userId);
  const found = await reach("history remains", () => query.first<{ historyRows: number; searchEntries: number }>());
  return found ?? { historyRows: 0, searchEntries: 0 };
}

/**
 * What is kept of a handle that is spent. Nobody can tell whose it was; who knows the handle can tell that it was somebody's, which
 * `handle_taken` tells them anyway.
 */
export async function handleHashOf(handle: string): Promise<string> {
  const text = new TextEncoder().encode(`edgewise handle ${handle.toLowerCase()}`);
  const hash = await crypto.subtle.digest("SHA-256", text);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
