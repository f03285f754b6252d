import type { Storage } from "./storage.ts";

/** Keeps everything in a browser's IndexedDB, a database for each store. Its code is loaded where it is used: Node has none. */
export const indexedDbStorage = (): Storage => ({
  open: async (name) => (await import("./indexed-db-store.ts")).openIndexedDb(name),
});
