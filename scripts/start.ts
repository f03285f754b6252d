/**
 * `npm start`: builds everything, migrates the local databases and serves it all on 127.0.0.1. PORT and DATA_DIR in the environment change
 * the port and where the data lies. `--built` takes dist/ as it is (the tests build once and start many).
 */
import { resolve } from "node:path";
import type { Miniflare } from "miniflare";
import { build, WORKER_DIR } from "./build.ts";
import { leashWorkerd, onOrphaned } from "./local/leash.ts";
import { becomesFree } from "./local/port.ts";
import { QUIET } from "./local/quiet.ts";
import { localSecrets } from "./local/secrets.ts";

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

const port = Number(process.env.PORT ?? 8787);
const dataDir = resolve(process.env.DATA_DIR ?? ".data");
if (!Number.isInteger(port) || port < 1 || port > 65_535)
  fail(`PORT must be a number from 1 to 65535, not "${process.env.PORT}".`);
if (!(await becomesFree(port))) fail(`Port ${port} is in use: stop what listens there, or choose another with PORT=….`);

let running: Miniflare | undefined;
leashWorkerd();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => void stop());
onOrphaned(() => void stop());

const secrets = await localSecrets(dataDir);
Object.assign(process.env, QUIET);
// Wrangler's and Miniflare's modules take most of a second to load: not before the port is known to be free, and beside the build.
const server = import("./local/server.ts");
await Promise.all([
  process.argv.includes("--built") ? undefined : build(),
  server.then(({ migrate }) => migrate(dataDir)),
]);
running = await (await server).serve(WORKER_DIR, dataDir, port, secrets);
const origin = `http://127.0.0.1:${port}`;
const health = await fetch(`${origin}/healthz`);
if (!health.ok) fail(`The Worker started but /healthz answered ${health.status}.`);
process.stdout.write(`Edgewise is ready: open ${origin}\n`);

/** Ends workerd and this process, before or after it was ready. The storage needs no farewell: what was answered is on disk. */
async function stop(): Promise<void> {
  await running?.dispose();
  process.exit(0);
}
