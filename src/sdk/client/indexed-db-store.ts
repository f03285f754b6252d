import { openDB } from "idb";
import type { Store } from "./storage.ts";

/** The browser's own; the rest of the repository is typed without one. */
declare const IDBKeyRange: { bound(from: string, to: string): never };

const TABLE = "kept";
const LAST = "\uffff";

/** The store of this name, in a database of its own. */
export async function openIndexedDb(name: string): Promise<Store> {
  const database = await openDB(`edgewise.${name}`, 1, {
    upgrade: (opened) => void opened.createObjectStore(TABLE),
    blocking: (_now, _wanted, event) => (event.target as unknown as { close(): void }).close(),
  });
  return {
    async read(prefix) {
      const range = IDBKeyRange.bound(prefix, prefix + LAST);
      const { store } = database.transaction(TABLE);
      const [keys, values] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
      return keys.map((key, i) => [String(key), values[i]] as const);
    },
    async write(batch) {
      const transaction = database.transaction(TABLE, "readwrite", { durability: "strict" }); // [CL-40]
      const { store, done } = transaction;
      try {
        for (const { key, value } of batch)
          (value === undefined ? store.delete(key) : store.put(value, key)).catch(() => {}); // `done` tells it, too
      } catch (error) {
        done.catch(() => {});
        transaction.abort(); // what cannot be cloned throws at once, and what came before it would stay
        throw error;
      }
      await done;
    },
    clear: () => database.clear(TABLE),
    close: async () => database.close(),
  };
}
