import { generateKeyPairSync, randomBytes } from "node:crypto";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";

export type Secrets = { TOKEN_KEYS: string; OPERATOR_TOKEN: string; VAPID_KEYS: string };

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

const lines = (secrets: Partial<Secrets>): string =>
  Object.entries(secrets)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");

/** The local server's secrets, made once and kept in DATA_DIR/secrets.env for the owner's eyes only (mode 0600). */
export async function localSecrets(dataDir: string): Promise<Secrets> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, "secrets.env");
  const minted = mintSecrets();
  // `wx`: two starts at once agree on the secrets of whichever came first.
  await writeFile(file, lines(minted), { mode: 0o600, flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const { TOKEN_KEYS, OPERATOR_TOKEN, VAPID_KEYS } = parseEnv(await readFile(file, "utf8"));
  if (!TOKEN_KEYS || !OPERATOR_TOKEN)
    throw new Error(`${file} is not complete: remove it and everybody signs in again`);
  if (VAPID_KEYS) return { TOKEN_KEYS, OPERATOR_TOKEN, VAPID_KEYS };
  await appendFile(file, `\n${lines({ VAPID_KEYS: minted.VAPID_KEYS })}`); // [PU-40] made before there was push
  return { TOKEN_KEYS, OPERATOR_TOKEN, VAPID_KEYS: minted.VAPID_KEYS };
}
