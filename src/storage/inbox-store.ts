import type { Plan } from "../domain/erasure.ts";
import { NO_SESSION, type Session } from "../domain/presence.ts";
import type { Subscription } from "../domain/push.ts";
import { NOT_MUTED } from "../domain/ringing.ts";
import type { ConversationId, DeviceId, UserId } from "../protocol/ids.ts";
import type { Mine, Self } from "../protocol/states.ts";
import { AcquaintanceStore } from "./acquaintance-store.ts";
import { type Held, InboxRows } from "./inbox-rows.ts";
import { KeptStore } from "./kept-store.ts";
import { StarStore } from "./star-store.ts";

/** How far very many conversations have been asked to call again. */
export type Asking = { userId: UserId; after: ConversationId | "" };
export type ChangedRow = { conversationId: ConversationId; position: number };

const OPEN: Self["privacy"] = {
  lastSeen: "everyone",
  readReceipts: "everyone",
  conversations: "everyone",
  findable: "everyone",
  picture: "everyone",
};

/**
 * What one inbox keeps: its devices, the index of what changed, and what its user has set. No index on `position`: reading all of a
 * user's rows at a hello costs a thousandth of what an index entry would cost at every write.
 */
export class InboxStore {
  readonly stars: StarStore;
  readonly people: AcquaintanceStore;
  readonly kept: KeptStore;
  /** The highest position; durable, because it is that of a row. */
  top: number;
  private readonly rows: InboxRows;
  private readonly positions = new Map<ConversationId, number>();
  private readonly devices = new Map<DeviceId, { revoked: boolean }>();
  private readonly self: Held<Map<string, unknown>>;
  private readonly mines: Held<Map<ConversationId, Mine>>;
  private readonly pushes: Held<Map<DeviceId, Subscription>>;

  constructor(sql: SqlStorage, newEpoch: () => string) {
    const rows = new InboxRows(sql, newEpoch);
    this.rows = rows;
    this.top = rows.topFound;
    this.stars = new StarStore(rows);
    this.people = new AcquaintanceStore(rows);
    this.kept = new KeptStore(rows);
    const texts = <K extends string, T>(query: string) =>
      rows.hold(
        () => new Map(rows.read<{ id: K; body: string }>(query).map(({ id, body }) => [id, JSON.parse(body) as T])),
      );
    this.self = texts("SELECT what AS id, body FROM self");
    this.mines = texts("SELECT conversation_id AS id, body FROM mine");
    this.pushes = texts("SELECT device_id AS id, body FROM subscriptions");
    if (rows.isMade) this.readDevices();
  }

  private readDevices(): void {
    const devices = "SELECT device_id AS id, revoked_at NOT NULL AS revoked FROM devices";
    for (const { id, revoked } of this.rows.read<{ id: DeviceId; revoked: number }>(devices))
      this.devices.set(id, { revoked: revoked === 1 });
  }

  get epoch(): string {
    return this.rows.epoch;
  }

  // --- the index ---

  position(conversationId: ConversationId): number | undefined {
    const known = this.positions.get(conversationId);
    if (known !== undefined) return known;
    const query = "SELECT position FROM changes WHERE conversation_id = ?";
    const [row] = this.rows.read<{ position: number }>(query, conversationId);
    if (row) this.positions.set(conversationId, row.position);
    return row?.position;
  }

  /** Conversations of which something was told on live sockets alone, the first first. */
  get toldLive(): readonly ConversationId[] {
    return (this.self.value.get("told") as ConversationId[] | undefined) ?? [];
  }

  setToldLive(ids: readonly ConversationId[]): void {
    this.putSelf("told", ids);
  }

  /** Moves the conversation's row to the top of the index. */
  touch(conversationId: ConversationId): void {
    const position = this.top + 1;
    const query = "INSERT INTO changes VALUES (?1, ?2) ON CONFLICT DO UPDATE SET position = ?2";
    this.rows.write(query, conversationId, position);
    this.top = position;
    this.positions.set(conversationId, position);
  }

  changedPast(position: number): ChangedRow[] {
    if (position >= this.top) return []; // most who reconnect in a storm
    const query =
      "SELECT conversation_id AS conversationId, position FROM changes WHERE position > ? ORDER BY position";
    return this.rows.read<ChangedRow>(query, position);
  }

  /** The `limit` rows below `position`, highest first. */
  newestBelow(position: number, limit: number): ChangedRow[] {
    const query =
      "SELECT conversation_id AS conversationId, position FROM changes WHERE position < ? ORDER BY position DESC LIMIT ?";
    return this.rows.read<ChangedRow>(query, position, limit);
  }

  /** The next `limit` conversations in the order of their ids. */
  conversationsAfter(id: ConversationId | "", limit: number): ConversationId[] {
    const query =
      "SELECT conversation_id AS id FROM changes WHERE conversation_id > ? ORDER BY conversation_id LIMIT ?";
    return this.rows.read<{ id: ConversationId }>(query, id, limit).map((row) => row.id);
  }

  // --- devices ---

  /** Remembers a device from its first hello on; writes nothing for one that is known. */
  addDevice(deviceId: DeviceId): void {
    if (this.devices.has(deviceId)) return;
    this.rows.write("INSERT INTO devices VALUES (?, NULL)", deviceId);
    this.devices.set(deviceId, { revoked: false });
  }

  revokeDevice(deviceId: DeviceId, now: number): void {
    if (this.isRevoked(deviceId)) return;
    const query = "INSERT INTO devices VALUES (?1, ?2) ON CONFLICT DO UPDATE SET revoked_at = ?2";
    this.rows.write(query, deviceId, now);
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

  /** How many devices the user has ever had: it only grows. */
  deviceCount(): number {
    return this.devices.size;
  }

  /** Whether some device of the user is not among these, and so could miss what these are told. */
  hasDeviceBeside(deviceIds: ReadonlySet<DeviceId>): boolean {
    for (const [id, { revoked }] of this.devices) if (!revoked && !deviceIds.has(id)) return true;
    return false;
  }

  // --- what the user has set, and how they are ---

  private putSelf(what: string, value: unknown): void {
    const query = "INSERT INTO self VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = ?2";
    this.rows.write(query, what, JSON.stringify(value));
    this.self.value.set(what, value);
  }

  get privacy(): Self["privacy"] {
    return { ...OPEN, ...(this.self.value.get("profile") as Self | undefined)?.privacy };
  }

  /** False for one that is older than what is known. */
  setProfile(profile: Self, version: number): boolean {
    const known = this.self.value.get("profile") as { version?: number } | undefined;
    if (version < (known?.version ?? 0)) return false;
    this.putSelf("profile", { ...profile, version });
    return true;
  }

  get session(): Session {
    return (this.self.value.get("session") as Session | undefined) ?? NO_SESSION;
  }

  /** Whose inbox this is; not known before they were online for the first time. */
  get userId(): UserId | undefined {
    return (this.self.value.get("session") as { userId?: UserId } | undefined)?.userId;
  }

  setSession(session: Session, userId: UserId): void {
    this.putSelf("session", { ...session, userId });
  }

  mine(conversationId: ConversationId): Mine {
    return this.mines.value.get(conversationId) ?? NOT_MUTED;
  }

  setMine(conversationId: ConversationId, mine: Mine): void {
    const query = "INSERT INTO mine VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = ?2";
    this.rows.write(query, conversationId, JSON.stringify(mine));
    this.mines.value.set(conversationId, mine);
  }

  // --- where to push ---

  subscriptions(): ReadonlyMap<DeviceId, Subscription> {
    return this.pushes.value;
  }

  putSubscription(deviceId: DeviceId, subscription: Subscription): void {
    const query = "INSERT INTO subscriptions VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = ?2";
    this.rows.write(query, deviceId, JSON.stringify(subscription));
    this.pushes.value.set(deviceId, subscription);
  }

  dropSubscription(deviceId: DeviceId): void {
    if (!this.pushes.value.delete(deviceId)) return;
    this.rows.write("DELETE FROM subscriptions WHERE device_id = ?", deviceId);
    if (this.pushes.value.size === 0) this.setRinging(false);
  }

  /** Whether all conversations have been asked to call again since there are subscriptions. */
  get isRinging(): boolean {
    return this.self.value.get("ringing") === true;
  }

  setRinging(ringing: boolean): void {
    if (this.isRinging !== ringing) this.putSelf("ringing", ringing);
    if (this.asking !== null) this.setAsking(null);
  }

  /** What is left of asking them; null: nothing. */
  get asking(): Asking | null {
    return (this.self.value.get("asking") as Asking | null | undefined) ?? null;
  }

  setAsking(asking: Asking | null): void {
    this.putSelf("asking", asking);
  }

  // --- erasure ---

  /** Undefined unless this user is being erased. */
  get erasure(): Plan | undefined {
    return this.self.value.get("erasure") as Plan | undefined;
  }

  setErasure(plan: Plan): void {
    this.putSelf("erasure", plan);
  }

  /** Rows of all tables. */
  rowCount(): number {
    const query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'";
    const count = (table: string) => this.rows.read<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)[0]?.n ?? 0;
    return this.rows.read<{ name: string }>(query).reduce((sum, { name }) => sum + count(name), 0);
  }

  /** The storage was emptied. */
  forgetAll(): void {
    this.rows.forgetAll();
    this.top = 0;
    this.positions.clear();
    this.devices.clear();
  }
}
