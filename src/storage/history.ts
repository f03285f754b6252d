import type { Range } from "../domain/paging.ts";
import type { ConversationId } from "../protocol/ids.ts";
import type { LogRow } from "./conversation-store.ts";

/** Rows of one statement. Keeps the bound JSON well under D1's 2 MB for the longest messages, together with `SHIP_BYTES`. */
export const SHIP_ROWS = 500;
export const SHIP_BYTES = 900_000;

/** Copies rows to a shard. Any number of times, in any order: a row that is there stays as it is and costs nothing. */
export async function shipRows(db: D1Database, conversationId: ConversationId, rows: readonly LogRow[]): Promise<void> {
  const json = JSON.stringify(rows.map(({ seq, body }) => [seq, body]));
  await db
    .prepare(
      `INSERT INTO events (conversation_id, seq, body)
       SELECT ?1, json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?2) WHERE true
       ON CONFLICT DO NOTHING`, // [HI-1]
    )
    .bind(conversationId, json)
    .run();
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
  await db.prepare("DELETE FROM events WHERE conversation_id = ?").bind(conversationId).run();
}
