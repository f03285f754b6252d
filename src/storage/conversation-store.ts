import type { Invite } from "../domain/invites.ts";
import { type ConversationKind, type Membership, type Span, visibleSpans } from "../domain/membership.ts";
import type { PushReport } from "../domain/push.ts";
import type { Trail } from "../domain/trail.ts";
import { EditEvent, Event, MessageEvent, type ReactionEvent, RecallEvent, type Role } from "../protocol/events.ts";
import type { ConversationId, DeviceId, IdempotencyKey, InviteCode, MediaId, UserId } from "../protocol/ids.ts";

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

export type Facts = {
  conversationId: ConversationId;
  kind: ConversationKind;
  createdAt: number;
  title?: string;
  /** How long messages are kept from now on; absent: for ever. */
  retentionMs?: number;
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
const HAS_CONTENT = `(kind = 'message' OR (kind = 'edit' AND json_extract(body, '$.content.type') <> 'gone')
  OR (kind = 'reaction' AND json_extract(body, '$.emoji') NOT NULL))`;
const LIFE = `
  ALTER TABLE log ADD COLUMN target INTEGER;
  ALTER TABLE log ADD COLUMN expires_at INTEGER;
  CREATE INDEX log_by_target ON log (target) WHERE target NOT NULL;
  CREATE INDEX log_by_expiry ON log (expires_at) WHERE expires_at NOT NULL;
  CREATE TABLE stale (seq INTEGER PRIMARY KEY, media_id TEXT);
`;

/** The rows of one conversation object. Every method is synchronous: the caller decides what is one transaction. */
export class ConversationStore {
  private readonly sql: SqlStorage;
  constructor(sql: SqlStorage) {
    this.sql = sql;
  }

  /** False for an id that somebody made up: asking for it must leave nothing behind. */
  exists(): boolean {
    return this.has("facts");
  }

  private has(table: string): boolean {
    const query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?";
    return this.sql.exec(query, table).toArray().length > 0;
  }

  /** A conversation of before messages had a life. */
  upgrade(): void {
    if (!this.has("stale")) this.sql.exec(LIFE);
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
    const hidden = this.hidden();
    const cleared = this.cleared();
    const erased = new Set(this.erasedIds());
    return new Map(
      rows.map(({ user_id: userId, role, spans }) => {
        const member = { userId, role, spans: JSON.parse(spans) as Span[] };
        const gaps = hidden.get(userId);
        const clearedThrough = cleared.get(userId);
        const clear = clearedThrough === undefined ? {} : { clearedThrough };
        const gone = erased.has(userId) ? { erased: true as const } : {};
        return [userId, { ...member, ...(gaps ? { hidden: gaps } : {}), ...clear, ...gone }];
      }),
    );
  }

  private hidden(): Map<UserId, Span[]> {
    if (!this.has("hidden")) return new Map();
    const rows = this.sql.exec<{ id: UserId; spans: string }>("SELECT user_id AS id, spans FROM hidden").toArray();
    return new Map(rows.map(({ id, spans }) => [id, JSON.parse(spans) as Span[]]));
  }

  /** What a member's blocks have hidden from them. The table is made for the few conversations that need it. */
  putHidden({ userId, hidden = [] }: Membership): void {
    this.sql.exec("CREATE TABLE IF NOT EXISTS hidden (user_id TEXT PRIMARY KEY, spans TEXT NOT NULL) WITHOUT ROWID");
    const query = "INSERT INTO hidden VALUES (?1, ?2) ON CONFLICT DO UPDATE SET spans = ?2";
    this.sql.exec(query, userId, JSON.stringify(hidden));
  }

  private cleared(): Map<UserId, number> {
    if (!this.has("cleared")) return new Map();
    const rows = this.sql.exec<{ id: UserId; seq: number }>("SELECT user_id AS id, seq FROM cleared").toArray();
    return new Map(rows.map(({ id, seq }) => [id, seq]));
  }

  /** How far a member has cleared it. The table is made for the few conversations that need it. */
  putCleared({ userId, clearedThrough = 0 }: Membership): void {
    this.sql.exec("CREATE TABLE IF NOT EXISTS cleared (user_id TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID");
    this.sql.exec("INSERT INTO cleared VALUES (?1, ?2) ON CONFLICT DO UPDATE SET seq = ?2", userId, clearedThrough);
  }

  // --- erasure ---

  private erasedIds(): UserId[] {
    if (!this.has("erased")) return [];
    return this.sql
      .exec<{ id: UserId }>("SELECT user_id AS id FROM erased")
      .toArray()
      .map(({ id }) => id);
  }

  erased(userId: UserId): Erased | undefined {
    if (!this.has("erased")) return undefined;
    const rows = this.sql.exec<{ body: string }>("SELECT body FROM erased WHERE user_id = ?", userId).toArray();
    return rows[0] && JSON.parse(rows[0].body);
  }

  /** How far a member's erasure is. The table is made for the few conversations that need it. */
  putErased(userId: UserId, erased: Erased): void {
    this.sql.exec("CREATE TABLE IF NOT EXISTS erased (user_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
    const query = "INSERT INTO erased VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = ?2";
    this.sql.exec(query, userId, JSON.stringify(erased));
  }

  /** What this member alone has set of what they see. */
  dropSights(userId: UserId): void {
    for (const table of ["hidden", "cleared"])
      if (this.has(table)) this.sql.exec(`DELETE FROM ${table} WHERE user_id = ?`, userId);
  }

  /** What this member wrote past `after` that has content, in order, at most `limit` of it. */
  writtenBy(userId: UserId, after: number, limit: number): (MessageEvent | EditEvent | ReactionEvent)[] {
    const query = `SELECT body FROM log WHERE seq > ? AND sender_id = ? AND ${HAS_CONTENT} ORDER BY seq LIMIT ?`;
    const rows = this.sql.exec<{ body: string }>(query, after, userId, limit).toArray();
    return rows.map(({ body }) => Event.parse(JSON.parse(body)) as MessageEvent | EditEvent | ReactionEvent);
  }

  devicesOf(userId: UserId): DeviceId[] {
    const query = "SELECT DISTINCT device_id AS id FROM log WHERE sender_id = ? AND device_id NOT NULL";
    return this.sql
      .exec<{ id: DeviceId }>(query, userId)
      .toArray()
      .map(({ id }) => id);
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
    const query = `SELECT json_extract(body, '$.userId') AS id FROM log
      WHERE seq BETWEEN ? AND ? AND kind = 'member' AND json_extract(body, '$.erased')`;
    return this.sql
      .exec<{ id: UserId }>(query, from, to)
      .toArray()
      .map(({ id }) => id);
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

  invites(): Invite[] {
    if (!this.has("invites")) return [];
    const rows = this.sql.exec<{ body: string }>("SELECT body FROM invites ORDER BY code").toArray();
    return rows.map(({ body }) => JSON.parse(body) as Invite);
  }

  /** The table is made for the groups that need it. */
  putInvite(invite: Invite): void {
    this.sql.exec("CREATE TABLE IF NOT EXISTS invites (code TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
    const query = "INSERT INTO invites VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = ?2";
    this.sql.exec(query, invite.code, JSON.stringify(invite));
  }

  dropInvite(code: InviteCode): void {
    if (this.has("invites")) this.sql.exec("DELETE FROM invites WHERE code = ?", code);
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

  /** Rows that history may have in an older form, oldest first. */
  stale(limit: number): (LogRow & { mediaId: MediaId | null })[] {
    const query =
      "SELECT seq, sender_id AS senderId, body, media_id AS mediaId FROM stale JOIN log USING (seq) ORDER BY seq LIMIT ?";
    return this.sql.exec<LogRow & { mediaId: MediaId | null }>(query, limit).toArray();
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
    return visibleSpans(reader).reduce(
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

  /** Who wrote the messages in these seqs, both ends included; also of those that are gone. */
  authors(from: number, to: number): UserId[] {
    const query = "SELECT DISTINCT sender_id AS id FROM log WHERE seq BETWEEN ? AND ? AND kind IN ('message', 'gone')";
    return this.sql
      .exec<{ id: UserId }>(query, from, to)
      .toArray()
      .map((r) => r.id);
  }
}
