import { isNewKey } from "../domain/append.ts";
import type { DeviceId, IdempotencyKey } from "../protocol/ids.ts";
import type { Checkpoint } from "../storage/checkpoint-store.ts";
import type { LogStore } from "../storage/log-store.ts";

/** Devices whose newest key the checkpoint holds; it is one row, which has a size. */
const KEYS_KEPT = 4_096;

/** [EO-5] Each device's newest key: what the checkpoint holds and the log has since. Of a device that was forgotten for so many others the log still knows. */
export class NewestKeys {
  private readonly log: LogStore;
  private readonly checkpoint: Checkpoint;
  private readonly keys: Map<DeviceId, IdempotencyKey>;

  constructor(log: LogStore, checkpoint: Checkpoint) {
    this.log = log;
    this.checkpoint = checkpoint;
    this.keys = new Map([...checkpoint.newestKeys, ...log.keysPast(checkpoint.delivered)]);
  }

  /** Whether nothing was appended under this key yet. */
  isNew(deviceId: DeviceId, key: IdempotencyKey): boolean {
    const known = this.keys.get(deviceId);
    return isNewKey(known || this.checkpoint.allKeys ? known : this.log.newestKeyOf(deviceId), key);
  }

  put(deviceId: DeviceId, key: IdempotencyKey): void {
    this.keys.delete(deviceId); // the map's order is that of their last sends
    this.keys.set(deviceId, key);
  }

  drop(deviceId: DeviceId): void {
    this.keys.delete(deviceId);
  }

  /** Puts into the checkpoint those that there is room for: the devices that sent last. */
  checkIn(): void {
    const surplus = Math.max(0, this.keys.size - KEYS_KEPT);
    for (const deviceId of [...this.keys.keys()].slice(0, surplus)) this.keys.delete(deviceId);
    this.checkpoint.allKeys &&= surplus === 0;
    this.checkpoint.newestKeys = [...this.keys];
  }
}
