import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { expect, test } from "vitest";
import { must } from "./support/door.ts";
import { look } from "./support/look.ts";
import { type Somebody, see } from "./support/person.ts";
import { png } from "./support/png.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;
let ben: Somebody;
let cleo: Somebody;
/** What she calls herself. */
const CLEO = "Cleopatra Ptolemy";
let operator: string;

const stage = tellOnStage(async (stage) => {
  operator = parseEnv(readFileSync(join(stage.server.dataDir, "secrets.env"), "utf8")).OPERATOR_TOKEN ?? "";
  anna = await stage.enter("anna");
  ben = await stage.enter("ben");
  cleo = await stage.enter("cleo");
});

const button = (who: Somebody, name: string | RegExp) => who.page.getByRole("button", { name });
const leave = (who: Somebody) => who.page.keyboard.press("Escape");
const message = (who: Somebody, text: string) => who.message(text);
async function menuOf(who: Somebody, text: string, act: string): Promise<void> {
  await see(message(who, text).last()).toHaveAttribute("data-seq", /\d/); // what is on its way has no menu yet
  await message(who, text).last().click({ button: "right" });
  await who.page.locator("#message-menu").getByRole("button", { name: act, exact: true }).click();
}
/** Does this, and waits until the server has answered what it changes there. */
async function answered(who: Somebody, path: string, act: () => Promise<unknown>): Promise<void> {
  const answer = who.page.waitForResponse(
    (response) => response.url().endsWith(path) && response.request().method() === "PATCH",
  );
  await act();
  expect((await answer).ok()).toBe(true);
}
/** Axe reads each screen four times. Ms. */
const PATIENCE_MS = 400_000;

test(
  "[AP-22] somebody is found by their name or the beginning of their handle, and the arrows lead to them",
  async () => {
    await button(cleo, "Settings").click();
    await cleo.page.getByLabel("Name that others see").fill(CLEO);
    await answered(cleo, "/v1/me", () => cleo.page.getByLabel("Name that others see").press("Tab"));
    await leave(cleo);
    await button(anna, "New conversation").click();
    const field = anna.page.getByLabel("Talk to");
    await field.fill("ptol");
    await see(anna.page.locator(".choice").first()).toContainText(CLEO);
    await look(anna, "people-search");
    await field.fill("nobody-is-called-so");
    await see(anna.page.getByText("Nobody is found by that.")).toBeVisible();
    await field.fill("be");
    await field.fill("ben");
    await see(anna.page.locator(".choice").first()).toContainText("ben");
    await field.press("ArrowDown");
    await see(anna.page.locator(".choice").first()).toBeFocused();
    await anna.page.keyboard.press("Enter");
    await see(anna.page.locator("#title")).toHaveText("ben");
    await anna.say("Shall we sing?");
    await button(anna, "New conversation").click();
    await anna.page.getByText("New group").click();
    await anna.page.getByLabel("Who is in it").fill("cleop");
    await anna.page.locator("#group .choice").first().click();
    await see(anna.page.locator(".chosen")).toContainText(CLEO);
    await look(anna, "group-making");
    await button(anna, `${CLEO} take out`).click();
    await see(anna.page.locator(".chosen")).toHaveCount(0);
    await leave(anna);
  },
  PATIENCE_MS,
);

test(
  "[AP-20] whoever follows an invite sees where it leads and asks; an admin is told, lets in or declines",
  async () => {
    await anna.makeGroup("Choir");
    await anna.page.locator("#title").click();
    await anna.page.getByLabel("An admin lets in who comes by a link").check();
    await button(anna, "Make an invite link").click();
    const link = await anna.page.getByLabel("Invite link", { exact: true }).inputValue();
    await leave(anna);
    for (const who of [ben, cleo]) {
      await who.page.goto(link);
      await see(who.page.locator("#join-title")).toHaveText("Join Choir?");
      if (who === ben) await look(ben, "join-preview");
      await button(who, "Ask to join").click();
      await see(who.page.getByText("You have asked to join. An admin has to let you in.")).toBeVisible();
    }
    await look(ben, "join-asked");
    await see(anna.listed("Choir").locator(".asking")).toContainText("2 people ask to join");
    await look(anna, "group-asked");
    await button(anna, "2 people ask to join").click();
    await see(anna.page.locator("#requests li")).toHaveCount(2);
    await look(anna, "group-requests");
    await button(anna, `Decline ${CLEO}`).click();
    await see(anna.page.locator("#requests li")).toHaveCount(1);
    await button(anna, "Let in ben").click();
    await see(anna.page.locator("#members")).toContainText("ben");
    await see(anna.page.locator("#requests")).toHaveCount(0);
    await leave(anna);
    await see(anna.listed("Choir").locator(".asking")).toHaveCount(0);
    await ben.open("Choir");
    await see(cleo.listed("Choir")).toHaveCount(0);
  },
  PATIENCE_MS,
);

test(
  "[AP-28] [AP-23] admins say who sends, and a member sees why they cannot; a picture is everywhere at once",
  async () => {
    await anna.page.locator("#title").click();
    await anna.page.getByLabel("Send messages").selectOption("admins");
    await anna.page
      .locator("#group-picture")
      .setInputFiles({ name: "choir.png", mimeType: "image/png", buffer: png(640, 400) });
    const shown = anna.page.locator("#about .avatar img").first();
    const sides = () =>
      shown.evaluate((image) => ["naturalWidth", "naturalHeight"].map((side) => Reflect.get(image, side)));
    await see.poll(sides).toEqual([400, 400]); // of 640 by 400
    await look(anna, "group-settings");
    await anna.page.locator("#rules").scrollIntoViewIfNeeded();
    await anna.shoot("group-rules");
    await anna.page.setViewportSize({ width: 375, height: 720 });
    await anna.page.locator("#rules select").last().scrollIntoViewIfNeeded();
    await anna.shoot("group-rules-375");
    await anna.page.setViewportSize({ width: 1_100, height: 720 });
    await leave(anna);
    await see(ben.page.getByText("Admins alone send messages here.")).toBeVisible();
    await see(ben.page.locator("#text")).toHaveCount(0);
    await see(ben.page.locator("#conversation > header .avatar img")).toHaveCount(1);
    await see(ben.listed("Choir").locator(".avatar img")).toHaveCount(1);
    await look(ben, "cannot-send");
    await ben.page.locator("#title").click();
    await see(ben.page.locator("#rules")).toContainText("Admins alone send messages.");
    await look(ben, "group-member");
    await leave(ben);
    await anna.page.locator("#title").click();
    await anna.page.getByLabel("Bring people in").selectOption("members");
    await leave(anna);
    await ben.page.locator("#title").click();
    await see(button(ben, "Make an invite link")).toBeVisible();
    await see(ben.page.getByLabel("Add somebody")).toHaveCount(0); // [GR-10] an admin lets in who comes by a link
    await leave(ben);
    await anna.say("Only I can say this");
    await see(message(ben, "Only I can say this")).toHaveCount(1);
    await message(ben, "Only I can say this").click({ button: "right" });
    await see(button(ben, "Forward")).toBeVisible();
    await see(ben.page.locator("#message-menu").getByRole("button", { name: "Reply" })).toHaveCount(0);
    await leave(ben);
    await anna.page.locator("#title").click();
    await button(anna, "Remove the picture").click();
    await see(ben.listed("Choir").locator(".avatar img")).toHaveCount(0);
    await anna.page.getByLabel("Send messages").selectOption("members");
    await leave(anna);
    await see(ben.page.locator("#text")).toBeVisible();
  },
  PATIENCE_MS,
);

test(
  "[AP-25] words and a picture are passed on, say so, and the picture is not uploaded again",
  async () => {
    await anna.page
      .locator("#attach-files")
      .setInputFiles({ name: "dawn.png", mimeType: "image/png", buffer: png(320, 200) });
    await anna.say("The dawn");
    await see(message(anna, "The dawn").locator("img")).toHaveCount(1);
    let uploads = 0;
    anna.page.on("request", (request) => {
      if (request.method() === "PUT" && !request.url().includes("/v1/")) uploads += 1;
    });
    await menuOf(anna, "The dawn", "Forward");
    await anna.page.getByRole("checkbox", { name: "ben" }).check();
    await look(anna, "forward");
    await button(anna, /^Forward$/)
      .last()
      .click();
    await see(anna.page.locator("#title")).toHaveText("ben");
    await see(message(anna, "The dawn").locator(".forwarded")).toHaveText("Forwarded");
    await ben.open("anna");
    await see(message(ben, "The dawn").locator("img")).toHaveCount(1);
    await see(message(ben, "The dawn").locator(".forwarded")).toHaveText("Forwarded");
    expect(uploads).toBe(0);
    await message(anna, "The dawn").click({ button: "right" });
    await see(anna.page.locator("#message-menu").getByRole("button", { name: /caption/ })).toHaveCount(0); // [LM-24]
    await look(anna, "message-menu-more");
    await leave(anna);
    for (let times = 0; times < 4; times++) {
      await menuOf(anna, "The dawn", "Forward");
      await anna.page.getByRole("checkbox", { name: "ben" }).check();
      await button(anna, /^Forward$/)
        .last()
        .click();
      await see(message(anna, "The dawn")).toHaveCount(times + 2);
      await see(message(anna, "The dawn").last()).toHaveAttribute("data-tick", /sent|delivered|read/);
    }
    await see(message(ben, "The dawn").last().locator(".forwarded")).toHaveText("Forwarded many times");
  },
  PATIENCE_MS,
);

test("[LM-23] a caption is changed and taken away; an emoji in the middle of a text leaves the caret behind it", async () => {
  await anna.open("Choir");
  await menuOf(anna, "The dawn", "Edit the caption");
  const field = anna.page.getByLabel("Message", { exact: true });
  await see(field).toHaveValue("The dawn");
  await field.fill("The dusk");
  await anna.page.keyboard.press("Enter");
  await ben.open("Choir");
  await see(message(ben, "The dusk")).toContainText("edited");
  await menuOf(anna, "The dusk", "Edit the caption");
  await see(field).toHaveValue("The dusk");
  await field.fill("");
  await anna.page.keyboard.press("Enter");
  await see(message(ben, "The dusk")).toHaveCount(0);
  await see(ben.page.locator("#rows .media img")).toHaveCount(1);
  await field.fill("one two");
  await field.evaluate((text) => Reflect.get(text, "setSelectionRange").call(text, 3, 3));
  await button(anna, "Emoji").click();
  await anna.page.getByLabel("Search emoji").fill("tada");
  await anna.page.getByLabel("Search emoji").fill("party");
  await anna.page.locator(".grid button").first().click();
  await see.poll(() => field.inputValue()).toMatch(/^one\p{RGI_Emoji} two$/v);
  await see(field).toBeFocused();
  await anna.page.keyboard.type("!");
  await see.poll(() => field.inputValue()).toMatch(/^one\p{RGI_Emoji}! two$/v);
  await field.fill("");
});

test(
  "[AP-24] a star is put on a message, is on every device, and leads to it from the list of stars",
  async () => {
    const phone = await stage.enterAgain("anna");
    await anna.open("Choir");
    await menuOf(anna, "Only I can say this", "Star");
    await see(message(anna, "Only I can say this").getByLabel("starred")).toBeVisible();
    await phone.open("Choir");
    await see(message(phone, "Only I can say this").getByLabel("starred")).toBeVisible();
    await phone.page.reload();
    await phone.isConnected();
    await see(message(phone, "Only I can say this").getByLabel("starred")).toBeVisible();
    await anna.open("ben");
    await menuOf(anna, "Shall we sing?", "Star");
    await button(anna, "Starred messages").click();
    await see(anna.page.locator(".starred li")).toHaveCount(2);
    await look(anna, "stars");
    const isShown = await anna.noteShown();
    await anna.page.locator(".starred .hit", { hasText: "Only I can say this" }).click();
    await see(anna.page.locator("#title")).toHaveText("Choir");
    await isShown("Only I can say this");
    await button(anna, "Starred messages").click();
    await button(anna, "Take the star off").first().click();
    await see(anna.page.locator(".starred li")).toHaveCount(1);
    await button(anna, "Take the star off").click();
    await see(anna.page.getByText("Nothing is starred yet.")).toBeVisible();
    await look(anna, "stars-empty");
    await leave(anna);
    await see(message(phone, "Only I can say this").getByLabel("starred")).toHaveCount(0);
    await phone.context.close();
  },
  PATIENCE_MS,
);

test(
  "[AP-26] a message is reported and its writer blocked in one go, and the operator has it",
  async () => {
    await cleo.talkTo("ben");
    await cleo.say("Buy my wonderful coins");
    await ben.open(CLEO);
    await menuOf(ben, "wonderful coins", "Report");
    await ben.page.getByLabel("A scam or fraud").check();
    await ben.page.getByLabel("What should they know?").fill("Third time this week");
    await ben.page.getByLabel(`Block ${CLEO} as well`).check();
    await look(ben, "report");
    await ben.page.locator("#report").getByRole("button", { name: "Report" }).click();
    await see(ben.page.locator("#toast")).toHaveText(`Reported, and ${CLEO} is blocked`);
    await see(ben.page.locator(".left")).toContainText("You block them.");
    await message(ben, "wonderful coins").click({ button: "right" });
    await see(ben.page.locator("#message-menu").getByRole("button", { name: "Star" })).toBeVisible();
    await see(ben.page.locator("#message-menu .quick")).toHaveCount(0);
    await leave(ben);
    await look(ben, "blocked");
    const { reports } = await must(stage.url, "reports", { token: operator });
    expect(reports).toMatchObject([{ reason: "scam", note: "Third time this week", state: "open" }]);
    expect(JSON.stringify(reports[0]?.evidence)).toContain("wonderful coins");
    await button(ben, "Unblock").click();
    await see(ben.page.locator("#text")).toBeVisible();
    await see(message(ben, "wonderful coins")).toHaveCount(1);
    await ben.page.locator("#title").click();
    await ben.page.locator("#about").getByRole("button", { name: "Report" }).click();
    await see(ben.page.getByRole("heading", { name: `Report ${CLEO}` })).toBeVisible();
    await leave(ben);
  },
  PATIENCE_MS,
);

test(
  "[AP-27] the search inside a conversation goes from hit to hit, and Escape ends it",
  async () => {
    await anna.open("ben");
    await anna.say("A song of spring", "A song of autumn", "Something else");
    await see(anna.tick("Something else")).not.toHaveAttribute("data-tick", "queued");
    await button(anna, "Search here").click();
    const field = anna.page.getByLabel("Search in this conversation");
    const isShown = await anna.noteShown();
    await field.fill("song");
    await see(anna.page.locator("#find-inside")).toContainText("1 of 2");
    await isShown("autumn");
    await look(anna, "find-inside");
    await field.press("ArrowUp");
    await see(anna.page.locator("#find-inside")).toContainText("2 of 2");
    await isShown("spring");
    await see(button(anna, "Earlier")).toBeDisabled();
    await field.fill("not to be found");
    await see(anna.page.locator("#find-inside")).toContainText("Not found");
    await leave(anna);
    await see(anna.page.locator("#find-inside")).toHaveCount(0);
  },
  PATIENCE_MS,
);

test("[CT-17] [PE-3] who wants to be left alone is neither written to nor found, and says so in the settings", async () => {
  const dan = await stage.enter("danielle");
  await button(dan, "Settings").click();
  for (const choice of ["Who may write to me first", "Who finds me by my name"])
    await answered(dan, "/v1/me", () => dan.page.getByLabel(choice).selectOption("nobody"));
  await dan.page.reload();
  await dan.isConnected();
  await button(dan, "Settings").click();
  await see(dan.page.getByLabel("Who may write to me first")).toHaveValue("nobody");
  await see(dan.page.getByLabel("Who finds me by my name")).toHaveValue("nobody");
  await button(anna, "New conversation").click();
  await anna.page.getByLabel("Talk to").fill("daniel");
  await see(anna.page.getByText("Nobody is found by that.")).toBeVisible();
  await anna.page.getByLabel("Talk to").fill("danielle");
  await button(anna, "Open").click();
  await see(anna.page.getByText("They choose who may write to them first")).toBeVisible();
  await leave(anna);
  await dan.context.close();
});

test(
  "[AP-21] a request to be a contact is counted at once, and gone once it is answered elsewhere",
  async () => {
    await ben.open("anna");
    await ben.page.locator("#title").click();
    await button(ben, "Ask to be a contact").click();
    await see(anna.page.locator("#contacts-asking")).toHaveText("1 ask to be your contact");
    await look(anna, "contacts-badge");
    const phone = await stage.enterAgain("anna");
    await see(phone.page.locator("#contacts-asking")).toHaveText("1 ask to be your contact");
    await button(phone, "Contacts").click();
    await look(phone, "contacts-asked");
    await button(phone, "Accept ben").click();
    await see(anna.page.locator("#contacts-asking")).toHaveCount(0);
    await see(ben.page.locator("#about")).toContainText("You are contacts.");
    await phone.context.close();
    await button(anna, "New conversation").click();
    await see(anna.page.getByRole("list", { name: "Contacts" })).toContainText("ben"); // before anything is written
    await leave(anna);
    expect([...anna.complaints, ...ben.complaints, ...cleo.complaints]).toEqual([]);
  },
  PATIENCE_MS,
);
