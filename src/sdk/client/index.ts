/** `@edgewise/sdk`: what an app imports. */

export type * from "./api.ts";
export { createClient } from "./client.ts";
export { EdgewiseError, isRetryable } from "./errors.ts";
export { indexedDbStorage } from "./indexed-db-storage.ts";
export { memoryStorage } from "./memory-storage.ts";
export type { Storage, Store, Value, Write } from "./storage.ts";
export type * as Wire from "./wire.ts";
export type { DoorName, Doors, ErrorCode } from "./wire.ts";
