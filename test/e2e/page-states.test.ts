import type { Page, WebSocket } from "@playwright/test";
import { expect, test } from "vitest";
import { TIMES } from "../../src/protocol/limits.ts";
import { type Somebody, see } from "./support/person.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;
let ben: Somebody;
let cleo: Somebody;
/** Ben's other device. */
let tablet: Somebody;

const stage = tellOnStage(async (stage) => {
  anna = await stage.enter("anna");
  ben = await stage.enter("ben");
  cleo = await stage.enter("cleo");
});

const types = (who: Somebody, text: string) =>
  who.page.getByLabel("Message", { exact: true }).pressSequentially(text, { delay: 60 });
/** Types until it is seen: a server that is busy leaves typing out. What stands in the field stays as it is. */
const isSeenTyping = (writer: Somebody, watcher: Somebody, said = "typing …") =>
  see
    .poll(async () => {
      await types(writer, ".");
      await writer.page.keyboard.press("Backspace");
      return watcher.status.textContent();
    })
    .toBe(said);
const badge = (who: Somebody, title: string) => who.listed(title).locator(".unread");
const button = (who: Somebody, name: string | RegExp) => who.page.getByRole("button", { name });

test("[CL-30] [CL-31] typing is seen, ends by itself, and ends with the message", async () => {
  await anna.talkTo("ben");
  await anna.say("Are you there?");
  await ben.open("anna");
  await types(ben, "I am thinking");
  await isSeenTyping(ben, anna);
  await see(anna.listed("ben").locator(".typing")).toHaveText("typing …");
  await anna.shoot("typing");
  await see(anna.status).not.toHaveText("typing …");
  await types(ben, " … yes");
  await isSeenTyping(ben, anna);
  await ben.page.waitForTimeout(1_000); // no sign of it is on its way any more
  await ben.page.getByLabel("Message", { exact: true }).press("Enter");
  await see(anna.page.locator("#rows")).toContainText("I am thinking … yes");
  await see(anna.status).not.toHaveText("typing …", { timeout: TIMES.typingMs / 2 }); // it went with the message, not after its time
});

test("a conversation that changes under the finger opens, and keeps the focus", async () => {
  await anna.page.evaluate("location.hash = ''");
  await anna.listed("ben").hover();
  await anna.page.mouse.down();
  await ben.say("Now");
  await see(anna.listed("ben")).toContainText("Now");
  await see(anna.listed("ben")).toBeFocused();
  await anna.page.mouse.up();
  await see(anna.page.locator("#title")).toBeVisible();
});

test("[CL-32] somebody who is there is online; after they left, when they were last seen", async () => {
  await see(anna.status).toHaveText("online");
  await see(ben.status).toHaveText("online");
  await anna.shoot("online");
  await ben.context.close();
  await see(anna.status).toHaveText(/^last seen (today|yesterday) at \d/); // midnight may have passed
  await anna.shoot("last-seen");
  ben = await stage.enterAgain("ben");
  await see(anna.status).toHaveText("online");
});

test("[CL-25] in a group the ticks go from sent to delivered to read when the last one has", async () => {
  await cleo.context.setOffline(true);
  await anna.makeGroup("Hiking", "ben", "cleo");
  await anna.say("Saturday?");
  await ben.open("Hiking");
  await see(ben.page.locator("#rows")).toContainText("Saturday?");
  await anna.page.waitForTimeout(1_500);
  await see(anna.tick("Saturday?")).toHaveAttribute("data-tick", "sent");
  await cleo.context.setOffline(false);
  await see(anna.tick("Saturday?")).toHaveAttribute("data-tick", "delivered");
  await cleo.open("Hiking");
  await see(anna.tick("Saturday?")).toHaveAttribute("data-tick", "read");
  await types(cleo, "I will");
  await isSeenTyping(cleo, anna, "cleo is typing …");
  await anna.shoot("group");
});

test("[CL-28] what was read while the author was away is seen when they are back", async () => {
  await anna.open("ben");
  await anna.say("Until later");
  await see(anna.tick("Until later")).toHaveAttribute("data-tick", "delivered");
  await anna.context.setOffline(true);
  await see(anna.page.locator("#connection-text")).toContainText("reconnecting in");
  await ben.open("anna");
  await see(ben.page.locator("#rows")).toContainText("Until later");
  await ben.page.waitForTimeout(1_500);
  await anna.context.setOffline(false);
  await anna.isConnected();
  await see(anna.tick("Until later")).toHaveAttribute("data-tick", "read");
});

test("[CL-19] [CL-29] what is read on one device is read on the person's other one", async () => {
  tablet = await stage.enterAgain("ben");
  await ben.open("Hiking");
  await anna.say("One", "Two");
  await see(badge(ben, "anna")).toContainText("2");
  await see(badge(tablet, "anna")).toContainText("2");
  await tablet.shoot("unread");
  await ben.open("anna");
  await see(badge(ben, "anna")).toHaveCount(0);
  await see(badge(tablet, "anna")).toHaveCount(0);
});

test("[CL-29] [CL-36] mute, pin and archive show on both devices of the person, and to nobody else", async () => {
  await ben.open("Hiking");
  await button(ben, "Mute").click();
  await ben.shoot("mute-menu");
  expect(await ben.barriers()).toEqual([]);
  await button(ben, "For 8 hours").click();
  await see(button(ben, /^Muted until/)).toBeVisible();
  await see(tablet.listed("Hiking").getByRole("img", { name: "muted" })).toBeVisible();
  await ben.page.evaluate("location.hash = ''");
  await anna.say("Three");
  await anna.open("Hiking");
  await anna.say("Who drives?");
  await see(badge(tablet, "Hiking")).toContainText("1");
  await tablet.shoot("unread-muted");
  await see(tablet.page).toHaveTitle("(1) Edgewise"); // the muted one does not count
  await see(button(anna, "Mute")).toBeVisible();

  const titles = () => tablet.page.locator("#list strong").allTextContents();
  await see.poll(titles).toEqual(["Hiking", "anna"]);
  await ben.open("anna");
  await button(ben, "Pin").click();
  await see.poll(titles).toEqual(["anna", "Hiking"]);
  await ben.open("Hiking");
  await button(ben, "Archive").click();
  await see.poll(titles).toEqual(["anna"]);
  await tablet.page.getByText("Archived (1)").click();
  await see(tablet.listed("Hiking")).toBeVisible();
  await tablet.shoot("archived");
  await button(ben, "Archive").click();
  await button(ben, /^Muted until/).click();
  await button(ben, "Always").click();
  await see(button(ben, "Muted")).toBeVisible();
  await button(ben, "Muted").click();
  await button(ben, "Unmute").click();
  await see(button(ben, "Mute")).toBeVisible();
  await see.poll(titles).toEqual(["anna", "Hiking"]);
  await see(tablet.listed("Hiking").getByRole("img", { name: "muted" })).toHaveCount(0);
});

test("[CL-38] message info tells who has it and how it came, and follows what happens", async () => {
  await anna.open("Hiking");
  await cleo.page.evaluate("location.hash = ''");
  await anna.say("I bring the map");
  await anna.tick("I bring the map").locator("button.tick").click();
  const info = anna.page.getByRole("dialog", { name: "Message info" });
  const group = (title: string) => info.locator("section", { hasText: title });
  await see(group("Read by")).toContainText("ben");
  await see(group("Delivered to")).toContainText("cleo");
  await cleo.open("Hiking");
  await see(group("Read by")).toContainText("cleo");
  await see(info.locator("#info-counts")).toHaveText("Delivered to 2 and read by 2 of 2");
  await info.getByText("How it came to each of them").click();
  await see(info.locator("#info-lines li")).toHaveCount(3);
  await see(info.locator("#info-lines")).toContainText(/cleo has read it/);
  await anna.shoot("info");
  expect(await anna.barriers()).toEqual([]);
  await anna.page.keyboard.press("Escape");
  await see(info).toBeHidden();
});

test("the ticks are reached by keyboard: the newest first, the others by the arrows", async () => {
  const { page } = anna;
  const text = page.getByLabel("Message", { exact: true });
  await text.focus();
  const newest = anna.tick("I bring the map").locator("button.tick");
  const reached = newest.and(page.locator(":focus"));
  for (let stops = 0; stops < 4 && (await reached.count()) === 0; stops++) await page.keyboard.press("Shift+Tab"); // past the signs before the field
  await see(newest).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await see(anna.tick("Who drives?").locator("button.tick")).toBeFocused();
  await page.keyboard.press("Enter");
  await see(page.getByRole("dialog", { name: "Message info" })).toBeVisible();
  await page.keyboard.press("Escape");
});

test("settings: who sees what is kept, shown on the other device, and held to", async () => {
  await button(tablet, "Settings").click();
  const lastSeen = (who: Somebody) => who.page.getByLabel("Who sees when I am online and was last seen");
  await see(lastSeen(tablet)).toHaveValue("everyone");
  await button(ben, "Settings").click();
  await lastSeen(ben).selectOption("nobody");
  await see(lastSeen(tablet)).toHaveValue("nobody");
  await ben.page.getByLabel("Tell me on this device").click();
  await see(ben.page.locator("#settings-problem")).not.toBeEmpty(); // a headless browser lets nobody ring
  await see(ben.page.getByLabel("Tell me on this device")).not.toBeChecked();
  await ben.shoot("settings");
  expect(await ben.barriers()).toEqual([]);
  await button(ben, "Close").click();
  await button(tablet, "Close").click();
  await anna.open("ben");
  await see(ben.page.locator("#connection-text")).toHaveText("connected");
  await see(anna.status).toHaveText("");
  await anna.page.waitForTimeout(1_000);
  expect(await anna.status.textContent()).toBe("");
});

/** All that the page sends on its sockets, from the next one on. */
function sentBy(page: Page): string[] {
  const sent: string[] = [];
  const listen = (socket: WebSocket) =>
    socket.on("framesent", ({ payload }) => {
      sent.push(String(payload));
    });
  page.on("websocket", listen);
  return sent;
}

test("[CL-34] a page that nobody looks at says so, and opens another socket when somebody does", async () => {
  const { page } = cleo;
  const sent = sentBy(page);
  const hellos = () =>
    sent.filter((text) => text.includes('"hello"')).map((text) => JSON.parse(text).background ?? false);
  const content = `Object.defineProperty(document, "visibilityState", { get: () => sessionStorage.visibility ?? "hidden" })`;
  await page.addInitScript({ content });
  await page.reload();
  await cleo.isConnected();
  await see.poll(hellos).toEqual([true]);
  expect(sent.filter((text) => text.includes('"watch"'))).toEqual([]);
  const happens = (name: string) => page.evaluate(`document.dispatchEvent(new Event("${name}"))`);
  await page.evaluate(`sessionStorage.visibility = "visible"`);
  await happens("visibilitychange");
  await see.poll(hellos).toEqual([true, false]);
  await cleo.isConnected();
  await page.evaluate(`sessionStorage.visibility = "hidden"`);
  await happens("visibilitychange");
  await happens("freeze");
  await see(page.locator("#connection-text")).toHaveText("resting while nobody looks");
  await page.evaluate(`sessionStorage.visibility = "visible"`);
  await happens("visibilitychange");
  await cleo.isConnected();
});

test("[CL-30] what an overloaded server leaves out is told", async () => {
  const { page } = cleo;
  const shed = { say: (_shed: string[]) => {} };
  await page.routeWebSocket("**/v1/socket", (socket) => {
    socket.connectToServer();
    shed.say = (what) => socket.send(JSON.stringify({ type: "degraded", shed: what }));
  });
  await page.reload();
  await cleo.isConnected();
  const banner = page.getByRole("status").filter({ hasText: "The server is busy" });
  shed.say(["typing", "presence"]);
  await see(banner).toContainText("who is typing and who is online");
  await cleo.shoot("degraded");
  expect(await cleo.barriers()).toEqual([]);
  shed.say([]);
  await see(banner).toBeHidden();
});

test("[CL-37] axe finds no barrier on the main screens, bright, dark and small", async () => {
  const { page } = anna;
  await anna.open("Hiking");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await anna.barriers()).toEqual([]);
    await anna.shoot(colorScheme);
  }
  await page.setViewportSize({ width: 375, height: 700 });
  expect(await anna.barriers()).toEqual([]);
  await anna.shoot("phone-conversation");
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(375);
  await anna.tick("I bring the map").locator("button.tick").click();
  await see(page.locator("#info-counts")).not.toBeEmpty();
  await anna.shoot("phone-info");
  await page.keyboard.press("Escape");
  await button(anna, /^Mute/).click();
  await anna.shoot("phone-mute");
  await page.keyboard.press("Escape");
  await button(anna, "Back").click();
  expect(await anna.barriers()).toEqual([]);
  await anna.shoot("phone-list");
  const stranger = await stage.browser.newContext();
  const fresh = await stranger.newPage();
  await fresh.goto(stage.url);
  await see(button({ page: fresh } as Somebody, "Create account")).toBeVisible();
  expect(await Object.assign(Object.create(Object.getPrototypeOf(anna)), { page: fresh }).barriers()).toEqual([]);
  await stranger.close();
});

test("no page complained", () => {
  expect([anna, ben, cleo, tablet].flatMap(({ complaints }) => complaints)).toEqual([]);
});
