import { expect, test } from "vitest";
import { signUp } from "./support/client.ts";
import { Person, type Somebody, see } from "./support/person.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;
let ben: Somebody;

const stage = tellOnStage(async (stage) => {
  anna = await stage.enter("anna");
  ben = await stage.enter("ben");
  await signUp(stage.url, "cleo");
});

const button = (who: Somebody, name: string | RegExp) => who.page.getByRole("button", { name });
const about = async (who: Somebody) => {
  await who.page.locator("#title").click();
  return who.page.getByRole("dialog");
};
const leave = (who: Somebody) => who.page.keyboard.press("Escape");

test("[AP-9] an invite is made, followed, and good no more once it is revoked", async () => {
  await anna.makeGroup("Choir");
  const info = await about(anna);
  await button(anna, "Make an invite link").click();
  const link = await info.getByLabel("Invite link").inputValue();
  expect(link).toMatch(new RegExp(`^${stage.url}/#join/[\\w-]{48}$`));
  await ben.page.goto(link);
  await see(ben.page.locator("#join-title")).toHaveText("Join Choir?");
  await see(ben.page.locator("#join")).toContainText("1 member");
  await button(ben, "Join the group").click();
  await see(ben.page.locator("#title")).toHaveText("Choir");
  await see(info.locator("#members")).toContainText("ben");
  await see(ben.page.locator("#rows .note").last()).toContainText("You joined by an invite");
  await info.getByRole("button", { name: "Revoke" }).click();
  await see(info.locator("#invites li")).toHaveCount(0);
  const stranger = new Person(await stage.browser.newPage(), "dan");
  await stranger.signUp(stage.url);
  await stranger.page.goto(link);
  await stranger.page.reload();
  await see(stranger.page.getByText("This invite is not valid any more")).toBeVisible();
  await see(stranger.page.getByRole("button", { name: "Join the group" })).toHaveCount(0);
  await stranger.page.close();
});

test("[AP-9] an admin renames, adds, promotes and removes; a member leaves", async () => {
  const info = anna.page.getByRole("dialog");
  await info.getByLabel("Title").fill("Chamber choir");
  await button(anna, "Rename").click();
  await see(ben.page.locator("#title")).toHaveText("Chamber choir");
  await info.getByLabel("Add somebody").fill("cleo");
  await button(anna, "Add").click();
  await see(info.locator("#members li")).toHaveCount(3);
  await info.getByRole("button", { name: "Make admin ben" }).click();
  await see(ben.page.locator("#rows")).toContainText("anna made you an admin");
  await info.getByRole("button", { name: "Dismiss as admin ben" }).click();
  await see(ben.page.locator("#rows")).toContainText("anna made you a member");
  await info.getByRole("button", { name: "Remove cleo" }).click();
  await see(info.locator("#members li")).toHaveCount(2);
  await see(ben.page.locator("#rows")).toContainText("anna removed cleo");
  await info.getByLabel("Add somebody").fill("nobody-at-all");
  await button(anna, "Add").click();
  await see(info.getByText("Nobody is called nobody-at-all")).toBeVisible();
  await leave(anna);
  await about(ben);
  await button(ben, "Leave the group").click();
  await ben.page.getByRole("alertdialog").getByRole("button", { name: "Leave" }).click();
  await see(anna.page.locator("#rows")).toContainText("ben left");
  await ben.open("Chamber choir");
  await see(ben.page.getByText("You are not in this group any more.").first()).toBeVisible();
  await see(ben.page.locator("#text")).toHaveCount(0);
});

test("[AP-9] one asks to be a contact, the other accepts; one blocks the other, and takes it back", async () => {
  await anna.talkTo("ben");
  const info = await about(anna);
  await button(anna, "Ask to be a contact").click();
  await see(info).toContainText("You have asked them to be a contact.");
  await leave(anna);
  await button(ben, "Contacts").click();
  await ben.page.getByRole("button", { name: "Accept anna" }).click();
  await see(ben.page.getByRole("button", { name: "Remove anna" })).toBeVisible();
  await leave(ben);
  await about(anna);
  await see(info).toContainText("You are contacts.");
  await button(anna, "End being contacts").click();
  await see(info).toContainText("You are not contacts.");
  await button(anna, "Block").click();
  await anna.page.getByRole("alertdialog").getByRole("button", { name: "Block" }).click();
  await see(anna.page.getByRole("dialog")).toHaveCount(0);
  await button(anna, "Contacts").click();
  await see(info).toContainText("Blocked");
  await anna.page.getByRole("button", { name: "Unblock ben" }).click();
  await see(info.getByText("Blocked")).toHaveCount(0);
  await leave(anna);
});

test("[AP-9] the person sees their devices, and signs another one out", async () => {
  const tablet = await stage.enterAgain("anna");
  await button(anna, "Settings").click();
  await see(anna.page.locator("#devices li")).toHaveCount(2);
  await see(anna.page.locator("#devices li").first()).toContainText("this device");
  await button(anna, /^Sign it out/).click();
  await see(tablet.page.locator("#ended")).toContainText("This device was signed out");
  await see(anna.page.locator("#devices li")).toHaveCount(1);
  await leave(anna);
  await tablet.context.close();
  expect([...anna.complaints, ...ben.complaints]).toEqual([]);
});
