import { expect, test } from "vitest";
import { type Device, PASSWORD, signIn } from "./support/client.ts";
import { must } from "./support/door.ts";
import { keptIn, keptText } from "./support/kept.ts";
import { annaWhoSaid, type Somebody, see } from "./support/person.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;

const stage = tellOnStage(async (stage) => {
  anna = await annaWhoSaid(stage.browser, stage.url, "Before it was lost");
});

/** Another device of hers signs out all that she had before. */
async function revokeAll(): Promise<void> {
  const device = { name: "phone" };
  const { accessToken: token } = await must(stage.url, "signIn", {
    body: { handle: "anna", password: PASSWORD, device },
  });
  const { devices } = await must(stage.url, "devices", { token });
  for (const { deviceId, current } of devices)
    if (!current) await must(stage.url, "revokeDevice", { params: { deviceId }, token });
}

/** A device of ben's, signed in once: only so many are kept. */
let peer: Device | undefined;
/** What was appended, by the server's own log. */
async function logged(): Promise<string[]> {
  peer ??= await signIn(stage.url, "ben", "check");
  const { token } = peer;
  const { userId } = await must(stage.url, "findUser", { query: { handle: "anna" }, token });
  const { conversation } = await must(stage.url, "openDirect", { params: { userId }, token });
  const query = { after: 0, limit: 200 };
  const { events } = await must(stage.url, "history", { params: { id: conversation.conversationId }, query, token });
  return events.flatMap((event) =>
    event.kind === "message" && event.content.type === "text" ? [event.content.text] : [],
  );
}

const signInAgain = async ({ page }: Somebody) => {
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
};

test("[AP-31] [CL-57] a device that is signed out elsewhere shows and keeps nothing but what waits to be sent", async () => {
  const { page, context } = anna;
  await page.evaluate("navigator.serviceWorker.ready.then(() => {})");
  await context.setOffline(true);
  await page.reload();
  await see(page.locator("#rows")).toContainText("Before it was lost");
  await anna.say("First in the tunnel", "Second in the tunnel");
  await see(anna.tick("Second in the tunnel")).toHaveAttribute("data-tick", "queued");
  await see.poll(() => keptText(page)).toContain("Second in the tunnel");
  await revokeAll();
  await context.setOffline(false);
  const ended =
    "This device was signed out, and what it had is gone from it. 2 messages were not sent yet: sign in as anna, and they go out.";
  await see(page.locator("#ended p")).toHaveText(ended);
  await anna.shoot("signed-out-elsewhere");
  expect(await anna.barriers()).toEqual([]);
  await see(page.locator("body")).not.toContainText("tunnel");
  const kinds = async () => [...new Set((await keptIn(page)).map(([key]) => key.replace(/\/.*/, "/")))];
  const left = async () => (await kinds()).filter((kind) => kind !== "alias/").toSorted();
  await see.poll(left).toEqual(["meta", "out/", "session"]);
  await see.poll(() => keptText(page)).not.toMatch(/Before it was lost|Token|ben/);
  await page.reload();
  await see(page.locator("#ended p")).toHaveText(ended);
});

test("[AP-31] [AP-12] somebody else who signs in there gets a store of their own, and what waits stays", async () => {
  const { page } = anna;
  await page.getByLabel("Handle", { exact: true }).fill("ben");
  await signInAgain(anna);
  await anna.isConnected();
  await see(page.locator("body")).not.toContainText("tunnel");
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.locator("#known").getByRole("button", { name: "anna" }).click();
  await see(page.locator("#ended")).toContainText("2 messages were not sent yet");
});

test("[CL-44] [CL-58] [AP-31] what waited goes out when its person signs in again: all of it, once, in order", async () => {
  await signInAgain(anna);
  await anna.isConnected();
  await anna.open("ben");
  await see(anna.tick("Second in the tunnel")).toHaveAttribute("data-tick", "sent");
  const all = ["Before it was lost", "First in the tunnel", "Second in the tunnel"];
  await see.poll(() => anna.texts()).toEqual(all);
  expect(await logged()).toEqual(all);
});

test("[CL-58] what was sent, and whose answer the device did not live to hear, is there once", async () => {
  const { page } = anna;
  await page.routeWebSocket(/\/v1\/socket/, (socket) => {
    const upstream = socket.connectToServer();
    let isDeaf = false;
    socket.onMessage((frame) => {
      if (String(frame).includes("Did it arrive?")) isDeaf = true;
      upstream.send(frame);
    });
    upstream.onMessage((frame) => {
      if (!isDeaf || !/"type":"(ack|events|caught_up)"/.test(String(frame))) socket.send(frame);
    });
  });
  await page.reload();
  await anna.isConnected();
  await anna.say("Did it arrive?");
  await see.poll(() => logged()).toContain("Did it arrive?");
  await see(anna.tick("Did it arrive?")).toHaveAttribute("data-tick", "queued");
  await revokeAll();
  await see(page.locator("#ended")).toContainText("One message was not sent yet");
  await signInAgain(anna);
  await anna.isConnected();
  await anna.open("ben");
  await see(anna.tick("Did it arrive?")).toHaveAttribute("data-tick", "sent");
  const arrived = async () => (await logged()).filter((text) => text === "Did it arrive?");
  expect(await arrived()).toHaveLength(1);
  expect((await anna.texts()).filter((text) => text === "Did it arrive?")).toHaveLength(1);
  expect(anna.complaints).toEqual([]);
});
