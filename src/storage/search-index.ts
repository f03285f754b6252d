import { textOf } from "../domain/life.ts";
import { CHUNK, fold, placeOf } from "../domain/searching.ts";
import { Event } from "../protocol/events.ts";
import type { ConversationId } from "../protocol/ids.ts";
import type { LogRow } from "./log-store.ts";

/**
 * What a shard's index says of a conversation follows from the shard's rows and from nothing else: a chunk that is whole is indexed anew, as
 * it lies there, whenever rows of it are written. The one that is still growing is not, for a search reads it anyway.
 */

/** Bits of an index entry's rowid that number the chunk; the ones above are the conversation's place. */
export const CHUNK_BITS = 20;

/** The words of a message, or those that an edit puts in their place. Null where there is nothing to find. */
export function foldedOf(body: string): string | null {
  const { success, data: event } = Event.safeParse(JSON.parse(body));
  if (!success || (event.kind !== "message" && event.kind !== "edit")) return null; // what is not understood is shipped all the same
  const text = textOf(event.content);
  return text === undefined ? null : fold(text);
}

export const chunksOf = (rows: readonly Pick<LogRow, "seq">[]): number[] => [
  ...new Set(rows.map(({ seq }) => Math.floor((seq - 1) / CHUNK))),
];

const ROWS_OF_CHUNK = `conversation_id = ?1 AND seq BETWEEN value * ${CHUNK} + 1 AND (value + 1) * ${CHUNK}`;
const IS_WHOLE = `EXISTS (SELECT 1 FROM events WHERE conversation_id = ?1 AND seq = (value + 1) * ${CHUNK})`;
const ROWID = `(CAST(?3 AS INTEGER) << ${CHUNK_BITS})`;

/**
 * To be run straight after the statement that wrote the rows: when that changed nothing, this writes nothing either. `isSilent`: a row
 * without words is among them, so that a chunk may have none any more.
 */
export function indexChunks(
  db: D1Database,
  id: ConversationId,
  chunks: readonly number[],
  isSilent: boolean,
): D1PreparedStatement[] {
  const values = [id, JSON.stringify(chunks), placeOf(id)] as const;
  const put = db
    .prepare(
      `INSERT OR REPLACE INTO texts (rowid, folded)
       SELECT ${ROWID} + value, group_concat(folded, char(10)) FROM json_each(?2) JOIN events ON ${ROWS_OF_CHUNK}
       WHERE changes() > 0 AND folded NOT NULL AND ${IS_WHOLE} GROUP BY value`, // [SE-5] [SE-8]
    )
    .bind(...values);
  const drop = db
    .prepare(
      `DELETE FROM texts WHERE rowid IN (
         SELECT ${ROWID} + value FROM json_each(?2)
         WHERE NOT EXISTS (SELECT 1 FROM events WHERE ${ROWS_OF_CHUNK} AND folded NOT NULL))`,
    )
    .bind(...values);
  return isSilent ? [put, drop] : [put];
}

/** To be run before the rows are deleted. */
export const forgetChunks = (db: D1Database, id: ConversationId): D1PreparedStatement =>
  db
    .prepare(
      `DELETE FROM texts WHERE rowid IN (
         SELECT DISTINCT (CAST(?2 AS INTEGER) << ${CHUNK_BITS}) + (seq - 1) / ${CHUNK}
         FROM events WHERE conversation_id = ?1 AND folded NOT NULL)`,
    )
    .bind(id, placeOf(id));
