import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";

export type Secrets = { TOKEN_KEYS: string; OPERATOR_TOKEN: string };

const random = () => randomBytes(32).toString("base64url");
export const mintSecrets = (): Secrets => ({ TOKEN_KEYS: random(), OPERATOR_TOKEN: random() });

/** The local server's secrets, made once and kept in DATA_DIR/secrets.env for the owner's eyes only (mode 0600). */
export async function localSecrets(dataDir: string): Promise<Secrets> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, "secrets.env");
  const minted = Object.entries(mintSecrets()).map(([name, value]) => `${name}=${value}\n`);
  // `wx`: two starts at once agree on the secrets of whichever came first.
  await writeFile(file, minted.join(""), { mode: 0o600, flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const { TOKEN_KEYS, OPERATOR_TOKEN } = parseEnv(await readFile(file, "utf8"));
  if (!TOKEN_KEYS || !OPERATOR_TOKEN)
    throw new Error(`${file} is not complete: remove it and everybody signs in again`);
  return { TOKEN_KEYS, OPERATOR_TOKEN };
}
