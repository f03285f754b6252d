import type { Storage } from "../../../../src/sdk/client/storage.ts";

/** As that one, but logs are given only once `open` is called; what is asked for is written down, and writes are counted. */
export function slow(storage: Storage) {
  const seen = { asked: [] as string[], writes: 0 };
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const slowly: Storage = {
    open: async (name) => {
      const store = await storage.open(name);
      return {
        ...{ clear: () => store.clear(), close: () => store.close() },
        write: (batch) => {
          seen.writes += 1;
          return store.write(batch);
        },
        read: async (prefix) => {
          seen.asked.push(prefix);
          if (prefix === "" || prefix.startsWith("log")) await opened;
          return store.read(prefix);
        },
      };
    },
  };
  return { storage: slowly, seen, open };
}
