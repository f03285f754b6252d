/** `npm run build`: the web app to dist/web, and the Worker's production bundle (the one `wrangler deploy` uploads) to dist/worker. */
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { build as bundle } from "esbuild";
import { QUIET } from "./local/quiet.ts";

const ROOT = join(import.meta.dirname, "..");
export const WORKER_DIR = join(ROOT, "dist/worker");
const WEB_DIR = join(ROOT, "dist/web");

/** Bundles the page and its service worker, and copies what a browser loads as it is (pages, styles, icons, the manifest). */
async function buildWeb(): Promise<void> {
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
  const source = join(ROOT, "web");
  const files = (await readdir(source)).filter((name) => /\.(html|css|svg|png|ico|webmanifest)$|^_headers$/.test(name));
  await Promise.all(files.map((name) => cp(join(source, name), join(WEB_DIR, name))));
}

/** Wrangler refuses a configuration whose assets directory is missing, so the web app is built first. */
async function buildWorker(): Promise<void> {
  await rm(WORKER_DIR, { recursive: true, force: true });
  const cli = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
  const args = [cli, "deploy", "--dry-run", "--outdir", WORKER_DIR];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...QUIET } });
}

export async function build(): Promise<void> {
  await buildWeb();
  await buildWorker();
}

if (import.meta.main) await build();
