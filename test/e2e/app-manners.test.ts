import { devices, type Locator } from "@playwright/test";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/protocol/limits.ts";
import { PASSWORD, signIn, signUp } from "./support/client.ts";
import { must } from "./support/door.ts";
import { look } from "./support/look.ts";
import { Person, type Somebody, see } from "./support/person.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;

const LONG = "A group whose title is so long that no screen of any phone could ever show all of it in one line";
const stage = tellOnStage(async (stage) => {
  for (const handle of ["ben", "cleo", "maximilian-von-hohenlohe"]) await signUp(stage.url, handle);
  anna = await stage.enter("anna");
  await anna.makeGroup(LONG, "ben", "cleo", "maximilian-von-hohenlohe");
  await anna.say("Hello to all of you", "yes");
});

const button = (name: string | RegExp, who: Person = anna) =>
  who.page.getByRole("button", { name, exact: typeof name === "string" });
const leave = () => anna.page.keyboard.press("Escape");
const sure = () => anna.page.getByRole("alertdialog");

/** Where it is on the screen; throws where it is nowhere. */
async function boxOf(place: Locator) {
  const box = await place.boundingBox();
  if (!box) throw new Error(`${place} is not on the screen`);
  return box;
}

/** Axe reads some screens four times. Ms. */
const PATIENCE_MS = 400_000;

test(
  "[AP-47] somebody new reads what is wanted of them, and why an invite has led them here",
  async () => {
    const { page, context } = anna;
    const dan = new Person(await stage.browser.newPage(), "dan");
    await dan.page.goto(stage.url);
    const [handle, password] = [dan.page.getByLabel("Handle", { exact: true }), dan.page.getByLabel("Password")];
    await see(handle).toHaveAccessibleDescription(/others find you/);
    await see(password).toHaveAccessibleDescription(/8 characters/);
    await see(dan.page.getByText("New here?")).toBeVisible();
    await password.fill("so long that I see it");
    await see(password).toHaveAttribute("type", "password");
    await dan.page.getByLabel("Show what I type").check();
    await see(password).toHaveAttribute("type", "text");
    await see(password).toHaveValue("so long that I see it");
    await look(dan, "way-in", { widths: [1_100, 320] });
    await page.locator("#title").click();
    await button("Make an invite link").click();
    const link = await page.getByLabel("Invite link").inputValue();
    await leave();
    await dan.page.goto(link);
    await see(dan.page.getByText("You are invited to a group")).toBeVisible();
    await dan.signUp(link);
    await button("Join the group", dan).click();
    await see(dan.page.locator("#title")).toHaveText(LONG);
    await dan.say("Here I am");
    await see(dan.tick("Here I am")).toHaveAttribute("data-tick", /sent|delivered|read/);
    expect(dan.complaints).toEqual([]);
    await dan.page.close();
    expect(context.pages()).toHaveLength(1);
  },
  PATIENCE_MS,
);

test("[AP-47] whoever was signed out signs in with Enter", async () => {
  const cleo = await stage.enterAgain("cleo");
  const other = await signIn(stage.url, "cleo", "other");
  const { devices } = await must(stage.url, "devices", { token: other.token });
  const lost = devices.find(({ current, name }) => !current && name !== "first");
  await must(stage.url, "revokeDevice", { params: { deviceId: String(lost?.deviceId) }, token: other.token });
  await see(cleo.page.locator("#ended")).toBeVisible();
  await cleo.page.getByLabel("Password").fill(PASSWORD);
  await cleo.page.keyboard.press("Enter");
  await cleo.isConnected();
  expect(cleo.complaints).toEqual([]);
  await cleo.context.close();
});

test("[AP-48] what is done in a dialog is told above it", async () => {
  const { page } = anna;
  await page.locator("#title").click();
  await see(button("Copy")).toBeVisible();
  await page.evaluate(`{
    const states = (globalThis.states = []);
    document.querySelector("#toast").addEventListener("beforetoggle", ({ newState }) => states.push(newState));
  }`);
  await button("Copy").click();
  await see(page.locator("#toast")).toHaveAttribute("data-shows", "true");
  // What is shown last lies on top of what was shown before: on top of the dialog.
  await see.poll(() => page.evaluate<string[]>("states")).toContain("open");
  expect(await page.locator("#toast").evaluate((toast) => toast.matches(":popover-open"))).toBe(true);
  await leave();
});

test(
  "[AP-48] what comes of it is said before somebody is blocked, and an archived conversation says where it is",
  async () => {
    const { page } = anna;
    await anna.talkTo("ben");
    await see(page.getByText("No messages yet")).toBeVisible();
    await look(anna, "no-messages");
    await page.locator("#title").click();
    await button("Block").click();
    await see(sure()).toContainText("they are not told");
    await look(anna, "sure-block", { widths: [320] });
    await leave();
    await button("Archive").click();
    await see(page.locator("#toast")).toHaveText("Archived: it stands below the others");
    await button("Archive").click();
    await see(page.locator("#toast")).toHaveText("Back among the others");
  },
  PATIENCE_MS,
);

test("[AP-48] whoever signs out while something waits to be sent is asked, and may stay", async () => {
  const { page, context } = anna;
  await context.setOffline(true);
  await see(page.locator("#connection-text")).toContainText("reconnecting in");
  await anna.say("On its way");
  await see(page.locator("#connection-text")).toContainText("1 not sent yet");
  await button("Settings").click();
  await button("Sign out").click();
  await see(sure()).toContainText("One message was not sent yet");
  await sure().getByRole("button", { name: "Cancel" }).click();
  await context.setOffline(false);
  await see(anna.tick("On its way")).toHaveAttribute("data-tick", "sent");
});

test("[AP-48] a text that is as long as it may be says so, and no other does", async () => {
  const field = anna.page.getByLabel("Message", { exact: true });
  const full = anna.page.getByText("This is as long as one message may be");
  await field.fill("x".repeat(LIMITS.textLength - 1));
  await see(full).toHaveCount(0);
  await field.press("End");
  await field.pressSequentially("yz");
  await see(full).toBeVisible();
  expect(await field.inputValue()).toHaveLength(LIMITS.textLength);
  await field.fill("");
  await see(full).toHaveCount(0);
});

test("[AP-48] a voice message is seen as soon as it is sent, wherever one was reading", async () => {
  const { page, context } = anna;
  await context.grantPermissions(["microphone"], { origin: stage.url });
  await anna.say(...Array.from({ length: 25 }, (_, i) => `Message ${i}`));
  await see(anna.tick("Message 24")).toHaveAttribute("data-tick", "sent");
  await page.locator("#log").hover();
  await page.mouse.wheel(0, -5_000);
  await see(button("Go to the newest message")).toBeVisible();
  await button("Record a voice message").click();
  await see(page.getByRole("timer")).not.toHaveText("0:00");
  await button("Send the recording").click();
  await see(page.locator("#rows .media.audio")).toBeInViewport();
});

test(
  "[AP-49] on a screen 320 pixels wide nothing lies on anything else, and all that can be pressed is in sight",
  async () => {
    const { page } = anna;
    const narrow = { widths: [320], height: 568 };
    await page.setViewportSize({ width: 320, height: 568 });
    await page.evaluate("location.hash = ''");
    await look(anna, "list", narrow);
    await page.setViewportSize({ width: 320, height: 568 });
    const line = await boxOf(page.locator("#connection"));
    expect(line.height).toBeLessThan(26); // one line
    await anna.open(LONG);
    await page.locator("#title").click();
    const members = page.locator("#members li");
    await see(members).toHaveCount(5);
    for (let i = 0; i < 5; i++) {
      const row = await boxOf(members.nth(i));
      const inside = await members
        .nth(i)
        .evaluate((li) => [...li.children].map((part) => part.getBoundingClientRect().bottom));
      expect(Math.max(...inside)).toBeLessThanOrEqual(row.y + row.height + 1);
    }
    await leave();
    await anna.message("yes").getByRole("button", { name: "What to do with this message" }).click();
    await button("Forward").click();
    await page.setViewportSize({ width: 320, height: 300 });
    const isWhole = page
      .locator("#forward blockquote")
      .evaluate((quoted) => quoted.scrollHeight <= quoted.clientHeight);
    expect(await isWhole).toBe(true);
    await page.setViewportSize({ width: 320, height: 568 });
    for (const box of await page.locator("#forward .picks input").all()) {
      const { x, width } = await boxOf(box);
      expect(x + width).toBeLessThan(320);
    }
    await look(anna, "forward", narrow);
    await leave();
  },
  PATIENCE_MS,
);

test("[AP-49] the sign for more stands beside a message, short or long", async () => {
  await anna.open(LONG);
  for (const words of ["yes", "Hello to all of you"]) {
    const bubble = await boxOf(anna.message(words).locator(".bubble"));
    const more = await boxOf(anna.message(words).locator("button.more"));
    expect(more.x + more.width).toBeLessThanOrEqual(bubble.x);
  }
});

test("[AP-49] in colours of one's own a message has a border, and what is chosen is marked", async () => {
  const { page } = anna;
  const widthOf = (what: string, style: "border-top-width" | "outline-width") =>
    page.evaluate<number>(
      `parseFloat(getComputedStyle(document.querySelector('${what}')).getPropertyValue("${style}"))`,
    );
  const bubbles = ["#rows .mine .bubble", "#rows .message:not(.mine) .bubble"];
  for (const bubble of bubbles) expect(await widthOf(bubble, "border-top-width")).toBe(0);
  await page.emulateMedia({ forcedColors: "active" });
  for (const bubble of bubbles) expect(await widthOf(bubble, "border-top-width")).toBeGreaterThan(0);
  expect(await widthOf(".list a[aria-current]", "outline-width")).toBeGreaterThan(0);
  await page.emulateMedia({ forcedColors: "none" });
});

test("[AP-50] those whom somebody brings in at once are told in one line", async () => {
  await see(anna.page.locator("#rows .note")).toHaveText([/You made the group/, /^You added .+ and .+$/, /dan joined/]);
});

test("[AP-50] a reaction says whose it is: under the pointer, and in the menu of its message", async () => {
  const ben = await stage.enterAgain("ben");
  await ben.open(LONG);
  for (const who of [ben, anna]) {
    await who.message("Hello to all of you").click({ button: "right" });
    await button("React with thumbs up", who).click();
  }
  const chip = anna.message("Hello to all of you").locator(".chip");
  await see(chip).toHaveAttribute("title", "You and ben");
  await anna.message("Hello to all of you").click({ button: "right" });
  await see(anna.page.getByRole("list", { name: "Who has reacted" })).toContainText("You and ben");
  expect(await anna.barriers()).toEqual([]);
  await leave();
  expect(ben.complaints).toEqual([]);
  await ben.context.close();
});

test("[AP-27] what is sought in a conversation is marked where it was said, also in what comes meanwhile", async () => {
  const { page } = anna;
  const marked = () => page.evaluate<string[]>(`[...(CSS.highlights.get("found") ?? [])].map(String)`);
  await button("Search here").click();
  await page.getByLabel("Search in this conversation").fill("HELLO all");
  await see.poll(marked).toEqual(["Hello", "all"]);
  await anna.say("hello (again)");
  await see.poll(marked).toEqual(["Hello", "all", "hello"]);
  await page.getByLabel("Search in this conversation").fill("(a");
  await see.poll(marked).toEqual(["(a"]);
  expect(await anna.barriers()).toEqual([]);
  await button("End the search").click();
  await see.poll(marked).toEqual([]);
});

test("[AP-34] a message that a finger draws to the right is answered; up, down and a little way do nothing", async () => {
  const { defaultBrowserType: _, ...pixel } = devices["Pixel 7"];
  const context = await stage.browser.newContext(pixel);
  const phone = new Person(await context.newPage(), "anna");
  await phone.signIn(stage.url);
  await phone.open(LONG);
  const touch = await context.newCDPSession(phone.page);
  const words = phone.message("hello (again)").locator(".bubble > p");
  await see(words).toBeInViewport();
  const { x, y } = await boxOf(words);
  const draw = async (right: number, down: number, stays = async () => {}) => {
    await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x: x + 5, y: y + 5 }] });
    await stays();
    for (let step = 1; step <= 5; step++) {
      const at = { x: x + 5 + (right * step) / 5, y: y + 5 + (down * step) / 5 };
      await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: [at] });
    }
    await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  };
  const answering = phone.page.locator("#answering");
  await draw(35, 0);
  await draw(20, 80);
  await draw(90, 6, () => see(button("Reply", phone)).toBeVisible()); // it has asked for the menu before
  await phone.page.waitForTimeout(300);
  await see(answering).toHaveCount(0);
  await phone.page.keyboard.press("Escape");
  await see(button("Reply", phone)).toHaveCount(0);
  await draw(90, 6);
  await see(answering).toContainText("hello (again)");
  await see(phone.page.locator(".drawn")).toHaveCount(0);
  expect(await phone.message("hello (again)").locator(".bubble").getAttribute("style")).toBeFalsy();
  await phone.page.getByLabel("Message", { exact: true }).fill("Drawn");
  await button("Send", phone).click();
  await see(phone.message("Drawn").locator(".quote")).toContainText("hello (again)");
  expect(phone.complaints).toEqual([]);
  await context.close();
});

test("no page complained", () => {
  expect(anna.complaints).toEqual([]);
});
