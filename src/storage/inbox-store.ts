import type { ConversationId, DeviceId } from "../protocol/ids.ts";

export type ChangedRow = { conversationId: ConversationId; position: number };

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS facts (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS devices (device_id TEXT PRIMARY KEY, revoked_at INTEGER) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS changes (conversation_id TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
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

  constructor(sql: SqlStorage, newEpoch: () => string) {
    this.sql = sql;
    sql.exec(SCHEMA);
    const [row] = sql.exec<{ epoch: string }>("SELECT epoch FROM facts").toArray();
    this.epoch = row?.epoch ?? newEpoch();
    if (!row) sql.exec("INSERT INTO facts VALUES (1, ?)", this.epoch);
    this.top = sql.exec<{ top: number }>("SELECT coalesce(max(position), 0) AS top FROM changes").one().top;
  }

  position(conversationId: ConversationId): number | undefined {
    const query = "SELECT position FROM changes WHERE conversation_id = ?";
    return this.sql.exec<{ position: number }>(query, conversationId).toArray()[0]?.position;
  }

  /** Moves the conversation's row to the top of the index. */
  touch(conversationId: ConversationId): void {
    this.top += 1;
    this.sql.exec(
      "INSERT INTO changes VALUES (?1, ?2) ON CONFLICT DO UPDATE SET position = ?2",
      conversationId,
      this.top,
    );
  }

  changedPast(position: number): ChangedRow[] {
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
    this.sql.exec("INSERT INTO devices VALUES (?, NULL) ON CONFLICT DO NOTHING", deviceId);
  }

  revokeDevice(deviceId: DeviceId, now: number): void {
    this.sql.exec(
      "INSERT INTO devices VALUES (?1, ?2) ON CONFLICT DO UPDATE SET revoked_at = ?2 WHERE revoked_at IS NULL",
      deviceId,
      now,
    );
  }

  isRevoked(deviceId: DeviceId): boolean {
    return (
      this.sql.exec("SELECT 1 FROM devices WHERE device_id = ? AND revoked_at NOT NULL", deviceId).toArray().length > 0
    );
  }

  /** How many devices the user has ever had: it only grows. */
  deviceCount(): number {
    return this.sql.exec<{ n: number }>("SELECT count(*) AS n FROM devices").one().n;
  }

  /** Whether some other device of the user could miss what this one did. */
  hasOtherDevice(deviceId: DeviceId): boolean {
    const query = "SELECT 1 FROM devices WHERE device_id <> ? AND revoked_at IS NULL LIMIT 1";
    return this.sql.exec(query, deviceId).toArray().length > 0;
  }
}
