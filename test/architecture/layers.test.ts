import { describe, expect, test } from "vitest";
import { filesBelow, importsOf, read, typescript, withoutComments } from "./sources.ts";

type Layer = { imports: string[]; types?: string[]; packages?: RegExp };

/** What each folder may import, besides itself; `types`: of these, types only. Folders without `packages` may use any. */
const LAYERS: Record<string, Layer> = {
  "src/protocol": { imports: [], packages: /^zod$/ },
  "src/domain": { imports: ["src/protocol"], packages: /^$/ },
  "src/storage": { imports: ["src/domain", "src/protocol"], packages: /^drizzle-orm/ },
  "src/platform": { imports: ["src/storage", "src/domain", "src/protocol"], types: ["src/objects"] },
  "src/objects": { imports: ["src/platform", "src/storage", "src/domain", "src/protocol"] },
  "src/routes": { imports: ["src/platform", "src/storage", "src/domain", "src/protocol"], types: ["src/objects"] },
  "src/sdk": { imports: ["src/domain", "src/protocol"] },
  web: { imports: ["src/sdk", "src/protocol"], types: [] },
};
const isIn = (path: string, folder: string) => path.startsWith(`${folder}/`);

describe("[AR-1] imports go one way", () => {
  for (const [folder, { imports, types = [], packages }] of Object.entries(LAYERS)) {
    test(folder, () => {
      const all = typescript(folder).flatMap(importsOf);
      const wrong = all.filter(({ to, ours, typeOnly }) => {
        if (!ours) return packages !== undefined && !packages.test(to);
        return ![folder, ...imports, ...(typeOnly ? types : [])].some((allowed) => isIn(to, allowed));
      });
      expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
    });
  }

  test("every folder of src/ has its place", () => {
    const folders = filesBelow("src").filter((path) => path.split("/").length > 2);
    const known = Object.keys(LAYERS);
    expect(folders.filter((path) => !known.some((folder) => isIn(path, folder)))).toEqual([]);
  });
});

const filesWith = (folder: string, pattern: RegExp) =>
  typescript(folder).filter((path) => pattern.test(withoutComments(read(path))));

test("[AR-2] one file calls setAlarm", () => {
  expect(filesWith("src", /\bsetAlarm\(/)).toEqual(["src/objects/alarm-clock.ts"]);
});

test("[AR-3] one file turns ids into stubs", () => {
  expect(filesWith("src", /\.(getByName|idFromName|idFromString|newUniqueId)\(/)).toEqual(["src/platform/stubs.ts"]);
});

test("[AR-4] rules are pure: no await, clock, randomness, timer or I/O in the domain", () => {
  const impure =
    /\b(await|async|Date\.now|new Date|performance|Math\.random|crypto|fetch|setTimeout|setInterval|console|process)\b/;
  expect(filesWith("src/domain", impure)).toEqual([]);
});
