import { expect, test } from "vitest";
import { signUp } from "./support/client.ts";
import { must } from "./support/door.ts";
import { look as lookAt } from "./support/look.ts";
import { type Somebody, see } from "./support/person.ts";
import { png } from "./support/png.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;
let ben: Somebody;

const stage = tellOnStage(async (stage) => {
  anna = await stage.enter("anna");
  ben = await stage.enter("ben");
  await signUp(stage.url, "cleo");
  await ben.talkTo("anna");
  await ben.say("Shall we go on Saturday?", "The forecast is at https://weather.example/alps");
  await anna.makeGroup("Hiking", "ben", "cleo");
  await anna.say("Who comes along?", "I bring the map 🗺️");
  await ben.open("Hiking");
  await ben.say("@anna I do");
  await anna.open("ben");
  await anna.say("Yes, with pleasure", "🎉");
  await anna.page
    .locator("#attach-files")
    .setInputFiles({ name: "alps.png", mimeType: "image/png", buffer: png(640, 400) });
  await anna.say("The hut");
  await see(anna.page.locator("#rows .media img")).toHaveCount(1);
  await see(anna.tick("The hut")).toHaveAttribute("data-tick", "delivered");
});

const button = (name: string | RegExp) => anna.page.getByRole("button", { name, exact: typeof name === "string" });

const look = (name: string) => lookAt(anna, name);
const leave = () => anna.page.keyboard.press("Escape");

/** Axe reads each screen four times. Ms. */
const PATIENCE_MS = 400_000;

test(
  "[CL-37] axe finds no barrier in the list and a conversation, bright, dark and small",
  async () => {
    await look("conversation");
    await anna.page.evaluate("location.hash = ''");
    await look("list");
    await anna.open("Hiking");
    await look("group");
  },
  PATIENCE_MS,
);

test(
  "[CL-37] nor in what lies over them",
  async () => {
    const { page } = anna;
    for (const name of ["Settings", "Contacts", "Starred messages", "New conversation"]) {
      await button(name).click();
      await see(page.getByRole("dialog", { name })).toBeVisible();
      if (name === "New conversation") await page.getByText("New group").click();
      await look(name.toLowerCase().replace(" ", "-"));
      await leave();
      await see(page.getByRole("dialog")).toHaveCount(0);
    }
    await page.locator("#title").click();
    await button("Make an invite link").click();
    await see(page.getByLabel("Invite link")).toBeVisible();
    await look("group-info");
    await leave();
    await anna.open("ben");
    await page.locator("#title").click();
    await see(page.getByText("You are not contacts.")).toBeVisible();
    await look("contact-info");
    await button("Block").click();
    await see(page.getByRole("alertdialog")).toBeVisible();
    await look("sure");
    await leave();
  },
  PATIENCE_MS,
);

test(
  "[CL-37] nor in menus, the emoji, the field's companions and the viewer",
  async () => {
    const { page } = anna;
    await anna.message("on Saturday").click({ button: "right" });
    await see(button("Reply")).toBeVisible();
    await look("message-menu");
    await button("Reply").click();
    await see(page.locator("#answering")).toContainText("on Saturday");
    await button("Emoji").click();
    await see(page.getByRole("dialog", { name: "Emoji" })).toBeVisible();
    await look("emoji");
    await leave();
    await page.locator("#attach-files").setInputFiles({ name: "two.png", mimeType: "image/png", buffer: png(64, 64) });
    await see(page.locator("#uploads li")).toHaveCount(1);
    await look("staged");
    await button("Cancel two.png").click();
    await button("Cancel the reply").click();
    await button(/^Mute/).click();
    await see(button("Always")).toBeVisible();
    await look("mute");
    await leave();
    await anna.tick("The hut").locator("button.tick").click();
    await see(page.locator("#info-counts")).not.toBeEmpty();
    await look("message-info");
    await leave();
    await page.locator("#rows .picture").click();
    await see(page.getByRole("link", { name: "Open the original" })).toBeVisible();
    await look("viewer");
    await leave();
  },
  PATIENCE_MS,
);

test(
  "[CL-37] nor in search, an invite, a mention and the way in",
  async () => {
    const { page } = anna;
    await page.getByLabel("Search", { exact: true }).fill("forecast");
    await see(page.locator("#found li")).toHaveCount(1);
    await look("search");
    await page.getByLabel("Search", { exact: true }).fill("");
    await anna.open("Hiking");
    await page.getByLabel("Message", { exact: true }).pressSequentially("hello @b");
    await see(page.getByRole("option", { name: "ben" })).toBeVisible();
    await look("mention");
    await leave();
    await page.getByLabel("Message", { exact: true }).fill("");
    await page.evaluate(`location.hash = "#join/" + "0".repeat(26) + "a".repeat(22)`);
    await see(page.getByText("This invite is not valid any more")).toBeVisible();
    await look("join-over");
    await anna.context.newPage().then(async (next) => {
      await page.close();
      anna.use(next);
    });
    await anna.page.goto(stage.url);
    await see(button("Create account")).toBeVisible();
    await look("sign-in");
  },
  PATIENCE_MS,
);

test("[CL-37] at twice the size of letters nothing is cut off or wider than the screen", async () => {
  const { page } = ben;
  await ben.open("anna");
  await page.setViewportSize({ width: 640, height: 720 });
  await page.evaluate(`document.documentElement.style.fontSize = "200%"`);
  await see(page.locator("#text")).toBeInViewport();
  await see(page.locator("#title")).toBeInViewport();
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(640);
  expect(await ben.barriers()).toEqual([]);
  await ben.shoot("large-letters");
});

test("nobody's page complained", async () => {
  expect([...anna.complaints, ...ben.complaints]).toEqual([]);
  const { accessToken: token } = await must(stage.url, "signIn", {
    body: { handle: "anna", password: "correct horse battery", device: { name: "check" } },
  });
  expect((await must(stage.url, "contacts", { token })).contacts).toEqual([]); // nothing was done by looking at it
});
