import type { DeviceId } from "../src/protocol/ids.ts";

/** This tab is the one that is this device, until `release`, or until another tab takes it over. */
export type Held = { readonly release: () => void };

/**
 * [CL-27] One tab at a time is a device: two would write over each other's state and close each other's sockets. Null: another tab is it.
 * `takeOver` makes this one it all the same; the other is told through its `onLost`.
 */
export function holdDevice(deviceId: DeviceId, takeOver: boolean, onLost: () => void): Promise<Held | null> {
  if (!("locks" in navigator)) return Promise.resolve({ release: () => {} }); // not a secure context: the server's 4002 must do
  return new Promise((resolve) => {
    const held = (lock: Lock | null): Promise<void> | undefined => {
      if (lock) return new Promise((release) => resolve({ release }));
      resolve(null);
      return undefined;
    };
    const how = takeOver ? { steal: true } : { ifAvailable: true };
    navigator.locks.request(`edgewise.${deviceId}`, how, held).catch(onLost); // rejects when the lock is stolen
  });
}
