/**
 * `npm run bench:app`: how soon the app is there, in Chromium, with what a year leaves on a device: 500 conversations and 50,000 messages in the
 * browser's store; and what Lighthouse would say of its start on a slow phone. `--built` takes dist/ as it is. Ends with one line of JSON.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "../scripts/build.ts";
import { signUp } from "../test/e2e/support/client.ts";
import { addKept } from "../test/e2e/support/kept.ts";
import { newPerson, type Somebody, see } from "../test/e2e/support/person.ts";
import { startServer } from "../test/e2e/support/server.ts";
import { launchBrowser } from "../test/e2e/support/stage.ts";
import { type FirstSight, firstSight } from "./first-sight.ts";

const CONVERSATIONS = 500;
const MESSAGES = 50_000;
const ROUNDS = 7;

/** Puts the others beside the one conversation that is there. Runs in the page. */
const MANY = `(rows) => {
  const [, held] = rows.find(([key]) => key.startsWith("held/"));
  const [, about] = rows.find(([key]) => key.startsWith("about/"));
  const event = rows.find(([key]) => key.startsWith("log/"))[1].find(({ kind }) => kind === "message");
  const each = ${MESSAGES / CONVERSATIONS};
  return Array.from({ length: ${CONVERSATIONS - 1} }, (_, i) => {
    const conversationId = "g" + String(i).padStart(26, "0");
    const events = Array.from({ length: each }, (_, n) => {
      const key = String(i * each + n).padStart(26, "0");
      const at = event.occurredAt - i * 60_000 - (each - n) * 1_000;
      const text = "Message " + n + " of " + i + ": " + "some words of an ordinary length ".repeat(1 + (n % 4));
      return {
        ...event, conversationId, seq: n + 1, eventId: key, idempotencyKey: key,
        occurredAt: at, receivedAt: at, composedAt: at, sentAt: at, content: { type: "text", text },
      };
    });
    const all = { covered: each, read: each, told: { delivered: each, read: each }, memberCount: 3 };
    const pieces = Object.entries(Object.groupBy(events, ({ seq }) => Math.floor(seq / 32)));
    return [
      ["held/" + conversationId, { ...held, ...all, tail: events.slice(-1) }],
      ["about/" + conversationId, { ...about, kind: "group", title: "Group " + i, peerId: null, head: each }],
      ...pieces.map(([piece, events]) => ["log/" + conversationId + "/" + piece.padStart(12, "0"), events]),
    ];
  }).flat();
}`;

/** Notes when the first of the list stand in the page, when all of it does, and when the page is connected. Runs before the page. */
const WATCH = `{
  const seen = (globalThis.seen = {});
  const note = (name, is) => { if (seen[name] === undefined && is) seen[name] = performance.now(); };
  const look = () => {
    note("first", document.querySelector("#list > li") !== null);
    note("list", document.querySelectorAll("#list > li").length >= ${CONVERSATIONS});
    note("connected", document.getElementById("connection-text")?.textContent === "connected");
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
}`;

type Seen = { paint: number; first: number; list: number; connected: number; key: number };
const NUMBERS = `new Promise((resolve) => {
  const paint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
  const field = document.getElementById("search");
  const startedAt = performance.now();
  field.value = "group 49";
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  requestAnimationFrame(() => setTimeout(() => {
    const key = performance.now() - startedAt;
    resolve({ paint, first: seen.first, list: seen.list, connected: seen.connected, key });
  }));
})`;

async function round({ page }: Somebody, url: string): Promise<Seen> {
  await page.goto(`${url}/icon.svg`);
  await page.goto(url);
  await see(page.locator("#connection-text")).toHaveText("connected", { timeout: 60_000 });
  return page.evaluate(NUMBERS);
}

function scripts(): { all: number; first: number } {
  const folder = join(import.meta.dirname, "../dist/web/assets");
  const names = readdirSync(folder).filter((name) => name.endsWith(".js"));
  const size = (name: string) => gzipSync(readFileSync(join(folder, name)), { level: 9 }).length;
  const sum = (some: readonly string[]) => some.reduce((bytes, name) => bytes + size(name), 0);
  return { all: sum(names), first: sum(names.filter((name) => name.startsWith("index-"))) };
}

/** The way in, for somebody who comes the first time, and the list of somebody who has been away; on a slow phone. */
async function sights(anna: Somebody, url: string): Promise<{ signIn: FirstSight; list: FirstSight }> {
  const stranger = await browser.newPage(PHONE);
  const button = stranger.getByRole("button", { name: "Create account" });
  const signIn = await firstSight(stranger, url, () => see(button).toBeVisible({ timeout: 60_000 }));
  await stranger.close();
  await anna.page.setViewportSize(PHONE.viewport);
  await anna.page.goto(`${url}/icon.svg`);
  const connection = anna.page.locator("#connection-text");
  const list = await firstSight(anna.page, url, () => see(connection).toHaveText("connected", { timeout: 60_000 }));
  return { signIn, list };
}
const PHONE = { viewport: { width: 390, height: 844 } };

const median = (values: readonly number[]): number =>
  Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN);

if (!process.argv.includes("--built")) await build();
const server = await startServer();
const browser = await launchBrowser();
try {
  const anna = await newPerson(browser, server.url, "anna");
  await signUp(server.url, "ben");
  await anna.talkTo("ben");
  await anna.say("The first of many");
  await see(anna.tick("The first of many")).toHaveAttribute("data-tick", "sent");
  await anna.page.goto(`${server.url}/icon.svg`);
  await addKept(anna.page, MANY);
  await anna.page.addInitScript({ content: WATCH });
  await round(anna, server.url); // warms up
  const rounds: Seen[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round(anna, server.url));
  const of = (name: keyof Seen) => median(rounds.map((each) => each[name]));
  const { all, first } = scripts();
  const numbers = {
    ...{ conversations: CONVERSATIONS, messages: MESSAGES, firstPaintMs: of("paint") },
    ...{ firstRowsMs: of("first"), listMs: of("list"), connectedMs: of("connected"), keyMs: of("key") },
    ...{ scriptBytesGzip: first, allScriptsBytesGzip: all },
    onSlowPhone: await sights(anna, server.url),
  };
  process.stdout.write(`${JSON.stringify(numbers)}\n`);
} finally {
  await browser.close();
  await server.remove();
}
