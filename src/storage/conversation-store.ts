import type { HeldBy, Tries } from "../domain/forgetting.ts";
import { type ConversationKind, type Membership, visibleSpans } from "../domain/membership.ts";
import type { PushReport } from "../domain/push.ts";
import type { Span } from "../domain/spans.ts";
import type { Trail } from "../domain/trail.ts";
import { EditEvent, Event, MessageEvent, RecallEvent, type Role } from "../protocol/events.ts";
import type { GroupRules } from "../protocol/group-rules.ts";
import type { ConversationId, DeviceId, IdempotencyKey, MediaId, UserId } from "../protocol/ids.ts";
import { EntryStore } from "./entry-store.ts";
import { ErasureStore } from "./erasure-store.ts";
import { SightStore } from "./sight-store.ts";
import { hasTable } from "./tables.ts";

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

export type Facts = {
  conversationId: ConversationId;
  kind: ConversationKind;
  createdAt: number;
  title?: string;
  /** How long messages are kept from now on; absent: for ever. */
  retentionMs?: number;
  /** A group's picture. */
  avatarMediaId?: MediaId | null;
  /** What a group was asked to be when it was made, to answer a repeat. */
  fingerprint?: string;
} & { [K in keyof GroupRules]?: GroupRules[K] };

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
  /** Up to this seq no message is left that the deployer's time has to be asked for. */
  aged: number;
  /** Up to this seq the log has forgotten words that were delivered; and up to this one history has. */
  forgotten: number;
  forgottenInHistory: number;
  /** How far the members' devices have everything, as their inboxes said; and how it went to ask. */
  held: [UserId, HeldBy][];
  tries: Tries;
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
  aged: 0,
  forgotten: 0,
  forgottenInHistory: 0,
  held: [],
  tries: { count: 0, at: 0 },
  trails: [],
  pushes: [],
  newestKeys: [],
  allKeys: true,
  devices: [],
};

// Plain rowid or WITHOUT ROWID tables and no index over all rows: a write is billed once a row and once more an index entry. A message
// whose content is gone is of kind `gone` here, so that it counts as unread no more and rings nobody.
const SCHEMA = `
  CREATE TABLE facts (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL);
  CREATE TABLE checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL);
  CREATE TABLE members (user_id TEXT PRIMARY KEY, role TEXT NOT NULL, spans TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE log (
    seq INTEGER PRIMARY KEY, sender_id TEXT NOT NULL, kind TEXT NOT NULL, device_id TEXT, key TEXT, body TEXT NOT NULL
  );
`;
// `stale`: seqs whose body has changed since history may have got it, and the media that went with it.
const LIFE = `
  ALTER TABLE log ADD COLUMN target INTEGER;
  ALTER TABLE log ADD COLUMN expires_at INTEGER;
  CREATE INDEX log_by_target ON log (target) WHERE target NOT NULL;
  CREATE INDEX log_by_expiry ON log (expires_at) WHERE expires_at NOT NULL;
  CREATE TABLE stale (seq INTEGER PRIMARY KEY, media_id TEXT);
`;

/** The rows of one conversation object. Every method is synchronous: the caller decides what is one transaction. */
export class ConversationStore {
  readonly entries: EntryStore;
  readonly erasures: ErasureStore;
  readonly sights: SightStore;
  private readonly sql: SqlStorage;
  constructor(sql: SqlStorage) {
    this.sql = sql;
    this.entries = new EntryStore(sql);
    this.erasures = new ErasureStore(sql);
    this.sights = new SightStore(sql);
  }

  /** False for an id that somebody made up: asking for it must leave nothing behind. */
  exists(): boolean {
    return hasTable(this.sql, "facts");
  }

  /** A conversation of before messages had a life. */
  upgrade(): void {
    if (!hasTable(this.sql, "stale")) this.sql.exec(LIFE);
  }

  create(facts: Facts): void {
    this.sql.exec(SCHEMA);
    this.sql.exec(LIFE);
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
    const sights = this.sights.all();
    const erased = new Set(this.erasures.erasedIds());
    return new Map(
      rows.map(({ user_id: userId, role, spans }) => {
        const gone = erased.has(userId) ? { erased: true as const } : {};
        return [userId, { userId, role, spans: JSON.parse(spans) as Span[], ...sights.get(userId), ...gone }];
      }),
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

  event(seq: number): Event | undefined {
    const [row] = this.sql.exec<{ body: string }>("SELECT body FROM log WHERE seq = ?", seq).toArray();
    return row && Event.parse(JSON.parse(row.body));
  }

  editsOf(seq: number): EditEvent[] {
    const rows = this.sql.exec<{ body: string }>("SELECT body FROM log WHERE target = ? ORDER BY seq", seq).toArray();
    return rows.map(({ body }) => EditEvent.parse(JSON.parse(body)));
  }

  /** [LM-5] The tombstone takes the event's place; that history must have it too is written with it. */
  bury(seq: number, kind: "gone" | "edit" | "reaction", body: string, mediaId: MediaId | null): void {
    this.sql.exec("UPDATE log SET kind = ?, expires_at = NULL, body = ? WHERE seq = ?", kind, body, seq);
    this.sql.exec("INSERT INTO stale VALUES (?, ?) ON CONFLICT DO NOTHING", seq, mediaId);
  }

  /** [LM-22] Words that every device has give way to their tombstone; the message counts as before, and has its time. */
  forget(seq: number, body: string): void {
    this.sql.exec("UPDATE log SET body = ? WHERE seq = ?", body, seq);
  }

  /** What holds words, or held them, in these seqs, both ends included, oldest first. */
  wordRows(from: number, to: number, limit: number): LogRow[] {
    const query =
      "SELECT seq, sender_id AS senderId, body FROM log WHERE seq BETWEEN ? AND ? AND kind IN ('message', 'edit', 'gone') ORDER BY seq LIMIT ?";
    return this.sql.exec<LogRow>(query, from, to, limit).toArray();
  }

  /** Messages whose time is over, the oldest first. `now`: epoch ms. */
  expired(now: number, limit: number): number[] {
    const query = "SELECT seq FROM log WHERE expires_at <= ? ORDER BY expires_at LIMIT ?";
    return this.sql
      .exec<{ seq: number }>(query, now, limit)
      .toArray()
      .map(({ seq }) => seq);
  }

  /** When the next message's time is over (epoch ms); null: none's will be. */
  nextExpiry(): number | null {
    return this.sql.exec<{ at: number | null }>("SELECT min(expires_at) AS at FROM log WHERE expires_at NOT NULL").one()
      .at;
  }

  /** Messages past `after` that are there, the oldest first, and when they were received (epoch ms). */
  messagesPast(after: number, limit: number): { seq: number; receivedAt: number }[] {
    const query =
      "SELECT seq, json_extract(body, '$.receivedAt') AS receivedAt FROM log WHERE seq > ? AND kind = 'message' ORDER BY seq LIMIT ?";
    return this.sql.exec<{ seq: number; receivedAt: number }>(query, after, limit).toArray();
  }

  /** Rows that history may have in an older form, oldest first. */
  stale(limit: number): (LogRow & { mediaId: MediaId | null })[] {
    const query =
      "SELECT seq, sender_id AS senderId, body, media_id AS mediaId FROM stale JOIN log USING (seq) ORDER BY seq LIMIT ?";
    return this.sql.exec<LogRow & { mediaId: MediaId | null }>(query, limit).toArray();
  }

  /** [GR-12] Media that nobody is to see any more goes with the event that took it away, as that of a recalled message does. */
  dropMediaAt(seq: number, mediaId: MediaId): void {
    this.sql.exec("INSERT INTO stale VALUES (?, ?)", seq, mediaId);
  }

  isDropped(mediaId: MediaId): boolean {
    return this.sql.exec("SELECT 1 FROM stale WHERE media_id = ?", mediaId).toArray().length > 0;
  }

  hasStale(from = 1, to = Number.MAX_SAFE_INTEGER): boolean {
    return this.sql.exec("SELECT 1 FROM stale WHERE seq BETWEEN ? AND ? LIMIT 1", from, to).toArray().length > 0;
  }

  /** History has these as they are now. */
  refreshed(rows: readonly LogRow[]): void {
    const seqs = JSON.stringify(rows.map(({ seq }) => seq));
    this.sql.exec("DELETE FROM stale WHERE seq IN (SELECT value FROM json_each(?))", seqs);
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
    const past = visibleSpans(reader).filter(([, to]) => to === null || to > read);
    return past.reduce((sum, [from, to]) => sum + this.countOfOthers(reader.userId, Math.max(from, read + 1), to), 0);
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

  /** The last message of somebody else in these seqs, both ends included, that is not gone; 0: none. */
  newestOfOthers(userId: UserId, from: number, to: number): number {
    const query =
      "SELECT coalesce(max(seq), 0) AS n FROM log WHERE seq BETWEEN ? AND ? AND kind = 'message' AND sender_id <> ?";
    return this.sql.exec<{ n: number }>(query, from, to, userId).one().n;
  }

  /** The recalls in these seqs, both ends included; of very many the last ones. */
  recalls(from: number, to: number): RecallEvent[] {
    const query = "SELECT body FROM log WHERE seq BETWEEN ? AND ? AND kind = 'recall' ORDER BY seq DESC LIMIT 64";
    const rows = this.sql.exec<{ body: string }>(query, from, to).toArray();
    return rows.map(({ body }) => RecallEvent.parse(JSON.parse(body))).reverse();
  }

  /** What the recalls in these seqs, both ends included, are about; of very many the last ones. */
  recalled(from: number, to: number, limit: number): number[] {
    const query =
      "SELECT json_extract(body, '$.targetSeq') AS seq FROM log WHERE seq BETWEEN ? AND ? AND kind = 'recall' ORDER BY seq DESC LIMIT ?";
    return this.sql
      .exec<{ seq: number }>(query, from, to, limit)
      .toArray()
      .map(({ seq }) => seq);
  }

  /** Who wrote the messages in these seqs, both ends included; also of those that are gone. */
  authors(from: number, to: number): UserId[] {
    const query = "SELECT DISTINCT sender_id AS id FROM log WHERE seq BETWEEN ? AND ? AND kind IN ('message', 'gone')";
    return this.sql
      .exec<{ id: UserId }>(query, from, to)
      .toArray()
      .map((r) => r.id);
  }
}
