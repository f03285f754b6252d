import type { MediaId } from "../protocol/ids.ts";
import type { LogRow } from "./log-store.ts";
import { valuesOf } from "./tables.ts";

type Fresher = LogRow & { mediaId: MediaId | null };

/** What of a log is taken away or is to be, and which of it history and the media bucket have yet to hear of: the seqs in `stale`. */
export class TombstoneStore {
  private readonly sql: SqlStorage;
  constructor(sql: SqlStorage) {
    this.sql = sql;
  }

  // --- what is to be taken away ---

  /** Messages whose time is over, the oldest first. `now`: epoch ms. */
  expired(now: number, limit: number): number[] {
    const query = "SELECT seq AS value FROM log WHERE expires_at <= ? ORDER BY expires_at LIMIT ?";
    return valuesOf<number>(this.sql, query, now, limit);
  }

  /** When the next message's time is over (epoch ms); null: none's will be. */
  nextExpiry(): number | null {
    const query = "SELECT min(expires_at) AS value FROM log WHERE expires_at NOT NULL";
    return valuesOf<number | null>(this.sql, query)[0] ?? null;
  }

  /** Messages past `after` that are there, the oldest first, and when they were received (epoch ms). */
  messagesPast(after: number, limit: number): { seq: number; receivedAt: number }[] {
    const query =
      "SELECT seq, json_extract(body, '$.receivedAt') AS receivedAt FROM log WHERE seq > ? AND kind = 'message' ORDER BY seq LIMIT ?";
    return this.sql.exec<{ seq: number; receivedAt: number }>(query, after, limit).toArray();
  }

  /** What holds words, or held them, in these seqs, both ends included, oldest first. */
  wordRows(from: number, to: number, limit: number): LogRow[] {
    const query =
      "SELECT seq, sender_id AS senderId, body FROM log WHERE seq BETWEEN ? AND ? AND kind IN ('message', 'edit', 'gone') ORDER BY seq LIMIT ?";
    return this.sql.exec<LogRow>(query, from, to, limit).toArray();
  }

  // --- taking it away ---

  /** [LM-5] The tombstone takes the event's place; that history must have it too is written with it. */
  bury(seq: number, kind: "gone" | "edit" | "reaction", body: string, mediaId: MediaId | null): void {
    this.sql.exec("UPDATE log SET kind = ?, expires_at = NULL, body = ? WHERE seq = ?", kind, body, seq);
    this.sql.exec("INSERT INTO stale VALUES (?, ?) ON CONFLICT DO NOTHING", seq, mediaId);
  }

  /** [LM-22] Words that every device has give way to their tombstone; the message counts as before, and has its time. */
  forget(seq: number, body: string): void {
    this.sql.exec("UPDATE log SET body = ? WHERE seq = ?", body, seq);
  }

  /** [GR-12] Media that nobody is to see any more goes with the event that took it away, as that of a recalled message does. */
  dropMediaAt(seq: number, mediaId: MediaId): void {
    this.sql.exec("INSERT INTO stale VALUES (?, ?)", seq, mediaId);
  }

  isDropped(mediaId: MediaId): boolean {
    return this.sql.exec("SELECT 1 FROM stale WHERE media_id = ?", mediaId).toArray().length > 0;
  }

  // --- what history has yet to hear of ---

  /** Rows that history may have in an older form, oldest first. */
  stale(limit: number): Fresher[] {
    const query =
      "SELECT seq, sender_id AS senderId, body, media_id AS mediaId FROM stale JOIN log USING (seq) ORDER BY seq LIMIT ?";
    return this.sql.exec<Fresher>(query, limit).toArray();
  }

  hasStale(from = 1, to = Number.MAX_SAFE_INTEGER): boolean {
    return this.sql.exec("SELECT 1 FROM stale WHERE seq BETWEEN ? AND ? LIMIT 1", from, to).toArray().length > 0;
  }

  /** History has these as they are now. */
  refreshed(rows: readonly LogRow[]): void {
    const seqs = JSON.stringify(rows.map(({ seq }) => seq));
    this.sql.exec("DELETE FROM stale WHERE seq IN (SELECT value FROM json_each(?))", seqs);
  }
}
