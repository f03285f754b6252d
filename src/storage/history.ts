import type { Range } from "../domain/spans.ts";
import type { ConversationId } from "../protocol/ids.ts";
import type { LogRow } from "./log-store.ts";
import { chunksOf, foldedOf, forgetChunks, indexChunks } from "./search-index.ts";

/** Rows of one statement. Keeps the bound JSON well under D1's 2 MB for the longest messages, together with `SHIP_BYTES`. */
export const SHIP_ROWS = 500;
export const SHIP_BYTES = 900_000;

/**
 * Copies rows to a shard. Any number of times, in any order: a row that is there stays as it is and costs nothing. One that was shipped
 * before history could be searched gets its words.
 */
export const shipRows = (db: D1Database, conversationId: ConversationId, rows: readonly LogRow[]): Promise<void> =>
  put(
    db,
    conversationId,
    rows,
    "UPDATE SET folded = excluded.folded WHERE folded IS NULL AND excluded.folded NOT NULL AND body = excluded.body", // [HI-1]
  );

/** Puts rows in the place of what a shard has of them. Any number of times: a body changes once, and for good. */
export const reshipRows = (db: D1Database, conversationId: ConversationId, rows: readonly LogRow[]): Promise<void> =>
  put(db, conversationId, rows, "UPDATE SET body = excluded.body, folded = excluded.folded"); // [LM-7]

/** Rows and what search knows of them, in one transaction: [SE-5]. */
async function put(
  db: D1Database,
  conversationId: ConversationId,
  rows: readonly LogRow[],
  onConflict: string,
): Promise<void> {
  const texts = rows.map(({ seq, body }) => [seq, body, foldedOf(body)] as const);
  const write = db
    .prepare(
      `INSERT INTO events (conversation_id, seq, body, folded)
       SELECT ?1, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
       FROM json_each(?2) WHERE true ON CONFLICT DO ${onConflict}`,
    )
    .bind(conversationId, JSON.stringify(texts));
  const isSilent = texts.some(([, , folded]) => folded === null);
  await db.batch([write, ...indexChunks(db, conversationId, chunksOf(rows), isSilent)]);
}

/** The bodies of these seqs in order. Fewer than asked when history does not have them all. */
export async function readRows(
  db: D1Database,
  conversationId: ConversationId,
  ranges: readonly Range[],
): Promise<string[]> {
  const query = db.prepare("SELECT body FROM events WHERE conversation_id = ? AND seq BETWEEN ? AND ? ORDER BY seq");
  const results = await db.batch<{ body: string }>(ranges.map(([from, to]) => query.bind(conversationId, from, to)));
  return results.flatMap(({ results }) => results.map((r) => r.body));
}

/** Takes a conversation off a shard that does not hold its bucket any more. */
export async function forgetRows(db: D1Database, conversationId: ConversationId): Promise<void> {
  const rows = db.prepare("DELETE FROM events WHERE conversation_id = ?").bind(conversationId);
  await db.batch([forgetChunks(db, conversationId), rows]);
}
