import type { DeviceId, IdempotencyKey } from "../protocol/ids.ts";

/** Frames that were on the wire when a send failed arrive within this time; a device that gives the wish up waits as long. Ms. */
export const HOLD_MS = 30_000;

/**
 * Per device the wish that must come again first, and until when newer ones must not pass it (epoch ms). `refused`: it is the oldest of
 * those that were held up, and no more the one that failed.
 */
export type Holds = ReadonlyMap<DeviceId, { key: IdempotencyKey; until: number; refused: boolean }>;

type Wish = { deviceId: DeviceId; idempotencyKey: IdempotencyKey };

/** [SD-2] A wish may not overtake one of the same device that failed: it waits until the device, which knows, sends that one again. */
export function mayPass(holds: Holds, { deviceId, idempotencyKey }: Wish, now: number): boolean {
  const hold = holds.get(deviceId);
  return hold === undefined || now >= hold.until || idempotencyKey <= hold.key;
}

/** After these failed: each device is held at its oldest. */
export function holdAt(holds: Holds, failed: readonly Wish[], now: number): Holds {
  const next = new Map([...holds].filter(([, hold]) => hold.until > now));
  for (const { deviceId, idempotencyKey } of failed) {
    const held = next.get(deviceId);
    const key = held && held.key < idempotencyKey ? held.key : idempotencyKey;
    next.set(deviceId, { key, until: now + HOLD_MS, refused: false });
  }
  return next;
}

/**
 * This one was held up. The device may never repeat the one that failed, for it may have seen it in the log: but it will repeat this one
 * first, so from now on what comes behind waits for this one.
 */
export function refuseAt(holds: Holds, { deviceId, idempotencyKey }: Wish, now: number): Holds {
  if (holds.get(deviceId)?.refused) return holds;
  return new Map(holds).set(deviceId, { key: idempotencyKey, until: now + HOLD_MS, refused: true });
}

/** The device has sent its oldest open wish (or an older one) again: what follows it follows in order. */
export function releaseAt(holds: Holds, { deviceId, idempotencyKey }: Wish): Holds {
  const hold = holds.get(deviceId);
  if (!hold || idempotencyKey > hold.key) return holds;
  const next = new Map(holds);
  next.delete(deviceId);
  return next;
}
