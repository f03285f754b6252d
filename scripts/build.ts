/** `npm run build`: the web app to dist/web, and the Worker's production bundle (the one `wrangler deploy` uploads) to dist/worker. */
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildWeb } from "./build-web.ts";
import { QUIET } from "./local/quiet.ts";

const ROOT = join(import.meta.dirname, "..");
export const WORKER_DIR = join(ROOT, "dist/worker");

/** Where a local server's bucket is, whatever its port. */
const LOCAL_MEDIA = "http://localhost:*";

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
