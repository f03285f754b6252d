/**
 * `npm run erase -- <userId>`: erases a person for ever, and tells how far it is until everything is gone that was found. The last look, an
 * hour later, it leaves to the server; run it again to see that it is done. For which deployment: scripts/local/operator.ts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Erasure } from "../src/protocol/http.ts";
import { headers, url, userIdArgument } from "./local/operator.ts";

const EVERY_MS = 2_000;
const userId = userIdArgument("erase");

async function ask(method: string, path: string): Promise<Erasure> {
  const response = await fetch(url + path, { method, headers });
  if (!response.ok) throw new Error(`${response.status} ${(await response.text()).slice(0, 300)}`);
  return Erasure.parse(await response.json());
}

let record = await ask("DELETE", `/v1/operator/users/${userId}`);
while (record.state === "erasing") {
  console.error(`${record.state}, round ${record.rounds + 1}`);
  await sleep(EVERY_MS);
  record = await ask("GET", `/v1/operator/erasures/${userId}`);
}
console.log(JSON.stringify(record, null, 2));
