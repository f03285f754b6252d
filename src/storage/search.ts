import { CHUNK, type Found, indexQuery, type Key, placeOf } from "../domain/searching.ts";
import type { ConversationId } from "../protocol/ids.ts";
import { reach } from "./reach.ts";
import { CHUNK_BITS } from "./search-index.ts";

/** Chunks that one search reads on one shard, of all conversations together; and of one conversation. */
const CHUNKS_READ = 512;
const [FEWEST, MOST] = [2, 64];

const BEGINNING = `(SELECT json_extract(body, '$.receivedAt') FROM events
  WHERE conversation_id = mine.id AND seq > chunk * ${CHUNK} ORDER BY seq LIMIT 1)`;
const MINE = "mine (id, place) AS (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?1))";
const LAST = `(SELECT (max(seq) - 1) / ${CHUNK} FROM events WHERE conversation_id = mine.id)`;
/** The chunks of these conversations that may hold the words; the last one of each is not in the index yet. */
const BY_INDEX = `chunks (id, chunk) AS (
  SELECT mine.id, texts.rowid & ((1 << ${CHUNK_BITS}) - 1) FROM mine
  JOIN texts ON texts.rowid BETWEEN (CAST(mine.place AS INTEGER) << ${CHUNK_BITS})
    AND (CAST(mine.place AS INTEGER) << ${CHUNK_BITS}) + ((1 << ${CHUNK_BITS}) - 1)
  WHERE texts MATCH ?8 UNION SELECT id, ${LAST} FROM mine)`;
/** [SE-4] Any chunk may; ?8 is null. */
const ALL = `chunks (id, chunk) AS (
  SELECT id, ${LAST} FROM mine WHERE ?8 IS NULL
  UNION ALL SELECT id, chunk - 1 FROM chunks WHERE chunk > 0)`;

/**
 * Each conversation's newest chunks before ?3 that may hold the words, numbered from the newest; of their rows those that do. Where there
 * are more chunks than are read, a row says so at the key of the last one's first seq: past it, this search knows nothing.
 */
const statementWith = (chunks: string) => `
  WITH RECURSIVE ${MINE}, ${chunks},
  dated AS (SELECT id, chunk, ${BEGINNING} AS began FROM chunks JOIN mine USING (id)),
  places AS MATERIALIZED (
    SELECT id, chunk, began, row_number() OVER (PARTITION BY id ORDER BY chunk DESC) AS n FROM dated WHERE began <= ?3
  )
  SELECT json_extract(body, '$.receivedAt') AS receivedAt, conversation_id AS conversationId, seq, 0 AS isEnd
  FROM places CROSS JOIN events ON conversation_id = id AND seq BETWEEN chunk * ${CHUNK} + 1 AND (chunk + 1) * ${CHUNK}
  WHERE n <= ?6 AND instr(folded, ?2) > 0 AND (json_extract(body, '$.receivedAt'), conversation_id, seq) < (?3, ?4, ?5)
  UNION ALL
  SELECT began, id, chunk * ${CHUNK} + 1, 1 FROM places
  WHERE n = ?6 AND EXISTS (SELECT 1 FROM places AS more WHERE more.id = places.id AND more.n = ?6 + 1)
  ORDER BY 1 DESC, 2 DESC, 3 DESC, 4 LIMIT ?7`;
const [SHORT, LONG] = [statementWith(ALL), statementWith(BY_INDEX)];

type Row = Key & { isEnd: number };

/**
 * Events of these conversations that hold the folded words, older than `before`, newest first, as far as one statement of bounded work can
 * tell. Throws `Unavailable`.
 */
export async function searchShard(
  db: D1Database,
  ids: readonly ConversationId[],
  folded: string,
  before: Key,
  limit: number,
): Promise<Found<Key>> {
  const query = indexQuery(folded);
  const mine = JSON.stringify(ids.map((id) => [id, placeOf(id)]));
  const each = Math.min(MOST, Math.max(FEWEST, Math.floor(CHUNKS_READ / ids.length)));
  const { receivedAt, conversationId, seq } = before;
  const statement = db
    .prepare(query === null ? SHORT : LONG)
    .bind(mine, folded, receivedAt, conversationId, seq, each, limit + 1, query);
  const { results } = await reach("search", () => statement.all<Row>());
  return foundOf(results, limit);
}

function foundOf(rows: readonly Row[], limit: number): Found<Key> {
  const end = rows.findIndex(({ isEnd }, i) => isEnd === 1 || i === limit);
  const hits = rows.slice(0, end < 0 ? rows.length : end).map(({ isEnd: _, ...key }) => key);
  const stop = rows[end];
  if (!stop) return { hits, through: null };
  if (stop.isEnd === 0) return { hits, through: hits.at(-1) ?? null };
  const { isEnd: _, ...through } = stop;
  return { hits, through };
}
