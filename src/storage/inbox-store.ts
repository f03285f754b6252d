import type { Plan } from "../domain/erasure.ts";
import { NO_SESSION, type Session } from "../domain/presence.ts";
import type { Subscription } from "../domain/push.ts";
import { NOT_MUTED } from "../domain/ringing.ts";
import type { ConversationId, DeviceId, UserId } from "../protocol/ids.ts";
import type { Mine, Self } from "../protocol/states.ts";

export type ChangedRow = { conversationId: ConversationId; position: number };

// Plain rowid or WITHOUT ROWID tables and no index: a write is billed once a row and once more an index entry.
const SCHEMA = [
  "CREATE TABLE facts (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL)",
  "CREATE TABLE devices (device_id TEXT PRIMARY KEY, revoked_at INTEGER) WITHOUT ROWID",
  "CREATE TABLE changes (conversation_id TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
  // What the user has chosen and how they are, each a small JSON text: their profile, and their time online.
  "CREATE TABLE self (what TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
  "CREATE TABLE mine (conversation_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
  "CREATE TABLE contacts (user_id TEXT PRIMARY KEY) WITHOUT ROWID",
  "CREATE TABLE subscriptions (device_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
  "CREATE TABLE watchers (user_id TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE TABLE blocked (user_id TEXT PRIMARY KEY) WITHOUT ROWID",
];

const TABLES = SCHEMA.map((table) => table.split(" ")[2] as string);

const DEFAULT_SELF: Pick<Self, "privacy"> = { privacy: { lastSeen: "everyone", readReceipts: "everyone" } };

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
  private contactRows: Set<UserId> | undefined;
  private blockedRows: Set<UserId> | undefined;
  private subscriptionRows: Map<DeviceId, Subscription> | undefined;
  private watcherRows: Map<UserId, number> | undefined;

  constructor(sql: SqlStorage, newEpoch: () => string) {
    this.sql = sql;
    this.newEpoch = newEpoch;
    const tables = sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").toArray();
    if (!tables.some(({ name }) => name === "facts")) return;
    if (!tables.some(({ name }) => name === "blocked")) this.createMissing();
    this.read();
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
    return ((this.self().get("profile") as Self | undefined) ?? DEFAULT_SELF).privacy;
  }

  setProfile(self: Self): void {
    this.putSelf("profile", self);
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
    const count = (table: string) => this.rows<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)[0]?.n ?? 0;
    return TABLES.reduce((sum, table) => sum + count(table), 0);
  }

  /** The storage was emptied: it is as if this inbox had never been made. */
  forgetAll(): void {
    this.known = undefined;
    this.top = 0;
    this.positions.clear();
    this.devices.clear();
    this.selfRows = this.mineRows = this.contactRows = this.blockedRows = undefined;
    this.subscriptionRows = this.watcherRows = undefined;
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

  private contacts(): Set<UserId> {
    this.contactRows ??= new Set(this.rows<{ id: UserId }>("SELECT user_id AS id FROM contacts").map(({ id }) => id));
    return this.contactRows;
  }

  isContact(userId: UserId): boolean {
    return this.contacts().has(userId);
  }

  setContact(userId: UserId, accepted: boolean): void {
    if (this.isContact(userId) === accepted) return;
    this.write(accepted ? "INSERT INTO contacts VALUES (?)" : "DELETE FROM contacts WHERE user_id = ?", userId);
    if (accepted) this.contacts().add(userId);
    else this.contacts().delete(userId);
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
