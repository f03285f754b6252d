import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cpuOf } from "./support/cpu.ts";
import { addKept, keptIn, keptText } from "./support/kept.ts";
import { annaWhoSaid, Person, type Somebody, see } from "./support/person.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;

const stage = tellOnStage(async (stage) => {
  anna = await annaWhoSaid(stage.browser, stage.url, "Before the tunnel");
});

test("[AP-1] the page's files say what it may do, and how long they are good", async () => {
  const page = await fetch(stage.url);
  const policy = page.headers.get("content-security-policy") ?? "";
  for (const rule of [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ])
    expect(policy).toContain(rule);
  expect(policy).not.toMatch(/unsafe|\*(?!$|;| )(?<!localhost:\*)/);
  expect(policy).toContain("require-trusted-types-for 'script'");
  expect(page.headers.get("referrer-policy")).toBe("no-referrer");
  expect(page.headers.get("permissions-policy")).toContain("microphone=(self)");
  expect(page.headers.get("permissions-policy")).toContain("geolocation=()");
  expect(page.headers.get("cache-control")).toBe("no-cache");
  const html = await page.text();
  expect(html).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|\sstyle=/);
  const assets = [...html.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? "");
  expect(assets.length).toBeGreaterThanOrEqual(2);
  for (const path of assets) {
    const answer = await fetch(stage.url + path);
    expect([path, answer.headers.get("cache-control")]).toEqual([path, "public, max-age=31536000, immutable"]);
  }
  expect((await fetch(`${stage.url}/sw.js`)).headers.get("cache-control")).toBe("no-cache");
  const manifest = (await (await fetch(`${stage.url}/manifest.webmanifest`)).json()) as { icons: { src: string }[] };
  for (const { src } of manifest.icons) expect((await fetch(stage.url + src)).status).toBe(200);
});

test("[AP-1] no text becomes markup or a script in the page, and no script comes from elsewhere", async () => {
  const tried = (code: string) =>
    anna.page.evaluate(`(() => { try { ${code}; return "let through"; } catch (error) { return error.name; } })()`);
  expect(await tried(`document.body.innerHTML = "<b>x</b>"`)).toBe("TypeError");
  expect(await tried(`document.createElement("script").text = "1"`)).toBe("TypeError");
  expect(await tried(`document.createElement("script").src = "/sw.js?2"`)).toBe("TypeError");
  expect(await tried(`trustedTypes.createPolicy("another", {})`)).toBe("TypeError");
  expect(await tried(`setTimeout("1")`)).toBe("TypeError");
  anna.complaints.length = 0; // the page has just said so
});

test("[AP-4] without a network the page starts, shows what it holds, and sends when it is back", async () => {
  const { page, context } = anna;
  await page.evaluate("navigator.serviceWorker.ready.then(() => {})");
  await context.setOffline(true);
  await page.reload();
  await see(page.locator("#rows")).toContainText("Before the tunnel");
  await see(page.locator("#connection-text")).toContainText("reconnecting in");
  await anna.say("In the tunnel");
  await see(anna.tick("In the tunnel")).toHaveAttribute("data-tick", "queued");
  await anna.shoot("tunnel");
  await see.poll(() => keptText(page)).toContain("In the tunnel");
  await page.reload();
  await see(anna.tick("In the tunnel")).toHaveAttribute("data-tick", "queued");
  await context.setOffline(false);
  await anna.isConnected();
  await see(anna.tick("In the tunnel")).toHaveAttribute("data-tick", "sent");
});

test("[AP-4] the service worker keeps the page alone: no door's answer, no media", async () => {
  const kept = await anna.page.evaluate<string[]>(
    "caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name).then((cache) => cache.keys()))))" +
      ".then((all) => all.flat().map(({ url }) => new URL(url).pathname))",
  );
  expect(kept.toSorted()).toEqual((await pageFiles()).toSorted());
});
/** What the build has made of the page, by address. */
async function pageFiles(): Promise<string[]> {
  const names = await readdir(join(import.meta.dirname, "../../dist/web"), { recursive: true });
  const ofPage = names.filter((name) => /\.(html|js|css|svg|png|webmanifest)$/.test(name) && name !== "sw.js");
  return ofPage.map((name) => (name === "index.html" ? "/" : `/${name}`));
}

test("[AP-4] nothing stays of the page's older versions once the service worker has this one", async () => {
  const context = await stage.browser.newContext();
  const page = await context.newPage();
  await page.goto(`${stage.url}/icon.svg`); // where no service worker is begun
  await page.evaluate(
    "caches.open('edgewise.shell.older').then((cache) => cache.put('/', new Response('an older page')))",
  );
  await page.goto(stage.url);
  const names = () => page.evaluate<string[]>("caches.keys()");
  await see.poll(names).not.toContain("edgewise.shell.older");
  expect(await names()).toEqual([expect.stringMatching(/^edgewise\.shell\./)]);
  await context.close();
});

/** Puts five hundred groups beside the one conversation that the browser keeps, each with a message of mine. */
const MANY = `(rows) => {
  const [, held] = rows.find(([key]) => key.startsWith("held/"));
  const [, about] = rows.find(([key]) => key.startsWith("about/"));
  const event = rows.find(([key]) => key.startsWith("log/"))[1].find(({ kind }) => kind === "message");
  return Array.from({ length: 500 }, (_, i) => {
    const conversationId = "g" + String(i).padStart(26, "0");
    const at = event.occurredAt - i * 60_000;
    return [
      ["held/" + conversationId, { ...held, covered: 1, tail: [] }],
      ["about/" + conversationId, { ...about, kind: "group", title: "Group " + i, peerId: null, head: 1 }],
      ["log/" + conversationId + "/000000000000", [{ ...event, conversationId, seq: 1, occurredAt: at }]],
    ];
  }).flat();
}`;

test("[AP-10] five hundred conversations: the list is there, is filtered, and answers a key soon", async () => {
  const { page } = anna;
  const waiting = async () => (await keptIn(page)).filter(([key]) => key.startsWith("out/"));
  await see.poll(waiting).toEqual([]); // what the page keeps is written
  await page.goto(`${stage.url}/icon.svg`);
  await addKept(page, MANY);
  await page.goto(stage.url);
  await see(page.locator("#list > li")).toHaveCount(501);
  await page.getByLabel("Search", { exact: true }).fill("group 49");
  await see(page.locator("#list > li")).toHaveCount(11); // 49 and 490 to 499
  await page.getByLabel("Search", { exact: true }).fill("");
  await see(page.locator("#list > li")).toHaveCount(501);
  await anna.open("ben");
  const key = `new Promise((resolve) => {
    const field = document.getElementById("text");
    field.value += "x";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    requestAnimationFrame(() => setTimeout(resolve));
  })`;
  const worked = await cpuOf(page);
  const took: number[] = [];
  for (let tries = 0; tries < 5; tries++) took.push(await worked("TaskDuration", () => page.evaluate(key)));
  expect(Math.min(...took)).toBeLessThan(0.4); // seconds: a person is to see each key at once
  await anna.say("Still quick");
  await see(page.locator("#list > li").first()).toContainText("Still quick");
  await anna.shoot("five-hundred");
  expect(anna.complaints).toEqual([]);
});

/** Notes how many conversations the list had each time it was drawn. Runs before the page. */
const GROWTH = `{
  const growth = (globalThis.growth = []);
  new MutationObserver(() => {
    const count = document.querySelectorAll("#list > li").length;
    if (count > 0 && count !== growth.at(-1)) growth.push(count);
  }).observe(document, { childList: true, subtree: true });
}`;

test("[AP-37] a list of five hundred grows piece by piece, and is then drawn whole each time", async () => {
  const { page, context } = anna;
  await context.addInitScript({ content: GROWTH });
  await page.goto(stage.url);
  await see(page.locator("#list > li")).toHaveCount(501);
  const growth = await page.evaluate<number[]>("growth");
  const steps = growth.map((count, i) => count - (growth[i - 1] ?? 0));
  expect(growth.at(-1)).toBe(501);
  expect(Math.min(...steps)).toBeGreaterThan(0);
  expect(Math.max(...steps)).toBeLessThanOrEqual(40);
  await page.getByLabel("Search", { exact: true }).fill("group 49");
  await see(page.locator("#list > li")).toHaveCount(11);
  await page.getByLabel("Search", { exact: true }).fill("");
  await see(page.locator("#list > li")).toHaveCount(501);
  expect(await page.evaluate<number[]>("growth.slice(-2)")).toEqual([11, 501]);
});

test("[AP-11] nothing stays of what older pages kept", async () => {
  const old = {
    "edgewise.account.d1": "{}",
    "edgewise.device.d1.state": "secret",
    "edgewise.push.d1": "x",
    other: "1",
  };
  await anna.page.evaluate(`Object.assign(localStorage, ${JSON.stringify(old)})`);
  await anna.page.reload();
  await anna.isConnected();
  const names = () => anna.page.evaluate<string[]>("Object.keys(localStorage).toSorted()");
  await see.poll(names).toEqual(["edgewise.profiles", "other"]);
  await anna.page.evaluate("localStorage.removeItem('other')");
});

test("[AP-12] signing out in one tab empties the store, and ends what the other one shows", async () => {
  const dora = await stage.enter("dora");
  const second = new Person(await dora.context.newPage(), "dora");
  await second.page.goto(stage.url);
  await second.page.getByRole("button", { name: "dora" }).click();
  await second.isConnected();
  const other = new Person(await dora.context.newPage(), "emil");
  await other.signUp(stage.url);
  const sessions = async () => (await keptIn(other.page)).filter(([key]) => key === "session").length;
  await see.poll(sessions).toBe(2);
  await second.page.getByRole("button", { name: "Settings" }).click();
  await second.page.getByRole("button", { name: "Sign out", exact: true }).click();
  for (const { page } of [dora, second]) await see(page.getByRole("button", { name: "Create account" })).toBeVisible();
  await see(dora.page.locator("#known li button")).toContainText(["emil"]);
  await see.poll(sessions).toBe(1);
  await see.poll(() => keptText(other.page)).not.toContain("dora");
  await see(other.page.locator("#connection-text")).toHaveText("connected");
  expect([...dora.complaints, ...second.complaints, ...other.complaints]).toEqual([]);
  await dora.context.close();
});
