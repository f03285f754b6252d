import { type EditEvent, Event, type MessageEvent, type ReactionEvent } from "../protocol/events.ts";
import type { DeviceId, UserId } from "../protocol/ids.ts";
import { hasTable, valuesOf } from "./tables.ts";

/** How far a member's erasure is in this conversation. */
export type Erased = {
  /** What they wrote up to this seq has no content any more. */
  through: number;
  done: boolean;
  counts: ErasedCounts;
};
export type ErasedCounts = {
  [What in "messages" | "edits" | "reactions" | "invites" | "historyRows" | "searchEntries"]: number;
};

/** Rows of the log that hold something their sender wrote. */
const HAS_CONTENT = `(kind = 'message' OR (kind = 'edit' AND json_extract(body, '$.content.type') <> 'gone')
  OR (kind = 'reaction' AND json_extract(body, '$.emoji') NOT NULL))`;

/** What a conversation keeps of erasures, and finds for them in its log. */
export class ErasureStore {
  private readonly sql: SqlStorage;
  constructor(sql: SqlStorage) {
    this.sql = sql;
  }

  /** Whose erasure has begun here. */
  erasedIds(): UserId[] {
    if (!hasTable(this.sql, "erased")) return [];
    return valuesOf<UserId>(this.sql, "SELECT user_id AS value FROM erased");
  }

  /** How far a member's erasure is; undefined: it has not begun. */
  erased(userId: UserId): Erased | undefined {
    if (!hasTable(this.sql, "erased")) return undefined;
    const [body] = valuesOf<string>(this.sql, "SELECT body AS value FROM erased WHERE user_id = ?", userId);
    return body === undefined ? undefined : JSON.parse(body);
  }

  /** How far a member's erasure is. The table is made for the few conversations that need it. */
  putErased(userId: UserId, erased: Erased): void {
    this.sql.exec("CREATE TABLE IF NOT EXISTS erased (user_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
    const query = "INSERT INTO erased VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = ?2";
    this.sql.exec(query, userId, JSON.stringify(erased));
  }

  /** What this member wrote past `after` that has content, in order, at most `limit` of it. */
  writtenBy(userId: UserId, after: number, limit: number): (MessageEvent | EditEvent | ReactionEvent)[] {
    const query = `SELECT body AS value FROM log WHERE seq > ? AND sender_id = ? AND ${HAS_CONTENT} ORDER BY seq LIMIT ?`;
    const bodies = valuesOf<string>(this.sql, query, after, userId, limit);
    return bodies.map((body) => Event.parse(JSON.parse(body)) as MessageEvent | EditEvent | ReactionEvent);
  }

  /** The devices that this member wrote with. */
  devicesOf(userId: UserId): DeviceId[] {
    const query = "SELECT DISTINCT device_id AS value FROM log WHERE sender_id = ? AND device_id NOT NULL";
    return valuesOf<DeviceId>(this.sql, query, userId);
  }

  /** How many messages, edits and reactions of this member still have content, and how many of their rows history has yet to get. */
  contentCounts(userId: UserId): { messages: number; edits: number; reactions: number; stale: number } {
    const query = `SELECT kind, count(*) AS n FROM log WHERE sender_id = ? AND ${HAS_CONTENT} GROUP BY kind`;
    const rows = this.sql.exec<{ kind: string; n: number }>(query, userId).toArray();
    const of = (kind: string) => rows.find((row) => row.kind === kind)?.n ?? 0;
    const stale = "SELECT count(*) AS n FROM stale JOIN log USING (seq) WHERE sender_id = ?";
    const { n } = this.sql.exec<{ n: number }>(stale, userId).one();
    return { messages: of("message"), edits: of("edit"), reactions: of("reaction"), stale: n };
  }

  /** The last message of this member in these seqs, both ends included, whose content is gone; 0: none. */
  newestGone(userId: UserId, from: number, to: number): number {
    const query =
      "SELECT coalesce(max(seq), 0) AS n FROM log WHERE seq BETWEEN ? AND ? AND kind = 'gone' AND sender_id = ?";
    return this.sql.exec<{ n: number }>(query, from, to, userId).one().n;
  }

  /** Who was erased by an event in these seqs, both ends included. */
  erasures(from: number, to: number): UserId[] {
    const query = `SELECT json_extract(body, '$.userId') AS value FROM log
      WHERE seq BETWEEN ? AND ? AND kind = 'member' AND json_extract(body, '$.erased')`;
    return valuesOf<UserId>(this.sql, query, from, to);
  }
}
