/** `npm run build`: the web app to dist/web, and the Worker's production bundle (the one `wrangler deploy` uploads) to dist/worker. */
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { build as bundle } from "esbuild";
import { QUIET } from "./local/quiet.ts";

const ROOT = join(import.meta.dirname, "..");
export const WORKER_DIR = join(ROOT, "dist/worker");
const WEB_DIR = join(ROOT, "dist/web");

/** Where a local server's bucket is, whatever its port. */
const LOCAL_MEDIA = "http://localhost:*";

/**
 * What a browser loads as it is. The page may load media from nowhere but the bucket, and put it nowhere else: its policy says where that is.
 */
async function copyPage(mediaOrigin: string): Promise<void> {
  const source = join(ROOT, "web");
  const names = await readdir(source);
  const plain = names.filter((name) => /\.(css|svg|png|ico|webmanifest)$/.test(name));
  const governed = names.filter((name) => /\.html$|^_headers$/.test(name));
  await Promise.all(plain.map((name) => cp(join(source, name), join(WEB_DIR, name))));
  for (const name of governed) {
    const text = await readFile(join(source, name), "utf8");
    await writeFile(join(WEB_DIR, name), text.replaceAll("MEDIA_ORIGIN", mediaOrigin));
  }
}

/** Bundles the page and its service worker, and copies what a browser loads as it is (pages, styles, icons, the manifest). */
async function buildWeb(mediaOrigin: string): Promise<void> {
  await rm(WEB_DIR, { recursive: true, force: true });
  await mkdir(WEB_DIR, { recursive: true });
  await bundle({
    absWorkingDir: ROOT,
    entryPoints: ["web/app.ts", "web/sw.ts"],
    outdir: WEB_DIR,
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    sourcemap: true,
    logLevel: "warning",
  });
  await copyPage(mediaOrigin);
}

/** Wrangler refuses a configuration whose assets directory is missing, so the web app is built first. */
async function buildWorker(): Promise<void> {
  await rm(WORKER_DIR, { recursive: true, force: true });
  const cli = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
  const args = [cli, "deploy", "--dry-run", "--outdir", WORKER_DIR];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...QUIET } });
}

/** `mediaOrigin`: of the bucket's S3 door. */
export async function build(mediaOrigin = LOCAL_MEDIA): Promise<void> {
  await buildWeb(mediaOrigin);
  await buildWorker();
}

if (import.meta.main) await build();
