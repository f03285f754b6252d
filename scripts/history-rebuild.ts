/**
 * `npm run history:rebuild`: ships the logs of all conversations to the history shards anew, a page of users a call. For a deployment
 * give EDGEWISE_URL and OPERATOR_TOKEN; without them it is the local server on PORT whose secrets lie in DATA_DIR.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { DOORS } from "../src/protocol/http.ts";
import type { UserId } from "../src/protocol/ids.ts";
import { headers, url } from "./local/operator.ts";

const TRIES = 5;
/** One page. A page that failed for now is asked for again: shipping is idempotent. */
async function rebuildPage(startedAt: number, cursor: UserId | undefined) {
  for (let attempt = 1; ; attempt++) {
    const response = await post({ startedAt, ...(cursor === undefined ? {} : { cursor }) });
    if (response.ok) return DOORS.rebuildHistory.answers[200].parse(await response.json());
    const text = await response.text();
    if (response.status < 500 || attempt === TRIES) throw new Error(`${response.status} ${text.slice(0, 300)}`);
    await sleep(1_000 * attempt);
  }
}

const post = (body: object) =>
  fetch(url + DOORS.rebuildHistory.path, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });

const startedAt = Date.now();
const total = { users: 0, conversations: 0 };
let cursor: UserId | undefined;
do {
  const page = await rebuildPage(startedAt, cursor);
  total.users += page.users;
  total.conversations += page.conversations;
  cursor = page.cursor;
  console.log(`${total.users} users, ${total.conversations} conversations`);
} while (cursor !== undefined);
console.log(JSON.stringify({ ...total, seconds: Math.round((Date.now() - startedAt) / 1_000) }));
