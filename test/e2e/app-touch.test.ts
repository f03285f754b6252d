import { type CDPSession, devices, type Locator } from "@playwright/test";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/protocol/limits.ts";
import { type Device, signIn, signUp } from "./support/client.ts";
import { must } from "./support/door.ts";
import { Person, type Somebody, see } from "./support/person.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;
let ben: Device;
let direct: string;

const stage = tellOnStage(async (stage) => {
  ben = await signUp(stage.url, "ben");
  await ben.connect();
  await signUp(stage.url, "cleo");
  anna = await stage.enter("anna");
});

const button = (who: Person, name: string) => who.page.getByRole("button", { name, exact: true });
const message = (who: Person, text: string) => who.message(text);
const menu = (who: Person) => who.page.locator("#message-menu");
async function benSays(...texts: string[]): Promise<void> {
  for (const text of texts) ben.outbox.add(direct, text);
  await see.poll(() => ben.outbox.waiting.length).toBe(0);
}

test("[AP-32] who writes first is introduced; their request is accepted where they wrote", async () => {
  const userId = await idOf("anna");
  const { conversation } = await must(stage.url, "openDirect", { params: { userId }, token: ben.token });
  direct = conversation.conversationId;
  await benSays("Do you remember me?");
  await anna.open("ben");
  const stranger = anna.page.locator("#stranger");
  await see(stranger).toContainText("ben is not one of your contacts.");
  await see(stranger.getByRole("button")).toHaveText(["Block", "Report"]);
  await must(stage.url, "putContact", { params: { userId }, token: ben.token });
  await see(stranger).toContainText("ben asks to be your contact.");
  expect(await anna.barriers()).toEqual([]);
  await stranger.getByRole("button", { name: "Accept" }).click();
  await see(stranger).toHaveCount(0);
  const { contacts } = await must(stage.url, "contacts", { token: ben.token });
  expect(contacts).toMatchObject([{ handle: "anna", state: "accepted" }]);
});

test("[AP-32] the introduction goes when the stranger is answered", async () => {
  const cleo = await signIn(stage.url, "cleo", "first");
  const opened = await must(stage.url, "openDirect", { params: { userId: await idOf("anna") }, token: cleo.token });
  await cleo.outbox.addByHttp(opened.conversation.conversationId, "Hello from cleo");
  await anna.open("cleo");
  await see(anna.page.locator("#stranger")).toContainText("cleo is not one of your contacts.");
  await anna.say("Hello cleo");
  await see(anna.tick("Hello cleo")).toHaveAttribute("data-tick", /sent|delivered|read/);
  await anna.page.waitForTimeout(500); // nothing of it waits any more
  await see(anna.page.locator("#stranger")).toHaveCount(0);
});

test("[AP-32] a stranger who asks is declined where they wrote, and is reported or blocked there", async () => {
  const dora = await signUp(stage.url, "dora");
  const userId = await idOf("anna");
  const opened = await must(stage.url, "openDirect", { params: { userId }, token: dora.token });
  await dora.outbox.addByHttp(opened.conversation.conversationId, "Buy my coins");
  await must(stage.url, "putContact", { params: { userId }, token: dora.token });
  await anna.open("dora");
  const stranger = anna.page.locator("#stranger");
  await see(stranger).toContainText("dora asks to be your contact.");
  await stranger.getByRole("button", { name: "Decline" }).click();
  await see(stranger).toContainText("dora is not one of your contacts.");
  await stranger.getByRole("button", { name: "Report" }).click();
  await see(anna.page.getByRole("heading", { name: "Report dora" })).toBeVisible();
  await anna.page.keyboard.press("Escape");
  await stranger.getByRole("button", { name: "Block" }).click();
  await anna.page.getByRole("alertdialog").getByRole("button", { name: "Block" }).click();
  await see(stranger).toHaveCount(0);
  await see(anna.page.locator(".left")).toContainText("You block them.");
});

const idOf = async (handle: string): Promise<string> =>
  (await must(stage.url, "findUser", { query: { handle }, token: ben.token })).userId;

test("[AP-7] [AP-32] what is new is in sight when the conversation is opened, however little it is", async () => {
  await anna.open("ben");
  await anna.say(...Array.from({ length: 30 }, (_, i) => `Line ${i}`));
  await see(anna.tick("Line 29")).toHaveAttribute("data-tick", /sent|delivered|read/);
  await anna.open("cleo");
  await benSays("The last word");
  await see(anna.listed("ben").locator(".unread")).toHaveText("1 unread");
  await anna.open("ben");
  await see(anna.page.locator("#rows .new-line")).toBeInViewport();
  await see(message(anna, "The last word")).toBeInViewport({ ratio: 1 });
  await see(anna.listed("ben").locator(".unread")).toHaveCount(0); // it is on the screen: it is read
});

test("[AP-33] what is typed and sent in the same moment as the edit is begun is the edit", async () => {
  await message(anna, "Line 29").click({ button: "right" });
  await see(menu(anna).getByRole("button", { name: "Edit" })).toBeVisible();
  // A hand faster than the next paint: everything in one task, with but what was promised until then in between.
  await anna.page.evaluate(`(async () => {
    [...document.querySelectorAll("#message-menu button")].find(({ textContent }) => textContent === "Edit").click();
    await new Promise((resolve) => queueMicrotask(() => queueMicrotask(resolve)));
    const field = document.getElementById("text");
    field.value = "Line twenty-nine";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
  })()`);
  await see(message(anna, "Line twenty-nine")).toContainText("edited");
  await see(message(anna, "Line 29")).toHaveCount(0);
  await see(anna.page.locator("#text")).toHaveValue("");
  await see(message(anna, "Line twenty-nine")).toHaveCount(1); // and no message of its own
});

test("[AP-33] leaving a group closes nothing that is opened before the server answers", async () => {
  const body = { title: "Choir", memberIds: [await idOf("anna")] };
  await must(stage.url, "createGroup", { body, token: ben.token });
  await anna.open("Choir");
  const held: (() => void)[] = [];
  await anna.page.route(/\/members\//, (route) => held.push(() => void route.continue()));
  await anna.page.locator("#title").click();
  await button(anna, "Leave the group").click();
  await anna.page.getByRole("alertdialog").getByRole("button", { name: "Leave" }).click();
  await see.poll(() => held.length).toBe(1);
  await see(anna.page.locator("#none-open")).toBeVisible();
  await anna.open("Choir");
  held[0]?.();
  await see(anna.page.getByText("You are not in this group any more.").first()).toBeVisible();
  await anna.page.waitForTimeout(500);
  await see(anna.page.locator("#title")).toHaveText("Choir");
  await anna.page.unroute(/\/members\//);
});

test("[AP-33] who may not leave is told why, where they were", async () => {
  await anna.makeGroup("Band", "ben", "cleo");
  await anna.page.locator("#title").click();
  await button(anna, "Leave the group").click();
  await anna.page.getByRole("alertdialog").getByRole("button", { name: "Leave" }).click();
  await see(anna.page.locator("#toast")).toHaveText("Make somebody else an admin first");
  await see(anna.page.locator("#title")).toHaveText("Band");
});

test("[AP-33] an answer that is older than the log takes nothing back of what the log has told", async () => {
  await anna.page.locator("#title").click();
  await see(anna.page.locator("#members li")).toHaveCount(3);
  const old: (() => Promise<void>)[] = [];
  await anna.page.route(/\/conversations\/g\w+$/, async (route) => {
    if (route.request().method() !== "PATCH") return route.continue();
    const answer = await route.fetch();
    old.push(() => route.fulfill({ response: answer }));
  });
  await anna.page.getByLabel("Title").fill("Big band");
  await button(anna, "Rename").click();
  await see.poll(() => old.length).toBe(1); // the server has renamed it; its answer is under way
  const group = await anna.page.evaluate<string>("location.hash.slice(1)");
  await must(stage.url, "removeMember", { params: { id: group, userId: ben.userId }, token: ben.token });
  await see(anna.page.locator("#members li")).toHaveCount(2);
  await old[0]?.();
  await see(anna.page.locator(".group-head")).not.toHaveAttribute("inert");
  await anna.page.waitForTimeout(500);
  await see(anna.page.locator("#members li")).toHaveCount(2);
  await see(anna.page.locator("#title")).toHaveText("Big band");
  await anna.page.unroute(/\/conversations\//);
  await anna.page.keyboard.press("Escape");
});

test("[AP-35] a picture is taken with the camera, shown before it is sent, and the camera is let go", async () => {
  await anna.open("ben");
  await anna.context.grantPermissions(["camera"], { origin: stage.url });
  await anna.page.evaluate(`{
    const media = navigator.mediaDevices;
    const lend = media.getUserMedia.bind(media);
    globalThis.lent = [];
    media.getUserMedia = async (wanted) => {
      const stream = await lend(wanted);
      globalThis.lent.push(...stream.getTracks());
      return stream;
    };
  }`);
  const states = () => anna.page.evaluate("globalThis.lent.map(({ readyState }) => readyState)");
  await button(anna, "Take a picture").click();
  await see(button(anna, "Take it")).toBeEnabled();
  expect(await states()).toEqual(["live"]);
  expect(await anna.barriers()).toEqual([]);
  await anna.shoot("camera");
  await anna.page.keyboard.press("Escape");
  await see(anna.page.getByRole("dialog")).toHaveCount(0);
  await see.poll(states).toEqual(["ended"]);
  await button(anna, "Take a picture").click();
  await button(anna, "Take it").click();
  await see(anna.page.locator("#uploads li")).toContainText(/photo-.*\.jpg/);
  await see.poll(states).toEqual(["ended", "ended"]);
  await see(anna.page.locator("#text")).toBeFocused();
  await anna.say("What I see");
  await see(message(anna, "What I see").locator("img")).toHaveCount(1);
  await see(anna.tick("What I see")).toHaveAttribute("data-tick", /sent|delivered|read/);
});

test("[AP-35] who does not lend the camera is told so", async () => {
  await anna.page.evaluate("navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('NotAllowedError'))");
  await button(anna, "Take a picture").click();
  await see(anna.page.getByRole("alert").getByText("The browser does not give this page a camera")).toBeVisible();
  await see(button(anna, "Take it")).toBeDisabled();
  await button(anna, "Cancel").click();
  await see(anna.page.getByRole("dialog")).toHaveCount(0);
});

test("[MD-16] [CL-51] a large file is paused and goes on by its buttons, and comes whole", async () => {
  const bytes = Buffer.alloc(LIMITS.partBytes * 3, "x");
  let parts = 0;
  let isOpen = false;
  const held: (() => void)[] = [];
  await anna.page.route(/partNumber=/, (route) => {
    parts += 1;
    if (isOpen || parts === 1) return void route.continue();
    held.push(() => void route.continue().catch(() => {})); // it may have been broken off
  });
  await anna.page
    .locator("#attach-files")
    .setInputFiles({ name: "film.bin", mimeType: "application/octet-stream", buffer: bytes });
  await anna.page.getByRole("button", { name: "Send", exact: true }).click();
  await see.poll(() => held.length).toBeGreaterThan(0);
  await button(anna, "Pause film.bin").click();
  await see(anna.page.locator("#uploads li")).toHaveAttribute("data-is", "paused");
  await see(button(anna, "Pause film.bin")).toHaveCount(0);
  expect(await anna.barriers()).toEqual([]);
  await anna.shoot("paused");
  const before = parts;
  await anna.page.waitForTimeout(700);
  expect(parts).toBe(before); // nothing goes while it is paused
  isOpen = true;
  for (const go of held) go();
  await button(anna, "Go on with film.bin").click();
  await see(message(anna, "film.bin")).toHaveCount(1);
  await see(message(anna, "film.bin")).toContainText("25.2 MB");
  await anna.page.unroute(/partNumber=/);
});

test("[AP-35] Chromium would install the page, and the button is there as long as it offers to", async () => {
  const cdp = await anna.context.newCDPSession(anna.page);
  const { installabilityErrors } = await cdp.send("Page.getInstallabilityErrors");
  // A profile that keeps nothing installs nothing; of the page itself it finds nothing wrong.
  expect(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito")).toEqual([]);
  const { errors, url, data } = await cdp.send("Page.getAppManifest");
  expect([errors, new URL(url).pathname]).toEqual([[], "/manifest.webmanifest"]);
  const { icons } = JSON.parse(data ?? "{}") as { icons: { src: string; sizes: string; purpose?: string }[] };
  for (const { src, sizes } of icons.filter(({ sizes }) => sizes !== "any"))
    expect([src, await sizeOf(src)]).toEqual([src, sizes]);
  expect(icons.some(({ purpose, sizes }) => purpose === "maskable" && sizes === "512x512")).toBe(true);
  await cdp.detach();

  await button(anna, "Settings").click();
  await see(anna.page.getByRole("dialog", { name: "Settings" })).toBeVisible();
  await see(button(anna, "Install as an app")).toHaveCount(0);
  await anna.page.evaluate(`{
    const offer = new Event("beforeinstallprompt", { cancelable: true });
    globalThis.prompted = 0;
    offer.prompt = async () => { globalThis.prompted += 1; };
    dispatchEvent(offer);
    globalThis.isOurs = offer.defaultPrevented;
  }`);
  expect(await anna.page.evaluate("isOurs")).toBe(true); // no bar of the browser's own
  await button(anna, "Install as an app").click();
  await see.poll(() => anna.page.evaluate("prompted")).toBe(1);
  await see(button(anna, "Install as an app")).toHaveCount(0);
  await anna.page.evaluate(`dispatchEvent(Object.assign(new Event("beforeinstallprompt"), { prompt() {} }))`);
  await see(button(anna, "Install as an app")).toBeVisible();
  await anna.page.evaluate(`dispatchEvent(new Event("appinstalled"))`);
  await see(button(anna, "Install as an app")).toHaveCount(0);
  await anna.page.keyboard.press("Escape");
});

const sizeOf = (src: string): Promise<string> =>
  anna.page.evaluate(
    `createImageBitmap(await (await fetch(${JSON.stringify(src)})).blob()).then(({ width, height }) => width + "x" + height)`.replace(
      /^(.*)$/s,
      "(async () => $1)()",
    ),
  );

test("[AP-32] [AP-31] the head says that there is no connection, and a device that is signed out leaves the chat", async () => {
  const other = await signIn(stage.url, "anna", "other");
  const known = await devicesOf(other);
  const tablet = await stage.enterAgain("anna");
  await tablet.open("ben");
  await see(tablet.status).toHaveText("online");
  await tablet.page.evaluate("navigator.serviceWorker.ready.then(() => {})");
  await tablet.context.setOffline(true);
  await tablet.page.reload();
  await see(tablet.status).toHaveText("reconnecting …");
  await tablet.context.setOffline(false);
  await tablet.isConnected();
  await see(tablet.status).toHaveText("online");
  const [deviceId = ""] = (await devicesOf(other)).filter((id) => !known.includes(id));
  await must(stage.url, "revokeDevice", { params: { deviceId }, token: other.token });
  await see(tablet.page.locator("#ended")).toContainText("This device was signed out");
  await see(button(tablet, "Create account")).toBeVisible();
  await tablet.context.close();
});
const devicesOf = async ({ token }: Device): Promise<string[]> =>
  (await must(stage.url, "devices", { token })).devices.map(({ deviceId }) => deviceId);

test("[AP-34] a finger that stays opens the menu, selects nothing and presses nothing; one that scrolls does not", async () => {
  const context = await stage.browser.newContext({ ...devices["Pixel 7"], baseURL: stage.url });
  const phone = new Person(await context.newPage(), "anna");
  await phone.signIn(stage.url);
  await phone.open("ben");
  await see(message(phone, "What I see")).toBeVisible();
  const touch = await context.newCDPSession(phone.page);
  const chooser = phone.page.waitForEvent("filechooser");
  await button(phone, "Take a picture").click();
  expect(await (await chooser).element().getAttribute("capture")).toBe("environment"); // the phone's own camera

  const words = message(phone, "Line twenty-nine").locator(".bubble > p").first();
  const isAsked = () => see(button(phone, "Reply")).toBeVisible();
  await hold(touch, await middleOf(words), isAsked);
  await phone.page.waitForTimeout(300);
  await see(button(phone, "Reply")).toBeVisible(); // the lifted finger has not closed it, nor pressed what lies under it
  expect(await phone.page.evaluate("String(getSelection())")).toBe("");
  expect(await phone.barriers()).toEqual([]);
  await phone.shoot("long-press");
  await phone.page.keyboard.press("Escape");
  await see(menu(phone)).toBeHidden();

  // On a picture, which a short touch would open.
  const picture = phone.page.locator("#rows .picture").last();
  await hold(touch, await middleOf(picture), isAsked);
  await phone.page.waitForTimeout(300);
  await see(phone.page.getByRole("dialog", { name: /photo-/ })).toHaveCount(0);
  await phone.page.keyboard.press("Escape");
  await see(menu(phone)).toBeHidden();

  // A finger that moves on, however long it is down. It moves before it has been long there, also where the machine is slow.
  const at = await middleOf(words);
  await phone.page.evaluate(HOLD_TIMERS);
  await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [at] });
  for (let step = 1; step <= 8; step++) {
    await touch.send("Input.dispatchTouchEvent", {
      type: "touchMove",
      touchPoints: [{ x: at.x, y: at.y + step * 12 }],
    });
    await phone.page.waitForTimeout(100);
    if (step === 1) await phone.page.evaluate("letGo()");
  }
  await see(menu(phone)).toBeHidden();
  await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await see(menu(phone)).toBeHidden();

  // Drawn anew under the finger, and lifted in time.
  await message(anna, "Line twenty-nine").click({ button: "right" });
  await anna.page.getByRole("button", { name: "React with thumbs up" }).click();
  await see(message(phone, "Line twenty-nine").locator(".reactions")).toBeVisible();
  await phone.page.evaluate(HOLD_TIMERS);
  await phone.page.evaluate(DRAWN_ANEW);
  await see(message(phone, "Line twenty-nine").locator(".reactions")).toHaveCount(0);
  await phone.page.waitForTimeout(700);
  await see(menu(phone)).toBeHidden();
  expect([...anna.complaints, ...phone.complaints]).toEqual([]);
  await context.close();
});

/** None but the shortest timers begin until `letGo`, however long the machine takes. Runs in the page. */
const HOLD_TIMERS = `{
  const [later, never, held, going] = [setTimeout, clearTimeout, new Map(), new Map()];
  let name = -Date.now();
  globalThis.setTimeout = (act, ms, ...given) => {
    if (ms === undefined || ms < 300) return later(act, ms, ...given);
    held.set(--name, () => later(act, ms, ...given));
    return name;
  };
  globalThis.clearTimeout = (id) => {
    held.delete(id);
    never(going.get(id) ?? id);
  };
  globalThis.letGo = () => {
    globalThis.setTimeout = later;
    for (const [id, begin] of held) going.set(id, begin());
    held.clear();
  };
}`;

/** A finger on a row whose reaction goes meanwhile, lifted before it has been long there. Runs in the page, where timers are held. */
const DRAWN_ANEW = `(async () => {
  const row = [...document.querySelectorAll("#rows .message")].find((row) => row.textContent.includes("twenty-nine"));
  const event = (name) => new PointerEvent(name, { pointerType: "touch", isPrimary: true, bubbles: true });
  const frame = () => new Promise(requestAnimationFrame);
  row.dispatchEvent(event("pointerdown"));
  row.querySelector(".chip").click();
  for (let i = 0; i < 4; i++) await frame();
  row.dispatchEvent(event("pointerup"));
  letGo();
})()`;

type Point = { x: number; y: number };
/** Lets the finger stay until that has come. */
async function hold(touch: CDPSession, at: Point, come: () => Promise<void>): Promise<void> {
  await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [at] });
  await come();
  await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
}
async function middleOf(place: Locator): Promise<Point> {
  await place.scrollIntoViewIfNeeded(); // and stands still
  const box = await place.boundingBox();
  if (!box) throw new Error("it is not on the screen");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
