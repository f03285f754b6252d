import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig, unstable_splitSqlQuery } from "wrangler";
import type { Secrets } from "./secrets.ts";

const ROOT = join(import.meta.dirname, "../..");
const CONFIG = join(ROOT, "wrangler.toml");
type Bindings = Required<Pick<V4WorkerOptions, "bindings" | "compatibilityDate" | "d1Databases">>;
/** What wrangler.toml says, as Miniflare wants it. Wrangler's own typing of these options loses their names. */
const bindings = () => unstable_getMiniflareWorkerOptions(CONFIG).workerOptions as unknown as Bindings;
const shared = (dataDir: string) => ({
  host: "127.0.0.1",
  cf: false,
  log: new Log(LogLevel.ERROR),
  resourcePersistencePath: dataDir,
});

/** What the environment may set for a local server instead of wrangler.toml; a queue's provider may be a loopback then. */
const SETTABLE = ["PUSH_CONTACT", "PUSH_CONTENT", "PUSH_HOSTS", "FCM_URL", "FCM_SERVICE_ACCOUNT"];
const settings = (): Record<string, string> =>
  Object.fromEntries(SETTABLE.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));

/** Serves the built Worker of dist/worker with the bindings of wrangler.toml; everything durable lies in `dataDir`. */
export async function serve(workerDir: string, dataDir: string, port: number, secrets: Secrets): Promise<Miniflare> {
  const options = bindings();
  const worker = {
    ...options,
    modulesRules: undefined,
    name: "edgewise",
    modulesRoot: workerDir,
    modules: await modulesOf(workerDir),
    bindings: { ...options.bindings, RATE_LIMITS: "wide", ...settings(), ...secrets },
  };
  const server = new Miniflare(convertV4MiniflareOptions({ ...shared(dataDir), port, workers: [worker] }));
  await server.ready;
  return server;
}

async function modulesOf(workerDir: string): Promise<{ type: "ESModule" | "CompiledWasm"; path: string }[]> {
  const names = await readdir(workerDir);
  const wasm = names.filter((name) => name.endsWith(".wasm"));
  const entry = { type: "ESModule" as const, path: join(workerDir, "worker.js") };
  return [entry, ...wasm.map((name) => ({ type: "CompiledWasm" as const, path: join(workerDir, name) }))];
}

/**
 * Applies what is new in migrations/ to the local databases, before the server opens its port. In one process for all of them:
 * `wrangler d1 migrations apply` takes two seconds a database. It keeps wrangler's own table, so that wrangler sees them as applied too.
 */
export async function migrate(dataDir: string): Promise<void> {
  const { d1Databases, compatibilityDate } = bindings();
  const idle = { name: "migrate", modules: true, script: "export default {}", compatibilityDate, d1Databases };
  const runtime = new Miniflare(convertV4MiniflareOptions({ ...shared(dataDir), port: 0, workers: [idle] }));
  try {
    for (const { binding, migrations_dir } of unstable_readConfig({ config: CONFIG }).d1_databases) {
      await migrateOne(await runtime.getD1Database(binding), join(ROOT, migrations_dir ?? "migrations"));
    }
  } finally {
    await runtime.dispose();
  }
}

type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

const TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`;

async function migrateOne(database: Database, dir: string): Promise<void> {
  await database.prepare(TABLE).run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map((row) => row.name));
  const files = (await readdir(dir)).filter((name) => name.endsWith(".sql") && !applied.has(name)).sort();
  for (const name of files) {
    const statements = unstable_splitSqlQuery(await readFile(join(dir, name), "utf8")).map((sql) =>
      database.prepare(sql),
    );
    const done = database.prepare("INSERT INTO d1_migrations (name) VALUES (?1)").bind(name);
    await database.batch([...statements, done]);
  }
}
