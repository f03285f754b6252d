import type { Locator } from "@playwright/test";
import { expect, test } from "vitest";
import { look } from "./support/look.ts";
import { type Somebody, see } from "./support/person.ts";
import { png } from "./support/png.ts";
import { bugsIn } from "./support/server.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;
let ben: Somebody;
let cleo: Somebody;

const stage = tellOnStage(async (stage) => {
  anna = await stage.enter("anna");
  ben = await stage.enter("ben");
  cleo = await stage.enter("cleo");
});

const button = (who: Somebody, name: string) => who.page.getByRole("button", { name });
const leave = (who: Somebody) => who.page.keyboard.press("Escape");
const settings = (who: Somebody) => button(who, "Settings").click();
/** Bytes of a picture that is wider than high, and its own by its blue. */
const file = (blue: number) => ({ name: "me.png", mimeType: "image/png", buffer: png(640, 400, blue) });
const choose = (who: Somebody, blue: number) => who.page.locator("#own-picture-file").setInputFiles(file(blue));

const pictureIn = (where: Locator) => where.locator(".avatar.shown img");
/** Width and height of the picture that is on the screen there. */
const sides = (where: Locator) =>
  pictureIn(where)
    .first()
    .evaluate((image) => ["naturalWidth", "naturalHeight"].map((side): number => Reflect.get(image, side)));
/** How blue it is in the middle. Runs in the page, which may read its own picture alone: what the bucket sent is drawn anew. */
const blueOf = (where: Locator) =>
  pictureIn(where)
    .first()
    .evaluate(async (image) => {
      const page = globalThis as unknown as {
        fetch(url: string): Promise<{ ok: boolean; blob(): Promise<unknown> }>;
        createImageBitmap(blob: unknown): Promise<unknown>;
        // biome-ignore lint/suspicious/noExplicitAny: the types of a page are not here
        OffscreenCanvas: any;
      };
      const answer = await page.fetch(Reflect.get(image, "src"));
      if (!answer.ok) return -1; // one that is on the screen still, and was replaced
      const bitmap = await page.createImageBitmap(await answer.blob());
      const context = new page.OffscreenCanvas(400, 400).getContext("2d");
      context.drawImage(bitmap, 0, 0);
      return context.getImageData(200, 200, 1, 1).data[2] as number;
    });
/** It shows her picture with that much blue, as a JPEG has it. */
const shows = async (where: Locator, blue: number) => {
  await see(pictureIn(where).first()).toBeVisible();
  await see.poll(async () => Math.abs((await blueOf(where)) - blue)).toBeLessThan(20);
};
/** It shows a letter, and nothing that could be a broken picture. */
const showsLetter = async (where: Locator, letter: string) => {
  await see(where.locator(".avatar").first()).toHaveText(letter);
  await see(pictureIn(where)).toHaveCount(0);
};
const head = (who: Somebody) => who.page.locator("#conversation > header");
const side = (who: Somebody) => who.page.locator("#side > header");
const comeBack = async (who: Somebody) => {
  await who.page.reload();
  await who.isConnected();
};

test("[AP-43] a picture of one's own is chosen in the settings, cut to a square before it leaves, and shown at once", async () => {
  await settings(anna);
  const own = anna.page.locator("#own-picture");
  await showsLetter(own, "A");
  await look(anna, "settings-without-picture");
  await anna.page
    .locator("#own-picture-file")
    .setInputFiles({ name: "words.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") });
  await see(own.getByRole("alert")).toHaveText("The browser cannot read this picture");
  await showsLetter(own, "A");
  await choose(anna, 40);
  await see(pictureIn(own)).toHaveCount(1);
  expect(await sides(own)).toEqual([400, 400]); // of 640 by 400
  await see(own.locator(".problem")).toBeEmpty();
  await shows(own, 40);
  await look(anna, "settings-picture");
  await leave(anna);
  await shows(side(anna), 40);
});

test("[AP-44] it stands in the list, the head, and with whoever somebody is: found, asked about, a contact", async () => {
  await button(ben, "New conversation").click();
  await ben.page.getByLabel("Talk to").fill("ann");
  await shows(ben.page.locator(".choices"), 40);
  await look(ben, "found-with-picture");
  await leave(ben);
  await ben.talkTo("anna");
  await shows(head(ben), 40);
  await shows(ben.listed("anna"), 40);
  await ben.say("Hello, face");
  await ben.page.locator("#title").click();
  await shows(ben.page.locator("#about .person"), 40);
  await look(ben, "person-with-picture");
  await button(ben, "Ask to be a contact").click();
  await leave(ben);
  await button(ben, "Contacts").click();
  await shows(ben.page.locator("#contacts .people"), 40);
  await look(ben, "contacts-with-picture");
  await leave(ben);
  await see(anna.listed("ben")).toHaveCount(1);
  await showsLetter(anna.listed("ben"), "B");
});

test("[AP-44] in a group it stands among the members and beside what its owner says, the last of each go", async () => {
  await ben.makeGroup("Faces", "anna", "cleo");
  await ben.say("Who is here?");
  await anna.open("Faces");
  await anna.say("I am", "and this is my face");
  await cleo.open("Faces");
  await cleo.say("I have none");
  for (const who of [ben, cleo]) {
    await see(who.message("and this is my face")).toHaveCount(1);
    await shows(who.message("and this is my face"), 40);
    await see(who.message("I am").first().locator(".avatar")).toHaveCount(0);
  }
  await showsLetter(ben.message("I have none"), "C");
  await see(anna.message("I am").first().locator(".avatar")).toHaveCount(0); // one's own needs none
  await look(ben, "group-with-faces");
  await ben.page.locator("#title").click();
  await shows(ben.page.locator("#members li", { hasText: "anna" }), 40);
  await look(ben, "members-with-faces");
  await leave(ben);
  await ben.page.getByLabel("Message", { exact: true }).fill("@an");
  await shows(ben.page.locator("#mentions"), 40);
  await leave(ben);
  await ben.page.getByLabel("Message", { exact: true }).fill("");
});

test("[AP-43] [AP-44] another one in its place is seen by her own tabs at once, and by whoever looks again", async () => {
  const tablet = await stage.enterAgain("anna");
  await shows(side(tablet), 40);
  await settings(anna);
  await choose(anna, 220);
  await shows(anna.page.locator("#own-picture"), 220);
  await leave(anna);
  await shows(side(anna), 220);
  await shows(side(tablet), 220);
  await tablet.context.close();
  await ben.open("anna");
  await comeBack(ben);
  await shows(head(ben), 220);
  await shows(ben.listed("anna"), 220);
});

test("[AP-43] [PF-4] who sees it is chosen in the settings, and to whom it is hidden she has a letter", async () => {
  await settings(anna);
  await anna.page.getByLabel("Who sees my picture").selectOption("nobody");
  await leave(anna);
  await comeBack(ben);
  await showsLetter(head(ben), "A");
  await showsLetter(ben.listed("anna"), "A");
  await shows(side(anna), 220);
  await settings(anna);
  await anna.page.getByLabel("Who sees my picture").selectOption("everyone");
  await leave(anna);
  await comeBack(ben);
  await shows(head(ben), 220);
});

test("[AP-44] [PF-4] whom she blocks sees a letter as if there were none, and is told nothing; she sees his", async () => {
  await settings(ben);
  await choose(ben, 130);
  await shows(ben.page.locator("#own-picture"), 130);
  await leave(ben);
  await anna.open("ben");
  await comeBack(anna);
  await shows(head(anna), 130);
  await anna.page.locator("#title").click();
  await button(anna, "Block").click();
  await anna.page.getByRole("alertdialog").getByRole("button", { name: "Block" }).click();
  await see(anna.page.getByRole("dialog")).toHaveCount(0);
  await anna.page.locator("#title").click();
  await see(anna.page.locator("#about")).toContainText("You block them");
  await shows(anna.page.locator("#about .person"), 130);
  await comeBack(ben);
  await showsLetter(head(ben), "A");
  await showsLetter(ben.listed("anna"), "A");
  await anna.page.locator("#about").getByRole("button", { name: "Unblock" }).click();
  await see(anna.page.locator("#about")).toContainText("You are not contacts");
  await leave(anna);
  await comeBack(ben);
  await shows(head(ben), 220);
});

test("[AP-44] where its bytes do not come the letter stands, without a flash and without a broken picture", async () => {
  const bucket = /X-Amz-Signature/;
  let isHeld = true;
  await ben.page.route(bucket, async (route) => {
    while (isHeld) await new Promise((resolve) => setTimeout(resolve, 20));
    await route.abort();
  });
  const asked = ben.page.waitForRequest(bucket);
  await comeBack(ben);
  await asked;
  await showsLetter(head(ben), "A"); // while it is on its way
  isHeld = false;
  await see(head(ben).locator(".avatar img")).toHaveCount(0); // and when it has not come
  await showsLetter(head(ben), "A");
  await look(ben, "picture-that-does-not-come");
  await ben.page.unroute(bucket);
  await comeBack(ben);
  await shows(head(ben), 220);
});

test("[AP-43] taken off, it is gone wherever it stood", async () => {
  await settings(anna);
  await button(anna, "Remove my picture").click();
  await showsLetter(anna.page.locator("#own-picture"), "A");
  await leave(anna);
  await showsLetter(side(anna), "A");
  await comeBack(ben);
  await showsLetter(head(ben), "A");
  await ben.open("Faces");
  await showsLetter(ben.message("and this is my face"), "A");
});

test("nobody's page complained, and the server noted no bug", () => {
  expect([anna.complaints, ben.complaints, cleo.complaints]).toEqual([[], [], []]);
  expect(bugsIn(stage.server.output)).toEqual([]);
});
