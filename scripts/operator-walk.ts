import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseEnv } from "node:util";
import { DOORS } from "../src/protocol/http.ts";
import type { UserId } from "../src/protocol/ids.ts";

const TRIES = 5;

function localToken(dataDir: string): string {
  const file = join(dataDir, "secrets.env");
  const found = existsSync(file) ? parseEnv(readFileSync(file, "utf8")).OPERATOR_TOKEN : undefined;
  if (found) return found;
  console.error(`Set OPERATOR_TOKEN (and EDGEWISE_URL), or DATA_DIR to where a local server keeps ${file}.`);
  process.exit(1);
}

/**
 * Asks something of all conversations, a page of users a call. For a deployment give EDGEWISE_URL and OPERATOR_TOKEN; without them it is the
 * local server on PORT whose secrets lie in DATA_DIR. A page that failed for now is asked for again: it does no harm.
 */
export async function walkUsers(door: "rebuildHistory" | "applyRetention", told: object): Promise<void> {
  const url = process.env.EDGEWISE_URL ?? `http://127.0.0.1:${process.env.PORT ?? 8787}`;
  const token = process.env.OPERATOR_TOKEN ?? localToken(process.env.DATA_DIR ?? ".data");
  const post = (body: object) =>
    fetch(url + DOORS[door].path, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const askPage = async (cursor: UserId | undefined) => {
    for (let attempt = 1; ; attempt++) {
      const response = await post({ ...told, ...(cursor === undefined ? {} : { cursor }) });
      if (response.ok) return DOORS[door].answers[200].parse(await response.json());
      const text = await response.text();
      if (response.status < 500 || attempt === TRIES) throw new Error(`${response.status} ${text.slice(0, 300)}`);
      await sleep(1_000 * attempt);
    }
  };
  const startedAt = Date.now();
  const total = { users: 0, conversations: 0 };
  let cursor: UserId | undefined;
  do {
    const page = await askPage(cursor);
    total.users += page.users;
    total.conversations += page.conversations;
    cursor = page.cursor;
    console.log(`${total.users} users, ${total.conversations} conversations`);
  } while (cursor !== undefined);
  console.log(JSON.stringify({ ...total, seconds: Math.round((Date.now() - startedAt) / 1_000) }));
}
