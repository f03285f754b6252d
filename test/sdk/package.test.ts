import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSdk } from "../../scripts/build-sdk.ts";

const SDK_DIR = mkdtempSync(join(tmpdir(), "edgewise-package-"));
afterAll(() => rmSync(SDK_DIR, { recursive: true, force: true }));

/** What an app's bundler makes of the client: minified, in the pieces in which a browser loads it. Bytes, gzipped. */
async function bundled(): Promise<{ entry: number; all: number }> {
  const { outputFiles, metafile, warnings } = await build({
    stdin: { contents: 'export { createClient } from "@edgewise/sdk";', resolveDir: SDK_DIR },
    alias: { "@edgewise/sdk": join(SDK_DIR, "index.js") },
    ...{ bundle: true, splitting: true, minify: true, format: "esm", target: "es2022" },
    ...{ outdir: "/out", write: false, metafile: true },
  });
  expect(warnings).toEqual([]);
  const sizeOf = new Map(
    outputFiles.map(({ path, contents }) => [path.replace(/^.*\/out\//, ""), gzipSync(contents, { level: 9 }).length]),
  );
  const outputs = Object.fromEntries(
    Object.entries(metafile.outputs).map(([path, output]) => [path.replace(/^.*out\//, ""), output]),
  );
  const entries = Object.keys(outputs).filter((path) => outputs[path]?.entryPoint === "<stdin>");
  const loaded = new Set(entries);
  for (const path of loaded)
    for (const { path: imported, kind } of outputs[path]?.imports ?? [])
      if (kind === "import-statement") loaded.add(imported.replace(/^.*out\//, ""));
  const sum = (paths: Iterable<string>) => [...paths].reduce((bytes, path) => bytes + (sizeOf.get(path) ?? 0), 0);
  return { entry: sum(loaded), all: sum(sizeOf.keys()) };
}

describe("[CL-49] the package", () => {
  let metafile: Metafile;
  beforeAll(async () => {
    metafile = await buildSdk(SDK_DIR);
  }, 60_000);

  test("[CL-49] is one that bundlers, Node and TypeScript understand", async () => {
    const { messages } = await publint({ pkgDir: SDK_DIR, strict: true });
    expect(messages).toEqual([]);
  });

  test("[CL-49] depends on nothing, and no schema library is in it", () => {
    const manifest = JSON.parse(readFileSync(join(SDK_DIR, "package.json"), "utf8"));
    expect(manifest).not.toHaveProperty("dependencies");
    expect(Object.keys(manifest.exports)).toEqual([".", "./drawing", "./node", "./testing"]);
    const inputs = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
    expect(inputs.filter((path) => /zod|protocol\/(events|frames|ids|errors|http)\.ts/.test(path))).toEqual([]);
    const packages = inputs.flatMap((path) => /node_modules\/([^/]+)/.exec(path)?.[1] ?? []);
    expect(packages).toEqual([]);
  });

  test("[CL-49] its types can be read without any other package", () => {
    const folder = join(SDK_DIR, "types");
    const types = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
    expect(types.length).toBeGreaterThan(5);
    const imported = types.flatMap((path) => [
      ...readFileSync(join(folder, path), "utf8").matchAll(/(?:from |import\()"([^"]+)"/g),
    ]);
    const elsewhere = imported.map(([, name]) => name ?? "").filter((name) => !/^\.\.?\/.*\.js$/.test(name));
    expect(elsewhere).toEqual([]);
  });

  test("[CL-49] what a page waits for is less than 20 KB, and all that there is less than 40 KB", async () => {
    const { entry, all } = await bundled();
    expect(entry).toBeLessThan(20_000);
    expect(all).toBeLessThan(40_000);
    expect(entry).toBeGreaterThan(5_000);
  });
});
