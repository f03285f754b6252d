import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
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

  test("[CL-49] [CL-64] the README's example of an app that draws by itself runs as it stands", async () => {
    const examples = [...readFileSync(join(SDK_DIR, "README.md"), "utf8").matchAll(/```ts\n([\s\S]*?)```/g)];
    const example = examples.at(-1)?.[1] ?? "";
    const [imports = "", rest = ""] = example.split(/\n\n/);
    const program = `${imports}
import { fakeServer, memoryStorage } from "@edgewise/sdk/testing";
const [{ options }, storage] = [fakeServer(), memoryStorage()];
const before = await createClient({ ...options, storage });
await before.signUp({ handle: "alice", password: "correct horse battery" });
const { id } = await before.conversations.createGroup({ title: "Garden", memberIds: [] });
await before.conversations.get(id).send("hello").sent;
await before.flush();
await before.close();
const draw = (list) => console.log(list.map(({ preview }) => preview.text));
${rest.replace("{ url, glimpse: true }", "{ ...options, storage, glimpse: true }")}
await client.close();`;
    const inFolder = program.replaceAll(/"@edgewise\/sdk(?:\/(\w+))?"/g, (_, door) => `"./${door ?? "index"}.js"`);
    writeFileSync(join(SDK_DIR, "example.js"), inFolder);
    const { stdout } = await promisify(execFile)(process.execPath, ["example.js"], { cwd: SDK_DIR });
    expect(stdout).toBe("[ 'hello' ]\n[ undefined, undefined, 'hello' ] false\n");
  });

  test("[CL-49] what a page waits for is less than 20 KB, and all that there is less than 41 KB", async () => {
    const { entry, all } = await bundled();
    expect(entry).toBeLessThan(20_000);
    expect(all).toBeLessThan(41_000);
    expect(entry).toBeGreaterThan(5_000);
  });
});
