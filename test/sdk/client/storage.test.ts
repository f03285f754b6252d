import "fake-indexeddb/auto";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { indexedDbStorage } from "../../../src/sdk/client/indexed-db-storage.ts";
import { memoryStorage } from "../../../src/sdk/client/memory-storage.ts";
import type { Storage, Write } from "../../../src/sdk/client/storage.ts";
import { fileStorage } from "../../../src/sdk/node.ts";

const folder = mkdtempSync(join(tmpdir(), "edgewise-sdk-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STORAGES: Record<string, () => Storage> = {
  memory: memoryStorage,
  IndexedDB: indexedDbStorage,
  file: () => fileStorage(folder),
};
const key = fc.constantFrom("a", "a/1", "a/2", "b", "b/ü", "c");
const write: fc.Arbitrary<Write> = fc.record({ key, value: fc.option(fc.jsonValue(), { nil: undefined }) });

let count = 0;
for (const [kind, make] of Object.entries(STORAGES))
  describe(`[CL-40] a store in ${kind}`, () => {
    let storage: Storage;
    let name: string;
    beforeEach(() => {
      storage = make();
      count += 1;
      name = `store ${count}`;
    });

    test("[CL-40] what was written is read, also after it was opened again", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(write, { maxLength: 6 }), { maxLength: 8 }),
          fc.nat(7),
          async (all, reopen) => {
            const model = new Map<string, unknown>();
            let store = await storage.open(name);
            await store.clear();
            for (const [n, batch] of all.entries()) {
              await store.write(batch);
              for (const { key, value } of batch) value === undefined ? model.delete(key) : model.set(key, value);
              if (n !== reopen) continue;
              await store.close();
              store = await storage.open(name);
            }
            for (const prefix of ["", "a", "a/", "b/ü", "nothing"]) {
              const wanted = [...model].filter(([known]) => known.startsWith(prefix));
              const sorted = wanted
                .sort(([a], [b]) => (a < b ? -1 : 1))
                .map((pair) => JSON.parse(JSON.stringify(pair)));
              expect(JSON.parse(JSON.stringify(await store.read(prefix)))).toEqual(sorted);
            }
            await store.close();
          },
        ),
        { numRuns: 40 },
      );
    });

    test("[CL-40] batches take effect in the order in which they were given, also when nobody waits", async () => {
      const store = await storage.open(name);
      await Promise.all(
        [1, 2, 3, 4, 5].map((value) =>
          store.write([
            { key: "a", value },
            { key: `n${value}`, value },
          ]),
        ),
      );
      expect((await store.read("a"))[0]?.[1]).toBe(5);
      expect(await store.read("n")).toHaveLength(5);
      await store.close();
    });

    test("[CL-40] a batch that cannot be stored leaves nothing of itself", async () => {
      const store = await storage.open(name);
      await store.write([{ key: "a", value: 1 }]);
      const loop: { itself?: unknown } = {};
      loop.itself = () => loop; // neither JSON nor to be cloned
      const circle: unknown[] = [loop];
      circle.push(circle);
      const failing = async () =>
        store.write([
          { key: "a", value: 2 },
          { key: "b", value: circle },
        ]);
      await expect(failing()).rejects.toThrow();
      expect(await store.read("")).toEqual([["a", 1]]);
      await store.write([{ key: "c", value: 3 }]);
      expect(await store.read("")).toEqual([
        ["a", 1],
        ["c", 3],
      ]);
      await store.close();
    });

    test("[CL-41] a store that was cleared is empty, and others are as they were", async () => {
      const [store, other] = [await storage.open(name), await storage.open(`${name} of another`)];
      await store.write([{ key: "a", value: 1 }]);
      await other.write([{ key: "a", value: 2 }]);
      await store.clear();
      expect(await store.read("")).toEqual([]);
      await store.close();
      const again = await storage.open(name);
      expect(await again.read("")).toEqual([]);
      expect(await other.read("")).toEqual([["a", 2]]);
      await again.close();
      await other.close();
    });

    test("what was read or written is not changed from outside", async () => {
      const store = await storage.open(name);
      const value = { list: [1] };
      await store.write([{ key: "a", value }]);
      value.list.push(2);
      const [[, read] = []] = await store.read("a");
      (read as typeof value).list.push(3);
      expect(await store.read("a")).toEqual([["a", { list: [1] }]]);
      await store.close();
    });
  });

describe("a store in a file", () => {
  const journal = (name: string) => join(folder, `${name}.journal`);

  test("[CL-40] a line that a crash tore counts for nothing, and the next one is read", async () => {
    const store = await fileStorage(folder).open("torn");
    await store.write([{ key: "a", value: 1 }]);
    await store.close();
    appendFileSync(journal("torn"), '[{"key":"a","value":2},{"key":"b"');
    const again = await fileStorage(folder).open("torn");
    expect(await again.read("")).toEqual([["a", 1]]);
    await again.write([{ key: "c", value: 3 }]);
    await again.close();
    const third = await fileStorage(folder).open("torn");
    expect(await third.read("")).toEqual([
      ["a", 1],
      ["c", 3],
    ]);
    await third.close();
  });

  test("a journal does not grow for ever", async () => {
    const store = await fileStorage(folder).open("long");
    for (let n = 0; n < 40; n++) await store.write([{ key: "a", value: "x".repeat(100_000) }]);
    expect(readFileSync(journal("long")).length).toBeLessThan(1_500_000);
    await store.close();
  });

  test("a store that is open here is not opened twice; that of a dead process is", async () => {
    const store = await fileStorage(folder).open("mine");
    await expect(fileStorage(folder).open("mine")).rejects.toThrow(/has this store open/);
    await store.close();
    appendFileSync(join(folder, "mine.lock"), "999999999");
    await (await fileStorage(folder).open("mine")).close();
  });
});
