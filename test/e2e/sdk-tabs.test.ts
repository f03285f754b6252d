import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "@playwright/test";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildSdk } from "../../scripts/build-sdk.ts";
import type { Client } from "../../src/sdk/client/api.ts";
import type { Storage } from "../../src/sdk/client/storage.ts";
import { PASSWORD, signUp } from "./support/client.ts";
import { must } from "./support/door.ts";
import { PATIENCE_MS } from "./support/patience.ts";
import { type Server, startServer } from "./support/server.ts";
import { launchBrowser } from "./support/stage.ts";
import { tellAsStory } from "./support/story.ts";

/** What the pages of this test have as globals. */
declare const sdk: { createClient(options: { url: string }): Promise<Client>; indexedDbStorage(): Storage };
declare let client: Client;
declare const location: { origin: string };

let server: Server;
let browser: Browser;
let context: BrowserContext;
const sockets: string[] = [];
const SDK_DIR = mkdtempSync(join(tmpdir(), "edgewise-sdk-tabs-"));
tellAsStory();

beforeAll(async () => {
  [server] = await Promise.all([startServer(), buildSdk(SDK_DIR)]);
  // The page is made up here, so Chromium does not know that it is as local as the server that it speaks with.
  browser = await launchBrowser("--disable-features=LocalNetworkAccessChecks");
  context = await browser.newContext();
  context.setDefaultTimeout(PATIENCE_MS);
  const page = '<script type="module">window.sdk = await import("/sdk/index.js");</script>';
  await context.route("**/sdk/*", (route) => {
    const name = new URL(route.request().url()).pathname.slice("/sdk/".length);
    if (name === "page") return route.fulfill({ contentType: "text/html", body: page });
    return route.fulfill({ contentType: "text/javascript", body: readFileSync(join(SDK_DIR, name), "utf8") });
  });
  context.on("page", (opened) => opened.on("websocket", (socket) => sockets.push(socket.url())));
});
afterAll(async () => {
  await browser?.close();
  await server?.remove();
  rmSync(SDK_DIR, { recursive: true, force: true });
});

async function openTab(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${server.url}/sdk/page`);
  await openClient(page);
  return page;
}
async function openClient(page: Page): Promise<void> {
  await page.waitForFunction("window.sdk !== undefined");
  await page.evaluate(async () => {
    (globalThis as { client?: Client }).client = await sdk.createClient({ url: location.origin });
  });
}
const live = (page: Page) => page.waitForFunction(() => client.connection.is === "live");
const textsIn = (page: Page, id: string): Promise<string[]> =>
  page.evaluate(
    (id) =>
      client.conversations
        .get(id)
        .messages()
        .flatMap((line) => (line.is === "message" ? [line.text] : [])),
    id,
  );
const say = (page: Page, id: string, text: string): Promise<number> =>
  page.evaluate(([id = "", text = ""]) => client.conversations.get(id).send(text).sent, [id, text]);

test("[CL-40] IndexedDB in a real browser: a batch is stored wholly or not at all, and read in order", async () => {
  const page = await context.newPage();
  await page.goto(`${server.url}/sdk/page`);
  await page.waitForFunction("window.sdk !== undefined");
  const read = await page.evaluate(async () => {
    const store = await sdk.indexedDbStorage().open("tried");
    await Promise.all(
      [1, 2, 3].map((value) =>
        store.write([
          { key: "a", value },
          { key: `b/${value}`, value },
        ]),
      ),
    );
    await store
      .write([
        { key: "a", value: 9 },
        { key: "c", value: () => {} },
      ])
      .catch(() => {});
    await store.write([{ key: "b/2", value: undefined }]);
    await store.close();
    const again = await sdk.indexedDbStorage().open("tried");
    const rows = [await again.read(""), await again.read("b/")];
    await again.clear();
    return [...rows, await again.read("")];
  });
  const kept = [
    ["b/1", 1],
    ["b/3", 3],
  ];
  expect(read).toEqual([[["a", 3], ...kept], kept, []]);
  await page.close();
});

let first: Page;
let second: Page;
let id: string;

test("[CL-48] two tabs of a real browser share one socket, and both write", async () => {
  const bob = await signUp(server.url, "bob");
  first = await openTab();
  await first.evaluate((password) => client.signUp({ handle: "alice", password }), PASSWORD);
  await live(first);
  id = await first.evaluate(async (userId) => (await client.conversations.openDirect(userId)).id, bob.userId);
  second = await openTab();
  await live(second);
  expect(await second.evaluate(() => client.session)).toMatchObject({ is: "signed_in", handle: "alice" });
  await say(second, id, "from the second");
  await say(first, id, "from the first");
  await second.waitForFunction((id) => client.conversations.get(id).snapshot().preview?.text === "from the first", id);
  expect(await textsIn(second, id)).toEqual(["from the second", "from the first"]);
  expect(sockets).toHaveLength(1);
});

test("[CL-45] [CL-48] the tab that leads is closed without a word: the other one goes on, and nothing is lost", async () => {
  const said = second.evaluate(async (id) => {
    const chat = client.conversations.get(id);
    const sent: Promise<number>[] = [];
    for (let n = 1; n <= 40; n++) {
      sent.push(chat.send(`text ${n}`).sent);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return Promise.all(sent);
  }, id);
  await new Promise((resolve) => setTimeout(resolve, 150));
  await first.close();
  await said;
  const wanted = Array.from({ length: 40 }, (_, n) => `text ${n + 1}`);
  expect((await textsIn(second, id)).slice(2)).toEqual(wanted);
  const { accessToken: token } = await must(server.url, "signIn", {
    body: { handle: "alice", password: PASSWORD, device: { name: "other" } },
  });
  const { events } = await must(server.url, "history", { params: { id }, query: { after: 0, limit: 200 }, token });
  const logged = events.flatMap((event) =>
    event.kind === "message" && event.content.type === "text" ? [event.content.text] : [],
  );
  expect(logged.slice(2)).toEqual(wanted);
  expect(sockets).toHaveLength(2);
});

test("[CL-45] a tab that is opened while the server is away shows what is on the disk, and sends what is written there later", async () => {
  await second.evaluate(() => client.flush());
  await server.kill9();
  await second.close();
  const page = await context.newPage();
  await page.goto(`${server.url}/sdk/page`);
  await openClient(page);
  expect(await textsIn(page, id)).toHaveLength(42);
  const sent = say(page, id, "offline");
  expect(await page.evaluate(() => client.conversations.list()[0]?.preview)).toMatchObject({
    text: "offline",
    state: { is: "queued" },
  });
  await server.start();
  expect(await sent).toBeGreaterThan(0);
  await page.evaluate(() => client.signOut());
  expect(await page.evaluate(() => client.conversations.list())).toEqual([]);
});
