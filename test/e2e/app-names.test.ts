import { expect, test } from "vitest";
import { type Device, signUp } from "./support/client.ts";
import { must } from "./support/door.ts";
import { type Somebody, see } from "./support/person.ts";
import { tellOnStage } from "./support/stage.ts";

const NAME = "Ben Carter";

let anna: Somebody;
let ben: Device;

const stage = tellOnStage(async (stage) => {
  ben = await signUp(stage.url, "ben");
  // With a mark that would turn the direction of what stands beside it.
  await must(stage.url, "changeMe", { body: { displayName: `Ben \u202eCarter` }, token: ben.token });
  await ben.connect();
  anna = await stage.enter("anna");
});

const idOf = async (handle: string) =>
  (await must(stage.url, "findUser", { query: { handle }, token: ben.token })).userId;
const leave = () => anna.page.keyboard.press("Escape");

test("[AP-51] somebody is called by their name in the list, the head and on their page, which says the handle, too", async () => {
  const { page } = anna;
  const opened = await must(stage.url, "openDirect", { params: { userId: await idOf("anna") }, token: ben.token });
  ben.outbox.add(opened.conversation.conversationId, "It is me");
  await anna.open(NAME);
  await see(page.locator("#stranger")).toContainText(`${NAME} @ben is not one of your contacts.`);
  await page.locator("#title").click();
  await see(page.getByRole("dialog", { name: NAME })).toContainText("@ben");
  expect(await anna.barriers()).toEqual([]);
  await anna.shoot("named");
  await leave();
});

test("[AP-51] by name or handle they are found, and are shown with both", async () => {
  const { page } = anna;
  for (const words of ["carter", "ben"]) {
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.getByLabel("Talk to").fill(words);
    await see(page.locator(".choice").first()).toHaveText(`${NAME.slice(0, 1)}${NAME}@ben`);
    await leave();
  }
});

test("[AP-51] [AP-9] in a group they speak under their name, and an @ with its beginning mentions them by their handle", async () => {
  const { page } = anna;
  const body = { title: "Choir", memberIds: [await idOf("anna")] };
  const { conversation } = await must(stage.url, "createGroup", { body, token: ben.token });
  await anna.open("Choir");
  ben.outbox.add(conversation.conversationId, "Who sings?");
  await see(anna.message("Who sings?").locator("strong")).toHaveText(NAME);
  await see(page.locator("#rows .note").first()).toContainText(`${NAME} added you`);
  const field = page.getByLabel("Message", { exact: true });
  await field.pressSequentially("I do @cart");
  await see(page.getByRole("option")).toContainText(`${NAME}@ben`);
  await field.press("Enter");
  await see(field).toHaveValue("I do @ben ");
  await field.press("Enter");
  await see(anna.message("I do @ben").locator(".mention")).toHaveText("@ben");
  const { events } = await must(stage.url, "history", {
    params: { id: conversation.conversationId },
    query: {},
    token: ben.token,
  });
  expect(events[0]).toMatchObject({ content: { mentions: [ben.userId] } });
  expect(anna.complaints).toEqual([]);
});
