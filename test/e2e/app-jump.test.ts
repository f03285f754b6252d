import { expect, test } from "vitest";
import { type Device, PASSWORD, signIn, signUp } from "./support/client.ts";
import { must } from "./support/door.ts";
import { type Somebody, see } from "./support/person.ts";
import { tellOnStage } from "./support/stage.ts";

const COUNT = 2_000;
const WRITERS = 8;
let anna: Somebody;
let fetched: string[] = [];
/** What was said, in the order of the log. */
const said: string[] = [];

tellOnStage(async (stage) => {
  const ben = await signUp(stage.url, "ben");
  anna = await stage.enter("anna");
  await anna.talkTo("ben");
  const { user } = await must(stage.url, "signIn", {
    body: { handle: "anna", password: PASSWORD, device: { name: "check" } },
  });
  const { conversation } = await must(stage.url, "openDirect", { params: { userId: user.userId }, token: ben.token });
  const id = conversation.conversationId;
  for (let n = 1; n < 10; n++) await ben.outbox.addByHttp(id, `straw ${n}.`);
  await ben.outbox.addByHttp(id, "the needle");
  const devices = Array.from({ length: WRITERS }, (_, n) => signIn(stage.url, "ben", `writer ${n}`));
  const write = async ({ outbox }: Device, writer: number) => {
    for (let n = 11 + writer; n <= COUNT; n += WRITERS) await outbox.addByHttp(id, `straw ${n}.`);
  };
  await Promise.all((await Promise.all(devices)).map(write));
  for (let after = 0, hasMore = true; hasMore; ) {
    const query = { after, limit: 200 };
    const page = await must(stage.url, "history", { params: { id }, query, token: ben.token });
    for (const event of page.events)
      if (event.kind === "message" && event.content.type === "text") said.push(event.content.text);
    [after, hasMore] = [page.events.at(-1)?.seq ?? after, page.hasMore];
  }
  anna.page.on("request", (request) => {
    if (/\/events\?/.test(request.url())) fetched.push(request.url());
  });
});

test("[AP-7] [CL-59] a hit of long ago is shown in a page or two, with what lies around it", async () => {
  const { page } = anna;
  await page.reload();
  await anna.isConnected();
  await anna.open("ben");
  await see(page.locator("#rows")).toContainText(said.at(-1) ?? "");
  fetched = [];
  await page.getByLabel("Search", { exact: true }).fill("needle");
  await page.locator("#side").getByText("the needle").first().click();
  const row = anna.message("the needle");
  await see(row).toBeInViewport();
  await see.poll(() => fetched.length).toBe(2);
  await anna.shoot("jump-far-back");
  await page.waitForTimeout(1_000);
  await see(row).toBeInViewport(); // it stands there
  expect(fetched.length).toBeLessThanOrEqual(2);
});

test("[AP-7] [CL-59] scrolling down from there reaches the present without a gap", async () => {
  const { page } = anna;
  const last = anna.message(said.at(-1) ?? "");
  const down = async () => {
    await page.locator("#log").evaluate((log) => log.scrollTo(0, log.scrollHeight));
    return last.isVisible();
  };
  await see.poll(down, { intervals: [50] }).toBe(true);
  await down();
  await see(last).toBeInViewport();
  const all = await anna.texts();
  const from = all.indexOf("the needle");
  expect(all.slice(from)).toEqual(said.slice(9));
  expect(fetched.length).toBeLessThan(25);
  await anna.say("Here I am again");
  await see(page.locator("#rows .message").last()).toContainText("Here I am again");
  await see(page.locator("#later")).toHaveCount(0);
});

test("[AP-7] [CL-59] one button leads from the past to the newest, and fetches nothing", async () => {
  const { page } = anna;
  await page.reload();
  await anna.isConnected();
  await anna.open("ben");
  await page.getByLabel("Search", { exact: true }).fill("needle");
  await page.locator("#side").getByText("the needle").first().click();
  await see(anna.message("the needle")).toBeInViewport();
  await page.locator("#newest").click();
  await see(page.locator("#rows .message").last()).toContainText("Here I am again");
  await see(page.locator("#rows .message").last()).toBeInViewport();
  expect(anna.complaints).toEqual([]);
});
