import { generateKeyPairSync, randomBytes } from "node:crypto";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";

/** What a deployment can make for itself; the keys of its bucket only Cloudflare can. */
export type Secrets = { TOKEN_KEYS: string; OPERATOR_TOKEN: string; VAPID_KEYS: string };
export type LocalSecrets = Secrets & { R2_ACCESS_KEY_ID: string; R2_SECRET_ACCESS_KEY: string };

const random = () => randomBytes(32).toString("base64url");
export const mintSecrets = (): Secrets => ({
  TOKEN_KEYS: random(),
  OPERATOR_TOKEN: random(),
  VAPID_KEYS: mintVapidKeys(),
});

/** A P-256 pair as `public.private`: the uncompressed point, and the scalar, in base64url. */
function mintVapidKeys(): string {
  const { x = "", y = "", d } = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  return `${point.toString("base64url")}.${d}`;
}

const mintLocalSecrets = (): LocalSecrets => ({
  ...mintSecrets(),
  R2_ACCESS_KEY_ID: randomBytes(16).toString("hex"),
  R2_SECRET_ACCESS_KEY: randomBytes(32).toString("hex"),
});

const lines = (secrets: Partial<LocalSecrets>): string =>
  Object.entries(secrets)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");

/** The local server's secrets, made once and kept in DATA_DIR/secrets.env for the owner's eyes only (mode 0600). */
export async function localSecrets(dataDir: string): Promise<LocalSecrets> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, "secrets.env");
  const minted = mintLocalSecrets();
  // `wx`: two starts at once agree on the secrets of whichever came first.
  await writeFile(file, lines(minted), { mode: 0o600, flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const found: Partial<LocalSecrets> = parseEnv(await readFile(file, "utf8"));
  if (!found.TOKEN_KEYS || !found.OPERATOR_TOKEN)
    throw new Error(`${file} is not complete: remove it and everybody signs in again`);
  const isMissing = ([name]: [string, string]) => !found[name as keyof LocalSecrets];
  const missing = Object.fromEntries(Object.entries(minted).filter(isMissing)); // [PU-40] made before there was push, or media
  if (Object.keys(missing).length > 0) await appendFile(file, `\n${lines(missing)}`);
  return { ...minted, ...found, ...missing };
}
