import type { Kept } from "../domain/forgetting.ts";
import type { DeviceId } from "../protocol/ids.ts";
import type { InboxRows } from "./inbox-rows.ts";

const TABLE =
  "CREATE TABLE IF NOT EXISTS kept (device_id TEXT PRIMARY KEY, position INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID";

/** Up to where a user's devices that are not connected have everything. The table is made for the deployments that need it. */
export class KeptStore {
  private readonly rows: InboxRows;
  private readonly held;

  constructor(rows: InboxRows) {
    this.rows = rows;
    this.held = rows.hold(() => {
      const query = "SELECT device_id AS id, position, at FROM kept";
      const all = rows.has("kept") ? rows.read<Kept & { id: DeviceId }>(query) : [];
      return new Map(all.map(({ id, position, at }) => [id, { position, at }]));
    });
  }

  /** Undefined: that was never written down. */
  of(deviceId: DeviceId): Kept | undefined {
    return this.held.value.get(deviceId);
  }

  put(deviceId: DeviceId, { position, at }: Kept): void {
    this.held.value.set(deviceId, { position, at });
    this.rows.write(TABLE);
    const query = "INSERT INTO kept VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET position = ?2, at = ?3";
    this.rows.write(query, deviceId, position, at);
  }
}
