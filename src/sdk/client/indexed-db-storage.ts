import type { Storage, Store, Value } from "./storage.ts";

/** As much of the browser's own as is used; the rest of the repository is typed without one. */
type Request<T> = { readonly result: T; readonly error: unknown; onsuccess: unknown; onerror: unknown };
type Table = {
  getAllKeys(range: Range): Request<unknown[]>;
  getAll(range: Range): Request<Value[]>;
  put(value: Value, key: string): unknown;
  delete(key: string): unknown;
  clear(): unknown;
};
type Transaction = {
  readonly error: unknown;
  oncomplete: unknown;
  onabort: unknown;
  objectStore(name: string): Table;
  abort(): void;
};
type Database = {
  onversionchange: unknown;
  createObjectStore(name: string): unknown;
  transaction(name: string, mode?: "readwrite", options?: { durability: "strict" }): Transaction;
  close(): void;
};
type Range = { readonly lower: string };
declare const indexedDB: { open(name: string, version: number): Request<Database> & { onupgradeneeded: unknown } };
declare const IDBKeyRange: { bound(from: string, to: string): Range };

const TABLE = "kept";
const LAST = "\uffff";

const answer = <T>(request: Request<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Keeps everything in a browser's IndexedDB, a database for each store. */
export const indexedDbStorage = (): Storage => ({ open });

/** The store of this name, in a database of its own. */
async function open(name: string): Promise<Store> {
  const opening = indexedDB.open(`edgewise.${name}`, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
  const database = await answer(opening);
  database.onversionchange = () => database.close(); // another tab deletes it, or opens a newer one
  const change = (act: (table: Table) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      const transaction = database.transaction(TABLE, "readwrite", { durability: "strict" }); // [CL-40]
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
      try {
        act(transaction.objectStore(TABLE));
      } catch (error) {
        transaction.abort(); // what cannot be cloned throws at once, and what came before it would stay
        reject(error);
      }
    });
  return {
    async read(prefix) {
      const range = IDBKeyRange.bound(prefix, prefix + LAST);
      const table = database.transaction(TABLE).objectStore(TABLE);
      const [keys, values] = await Promise.all([answer(table.getAllKeys(range)), answer(table.getAll(range))]);
      return keys.map((key, i) => [String(key), values[i]] as const);
    },
    write: (batch) =>
      change((table) => {
        for (const { key, value } of batch) value === undefined ? table.delete(key) : table.put(value, key);
      }),
    clear: () => change((table) => table.clear()),
    close: async () => database.close(),
  };
}
