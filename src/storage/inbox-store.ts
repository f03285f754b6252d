import type { Plan } from "../domain/erasure.ts";
import type { Kept } from "../domain/forgetting.ts";
import { NO_SESSION, type Session } from "../domain/presence.ts";
import type { Subscription } from "../domain/push.ts";
import { NOT_MUTED } from "../domain/ringing.ts";
import type { ConversationId, DeviceId, UserId } from "../protocol/ids.ts";
import type { Mine, Self } from "../protocol/states.ts";

/** How far very many conversations have been asked to call again. */
export type Asking = { userId: UserId; after: ConversationId | "" };
export type ChangedRow = { conversationId: ConversationId; position: number };

// Plain rowid or WITHOUT ROWID tables and no index: a write is billed once a row and once more an index entry.
const SCHEMA = [
  "CREATE TABLE facts (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL)",
  "CREATE TABLE devices (device_id TEXT PRIMARY KEY, revoked_at INTEGER) WITHOUT ROWID",
  "CREATE TABLE changes (conversation_id TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
  // What the user has chosen and how they are, each a small JSON text: their profile, and their time online.
  "CREATE TABLE self (what TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
  "CREATE TABLE mine (conversation_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
  `CREATE TABLE contacts (
    user_id TEXT PRIMARY KEY, version INTEGER NOT NULL DEFAULT 0, accepted INTEGER NOT NULL DEFAULT 1
  ) WITHOUT ROWID`,
  "CREATE TABLE subscriptions (device_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
  "CREATE TABLE watchers (user_id TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE TABLE blocked (user_id TEXT PRIMARY KEY) WITHOUT ROWID",
  // `place`: in the order in which they were starred.
  `CREATE TABLE stars (
    conversation_id TEXT NOT NULL, seq INTEGER NOT NULL, place INTEGER NOT NULL, starred_at INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, seq)
  ) WITHOUT ROWID`,
];
/** Contacts of before they had versions. */
const VERSIONS = [
  "ALTER TABLE contacts ADD COLUMN version INTEGER NOT NULL DEFAULT 0",
  "ALTER TABLE contacts ADD COLUMN accepted INTEGER NOT NULL DEFAULT 1",
];

const KEPT = {
  table:
    "CREATE TABLE IF NOT EXISTS kept (device_id TEXT PRIMARY KEY, position INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
  read: "SELECT device_id AS id, position, at FROM kept",
  write: "INSERT INTO kept VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET position = ?2, at = ?3",
};

const OPEN: Self["privacy"] = {
  lastSeen: "everyone",
  readReceipts: "everyone",
  conversations: "everyone",
  findable: "everyone",
};

type ContactRow = { version: number; accepted: boolean };
/** `starredAt`: epoch ms. */
export type Star = { conversationId: ConversationId; seq: number; place: number; starredAt: number };

/**
 * The rows of one inbox: its devices, the index of what changed, and what its user has set. No index on `position`: reading all of a
 * user's rows at a hello costs a thousandth of what an index entry would cost at every write. An inbox is made by its first write:
 * asking one that nobody has leaves nothing behind.
 */
export class InboxStore {
  private readonly sql: SqlStorage;
  private readonly newEpoch: () => string;
  private known: { epoch: string } | undefined;
  /** The highest position; durable, because it is that of a row. */
  top = 0;
  /** What the rows say, read once: this object is their only writer, and every message asks. */
  private readonly positions = new Map<ConversationId, number>();
  private readonly devices = new Map<DeviceId, { revoked: boolean }>();
  private selfRows: Map<string, unknown> | undefined;
  private mineRows: Map<ConversationId, Mine> | undefined;
  private contactRows: Map<UserId, ContactRow> | undefined;
  private blockedRows: Set<UserId> | undefined;
  private subscriptionRows: Map<DeviceId, Subscription> | undefined;
  private keptRows: Map<DeviceId, Kept> | undefined;
  private watcherRows: Map<UserId, number> | undefined;
  /** The stars of each conversation, by seq. */
  private starRows: Map<ConversationId, Map<number, Star>> | undefined;

  constructor(sql: SqlStorage, newEpoch: () => string) {
    this.sql = sql;
    this.newEpoch = newEpoch;
    const query = "SELECT name, sql FROM sqlite_master WHERE type = 'table'";
    const tables = new Map(
      sql
        .exec<{ name: string; sql: string }>(query)
        .toArray()
        .map((table) => [table.name, table.sql]),
    );
    if (!tables.has("facts")) return;
    this.upgrade(tables);
    this.read();
  }

  /** `tables`: how each was made. */
  private upgrade(tables: ReadonlyMap<string, string>): void {
    if (!tables.has("stars")) this.createMissing();
    if (tables.get("contacts")?.includes("version") === false) for (const change of VERSIONS) this.sql.exec(change);
  }

  private createMissing(): void {
    for (const table of SCHEMA) this.sql.exec(table.replace("TABLE", "TABLE IF NOT EXISTS"));
  }

  /** Few statements, for a storm wakes thousands of inboxes at once. */
  private read(): void {
    const query = "SELECT epoch, (SELECT coalesce(max(position), 0) FROM changes) AS top FROM facts";
    const { epoch, top } = this.sql.exec<{ epoch: string; top: number }>(query).one();
    this.known = { epoch };
    this.top = top;
    const devices = "SELECT device_id AS id, revoked_at NOT NULL AS revoked FROM devices";
    for (const { id, revoked } of this.sql.exec<{ id: DeviceId; revoked: number }>(devices).toArray())
      this.devices.set(id, { revoked: revoked === 1 });
  }

  get epoch(): string {
    return this.known?.epoch ?? this.make();
  }

  /** The first write makes the inbox. */
  private make(): string {
    const epoch = this.newEpoch();
    this.createMissing();
    this.sql.exec("INSERT INTO facts VALUES (1, ?)", epoch);
    this.known = { epoch };
    return epoch;
  }

  private write(query: string, ...values: (string | number | null)[]): void {
    if (!this.known) this.make();
    this.sql.exec(query, ...values);
  }

  private rows<T extends Record<string, SqlStorageValue>>(query: string, ...values: (string | number)[]): T[] {
    return this.known ? this.sql.exec<T>(query, ...values).toArray() : [];
  }

  // --- the index ---

  position(conversationId: ConversationId): number | undefined {
    const known = this.positions.get(conversationId);
    if (known !== undefined) return known;
    const query = "SELECT position FROM changes WHERE conversation_id = ?";
    const [row] = this.rows<{ position: number }>(query, conversationId);
    if (row) this.positions.set(conversationId, row.position);
    return row?.position;
  }

  /** Moves the conversation's row to the top of the index. */
  touch(conversationId: ConversationId): void {
    const position = this.top + 1;
    this.write("INSERT INTO changes VALUES (?1, ?2) ON CONFLICT DO UPDATE SET position = ?2", conversationId, position);
    this.top = position;
    this.positions.set(conversationId, position);
  }

  changedPast(position: number): ChangedRow[] {
    if (position >= this.top) return []; // most who reconnect in a storm
    const query =
      "SELECT conversation_id AS conversationId, position FROM changes WHERE position > ? ORDER BY position";
    return this.rows<ChangedRow>(query, position);
  }

  /** The `limit` rows below `position`, highest first. */
  newestBelow(position: number, limit: number): ChangedRow[] {
    const query =
      "SELECT conversation_id AS conversationId, position FROM changes WHERE position < ? ORDER BY position DESC LIMIT ?";
    return this.rows<ChangedRow>(query, position, limit);
  }

  /** The next `limit` conversations in the order of their ids. */
  conversationsAfter(id: ConversationId | "", limit: number): ConversationId[] {
    const query =
      "SELECT conversation_id AS id FROM changes WHERE conversation_id > ? ORDER BY conversation_id LIMIT ?";
    return this.rows<{ id: ConversationId }>(query, id, limit).map((row) => row.id);
  }

  // --- devices ---

  /** Remembers a device from its first hello on; writes nothing for one that is known. */
  addDevice(deviceId: DeviceId): void {
    if (this.devices.has(deviceId)) return;
    this.write("INSERT INTO devices VALUES (?, NULL)", deviceId);
    this.devices.set(deviceId, { revoked: false });
  }

  revokeDevice(deviceId: DeviceId, now: number): void {
    if (this.isRevoked(deviceId)) return;
    this.write("INSERT INTO devices VALUES (?1, ?2) ON CONFLICT DO UPDATE SET revoked_at = ?2", deviceId, now);
    this.devices.set(deviceId, { revoked: true });
    this.dropSubscription(deviceId);
  }

  isRevoked(deviceId: DeviceId): boolean {
    return this.erasure !== undefined || this.devices.get(deviceId)?.revoked === true;
  }

  /** Those that are not revoked. */
  deviceIds(): DeviceId[] {
    return [...this.devices].flatMap(([id, { revoked }]) => (revoked ? [] : id));
  }

  private keptAll(): Map<DeviceId, Kept> {
    const query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'kept'";
    const rows = this.keptRows || this.rows(query).length === 0 ? [] : this.rows<Kept & { id: DeviceId }>(KEPT.read);
    this.keptRows ??= new Map(rows.map(({ id, position, at }) => [id, { position, at }]));
    return this.keptRows;
  }

  /** Up to where a device that is not connected has everything; undefined: that was never written down. */
  kept(deviceId: DeviceId): Kept | undefined {
    return this.keptAll().get(deviceId);
  }

  /** The table is made for the deployments that need it. */
  putKept(deviceId: DeviceId, { position, at }: Kept): void {
    this.keptAll().set(deviceId, { position, at });
    this.write(KEPT.table);
    this.write(KEPT.write, deviceId, position, at);
  }

  /** How many devices the user has ever had: it only grows. */
  deviceCount(): number {
    return this.devices.size;
  }

  /** Whether some device of the user is not among these, and so could miss what these are told. */
  hasDeviceBeside(deviceIds: ReadonlySet<DeviceId>): boolean {
    for (const [id, { revoked }] of this.devices) if (!revoked && !deviceIds.has(id)) return true;
    return false;
  }

  // --- what the user has set ---

  private self(): Map<string, unknown> {
    this.selfRows ??= new Map(
      this.rows<{ what: string; body: string }>("SELECT * FROM self").map(({ what, body }) => [what, JSON.parse(body)]),
    );
    return this.selfRows;
  }

  private putSelf(what: string, value: unknown): void {
    this.write("INSERT INTO self VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = ?2", what, JSON.stringify(value));
    this.self().set(what, value);
  }

  get privacy(): Self["privacy"] {
    return { ...OPEN, ...(this.self().get("profile") as Self | undefined)?.privacy };
  }

  /** False for one that is older than what is known. */
  setProfile(profile: Self, version: number): boolean {
    const known = this.self().get("profile") as { version?: number } | undefined;
    if (version < (known?.version ?? 0)) return false;
    this.putSelf("profile", { ...profile, version });
    return true;
  }

  get session(): Session {
    return (this.self().get("session") as Session | undefined) ?? NO_SESSION;
  }

  /** Whose inbox this is; not known before they were online for the first time. */
  get userId(): UserId | undefined {
    return (this.self().get("session") as { userId?: UserId } | undefined)?.userId;
  }

  setSession(session: Session, userId: UserId): void {
    this.putSelf("session", { ...session, userId });
  }

  // --- erasure ---

  /** Undefined unless this user is being erased. */
  get erasure(): Plan | undefined {
    return this.self().get("erasure") as Plan | undefined;
  }

  setErasure(plan: Plan): void {
    this.putSelf("erasure", plan);
  }

  /** Rows of all tables. */
  rowCount(): number {
    const tables = this.rows<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
    );
    const count = (table: string) => this.rows<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)[0]?.n ?? 0;
    return tables.reduce((sum, { name }) => sum + count(name), 0);
  }

  /** The storage was emptied: it is as if this inbox had never been made. */
  forgetAll(): void {
    this.known = undefined;
    this.top = 0;
    this.positions.clear();
    this.devices.clear();
    this.selfRows = this.mineRows = this.contactRows = this.blockedRows = undefined;
    this.subscriptionRows = this.watcherRows = this.starRows = this.keptRows = undefined;
  }

  private mineAll(): Map<ConversationId, Mine> {
    this.mineRows ??= new Map(
      this.rows<{ id: ConversationId; body: string }>("SELECT conversation_id AS id, body FROM mine").map((row) => [
        row.id,
        JSON.parse(row.body) as Mine,
      ]),
    );
    return this.mineRows;
  }

  mine(conversationId: ConversationId): Mine {
    return this.mineAll().get(conversationId) ?? NOT_MUTED;
  }

  setMine(conversationId: ConversationId, mine: Mine): void {
    const query = "INSERT INTO mine VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = ?2";
    this.write(query, conversationId, JSON.stringify(mine));
    this.mineAll().set(conversationId, mine);
  }

  private contacts(): Map<UserId, ContactRow> {
    this.contactRows ??= new Map(
      this.rows<{ id: UserId; version: number; accepted: number }>(
        "SELECT user_id AS id, version, accepted FROM contacts",
      ).map(({ id, version, accepted }) => [id, { version, accepted: accepted === 1 }]),
    );
    return this.contactRows;
  }

  isContact(userId: UserId): boolean {
    return this.contacts().get(userId)?.accepted === true;
  }

  /** False for what is older than what is known. Who was a contact keeps a row, so that what is told late is known to be old. */
  setContact(userId: UserId, accepted: boolean, version: number): boolean {
    const known = this.contacts().get(userId);
    if (known && version < known.version) return false;
    if ((known?.accepted === true) === accepted) return true;
    const query = "INSERT INTO contacts VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET version = ?2, accepted = ?3";
    this.write(query, userId, version, accepted ? 1 : 0);
    this.contacts().set(userId, { version, accepted });
    return true;
  }

  /** Of somebody who is erased nothing is kept. */
  dropContact(userId: UserId): void {
    if (this.contacts().delete(userId)) this.write("DELETE FROM contacts WHERE user_id = ?", userId);
  }

  private blocked(): Set<UserId> {
    this.blockedRows ??= new Set(this.rows<{ id: UserId }>("SELECT user_id AS id FROM blocked").map(({ id }) => id));
    return this.blockedRows;
  }

  isBlocked(userId: UserId): boolean {
    return this.blocked().has(userId);
  }

  setBlocked(userId: UserId, blocked: boolean): void {
    if (this.isBlocked(userId) === blocked) return;
    this.write(blocked ? "INSERT INTO blocked VALUES (?)" : "DELETE FROM blocked WHERE user_id = ?", userId);
    if (blocked) this.blocked().add(userId);
    else this.blocked().delete(userId);
  }

  // --- stars ---

  private starMap(): Map<ConversationId, Map<number, Star>> {
    if (this.starRows) return this.starRows;
    const query = "SELECT conversation_id AS conversationId, seq, place, starred_at AS starredAt FROM stars";
    this.starRows = new Map();
    for (const star of this.rows<Star>(query)) this.keepStar(this.starRows, star);
    return this.starRows;
  }

  private keepStar(stars: Map<ConversationId, Map<number, Star>>, star: Star): void {
    const others = stars.get(star.conversationId) ?? new Map<number, Star>();
    stars.set(star.conversationId, others.set(star.seq, star));
  }

  /** All of them, the newest first. */
  stars(): Star[] {
    const all = [...this.starMap().values()].flatMap((stars) => [...stars.values()]);
    return all.sort((a, b) => b.place - a.place);
  }

  /** The seqs that are starred in a conversation, ascending. */
  starredIn(conversationId: ConversationId): number[] {
    return [...(this.starMap().get(conversationId)?.keys() ?? [])].sort((a, b) => a - b);
  }

  putStar(conversationId: ConversationId, seq: number, now: number): void {
    const star = { conversationId, seq, place: (this.stars()[0]?.place ?? 0) + 1, starredAt: now };
    this.write("INSERT INTO stars VALUES (?, ?, ?, ?)", conversationId, seq, star.place, now);
    this.keepStar(this.starMap(), star);
  }

  dropStar(conversationId: ConversationId, seq: number): void {
    this.write("DELETE FROM stars WHERE conversation_id = ? AND seq = ?", conversationId, seq);
    this.starMap().get(conversationId)?.delete(seq);
  }

  // --- where to push, and who watches ---

  subscriptions(): ReadonlyMap<DeviceId, Subscription> {
    return this.subscriptionMap();
  }

  private subscriptionMap(): Map<DeviceId, Subscription> {
    this.subscriptionRows ??= new Map(
      this.rows<{ id: DeviceId; body: string }>("SELECT device_id AS id, body FROM subscriptions").map((row) => [
        row.id,
        JSON.parse(row.body) as Subscription,
      ]),
    );
    return this.subscriptionRows;
  }

  putSubscription(deviceId: DeviceId, subscription: Subscription): void {
    const query = "INSERT INTO subscriptions VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = ?2";
    this.write(query, deviceId, JSON.stringify(subscription));
    this.subscriptionMap().set(deviceId, subscription);
  }

  /** Whether all conversations have been asked to call again since there are subscriptions. */
  get isRinging(): boolean {
    return this.self().get("ringing") === true;
  }

  setRinging(ringing: boolean): void {
    if (this.isRinging !== ringing) this.putSelf("ringing", ringing);
    if (this.asking !== null) this.setAsking(null);
  }

  /** What is left of asking them; null: nothing. */
  get asking(): Asking | null {
    return (this.self().get("asking") as Asking | null | undefined) ?? null;
  }

  setAsking(asking: Asking | null): void {
    this.putSelf("asking", asking);
  }

  dropSubscription(deviceId: DeviceId): void {
    if (!this.subscriptionMap().delete(deviceId)) return;
    this.write("DELETE FROM subscriptions WHERE device_id = ?", deviceId);
    if (this.subscriptionMap().size === 0) this.setRinging(false);
  }

  private watchers(): Map<UserId, number> {
    this.watcherRows ??= new Map(
      this.rows<{ id: UserId; until: number }>("SELECT user_id AS id, until FROM watchers").map((row) => [
        row.id,
        row.until,
      ]),
    );
    return this.watcherRows;
  }

  /** Who watches at this time. */
  watchersAt(now: number): UserId[] {
    return [...this.watchers()].filter(([, until]) => until > now).map(([userId]) => userId);
  }

  dropWatcher(userId: UserId): void {
    if (!this.watchers().delete(userId)) return;
    if (this.known) this.write("DELETE FROM watchers WHERE user_id = ?", userId);
  }

  /** Keeps a lease until then (epoch ms), and lets go of those that ran out. In memory alone as long as the inbox was not made. */
  addWatcher(userId: UserId, until: number, now: number): void {
    for (const [id, ends] of [...this.watchers()]) {
      if (ends > now || id === userId) continue;
      if (this.known) this.write("DELETE FROM watchers WHERE user_id = ?", id);
      this.watchers().delete(id);
    }
    const query = "INSERT INTO watchers VALUES (?1, ?2) ON CONFLICT DO UPDATE SET until = ?2";
    if (this.known) this.write(query, userId, until);
    this.watchers().set(userId, until);
  }
}
