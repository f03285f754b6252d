/**
 * `npm run deploy`: brings this tree to the Cloudflare account that wrangler is logged in to. It may be repeated: databases, queues, buckets and
 * secrets are made when missing and left alone otherwise, and migrations are applied once, before the code that needs them.
 */
import { type SpawnSyncOptions, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unstable_readConfig } from "wrangler";
import { build } from "./build.ts";
import { QUIET } from "./local/quiet.ts";
import { mintSecrets } from "./local/secrets.ts";

const ROOT = join(import.meta.dirname, "..");
const MINTED = join(ROOT, `.data/deployed-secrets-${Date.now()}.env`);

function wrangler(args: string[], stdout: "inherit" | "pipe"): { ok: boolean; text: string } {
  const options: SpawnSyncOptions = {
    cwd: ROOT,
    env: { ...process.env, ...QUIET },
    stdio: ["ignore", stdout, "inherit"],
  };
  const cli = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
  const { status, stdout: text } = spawnSync(process.execPath, [cli, ...args], options);
  return { ok: status === 0, text: String(text ?? "") };
}

function must(args: string[]): void {
  console.log(`wrangler ${args.join(" ")}`);
  if (!wrangler(args, "inherit").ok) throw new Error(`wrangler ${args.slice(0, 3).join(" ")} failed`);
}

/** The names in a list that wrangler prints as JSON; null where it refuses. */
function namesIn(args: string[]): Set<string> | null {
  const { ok, text } = wrangler(args, "pipe");
  return ok ? new Set((JSON.parse(text) as { name: string }[]).map(({ name }) => name)) : null;
}

/** Databases are found by name: wrangler.toml holds no id, so that it serves every account. */
function prepareDatabases(): void {
  const existing = namesIn(["d1", "list", "--json"]);
  if (!existing) throw new Error("the account's databases could not be listed");
  for (const { database_name: name } of unstable_readConfig({ config: join(ROOT, "wrangler.toml") }).d1_databases) {
    if (!name) throw new Error("every database in wrangler.toml needs a database_name");
    if (!existing.has(name)) must(["d1", "create", name]);
    must(["d1", "migrations", "apply", name, "--remote"]);
  }
}

/** Wrangler lists queues as a table of pages, so each is asked for; one that could not be asked for and exists is not made twice. */
function prepareQueues(): void {
  const { producers = [], consumers = [] } = unstable_readConfig({ config: join(ROOT, "wrangler.toml") }).queues;
  for (const name of new Set([...producers, ...consumers].map(({ queue }) => queue)))
    if (!wrangler(["queues", "info", name], "pipe").ok) must(["queues", "create", name]);
}

/** Pages of any origin may put and get: what lets them is the signed URL. R2 wants each header named. */
const CORS = {
  rules: [
    {
      allowed: {
        origins: ["*"],
        methods: ["GET", "HEAD", "PUT"],
        headers: [
          "content-type",
          "content-disposition",
          "if-none-match",
          "x-amz-checksum-sha256",
          "content-md5",
          "range",
        ],
      },
      exposeHeaders: ["content-length", "content-range", "content-type", "etag"],
      maxAgeSeconds: 86_400,
    },
  ],
};

/** One that could not be asked for and exists is not made twice. */
function prepareBuckets(): void {
  for (const { bucket_name: name } of unstable_readConfig({ config: join(ROOT, "wrangler.toml") }).r2_buckets) {
    if (!name) throw new Error("every bucket in wrangler.toml needs a bucket_name");
    if (!wrangler(["r2", "bucket", "info", name], "pipe").ok) must(["r2", "bucket", "create", name]);
    const file = join(mkdtempSync(join(tmpdir(), "edgewise-cors-")), "cors.json");
    writeFileSync(file, JSON.stringify(CORS));
    must(["r2", "bucket", "cors", "set", name, "--file", file, "--force"]);
  }
}

/** The bucket's S3 door: what wrangler.toml says, or that of the one account there is. */
function bucketDoor(accounts: readonly { id: string }[]): string {
  const { vars, account_id } = unstable_readConfig({ config: join(ROOT, "wrangler.toml") });
  if (vars.R2_ENDPOINT) return String(vars.R2_ENDPOINT);
  const account =
    process.env.CLOUDFLARE_ACCOUNT_ID ?? account_id ?? (accounts.length === 1 ? accounts[0]?.id : undefined);
  if (!account) throw new Error("several accounts: set CLOUDFLARE_ACCOUNT_ID, or R2_ENDPOINT in wrangler.toml");
  return `https://${account}.r2.cloudflarestorage.com`;
}

/** Only Cloudflare makes the keys of a bucket. */
function tellOfBucketKeys(existing: ReadonlySet<string>): void {
  const missing = ["R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"].filter((name) => !existing.has(name));
  if (missing.length > 0) console.log(`No media until ${missing.join(" and ")} are set: see "Media" in README.md`);
}

/**
 * Secrets that the deployed Worker lacks, made now and kept in a file of their own, for the operator's token is told nowhere else. Asked
 * for only once the Worker is there: a list that fails must never pass for an empty one, or new keys would sign everybody out.
 */
function putMissingSecrets(): void {
  const existing = namesIn(["secret", "list", "--format", "json"]);
  if (!existing) throw new Error("the Worker's secrets could not be listed: run this again");
  const minted = Object.entries(mintSecrets()).filter(([name]) => !existing.has(name));
  tellOfBucketKeys(existing);
  if (minted.length === 0) return;
  mkdirSync(join(ROOT, ".data"), { recursive: true, mode: 0o700 });
  writeFileSync(MINTED, minted.map(([name, value]) => `${name}=${value}\n`).join(""), { mode: 0o600 });
  must(["secret", "bulk", MINTED]);
  console.log(`Made ${minted.map(([name]) => name).join(", ")}: kept in ${MINTED}`);
}

const who = wrangler(["whoami", "--json"], "pipe");
if (!who.ok) {
  console.error("Not logged in to Cloudflare: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN.");
  process.exit(1);
}
const door = bucketDoor((JSON.parse(who.text) as { accounts: { id: string }[] }).accounts);
await build(new URL(door).origin);
prepareDatabases();
prepareQueues();
prepareBuckets();
must(["deploy", "--var", `R2_ENDPOINT:${door}`]);
putMissingSecrets();
