import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig, unstable_splitSqlQuery } from "wrangler";
import type { LocalSecrets } from "./secrets.ts";

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
const SETTABLE = [
  "PUSH_CONTACT",
  "PUSH_CONTENT",
  "RETENTION_DAYS",
  "FORGET_DELIVERED",
  "PUSH_HOSTS",
  "FCM_URL",
  "FCM_SERVICE_ACCOUNT",
];
const settings = (): Record<string, string> =>
  Object.fromEntries(SETTABLE.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));

/** Serves the built Worker of dist/worker with the bindings of wrangler.toml; everything durable lies in `dataDir`. */
export async function serve(
  workerDir: string,
  dataDir: string,
  port: number,
  secrets: LocalSecrets,
): Promise<Miniflare> {
  const options = bindings();
  const worker = {
    ...options,
    modulesRules: undefined,
    name: "edgewise",
    modulesRoot: workerDir,
    modules: await modulesOf(workerDir),
    bindings: { ...options.bindings, RATE_LIMITS: "wide", ...settings(), ...secrets, R2_ENDPOINT: bucketDoor(port) },
    r2Buckets: bucketsOf(options.bindings.R2_BUCKET, secrets),
  };
  const unsafeTriggerHandlers = process.env.TRIGGER_HANDLERS === "on"; // for tests, which pull the trigger by hand
  const server = new Miniflare(
    convertV4MiniflareOptions({ ...shared(dataDir), port, unsafeTriggerHandlers, workers: [worker] }),
  );
  await server.ready;
  setInterval(() => void trigger(server), HOUR_MS).unref();
  return server;
}

const HOUR_MS = 60 * 60_000;

/** What the cron trigger of wrangler.toml does where it is deployed; the local runtime has no clock for it. */
async function trigger(server: Miniflare): Promise<void> {
  const worker = await server.getWorker();
  await worker.scheduled({ scheduledTime: new Date() });
}

/**
 * The local bucket's S3 door. By another name than the page's, as in production: browsers and HTTP clients treat it as another origin
 * then, with a preflight, and without the access token.
 */
const bucketDoor = (port: number): string => `http://localhost:${port}/cdn-cgi/local/r2/s3`;

const bucketsOf = (
  id: unknown,
  { R2_ACCESS_KEY_ID: accessKeyId, R2_SECRET_ACCESS_KEY: secretAccessKey }: LocalSecrets,
) => ({
  MEDIA: { id: String(id), s3Credentials: { accessKeyId, secretAccessKey } },
});

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
