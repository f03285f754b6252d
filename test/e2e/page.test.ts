import { expect, test } from "vitest";
import { PASSWORD } from "./support/client.ts";
import { cpuOf } from "./support/cpu.ts";
import { must } from "./support/door.ts";
import { changeKept, keptIn, keptText } from "./support/kept.ts";
import { Person, type Somebody, see } from "./support/person.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;
let ben: Somebody;

const stage = tellOnStage(async (stage) => {
  anna = await stage.enter("anna");
  ben = await stage.enter("ben");
});

/** Both come to see these messages, all of them on the server, and in the same order. */
async function agree(a: Person, b: Person, texts: string[]): Promise<void> {
  for (const { page } of [a, b]) await see(page.locator("[data-tick=queued]")).toHaveCount(0);
  const both = async () => {
    const [one, other] = [await a.texts(), await b.texts()];
    return { texts: one.toSorted(), isSame: JSON.stringify(one) === JSON.stringify(other) };
  };
  await see.poll(both).toEqual({ texts: texts.toSorted(), isSame: true });
}

test("[CL-25] [CL-26] two people talk: what is queued, sent, delivered and read is told apart", async () => {
  await anna.talkTo("ben");
  await anna.say("Hello Ben", "<img src=x onerror=alert(1)> is only text");
  await see(anna.tick("Hello Ben")).toHaveAttribute("data-tick", "delivered");
  await see(ben.page.locator("#list .unread")).toContainText("2");
  await see(ben.page).toHaveTitle("(2) Edgewise");
  await ben.open("anna");
  await see(anna.tick("Hello Ben")).toHaveAttribute("data-tick", "read");
  await see(ben.page.locator("#list .unread")).toHaveCount(0);
  await ben.say("Hello Anna");
  await agree(anna, ben, ["Hello Ben", "<img src=x onerror=alert(1)> is only text", "Hello Anna"]);
  await anna.shoot("direct");
});

test("one goes offline, both write, and both end with the same", async () => {
  const before = await anna.texts();
  await ben.context.setOffline(true);
  await see(ben.page.locator("#connection-text")).toContainText("reconnecting in");
  await ben.say("ben 1", "ben 2", "ben 3");
  await see(ben.tick("ben 3")).toHaveAttribute("data-tick", "queued");
  await see(ben.page.locator("#connection-text")).toContainText("3 not sent yet");
  await ben.shoot("offline");
  await anna.say("anna 1", "anna 2");
  await see(anna.tick("anna 2")).toHaveAttribute("data-tick", "sent");
  await ben.context.setOffline(false);
  await ben.isConnected();
  const all = [...before, "anna 1", "anna 2", "ben 1", "ben 2", "ben 3"];
  await agree(anna, ben, all);
  expect(await anna.texts()).toEqual(all);
});

test("the server is killed while both write: nothing is lost, repeated or moved", async () => {
  const before = await anna.texts();
  const count = 12;
  const writing = Promise.all(
    [anna, ben].map(async (who) => {
      for (let i = 1; i <= count; i++) await who.say(`${who.handle} at the crash ${i}`);
    }),
  );
  await see(ben.tick("ben at the crash 4")).toBeVisible();
  await stage.server.kill9();
  await writing;
  await anna.shoot("server-away");
  await stage.server.start();
  await Promise.all([anna.isConnected(), ben.isConnected()]);
  const written = ["anna", "ben"].flatMap((handle) =>
    Array.from({ length: count }, (_, i) => `${handle} at the crash ${i + 1}`),
  );
  await agree(anna, ben, [...before, ...written]);
  for (const handle of ["anna", "ben"]) {
    const own = (await anna.texts()).filter((text) => text.startsWith(`${handle} at the crash`));
    expect(own).toEqual(written.filter((text) => text.startsWith(handle)));
  }
});

test("[CL-24] a reload shows the conversation at once, from the browser, and what was not sent is sent", async () => {
  const before = await anna.texts();
  await anna.page.route("**/v1/**", (route) => route.abort());
  await anna.page.routeWebSocket("**/v1/socket", (socket) => socket.close({ code: 1011 }));
  await anna.page.reload();
  await see(anna.page.locator("#title")).toHaveText("ben"); // before its log is read
  await see.poll(() => anna.texts()).toEqual(before);
  await anna.say("before the reload");
  await see.poll(() => keptText(anna.page)).toContain("before the reload");
  await anna.page.unrouteAll();
  const again = await anna.context.newPage();
  await anna.page.close();
  anna.use(again);
  await again.goto(stage.url);
  await again.getByRole("button", { name: "anna" }).click();
  await anna.isConnected();
  await anna.open("ben");
  await agree(anna, ben, [...before, "before the reload"]);
});

test("[CL-23] an access token that has run out is renewed without a word", async () => {
  const tokens = async () => JSON.stringify((await keptIn(ben.page)).find(([key]) => key === "session"));
  const before = await tokens();
  await changeKept(ben.page, "session", "(kept) => ({ ...kept, tokens: { ...kept.tokens, expiresAt: 0 } })");
  await ben.isConnected();
  await see.poll(tokens).not.toBe(before);
  await ben.say("still here");
  await see(anna.page.locator("#rows")).toContainText("still here");
});

test("[CL-27] two tabs are two people, or one: then both show the same, and what is written in either goes out", async () => {
  const cleo = new Person(await anna.context.newPage(), "cleo");
  await cleo.signUp(stage.url);
  await anna.isConnected();
  await cleo.talkTo("anna");
  await cleo.say("from the next tab");
  await see(anna.page.locator("#list")).toContainText("from the next tab");

  const second = new Person(await anna.context.newPage(), "anna");
  await second.page.goto(stage.url);
  await second.page.getByRole("button", { name: "anna" }).click();
  await second.isConnected();
  for (const who of [anna, second]) await who.open("cleo");
  await second.say("written in the second tab");
  await anna.say("written in the first tab");
  const all = ["from the next tab", "written in the second tab", "written in the first tab"];
  for (const who of [anna, second]) {
    await see.poll(async () => (await who.texts()).toSorted()).toEqual(all.toSorted());
    for (const text of all.slice(1)) await see(who.tick(text)).toHaveAttribute("data-tick", /delivered|read/);
  }
  await agree(anna, second, all);
  await see(cleo.listed("anna")).toContainText("first tab");
  await anna.page.close();
  await second.isConnected();
  await second.say("and the other tab goes on alone");
  await see(cleo.listed("anna")).toContainText("goes on alone");
  expect(second.complaints).toEqual([]);
  anna.use(second.page);
});

test("a group tells who says what, and who came", async () => {
  await anna.makeGroup("Hiking", "ben", "cleo");
  await see(anna.page.locator("#status")).toHaveText(/you, (ben, cleo|cleo, ben)/);
  await anna.say("Saturday?");
  await ben.open("Hiking");
  await ben.say("Yes");
  await see(ben.page.locator("#rows")).toContainText("anna added you");
  await see(anna.page.locator("#rows .message strong")).toHaveText("ben");
  await agree(anna, ben, ["Saturday?", "Yes"]);
  await anna.shoot("group");
});

test("on a phone one pane is shown at a time, and nothing is wider than the screen", async () => {
  const { page } = ben;
  await page.setViewportSize({ width: 375, height: 700 });
  await see(page.locator("#log")).toBeVisible();
  await see(page.locator("#side")).toBeHidden();
  await ben.shoot("phone-conversation");
  await page.getByRole("button", { name: "Back" }).click();
  await see(page.locator("#side")).toBeVisible();
  await see(page.locator("#log")).toBeHidden();
  await ben.shoot("phone-list");
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(375);
  await page.setViewportSize({ width: 1_100, height: 720 });
  await page.emulateMedia({ colorScheme: "dark" });
  await ben.open("Hiking");
  await ben.shoot("dark");
});

test("signing out leaves nothing in the browser, and the session is over", async () => {
  await ben.page.getByRole("button", { name: "Settings" }).click();
  await ben.page.getByRole("button", { name: "Sign out", exact: true }).click();
  await see(ben.page.getByRole("button", { name: "Create account" })).toBeVisible();
  await see.poll(() => ben.page.evaluate("Object.keys(localStorage)")).toEqual([]);
  await see.poll(() => keptIn(ben.page)).toEqual([]);
  await ben.page.getByLabel("Handle", { exact: true }).fill("ben");
  await ben.page.getByLabel("Password").fill("not the password");
  await ben.page.getByRole("button", { name: "Sign in" }).click();
  await see(ben.page.getByRole("alert").first()).toHaveText("Handle or password is wrong");
  await ben.shoot("sign-in");
});

test("[CL-15] a device that is revoked elsewhere is told so, and offered to sign in again", async () => {
  const { accessToken: token } = await must(stage.url, "signIn", {
    body: { handle: "anna", password: PASSWORD, device: { name: "phone" } },
  });
  const { devices } = await must(stage.url, "devices", { token });
  for (const { deviceId, current } of devices)
    if (!current) await must(stage.url, "revokeDevice", { params: { deviceId }, token });
  await see(anna.page.locator("#ended")).toHaveText("This device was signed out, and what it had is gone from it.");
  await anna.shoot("revoked");
  await see(anna.page.getByLabel("Handle", { exact: true })).toHaveValue("anna");
  await see(anna.page.locator("#known")).toHaveText(/cleo$/);
});

test("[CL-23] a server that takes none of the device's tokens has signed it out: the page does not knock for ever", async () => {
  const dan = await stage.enter("dan");
  const spoil = `(kept) => JSON.parse(JSON.stringify(kept).replaceAll('Token":"', 'Token":"x'))`;
  await dan.context.clearCookies(); // where its refresh token is
  await changeKept(dan.page, "session", spoil);
  await see(dan.page.locator("#ended")).toContainText("this device was signed out");
  await dan.context.close();
});

test("a page at rest does nothing", async () => {
  const eve = await stage.enter("eve");
  await eve.talkTo("anna");
  await eve.say("Anybody there?");
  await see(eve.tick("Anybody there?")).toHaveAttribute("data-tick", "sent");
  const worked = await cpuOf(eve.page);
  expect(await worked("ScriptDuration", () => eve.page.waitForTimeout(2_000))).toBeLessThan(0.1); // seconds
  await eve.context.close();
});

test("no page complained, least of all about its own policy", () => {
  expect([...anna.complaints, ...ben.complaints]).toEqual([]);
});
