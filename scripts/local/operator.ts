import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

/** Which deployment the operator's scripts talk to: EDGEWISE_URL with OPERATOR_TOKEN, or the local server on PORT whose secrets lie in DATA_DIR. */
export const url = process.env.EDGEWISE_URL ?? `http://127.0.0.1:${process.env.PORT ?? 8787}`;
const token = process.env.OPERATOR_TOKEN ?? localToken(process.env.DATA_DIR ?? ".data");
export const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };

function localToken(dataDir: string): string {
  const file = join(dataDir, "secrets.env");
  const found = existsSync(file) ? parseEnv(readFileSync(file, "utf8")).OPERATOR_TOKEN : undefined;
  if (found) return found;
  console.error(`Set OPERATOR_TOKEN (and EDGEWISE_URL), or DATA_DIR to where a local server keeps ${file}.`);
  process.exit(1);
}

/** The user id that a script was given; says how to use it where there is none. */
export function userIdArgument(command: string): string {
  const userId = process.argv[2];
  if (userId && /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(userId)) return userId;
  console.error(`npm run ${command} -- <userId>`);
  process.exit(1);
}
