import type { Browser } from "@playwright/test";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signUp } from "./support/client.ts";
import { newPerson, type Somebody, see } from "./support/person.ts";
import { type Server, startServer } from "./support/server.ts";
import { launchBrowser, tellAsStory } from "./support/story.ts";

let server: Server;
let browser: Browser;
let anna: Somebody;

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
  anna = await newPerson(browser, server.url, "anna");
  await signUp(server.url, "ben");
  await anna.talkTo("ben");
  await anna.say("Before the tunnel");
  await see(anna.tick("Before the tunnel")).toHaveAttribute("data-tick", "sent");
});
afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

tellAsStory();

test("[AP-1] the page's files say what it may do, and how long they are good", async () => {
  const page = await fetch(server.url);
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
    const answer = await fetch(server.url + path);
    expect([path, answer.headers.get("cache-control")]).toEqual([path, "public, max-age=31536000, immutable"]);
  }
  expect((await fetch(`${server.url}/sw.js`)).headers.get("cache-control")).toBe("no-cache");
  const manifest = (await (await fetch(`${server.url}/manifest.webmanifest`)).json()) as { icons: { src: string }[] };
  for (const { src } of manifest.icons) expect((await fetch(server.url + src)).status).toBe(200);
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
  await see(page.locator("#connection-text")).toContainText("reconnecting in", { timeout: 30_000 });
  await anna.say("In the tunnel");
  await see(anna.tick("In the tunnel")).toHaveAttribute("data-tick", "queued");
  await anna.shoot("tunnel");
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
  expect(kept).toContain("/");
  expect(kept.filter((path) => !/^\/(assets\/|icon|manifest\.|$)/.test(path))).toEqual([]);
});

/** Puts five hundred groups beside the one conversation that the browser keeps, each with a message of mine. */
const MANY = `{
  const [name, text] = Object.entries(localStorage).find(([name]) => name.endsWith(".state"));
  const prefix = name.slice(0, -"state".length);
  const state = JSON.parse(text);
  const names = JSON.parse(localStorage.getItem(prefix + "names"));
  const [one] = Object.keys(state.conversations);
  const { covered, ...held } = state.conversations[one];
  const [event] = JSON.parse(localStorage.getItem(prefix + "events." + one + ".0")).filter(({ kind }) => kind === "message");
  for (let i = 0; i < 500; i++) {
    const conversationId = "g" + String(i).padStart(26, "0");
    state.conversations[conversationId] = { ...held, covered: 1 };
    const at = event.occurredAt - i * 60_000;
    localStorage.setItem(prefix + "events." + conversationId + ".0", JSON.stringify([{ ...event, conversationId, seq: 1, occurredAt: at }]));
    names.conversations[conversationId] = { ...names.conversations[one], conversationId, kind: "group", title: "Group " + i, head: 1 };
  }
  localStorage.setItem(name, JSON.stringify(state));
  localStorage.setItem(prefix + "names", JSON.stringify(names));
}`;

test("[AP-10] five hundred conversations: the list is there, is filtered, and answers a key soon", async () => {
  const { page } = anna;
  await page.waitForTimeout(500); // what the page keeps is written
  await page.goto(`${server.url}/icon.svg`);
  await page.evaluate(MANY);
  await page.goto(server.url);
  await see(page.locator("#list > li")).toHaveCount(501);
  await page.getByLabel("Search", { exact: true }).fill("group 49");
  await see(page.locator("#list > li")).toHaveCount(11); // 49 and 490 to 499
  await page.getByLabel("Search", { exact: true }).fill("");
  await see(page.locator("#list > li")).toHaveCount(501);
  await anna.open("ben");
  const took = await page.evaluate<number>(`new Promise((resolve) => {
    const field = document.getElementById("text");
    const startedAt = performance.now();
    field.value = "x";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - startedAt)));
  })`);
  expect(took).toBeLessThan(400); // on two shared cores; a person is to see each key at once
  await anna.say("Still quick");
  await see(page.locator("#list > li").first()).toContainText("Still quick");
  await anna.shoot("five-hundred");
  expect(anna.complaints).toEqual([]);
});
