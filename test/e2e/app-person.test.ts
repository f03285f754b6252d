import { readFile } from "node:fs/promises";
import type { Route } from "@playwright/test";
import { expect, test } from "vitest";
import { PASSWORD } from "./support/client.ts";
import { must } from "./support/door.ts";
import { keptIn, keptText } from "./support/kept.ts";
import { look as lookAt } from "./support/look.ts";
import { Person, type Somebody, see } from "./support/person.ts";
import { png } from "./support/png.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;
let ben: Somebody;
/** Anna's other device, and another tab of her first one. */
let tablet: Somebody;
let tab: Person;

const stage = tellOnStage(async (stage) => {
  anna = await stage.enter("anna");
  ben = await stage.enter("ben");
  await anna.makeGroup("Hiking", "ben");
  await anna.say("Who comes along?");
  await anna.talkTo("ben");
  await anna.say("Grüße 🏔️ from the hut");
  await anna.page
    .locator("#attach-files")
    .setInputFiles({ name: "alps.png", mimeType: "image/png", buffer: png(64, 40) });
  await anna.say("The hut");
  await see(anna.page.locator("#rows .media img")).toHaveCount(1);
  await ben.open("anna");
  await ben.say("Have a good time");
  await see(anna.page.locator("#rows")).toContainText("Have a good time");
});

/** Axe reads each screen four times. Ms. */
const PATIENCE_MS = 400_000;
/** Looks at the screen as it is, and at what was told there last. */
const look = (who: Person, name: string) => {
  const told = who.page.getByRole("dialog").locator(".problem:not(:empty), #takeout-said, :focus").last();
  const toSight = async () => {
    if ((await told.count()) > 0) await told.scrollIntoViewIfNeeded();
  };
  return lookAt(who, name, { widths: [1_280, 390], height: 780, toSight });
};
const button = (who: Person, name: string | RegExp) => who.page.getByRole("button", { name });
const openSettings = async (who: Person) => {
  await button(who, "Settings").click();
  const takeout = who.page.locator("#takeout");
  await takeout.scrollIntoViewIfNeeded();
  return takeout;
};
const EXPORT = "**/v1/me/export**";

type Line = { type: string } & Record<string, never>;
type Found = { type: string; event: { kind: string; content: { text?: string } } };

test(
  "[AP-29] all that is mine is downloaded as one file, which another reader finds whole",
  async () => {
    const takeout = await openSettings(anna);
    await look(anna, "takeout");
    const [download] = await Promise.all([
      anna.page.waitForEvent("download"),
      takeout.getByRole("button", { name: "Download my data" }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^edgewise-anna-\d{4}-\d\d-\d\d\.ndjson$/);
    const text = await readFile(await download.path(), "utf8");
    expect(text.endsWith("\n")).toBe(true);
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Line & Found);
    expect(lines[0]).toMatchObject({ type: "manifest", format: "edgewise.export.1" });
    expect(lines[1]).toMatchObject({ type: "profile", handle: "anna" });
    const of = (type: string) => lines.filter((line) => line.type === type);
    const said = of("event").flatMap(({ event }) => event.content?.text ?? []);
    for (const words of ["Who comes along?", "Grüße 🏔️ from the hut", "Have a good time"]) expect(said).toContain(words);
    expect(of("conversation")).toHaveLength(2);
    expect(of("media")).toHaveLength(1);
    expect(of("media")[0]).toMatchObject({
      contentType: "image/png",
      href: expect.stringMatching(/^\/v1\/media\/\w+$/),
    });
    const { accessToken } = await must(stage.url, "signIn", {
      body: { handle: "anna", password: PASSWORD, device: { name: "reader" } },
    });
    const { href } = of("media")[0] as unknown as { href: string };
    const bytes = await fetch(stage.url + href, { headers: { authorization: `Bearer ${accessToken}` } });
    expect(Buffer.from(await bytes.arrayBuffer()).equals(png(64, 40))).toBe(true);
    const counts = Object.fromEntries(
      ["device", "contact", "block", "pushSubscription", "report", "conversation", "event", "media"].map((type) => [
        type,
        of(type).length,
      ]),
    );
    expect(lines.at(-1)).toEqual({ type: "end", counts });
    await see(takeout.getByRole("status")).toContainText(download.suggestedFilename());
    await look(anna, "takeout-saved");
  },
  PATIENCE_MS,
);

/** Lets so many bytes of the next answers through, and no more: as if each ended there. */
const cutAt = (bytes: number) => async (route: Route) => {
  const answer = await route.fetch();
  await route.fulfill({ response: answer, body: (await answer.body()).subarray(0, bytes) });
};

test(
  "[AP-29] a download that is cut says so, and leaves no file",
  async () => {
    const takeout = anna.page.locator("#takeout");
    const downloads: unknown[] = [];
    anna.page.on("download", (download) => downloads.push(download));
    await anna.page.route(EXPORT, cutAt(400));
    await takeout.getByRole("button", { name: "Download my data" }).click();
    await see(takeout.getByRole("alert")).toContainText("nothing was saved");
    await see(takeout.getByRole("alert")).toBeInViewport();
    await look(anna, "takeout-cut");
    await anna.page.unroute(EXPORT);
    const problem = {
      code: "rate_limited",
      title: "x",
      status: 429,
      detail: "x",
      retryable: true,
      retryAfterMs: 60_000,
    };
    await anna.page.route(EXPORT, (route) => route.fulfill({ status: 429, json: problem }));
    await takeout.getByRole("button", { name: "Download my data" }).click();
    await see(takeout.getByRole("alert")).toContainText("wait a minute"); // Chromium hides why a stream has failed
    await anna.page.unroute(EXPORT);
    await anna.context.setOffline(true);
    await takeout.getByRole("button", { name: "Download my data" }).click();
    await see(takeout.getByRole("alert")).toContainText("nothing was saved");
    await anna.context.setOffline(false);
    expect(downloads).toEqual([]);
  },
  PATIENCE_MS,
);

test(
  "[AP-29] it says how far it is, goes on while the dialog is closed, and is cancelled by keyboard",
  async () => {
    const { page } = anna;
    const takeout = page.locator("#takeout");
    const downloads: unknown[] = [];
    page.on("download", (download) => downloads.push(download));
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    // One answer whose first part comes at once; what follows waits.
    let answers = 0;
    await page.route(EXPORT, async (route) => {
      const answer = await route.fetch();
      answers += 1;
      if (answers === 1) {
        const body = `${(await answer.text()).split('\n{"type":"media"')[0] ?? ""}\n`;
        await route.fulfill({ response: answer, body });
      } else {
        await held;
        await route.fulfill({ response: answer }).catch(() => {}); // it was called off
      }
    });
    await takeout.getByRole("button", { name: "Download my data" }).focus();
    await page.keyboard.press("Enter");
    await see(takeout.locator("#takeout-progress")).toContainText(/2 conversations · \d+ entries · \d+ KB/);
    await see(takeout.getByRole("status")).toHaveText("Downloading your data");
    await see(takeout.getByRole("button", { name: "Cancel the download" })).toBeFocused();
    await look(anna, "takeout-running");
    await page.keyboard.press("Escape");
    await see(page.getByRole("dialog")).toHaveCount(0);
    await openSettings(anna);
    await see(takeout.locator("#takeout-progress")).toContainText("2 conversations");
    await takeout.getByRole("button", { name: "Cancel the download" }).focus();
    await page.keyboard.press("Enter");
    await see(takeout.getByRole("button", { name: "Download my data" })).toBeVisible();
    goOn();
    await page.waitForTimeout(1_500);
    expect(downloads).toEqual([]);
    await page.unroute(EXPORT);
    await page.keyboard.press("Escape");
  },
  PATIENCE_MS,
);

test(
  "[AP-30] what goes and what stays is said; a wrong password and a wrong handle are shown beside their fields",
  async () => {
    tablet = await stage.enterAgain("anna");
    tab = new Person(await anna.context.newPage(), "anna");
    await tab.page.goto(stage.url);
    await tab.page.getByRole("button", { name: "anna" }).click();
    await tab.isConnected();
    const { page } = anna;
    await openSettings(anna);
    await button(anna, "Delete my account").click();
    const dialog = page.getByRole("dialog", { name: "Delete my account" });
    await see(dialog).toContainText("Every message that you wrote");
    await see(dialog).toContainText("What others wrote to you");
    await look(anna, "erase");
    const password = dialog.getByLabel("Your password");
    const handle = dialog.getByLabel("Type your handle");
    await password.fill("wrong password");
    await handle.fill("ana");
    await handle.press("Enter");
    await see(handle).toHaveAccessibleDescription(/This is not your handle/);
    await see(handle).toHaveAttribute("aria-invalid", "true");
    await see(handle).toBeFocused();
    await handle.fill(" Anna ");
    await handle.press("Enter");
    await see(password).toHaveAccessibleDescription("This is not your password");
    await see(dialog.getByText("This is not your password")).toBeInViewport();
    await see(password).toBeFocused();
    await see(handle).toHaveAttribute("aria-invalid", "false");
    await look(anna, "erase-wrong");
    await password.fill(PASSWORD);
    await anna.context.setOffline(true);
    await password.press("Enter");
    await see(dialog).toContainText("The server did not answer");
    await look(anna, "erase-offline");
    await anna.context.setOffline(false);
    await page.keyboard.press("Escape");
    await see(dialog).toHaveCount(0);
    await anna.isConnected(); // and nothing was lost, nor done later
    await anna.say("Still here");
    await see(tablet.listed("ben")).toContainText("Still here");
  },
  PATIENCE_MS,
);

test(
  "[AP-30] the account ends: this tab, the other one and the other device say so, and hold nothing of it",
  async () => {
    const { page } = anna;
    await openSettings(anna);
    await button(anna, "Delete my account").click();
    await page.getByLabel("Your password").fill(PASSWORD);
    await page.getByLabel("Type your handle").fill("anna");
    await page.keyboard.press("Enter");
    for (const who of [anna, tab, tablet]) {
      await see(who.page.locator("#erased")).toContainText("The account anna is deleted");
      await see(button(who, "Create account")).toBeVisible();
      await see(who.page.locator("#known")).toHaveCount(0);
      await see.poll(() => keptIn(who.page)).toEqual([]);
      const storages = () => who.page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])");
      await see.poll(storages).toBe("[{},{}]");
      await see.poll(() => who.page.context().cookies(`${stage.url}/v1/auth/refresh`)).toEqual([]);
    }
    await look(anna, "erased");
    await page.reload();
    await see(button(anna, "Create account")).toBeVisible();
    await see(page.locator("#erased")).toHaveCount(0); // it is told once
    await page.getByLabel("Handle", { exact: true }).fill("anna");
    await page.getByLabel("Password").fill(PASSWORD);
    await button(anna, "Sign in").click();
    await see(page.getByRole("alert")).toHaveText(/Handle or password/i);
    await button(anna, "Create account").click();
    await see(page.getByRole("alert")).toHaveText("This handle is in use");
  },
  PATIENCE_MS,
);

test("[AP-30] [ER-9] [ER-10] the other one keeps what they wrote, and of her nothing but that she left", async () => {
  await see(ben.page.locator("#rows")).not.toContainText("from the hut");
  await see(ben.page.locator("#rows")).toContainText("Have a good time");
  await see(ben.page.locator("#rows")).toContainText("This message was deleted");
  await see(ben.page.locator("#rows .media img")).toHaveCount(0);
  await ben.open("Hiking");
  await see(ben.page.locator("#rows")).not.toContainText("Who comes along?");
  await see(ben.page.locator("#rows")).toContainText("Deleted account: all it wrote is gone");
  await see(ben.page.locator(".list")).not.toContainText("anna");
  await ben.shoot("peer");
  await see.poll(() => keptText(ben.page)).not.toMatch(/from the hut|Who comes along|"handle":"anna"/);
});

test("no page complained", () => {
  expect([anna, ben, tablet, tab].flatMap(({ complaints }) => complaints)).toEqual([]);
});
