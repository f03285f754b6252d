import type { ConversationKind, Membership, Span } from "../domain/membership.ts";
import type { PushReport } from "../domain/push.ts";
import type { Trail } from "../domain/trail.ts";
import { Event, MessageEvent, type Role } from "../protocol/events.ts";
import type { ConversationId, DeviceId, IdempotencyKey, UserId } from "../protocol/ids.ts";

/** One event as it is kept: `body` is its JSON, written once and passed on as text to sockets, pages and history. */
export type LogRow = { seq: number; senderId: UserId; body: string };
export type NewRow = LogRow & { kind: Event["kind"]; deviceId: DeviceId | null; key: IdempotencyKey | null };

export type Facts = {
  conversationId: ConversationId;
  kind: ConversationKind;
  createdAt: number;
  title?: string;
  /** What a group was asked to be when it was made, to answer a repeat. */
  fingerprint?: string;
};

/** Where the log's consumers are, and what is cheap to lose a little of: one row, written by the alarm. */
export type Checkpoint = {
  /** Every member's inbox has everything up to this seq. */
  delivered: number;
  /** History shard `shard` has everything up to this seq. */
  shipped: number;
  shard: string;
  /** A shard that no longer holds this conversation's bucket and still has rows of it; empty: none. */
  leaving: string;
  /** When history was last asked to be shipped anew. Epoch ms. */
  reshippedAt: number;
  trails: [UserId, Trail][];
  /** The newest answers of push providers. */
  pushes: PushReport[];
  /** Each device's newest key among the events up to `delivered`. */
  newestKeys: [DeviceId, IdempotencyKey][];
  /** Whether these are the keys of all devices that ever sent. */
  allKeys: boolean;
  /** How many devices a member had ever had when one of them last looked, if more than one. */
  devices: [UserId, number][];
};
const START: Checkpoint = {
  delivered: 0,
  shipped: 0,
  shard: "",
  leaving: "",
  reshippedAt: 0,
  trails: [],
  pushes: [],
  newestKeys: [],
  allKeys: true,
  devices: [],
};

// Plain rowid or WITHOUT ROWID tables and no index: a write is billed once a row and once more an index entry.
const SCHEMA = `
  CREATE TABLE facts (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL);
  CREATE TABLE checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL);
  CREATE TABLE members (user_id TEXT PRIMARY KEY, role TEXT NOT NULL, spans TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE log (
    seq INTEGER PRIMARY KEY, sender_id TEXT NOT NULL, kind TEXT NOT NULL, device_id TEXT, key TEXT, body TEXT NOT NULL
  );
`;

/** The rows of one conversation object. Every method is synchronous: the caller decides what is one transaction. */
export class ConversationStore {
  private readonly sql: SqlStorage;
  constructor(sql: SqlStorage) {
    this.sql = sql;
  }

  /** False for an id that somebody made up: asking for it must leave nothing behind. */
  exists(): boolean {
    return this.sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'facts'").toArray().length > 0;
  }

  create(facts: Facts): void {
    this.sql.exec(SCHEMA);
    this.putFacts(facts);
  }

  facts(): Facts {
    return JSON.parse(this.sql.exec<{ body: string }>("SELECT body FROM facts").one().body);
  }

  putFacts(facts: Facts): void {
    this.sql.exec("INSERT INTO facts VALUES (1, ?1) ON CONFLICT DO UPDATE SET body = ?1", JSON.stringify(facts));
  }

  checkpoint(): Checkpoint {
    const [row] = this.sql.exec<{ body: string }>("SELECT body FROM checkpoint").toArray();
    return row ? { ...START, ...JSON.parse(row.body) } : START;
  }

  putCheckpoint(checkpoint: Checkpoint): void {
    this.sql.exec(
      "INSERT INTO checkpoint VALUES (1, ?1) ON CONFLICT DO UPDATE SET body = ?1",
      JSON.stringify(checkpoint),
    );
  }

  roster(): Map<UserId, Membership> {
    const rows = this.sql.exec<{ user_id: UserId; role: Role; spans: string }>("SELECT * FROM members").toArray();
    return new Map(
      rows.map((r) => [r.user_id, { userId: r.user_id, role: r.role, spans: JSON.parse(r.spans) as Span[] }]),
    );
  }

  putMember(m: Membership): void {
    const spans = JSON.stringify(m.spans);
    this.sql.exec(
      "INSERT INTO members VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET role = ?2, spans = ?3",
      m.userId,
      m.role,
      spans,
    );
  }

  head(): number {
    return this.sql.exec<{ head: number }>("SELECT coalesce(max(seq), 0) AS head FROM log").one().head;
  }

  append(row: NewRow): void {
    this.sql.exec(
      "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)",
      row.seq,
      row.senderId,
      row.kind,
      row.deviceId,
      row.key,
      row.body,
    );
  }

  /** Rows in seq order, both ends included; lazily, so that a caller with a byte limit reads no more than it takes. */
  *rows(from: number, to: number): Generator<LogRow> {
    const cursor = this.sql.exec<LogRow>(
      "SELECT seq, sender_id AS senderId, body FROM log WHERE seq BETWEEN ? AND ? ORDER BY seq",
      from,
      to,
    );
    for (const row of cursor) yield row;
  }

  /** Devices' newest keys past `after`: what the checkpoint does not know yet. */
  keysPast(after: number): [DeviceId, IdempotencyKey][] {
    return this.sql
      .exec<{ d: DeviceId; k: IdempotencyKey }>(
        "SELECT device_id d, max(key) k FROM log WHERE seq > ? AND key NOT NULL GROUP BY device_id",
        after,
      )
      .toArray()
      .map(({ d, k }) => [d, k]);
  }

  newestKeyOf(deviceId: DeviceId): IdempotencyKey | undefined {
    const query = "SELECT key FROM log WHERE device_id = ? ORDER BY seq DESC LIMIT 1";
    return this.sql.exec<{ key: IdempotencyKey }>(query, deviceId).toArray()[0]?.key;
  }

  /** The event this device appended under this key. A device's keys ascend with seq, so the search ends at the first older one. */
  findByKey(deviceId: DeviceId, key: IdempotencyKey): Event | undefined {
    const cursor = this.sql.exec<{ key: string; body: string }>(
      "SELECT key, body FROM log WHERE device_id = ? ORDER BY seq DESC",
      deviceId,
    );
    for (const row of cursor) {
      if (row.key === key) return Event.parse(JSON.parse(row.body));
      if (row.key < key) return undefined;
    }
    return undefined;
  }

  /** Messages of others past `read` that the spans show. */
  unread(reader: Membership, read: number): number {
    return reader.spans.reduce(
      (sum, [from, to]) => sum + this.countOfOthers(reader.userId, Math.max(from, read + 1), to),
      0,
    );
  }

  private countOfOthers(userId: UserId, from: number, to: number | null): number {
    const query = "SELECT count(*) AS n FROM log WHERE seq BETWEEN ? AND ? AND kind = 'message' AND sender_id <> ?";
    return this.sql.exec<{ n: number }>(query, from, to ?? Number.MAX_SAFE_INTEGER, userId).one().n;
  }

  /** The messages in these seqs, both ends included, that are not by this user; of very many the last ones. */
  messagesOfOthers(userId: UserId, from: number, to: number): MessageEvent[] {
    const query =
      "SELECT body FROM log WHERE seq BETWEEN ? AND ? AND kind = 'message' AND sender_id <> ? ORDER BY seq DESC LIMIT 64";
    const rows = this.sql.exec<{ body: string }>(query, from, to, userId).toArray();
    return rows.map(({ body }) => MessageEvent.parse(JSON.parse(body))).reverse();
  }

  /** Who wrote the messages in these seqs, both ends included. */
  authors(from: number, to: number): UserId[] {
    const query = "SELECT DISTINCT sender_id AS id FROM log WHERE seq BETWEEN ? AND ? AND kind = 'message'";
    return this.sql
      .exec<{ id: UserId }>(query, from, to)
      .toArray()
      .map((r) => r.id);
  }
}
