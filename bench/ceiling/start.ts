/** Serves the ceiling as `scripts/start.ts` serves the real server: Miniflare, one workerd, everything durable in DATA_DIR. */
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";

const { modulesRules: _, ...bindings } = unstable_getMiniflareWorkerOptions(
  join(import.meta.dirname, "wrangler.toml"),
).workerOptions;
const script = stripTypeScriptTypes(await readFile(join(import.meta.dirname, "worker.ts"), "utf8"));
const worker = { ...bindings, name: "ceiling", modules: true as const, script };
const shared = { host: "127.0.0.1", cf: false, log: new Log(LogLevel.ERROR), port: Number(process.env.PORT) };
const resourcePersistencePath = process.env.DATA_DIR ?? "";
const server = new Miniflare(convertV4MiniflareOptions({ ...shared, resourcePersistencePath, workers: [worker] }));
process.once("SIGTERM", () => void server.dispose().then(() => process.exit(0)));
await server.ready;
