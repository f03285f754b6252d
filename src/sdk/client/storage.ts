/** Where a device keeps what it has. Three of these are in the box: IndexedDB, a folder (`@edgewise/sdk/node`) and memory. */
export type Storage = {
  /** The store of this name, made where there is none. */
  open(name: string): Promise<Store>;
};

export type Value = unknown;
/** `value` undefined takes the key away. Values are plain JSON. */
export type Write = { readonly key: string; readonly value: Value };

/** Keys and values in the order of the keys. */
export type Store = {
  /** All whose key begins so, in the order of their keys (by UTF-16 units). */
  read(prefix: string): Promise<readonly (readonly [key: string, value: Value])[]>;
  /** [CL-40] All of these or none, durably; later writes of a key win. Batches take effect in the order in which they were given. */
  write(batch: readonly Write[]): Promise<void>;
  /** Takes everything away. */
  clear(): Promise<void>;
  close(): Promise<void>;
};
