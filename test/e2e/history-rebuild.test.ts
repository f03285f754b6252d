import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Device, signUp } from "./support/client.ts";
import { must } from "./support/door.ts";
import { walkHistory } from "./support/history.ts";
import { PATIENCE_MS } from "./support/patience.ts";
import { type Server, startServer } from "./support/server.ts";
import { loseHistory, shippedCounts } from "./support/shipped.ts";

let server: Server;
let alice: Device;
const places: string[] = [];

/** Several conversations, so that more than one shard holds some of them. */
beforeAll(async () => {
  server = await startServer();
  alice = await signUp(server.url, "alice");
  const bob = await signUp(server.url, "bob");
  for (let n = 0; n < 6; n++) {
    const body = { title: `group ${n}`, memberIds: [bob.userId] };
    const { conversation } = await must(server.url, "createGroup", { body, token: alice.token });
    places.push(conversation.conversationId);
  }
  await alice.connect();
  for (let n = 0; n < 40; n++) for (const place of places) alice.outbox.add(place, `${n}`);
});
afterAll(() => server?.remove());

const shipped = () => places.map((place) => shippedCounts(server.dataDir).get(place) ?? 0);
const walks = () =>
  Promise.all(
    places.map((conversationId) =>
      walkHistory({ url: server.url, token: alice.token, conversationId, direction: "before", limit: 30 }),
    ),
  );
const all = (events: number) => places.map(() => events);

test("[CR-8] history that was lost is read from the logs, and `npm run history:rebuild` ships it anew", async () => {
  await expect.poll(shipped, { timeout: PATIENCE_MS, interval: 500 }).toEqual(all(42));
  const before = await walks();
  expect(before.map((walk) => walk.events.length)).toEqual(all(42));
  await server.kill9();
  loseHistory(server.dataDir);
  expect(shipped()).toEqual(all(0));
  await server.start();
  expect(await walks()).toEqual(before);
  const env = { ...process.env, PORT: String(server.port), DATA_DIR: server.dataDir };
  const { stdout } = await promisify(execFile)(process.execPath, ["scripts/history-rebuild.ts"], { env });
  expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({ users: 2, conversations: 6 });
  await expect.poll(shipped, { timeout: PATIENCE_MS, interval: 500 }).toEqual(all(42));
  expect(await walks()).toEqual(before);
});
