import type { Storage, Store, Value, Write } from "./storage.ts";

/** Keeps nothing past the program's end; what was opened by one name is one store. For tests, and where there is no disk. */
export function memoryStorage(): Storage {
  const stores = new Map<string, Map<string, string>>();
  return {
    async open(name) {
      const items = stores.get(name) ?? new Map<string, string>();
      stores.set(name, items);
      return new MemoryStore(items);
    },
  };
}

/** Values are kept as text, so that nobody changes them from outside. */
class MemoryStore implements Store {
  readonly #items: Map<string, string>;

  constructor(items: Map<string, string>) {
    this.#items = items;
  }

  async read(prefix: string): Promise<[string, Value][]> {
    const keys = [...this.#items.keys()].filter((key) => key.startsWith(prefix)).sort();
    return keys.map((key) => [key, JSON.parse(this.#items.get(key) ?? "null")]);
  }

  async write(batch: readonly Write[]): Promise<void> {
    const texts = batch.map(
      ({ key, value }) => [key, value === undefined ? undefined : JSON.stringify(value)] as const,
    );
    for (const [key, text] of texts) {
      if (text === undefined) this.#items.delete(key);
      else this.#items.set(key, text);
    }
  }

  async clear(): Promise<void> {
    this.#items.clear();
  }

  async close(): Promise<void> {}
}
