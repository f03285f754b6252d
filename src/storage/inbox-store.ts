import type { ConversationId, DeviceId } from "../protocol/ids.ts";

export type ChangedRow = { conversationId: ConversationId; position: number };

const SCHEMA = `
  CREATE TABLE facts (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL);
  CREATE TABLE devices (device_id TEXT PRIMARY KEY, revoked_at INTEGER) WITHOUT ROWID;
  CREATE TABLE changes (conversation_id TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
`;

/**
 * The rows of one inbox: its devices, and the index of what changed. No index on `position`: reading all of a user's rows at a hello
 * costs a thousandth of what an index entry would cost at every write.
 */
export class InboxStore {
  private readonly sql: SqlStorage;
  readonly epoch: string;
  /** The highest position; durable, because it is that of a row. */
  top: number;
  /** What the rows say, read once: this object is their only writer, and every message asks. */
  private readonly positions = new Map<ConversationId, number>();
  private readonly devices: Map<DeviceId, { revoked: boolean }>;

  constructor(sql: SqlStorage, newEpoch: () => string) {
    this.sql = sql;
    const known = this.facts();
    if (!known) {
      sql.exec(SCHEMA);
      sql.exec("INSERT INTO facts VALUES (1, ?)", newEpoch());
    }
    const { epoch, top } = known ?? (this.facts() as { epoch: string; top: number });
    this.epoch = epoch;
    this.top = top;
    const devices = sql.exec<{ id: DeviceId; revoked: number }>(
      "SELECT device_id AS id, revoked_at NOT NULL AS revoked FROM devices",
    );
    this.devices = new Map(devices.toArray().map(({ id, revoked }) => [id, { revoked: revoked === 1 }]));
  }

  /** Undefined for an inbox that is new. Few statements, for a storm wakes thousands of inboxes at once. */
  private facts(): { epoch: string; top: number } | undefined {
    const made =
      this.sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'facts'").toArray().length > 0;
    const query = "SELECT epoch, (SELECT coalesce(max(position), 0) FROM changes) AS top FROM facts";
    return made ? this.sql.exec<{ epoch: string; top: number }>(query).one() : undefined;
  }

  position(conversationId: ConversationId): number | undefined {
    const known = this.positions.get(conversationId);
    if (known !== undefined) return known;
    const query = "SELECT position FROM changes WHERE conversation_id = ?";
    const [row] = this.sql.exec<{ position: number }>(query, conversationId).toArray();
    if (row) this.positions.set(conversationId, row.position);
    return row?.position;
  }

  /** Moves the conversation's row to the top of the index. */
  touch(conversationId: ConversationId): void {
    const position = this.top + 1;
    this.sql.exec(
      "INSERT INTO changes VALUES (?1, ?2) ON CONFLICT DO UPDATE SET position = ?2",
      conversationId,
      position,
    );
    this.top = position;
    this.positions.set(conversationId, position);
  }

  changedPast(position: number): ChangedRow[] {
    if (position >= this.top) return []; // most who reconnect in a storm
    const query =
      "SELECT conversation_id AS conversationId, position FROM changes WHERE position > ? ORDER BY position";
    return this.sql.exec<ChangedRow>(query, position).toArray();
  }

  /** The `limit` rows below `position`, highest first. */
  newestBelow(position: number, limit: number): ChangedRow[] {
    const query =
      "SELECT conversation_id AS conversationId, position FROM changes WHERE position < ? ORDER BY position DESC LIMIT ?";
    return this.sql.exec<ChangedRow>(query, position, limit).toArray();
  }

  /** Remembers a device from its first hello on; writes nothing for one that is known. */
  addDevice(deviceId: DeviceId): void {
    if (this.devices.has(deviceId)) return;
    this.sql.exec("INSERT INTO devices VALUES (?, NULL)", deviceId);
    this.devices.set(deviceId, { revoked: false });
  }

  revokeDevice(deviceId: DeviceId, now: number): void {
    if (this.isRevoked(deviceId)) return;
    this.sql.exec("INSERT INTO devices VALUES (?1, ?2) ON CONFLICT DO UPDATE SET revoked_at = ?2", deviceId, now);
    this.devices.set(deviceId, { revoked: true });
  }

  isRevoked(deviceId: DeviceId): boolean {
    return this.devices.get(deviceId)?.revoked === true;
  }

  /** How many devices the user has ever had: it only grows. */
  deviceCount(): number {
    return this.devices.size;
  }

  /** Whether some other device of the user could miss what this one did. */
  hasOtherDevice(deviceId: DeviceId): boolean {
    for (const [id, { revoked }] of this.devices) if (id !== deviceId && !revoked) return true;
    return false;
  }
}
