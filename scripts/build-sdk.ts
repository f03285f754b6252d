/** `npm run build:sdk`: the SDK as a package of its own, in dist/sdk. `npm pack` there makes what others install. */
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { build as bundle, type Metafile } from "esbuild";

const ROOT = join(import.meta.dirname, "..");
const SDK_DIR = join(ROOT, "dist/sdk");

/** The package's doors, by their names, and the sources they are made of. */
const ENTRIES = {
  ".": { name: "index", source: "src/sdk/client/index.ts" },
  "./drawing": { name: "drawing", source: "src/sdk/drawing.ts" },
  "./node": { name: "node", source: "src/sdk/node.ts" },
  "./testing": { name: "testing", source: "src/sdk/testing.ts" },
} as const;

/** One file for each door, and what they share; what they import is in them. */
async function bundleCode(dir: string): Promise<Metafile> {
  const { metafile } = await bundle({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(Object.values(ENTRIES).map(({ name, source }) => [name, source])),
    outdir: dir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["browser", "module", "main"],
    conditions: ["browser", "import"],
    target: "es2022",
    external: ["node:*"],
    metafile: true,
    logLevel: "warning",
  });
  // They keep the order of what modules do when they are imported; ours do nothing, and bundlers warn of imports without a use.
  for (const path of Object.keys(metafile.outputs)) {
    const text = await readFile(join(ROOT, path), "utf8");
    await writeFile(join(ROOT, path), text.replaceAll(/^import "\.\/chunk-[^"]+";\n/gm, ""));
  }
  return metafile;
}

/** The types of what the doors show, and of nothing else: no schema and no package of others is needed to read them. */
async function emitTypes(dir: string): Promise<void> {
  const all = join(dir, "all-types");
  const cli = join(ROOT, "node_modules/typescript/bin/tsc");
  const args = [cli, "-p", join(ROOT, "src/sdk/tsconfig.json"), "--outDir", all];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  const typesOf = (source: string) => join(all, relative("src", source)).replace(/\.ts$/, ".d.ts");
  const wanted = Object.values(ENTRIES).map(({ source }) => typesOf(source));
  const seen = new Set<string>();
  for (const path of wanted) {
    if (seen.has(path)) continue;
    seen.add(path);
    const text = await readFile(path, "utf8");
    const target = join(dir, "types", relative(all, path));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text.replaceAll(/(from "\.[^"]*|import\("\.[^"]*)\.ts"/g, '$1.js"'));
    for (const [, imported] of text.matchAll(/(?:from |import\()"(\.[^"]+)\.ts"/g))
      wanted.push(resolve(dirname(path), `${imported}.d.ts`));
  }
  await rm(all, { recursive: true });
}

async function describe(dir: string): Promise<void> {
  const { version, license, engines } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  const exported = Object.entries(ENTRIES).map(([door, { name, source }]) => {
    const types = `./types/${relative("src", source).replace(/\.ts$/, ".d.ts")}`;
    return [door, { types, default: `./${name}.js` }];
  });
  const manifest = {
    ...{ name: "@edgewise/sdk", version, description: "A messenger in your app: the client of Edgewise" },
    ...{ license, type: "module", sideEffects: false, engines: { node: engines.node } },
    exports: Object.fromEntries(exported),
    files: ["*.js", "types"],
  };
  await writeFile(join(dir, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await cp(join(ROOT, "src/sdk/README.md"), join(dir, "README.md"));
}

/** Builds the package in `dir`, of which nothing else stays; answers what went into which of its files. */
export async function buildSdk(dir = SDK_DIR): Promise<Metafile> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  const metafile = await bundleCode(dir);
  await emitTypes(dir);
  await describe(dir);
  return metafile;
}

if (import.meta.main) {
  await buildSdk();
  process.stdout.write(`dist/sdk: ${(await readdir(SDK_DIR)).join(" ")}\n`);
}
