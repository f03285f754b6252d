import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { expect, test } from "vitest";
import { type Device, PASSWORD, signIn, signUp } from "./support/client.ts";
import { must } from "./support/door.ts";
import { type Somebody, see } from "./support/person.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;
/** Somebody at another program, who can say much at once. */
let ben: Device;
let direct: string;

const stage = tellOnStage(async (stage) => {
  ben = await signUp(stage.url, "ben");
  await ben.connect();
  anna = await stage.enter("anna");
  const userId = await idOf("anna", stage.url);
  const opened = await must(stage.url, "openDirect", { params: { userId }, token: ben.token });
  direct = opened.conversation.conversationId;
  await says("Buy my wonderful coins");
});

const idOf = async (handle: string, url = stage.url): Promise<string> =>
  (await must(url, "findUser", { query: { handle }, token: ben.token })).userId;
async function says(...texts: string[]): Promise<void> {
  for (const text of texts) ben.outbox.add(direct, text);
  await see.poll(() => ben.outbox.waiting.length).toBe(0);
}
const button = (name: string) => anna.page.getByRole("button", { name, exact: true });

/** Loses the answer of the next POST there, once the server has done what it asks. Answers the keys of all of them. */
async function loseNextAnswer(path: string): Promise<string[]> {
  const keys: string[] = [];
  await anna.page.route(`**${path}`, async (route) => {
    const request = route.request();
    if (request.method() !== "POST") return route.continue();
    keys.push(request.postDataJSON().idempotencyKey);
    if (keys.length > 1) return route.continue();
    await route.fetch();
    await route.abort();
  });
  return keys;
}

test("[AP-39] a group whose answer was lost is asked for again in the same words, and is made once", async () => {
  const { page } = anna;
  const keys = await loseNextAnswer("/v1/conversations");
  await button("New conversation").click();
  await page.getByText("New group").click();
  await page.getByLabel("Who is in it").fill("ben");
  await button("Add").click();
  await see(page.locator(".chosen")).toContainText("ben");
  await page.getByLabel("Title").fill("Choir");
  await button("Make group").click();
  await see(page.locator("#new").getByText("The server did not answer")).toBeVisible();
  await see(anna.listed("Choir")).toHaveCount(1); // it was done
  await button("Make group").click();
  await see(page.locator("#title")).toHaveText("Choir");
  await see(page.getByRole("dialog")).toHaveCount(0);
  expect(keys).toEqual([keys[0], keys[0]]);
  const titles = async () =>
    (await must(stage.url, "conversations", { token: ben.token })).conversations.map(({ title }) => title ?? "");
  expect((await titles()).toSorted()).toEqual(["", "Choir"]);

  await anna.makeGroup("Band", "ben"); // other words, and another group
  expect(new Set(keys).size).toBe(2);
  await see.poll(async () => (await titles()).toSorted()).toEqual(["", "Band", "Choir"]);
  await see(anna.listed("Choir")).toHaveCount(1);
  await page.unrouteAll();
});

test("[AP-39] [AP-26] a report whose answer was lost is sent again in the same words, and is there once", async () => {
  const { page } = anna;
  const { OPERATOR_TOKEN } = parseEnv(readFileSync(join(stage.server.dataDir, "secrets.env"), "utf8"));
  const notes = async () =>
    (await must(stage.url, "reports", { token: OPERATOR_TOKEN ?? "" })).reports.map(({ note }) => note);
  const keys = await loseNextAnswer("/v1/reports");
  await anna.open("ben");
  await anna.message("wonderful coins").click({ button: "right" });
  await page.locator("#message-menu").getByRole("button", { name: "Report" }).click();
  const form = page.locator("#report");
  await form.getByLabel("A scam or fraud").check();
  await form.getByLabel("What should they know?").fill("The third time");
  await form.getByRole("button", { name: "Report", exact: true }).click();
  await see(form.getByText("The server did not answer")).toBeVisible();
  expect(await notes()).toEqual(["The third time"]); // it was done
  await form.getByRole("button", { name: "Report", exact: true }).click();
  await see(form).toHaveCount(0);
  expect(keys).toEqual([keys[0], keys[0]]);
  expect(await notes()).toEqual(["The third time"]);
  await page.unrouteAll();
});

/** More than a device keeps of one conversation, by more than a page. */
const MUCH = 620;
const much = (what: string): string[] => Array.from({ length: MUCH }, (_, n) => `${what} ${n}.`);
const last = (what: string): string => `${what} ${MUCH - 1}.`;

/** Anna at a device of which the needle lies further back than it keeps: she looks it up, and a window of the past is open there. */
async function lookBack(): Promise<void> {
  const { page } = anna;
  const isShown = await anna.noteShown();
  await page.getByLabel("Search", { exact: true }).fill("needle");
  await page.locator("#found li a").first().click();
  await isShown("the needle");
  await see(anna.message("the needle")).toBeInViewport();
  await see(page.locator("#later")).toHaveCount(1);
  await page.getByLabel("Search", { exact: true }).fill("");
}
/** The window is gone, and the newest is in sight in its place, and stays so. */
async function seesTheNewest(newest: string): Promise<void> {
  const { page } = anna;
  await see(anna.message(newest)).toBeInViewport();
  await see(page.locator("#later")).toHaveCount(0);
  await see(anna.message("the needle")).toHaveCount(0);
  await says(`after ${newest}`);
  await see(anna.message(`after ${newest}`)).toBeInViewport();
}

test("[AP-40] an absence that was too long ends a window of the past: then what is kept is shown, at once", async () => {
  await says("the needle", ...much("straw"));
  await anna.context.close();
  anna = await stage.enterAgain("anna");
  await anna.open("ben");
  await see(anna.message(last("straw"))).toBeInViewport();
  await lookBack();
  await anna.context.setOffline(true);
  await see(anna.page.locator("#connection-text")).toContainText("reconnecting");
  await says(...much("hay"));
  await see(anna.message("the needle")).toBeInViewport(); // nothing has ended it yet
  await anna.context.setOffline(false);
  await anna.isConnected();
  await seesTheNewest(last("hay"));
});

test("[AP-40] with the session a window of the past ends: who signs in again sees the newest", async () => {
  await lookBack();
  const other = await signIn(stage.url, "anna", "phone");
  const { devices } = await must(stage.url, "devices", { token: other.token });
  for (const { deviceId, current } of devices)
    if (!current) await must(stage.url, "revokeDevice", { params: { deviceId }, token: other.token });
  await see(anna.page.locator("#ended")).toContainText("This device was signed out");
  await see(anna.page.locator("body")).not.toContainText("the needle");
  await anna.page.getByLabel("Password").fill(PASSWORD);
  await anna.page.getByRole("button", { name: "Sign in", exact: true }).click();
  await anna.isConnected();
  await anna.open("ben");
  await seesTheNewest(`after ${last("hay")}`);
});

test("[AP-40] a clear at another device ends a window of the past, and nothing of it stays", async () => {
  await lookBack();
  const other = await signIn(stage.url, "anna", "tablet");
  await must(stage.url, "clearConversation", { params: { id: direct }, token: other.token });
  await see(anna.page.locator("#rows > *")).toHaveCount(0);
  await see(anna.page.locator("#later")).toHaveCount(0);
  await says("a new beginning");
  await see.poll(() => anna.texts()).toEqual(["a new beginning"]);
  expect(anna.complaints).toEqual([]);
  expect(ben.faults).toEqual([]);
});
