import { expect, test } from "vitest";
import { keptText } from "./support/kept.ts";
import { type Somebody, see } from "./support/person.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;
let ben: Somebody;

const stage = tellOnStage(async (stage) => {
  anna = await stage.enter("anna");
  ben = await stage.enter("ben");
});

const row = (who: Somebody, text: string) => who.message(text);
const menu = (who: Somebody) => who.page.locator("#message-menu");
async function act(who: Somebody, text: string, what: string): Promise<void> {
  await row(who, text).getByRole("button", { name: "What to do with this message" }).click();
  await menu(who).getByRole("button", { name: what }).click();
  const sure = who.page.getByRole("alertdialog");
  if (what.startsWith("Delete")) await sure.getByRole("button", { name: "Delete", exact: true }).click();
}
const field = (who: Somebody) => who.page.getByLabel("Message", { exact: true });

test("[LM-2] [LM-11] an edited message says so on both screens, and Escape leaves it as it is", async () => {
  await anna.talkTo("ben");
  await anna.say("We meet at sevne");
  await ben.open("anna");
  await see(row(ben, "sevne")).toBeVisible();
  await field(anna).fill("a draft");
  await act(anna, "sevne", "Edit");
  await see(field(anna)).toHaveValue("We meet at sevne");
  await field(anna).press("Escape");
  await see(field(anna)).toHaveValue("a draft");
  await act(anna, "sevne", "Edit");
  await field(anna).fill("We meet at seven");
  await field(anna).press("Enter");
  for (const who of [anna, ben]) await see(row(who, "We meet at seven")).toContainText("edited");
  await see(field(anna)).toHaveValue("a draft");
  expect(await ben.texts()).toEqual(["We meet at seven"]);
  await see(row(ben, "seven").locator("button.more")).toHaveCount(1);
  await row(ben, "seven").locator("button.more").click();
  await see(menu(ben).getByRole("button", { name: "Reply" })).toBeVisible();
  await see(menu(ben).getByRole("button", { name: "Edit" })).toBeHidden();
  await ben.page.keyboard.press("Escape");
});

test("[LM-10] a reaction is chosen with the keyboard, counted, and taken back", async () => {
  await field(ben).focus();
  const more = row(ben, "seven").locator("button.more");
  for (let i = 0; i < 4 && (await more.and(ben.page.locator(":focus")).count()) === 0; i++)
    await ben.page.keyboard.press("Shift+Tab");
  await see(more).toBeFocused();
  await ben.page.keyboard.press("Enter");
  await see(menu(ben).getByRole("button", { name: "React with thumbs up" })).toBeFocused();
  await ben.shoot("message-menu");
  expect(await ben.barriers()).toEqual([]);
  await ben.page.keyboard.press("Enter");
  const chip = (who: Somebody, name: string) => row(who, "seven").getByRole("button", { name, exact: true });
  await see(chip(anna, "👍 1")).toBeVisible();
  await chip(anna, "👍 1").click();
  await see(chip(anna, "👍 2, yours")).toBeVisible();
  await see(chip(ben, "👍 2, yours")).toBeVisible();
  await anna.shoot("reactions");
  expect(await anna.barriers()).toEqual([]);
  await chip(ben, "👍 2, yours").click();
  await see(chip(anna, "👍 1, yours")).toBeVisible();
});

test("[LM-5] [LM-12] a deleted message is gone from both screens, the list and what the browsers keep", async () => {
  await ben.page.evaluate("location.hash = ''");
  await anna.say("the secret word");
  await see(ben.listed("anna").locator(".unread")).toHaveText("1 unread");
  await act(anna, "the secret word", "Delete for everyone");
  await see(row(anna, "This message was deleted")).toBeVisible();
  await see(ben.listed("anna")).toContainText("This message was deleted");
  await see(ben.listed("anna").locator(".unread")).toHaveCount(0);
  for (const who of [anna, ben]) await see.poll(() => keptText(who.page)).not.toContain("secret word");
  await ben.open("anna");
  await see.poll(() => ben.texts()).toEqual(["We meet at seven", "This message was deleted"]);
  await ben.shoot("deleted");
  expect(await ben.barriers()).toEqual([]);
  expect([...anna.complaints, ...ben.complaints]).toEqual([]);
});

test("[LM-26] [AP-36] a message, and what is left of one, is deleted for oneself, at home and on the laptop that was off", async () => {
  const laptop = await stage.enterAgain("ben");
  await laptop.open("anna");
  await see.poll(() => laptop.texts()).toEqual(["We meet at seven", "This message was deleted"]);
  await laptop.context.setOffline(true);
  await row(ben, "This message was deleted").locator("button.more").click();
  await see(menu(ben).getByRole("button")).toHaveText(["Delete for me"]);
  await menu(ben).getByRole("button").click();
  await ben.page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  await see(row(ben, "This message was deleted")).toHaveCount(0);
  await see(ben.listed("anna")).toContainText("We meet at seven");
  await anna.say("for your eyes");
  await act(ben, "for your eyes", "Delete for me");
  await see(row(ben, "for your eyes")).toHaveCount(0);
  await see(ben.listed("anna")).not.toContainText("for your eyes");
  await see.poll(() => keptText(ben.page)).not.toContain("your eyes");
  expect(await anna.texts()).toEqual(["We meet at seven", "This message was deleted", "for your eyes"]);
  await laptop.context.setOffline(false);
  await laptop.isConnected();
  await see.poll(() => laptop.texts()).toEqual(["We meet at seven"]);
  await laptop.page.reload();
  expect(await ben.texts()).toEqual(["We meet at seven"]);
  await see.poll(() => laptop.texts()).toEqual(["We meet at seven"]);
  expect([...anna.complaints, ...ben.complaints]).toEqual([]);
  await laptop.context.close();
});

test("[LM-14] [LM-16] how long messages are kept is chosen and told to both; clearing is for oneself", async () => {
  await anna.page.locator("#title").click();
  await anna.page.getByLabel("Disappearing messages").selectOption("after 7 days");
  await anna.page.keyboard.press("Escape");
  for (const who of [anna, ben]) {
    await see(who.page.locator("#keeping")).toHaveText("New messages disappear after 7 days");
    await see(who.page.locator("#rows .note")).toContainText("disappear after 7 days");
  }
  await ben.page.locator("#title").click();
  await see(ben.page.getByLabel("Disappearing messages")).toHaveValue(`${7 * 86_400_000}`);
  await ben.shoot("conversation-info");
  expect(await ben.barriers()).toEqual([]);
  await ben.page.getByRole("button", { name: "Clear for me" }).click();
  await ben.page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await see(ben.page.locator("#rows > *")).toHaveCount(0);
  expect(await anna.texts()).toHaveLength(3);
  await see.poll(() => keptText(ben.page)).not.toContain("seven");
  await anna.say("hello again");
  await see(row(ben, "hello again")).toBeVisible();
  expect([...anna.complaints, ...ben.complaints]).toEqual([]);
});
