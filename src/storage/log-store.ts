import { EditEvent, Event, MessageEvent, RecallEvent } from "../protocol/events.ts";
import type { DeviceId, IdempotencyKey, MediaId, UserId } from "../protocol/ids.ts";
import { valuesOf } from "./tables.ts";

/** One event as it is kept: `body` is its JSON, written once and passed on as text to sockets, pages and history. */
export type LogRow = { seq: number; senderId: UserId; body: string };
export type NewRow = LogRow & {
  kind: Event["kind"];
  deviceId: DeviceId | null;
  key: IdempotencyKey | null;
  /** Of an edit: the message it is about. */
  target: number | null;
  /** When the content is to be taken away. Epoch ms. */
  expiresAt: number | null;
};

/** The events of one conversation, by seq. A message whose content is gone is of kind `gone`, so that it counts as unread no more and rings nobody. */
export class LogStore {
  private readonly sql: SqlStorage;
  constructor(sql: SqlStorage) {
    this.sql = sql;
  }

  head(): number {
    return this.sql.exec<{ head: number }>("SELECT coalesce(max(seq), 0) AS head FROM log").one().head;
  }

  append(row: NewRow): void {
    this.sql.exec(
      "INSERT INTO log (seq, sender_id, kind, device_id, key, target, expires_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      row.seq,
      row.senderId,
      row.kind,
      row.deviceId,
      row.key,
      row.target,
      row.expiresAt,
      row.body,
    );
  }

  // --- events by their seqs ---

  event(seq: number): Event | undefined {
    const [body] = valuesOf<string>(this.sql, "SELECT body AS value FROM log WHERE seq = ?", seq);
    return body === undefined ? undefined : Event.parse(JSON.parse(body));
  }

  editsOf(seq: number): EditEvent[] {
    const query = "SELECT body AS value FROM log WHERE target = ? ORDER BY seq";
    return valuesOf<string>(this.sql, query, seq).map((body) => EditEvent.parse(JSON.parse(body)));
  }

  /** Rows in seq order, both ends included; lazily, so that a caller with a byte limit reads no more than it takes. */
  *rows(from: number, to: number): Generator<LogRow> {
    const query = "SELECT seq, sender_id AS senderId, body FROM log WHERE seq BETWEEN ? AND ? ORDER BY seq";
    for (const row of this.sql.exec<LogRow>(query, from, to)) yield row;
  }

  /** Who has set this picture, which is whose it is. */
  setterOf(avatarMediaId: MediaId): UserId | undefined {
    const query =
      "SELECT sender_id AS value FROM log WHERE kind = 'settings' AND json_extract(body, '$.avatarMediaId') = ? ORDER BY seq DESC LIMIT 1";
    return valuesOf<UserId>(this.sql, query, avatarMediaId)[0];
  }

  // --- devices' keys ---

  /** Devices' newest keys past `after`: what the checkpoint does not know yet. */
  keysPast(after: number): [DeviceId, IdempotencyKey][] {
    const query = "SELECT device_id d, max(key) k FROM log WHERE seq > ? AND key NOT NULL GROUP BY device_id";
    const rows = this.sql.exec<{ d: DeviceId; k: IdempotencyKey }>(query, after).toArray();
    return rows.map(({ d, k }) => [d, k]);
  }

  newestKeyOf(deviceId: DeviceId): IdempotencyKey | undefined {
    const query = "SELECT key AS value FROM log WHERE device_id = ? ORDER BY seq DESC LIMIT 1";
    return valuesOf<IdempotencyKey>(this.sql, query, deviceId)[0];
  }

  /** The event this device appended under this key. A device's keys ascend with seq, so the search ends at the first older one. */
  findByKey(deviceId: DeviceId, key: IdempotencyKey): { event: Event | undefined; rowsRead: number } {
    const query = "SELECT key, body FROM log WHERE device_id = ? AND key NOT NULL ORDER BY seq DESC";
    const rows = this.sql.exec<{ key: IdempotencyKey; body: string }>(query, deviceId);
    for (const row of rows) {
      if (row.key > key) continue;
      const event = row.key === key ? Event.parse(JSON.parse(row.body)) : undefined;
      return { event, rowsRead: rows.rowsRead };
    }
    return { event: undefined, rowsRead: rows.rowsRead };
  }

  // --- what was said ---

  /** Which of these seqs, both ends included, are messages, and whose; not those that are gone. */
  messageSeqs(from: number, to: number): { seq: number; senderId: UserId }[] {
    const query =
      "SELECT seq, sender_id AS senderId FROM log WHERE seq BETWEEN ? AND ? AND kind = 'message' ORDER BY seq";
    return this.sql.exec<{ seq: number; senderId: UserId }>(query, from, to).toArray();
  }

  /** The messages in these seqs, both ends included, that are not by this user; of very many the last ones. */
  messagesOfOthers(userId: UserId, from: number, to: number): MessageEvent[] {
    const query =
      "SELECT body AS value FROM log WHERE seq BETWEEN ? AND ? AND kind = 'message' AND sender_id <> ? ORDER BY seq DESC LIMIT 64";
    const bodies = valuesOf<string>(this.sql, query, from, to, userId);
    return bodies.map((body) => MessageEvent.parse(JSON.parse(body))).reverse();
  }

  /** The last message of somebody else in these seqs, both ends included, that is not gone; 0: none. */
  newestOfOthers(userId: UserId, from: number, to: number): number {
    const query =
      "SELECT coalesce(max(seq), 0) AS n FROM log WHERE seq BETWEEN ? AND ? AND kind = 'message' AND sender_id <> ?";
    return this.sql.exec<{ n: number }>(query, from, to, userId).one().n;
  }

  /** Who wrote the messages in these seqs, both ends included; also of those that are gone. */
  authors(from: number, to: number): UserId[] {
    const query =
      "SELECT DISTINCT sender_id AS value FROM log WHERE seq BETWEEN ? AND ? AND kind IN ('message', 'gone')";
    return valuesOf<UserId>(this.sql, query, from, to);
  }

  // --- what was taken back ---

  /** The recalls in these seqs, both ends included; of very many the last ones. */
  recalls(from: number, to: number): RecallEvent[] {
    const query =
      "SELECT body AS value FROM log WHERE seq BETWEEN ? AND ? AND kind = 'recall' ORDER BY seq DESC LIMIT 64";
    const bodies = valuesOf<string>(this.sql, query, from, to);
    return bodies.map((body) => RecallEvent.parse(JSON.parse(body))).reverse();
  }

  /** What the recalls in these seqs, both ends included, are about; of very many the last ones. */
  recalled(from: number, to: number, limit: number): number[] {
    const query =
      "SELECT json_extract(body, '$.targetSeq') AS value FROM log WHERE seq BETWEEN ? AND ? AND kind = 'recall' ORDER BY seq DESC LIMIT ?";
    return valuesOf<number>(this.sql, query, from, to, limit);
  }
}
