import { readFile } from "node:fs/promises";
import type { Locator } from "@playwright/test";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/protocol/limits.ts";
import { type Person, type Somebody, see } from "./support/person.ts";
import { png } from "./support/png.ts";
import { bugsIn } from "./support/server.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;
let ben: Somebody;

const stage = tellOnStage(async (stage) => {
  anna = await stage.enter("anna");
  ben = await stage.enter("ben");
  await anna.talkTo("ben");
  await ben.talkTo("anna");
});

const PICTURE = { name: "dawn.png", mimeType: "image/png", buffer: png(640, 400) };
const choose = (person: Person, ...files: (typeof PICTURE)[]) =>
  person.page.locator("#attach-files").setInputFiles(files);
const sendThem = (person: Person) => person.page.getByRole("button", { name: "Send", exact: true }).click();
async function attach(person: Person, ...files: (typeof PICTURE)[]): Promise<void> {
  await choose(person, ...files);
  await sendThem(person);
}
const pictures = (person: Person) => person.page.locator("#rows .media img");
/** How wide the picture is that the browser shows: 0 until there is one. */
const widthOf = (image: Locator) => image.evaluate((image): number => Reflect.get(image, "naturalWidth"));
const isWhole = (image: Locator, width: number) => see.poll(() => widthOf(image)).toBe(width);

test("[MD-16] a picture that is chosen is seen by the peer, small in the message itself and whole from the bucket", async () => {
  await attach(anna, PICTURE);
  await see(pictures(anna)).toHaveCount(1);
  await see(pictures(ben)).toHaveCount(1);
  for (const person of [anna, ben]) await isWhole(pictures(person).first(), 640);
  const source = await pictures(ben).first().getAttribute("src");
  expect(new URL(source ?? "").origin).toBe(`http://localhost:${stage.server.port}`);
  await see(anna.page.locator("#uploads li")).toHaveCount(0);
  await pictures(ben).first().click();
  const viewer = ben.page.getByRole("dialog", { name: "dawn.png" });
  await isWhole(viewer.getByRole("img"), 640);
  await ben.shoot("viewer");
  expect(await ben.barriers()).toEqual([]);
  const whole = ben.page.waitForEvent("popup");
  await viewer.getByRole("link", { name: "Open the original" }).click();
  await see(await whole).toHaveURL(source ?? "");
  await (await whole).close();
  await ben.page.keyboard.press("Escape");
  await see(anna.page.locator("#rows .mine").first()).toHaveAttribute("data-tick", "read");
  await see(anna.page.locator("#list .line")).toHaveText("You: Photo");
  await anna.shoot("anna");
  await ben.shoot("ben");
});

test("[MD-16] files are dropped and pasted, and come in the order in which they were", async () => {
  for (const [way, blue] of [
    ["drop", 1],
    ["paste", 2],
  ] as const) {
    const bytes = [...png(32 + blue, 20, blue)];
    await anna.page.evaluate(`{
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(${JSON.stringify(bytes)})], "${way}.png", { type: "image/png" }));
      const event = "${way}" === "drop"
        ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
        : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
      document.getElementById("${way === "drop" ? "log" : "text"}").dispatchEvent(event);
    }`);
  }
  await see(anna.page.locator("#uploads li")).toHaveCount(2);
  await anna.page.getByLabel("Message", { exact: true }).fill("Two of them");
  await anna.page.keyboard.press("Enter");
  await see(pictures(ben)).toHaveCount(3);
  expect(await ben.texts()).toEqual(["Two of them"]); // the caption of the first
  for (const [i, width] of [640, 33, 34].entries()) await isWhole(pictures(ben).nth(i), width);
});

test("[MD-16] any other file is a link to save it, a video and a voice message are played", async () => {
  const plain = { name: "bill.html", mimeType: "text/html", buffer: Buffer.from("<script>alert(1)</script>") };
  const voice = { name: "v.ogg", mimeType: "audio/ogg; codecs=opus", buffer: Buffer.from("no real sound") };
  await attach(anna, plain, voice);
  const link = ben.page.locator("#rows .media.file a");
  await see(link).toContainText("bill.html");
  await see(link).toHaveAttribute("href", /X-Amz-Signature/);
  const [download] = await Promise.all([ben.page.waitForEvent("download"), link.click()]);
  expect(await download.failure()).toBeNull();
  await see(ben.page.locator("#rows .media.audio audio")).toHaveCount(1);
  expect(ben.page.context().pages()).toHaveLength(1);
});

test("[MD-16] a file that is too large or has nothing in it is not sent, and one may be cancelled", async () => {
  const count = await ben.page.locator("#rows .message").count();
  await choose(anna, { ...PICTURE, name: "empty.png", buffer: Buffer.alloc(0) });
  await choose(anna, { ...PICTURE, name: "large.png", buffer: Buffer.alloc(17 * 1024 * 1024) });
  await see(anna.page.locator("#uploads .problem").last()).toContainText("too large");
  await anna.page.getByRole("button", { name: "Cancel large.png" }).click();
  await anna.page.getByRole("button", { name: "Cancel empty.png" }).click();
  await see(anna.page.locator("#uploads li")).toHaveCount(0);
  expect(await ben.page.locator("#rows .message").count()).toBe(count);
});

test("[MD-16] [MD-23] a large file goes from the page in parts, goes on after a cut, and reaches the peer whole", async () => {
  const buffer = Buffer.alloc(2 * LIMITS.partBytes + 5, "x");
  let cuts = 4;
  const puts: string[] = [];
  await anna.page.route("**/*partNumber=*", (route) => {
    const request = route.request();
    if (request.method() !== "PUT") return route.continue();
    const part = new URL(request.url()).searchParams.get("partNumber") ?? "";
    puts.push(part);
    return part === "2" && cuts-- > 0 ? route.abort() : route.continue();
  });
  await attach(anna, { name: "large.bin", mimeType: "application/octet-stream", buffer });
  const again = anna.page.getByRole("button", { name: "Try again" });
  await see(again).toBeVisible();
  await again.click();
  const link = ben.page.locator("#rows .media.file a", { hasText: "large.bin" });
  await see(link).toBeVisible();
  expect(puts.filter((part) => part !== "2").sort()).toEqual(["1", "3"]);
  const [download] = await Promise.all([ben.page.waitForEvent("download"), link.click()]);
  expect((await readFile(await download.path())).equals(buffer)).toBe(true);
  await anna.page.unroute("**/*partNumber=*");
});

test("[MD-16] an upload without a network waits, and goes on by a click", async () => {
  await anna.page.route("**/v1/media", (route) => route.abort());
  await attach(anna, { ...PICTURE, name: "later.png", buffer: png(50, 50, 7) });
  const again = anna.page.getByRole("button", { name: "Try again" });
  await see(again).toBeVisible();
  await anna.page.unroute("**/v1/media");
  await again.click();
  await isWhole(pictures(ben).last(), 50);
});

test("[MD-16] a picture whose bytes do not come shows small until they do", async () => {
  const files = "**/cdn-cgi/local/r2/**";
  await ben.context.route(files, (route) => route.abort());
  const before = await pictures(ben).count();
  await attach(anna, PICTURE);
  await see(pictures(ben)).toHaveCount(before + 1);
  const shown = pictures(ben).last();
  await see(shown).toHaveAttribute("src", /^data:image/);
  await see.poll(() => widthOf(shown)).toBeGreaterThan(0);
  await ben.shoot("picture-missing");
  await ben.context.unroute(files);
  await isWhole(shown, 640);
});

test("[MD-16] axe finds no barrier where there is media, nobody's page complained, and the server noted no bug", async () => {
  await anna.page.route("**/v1/media", () => {}); // so that one is on its way
  await attach(anna, { ...PICTURE, name: "waiting.png", buffer: png(60, 60, 9) });
  await see(anna.page.locator("#uploads progress")).toBeVisible();
  await see(anna.page.locator("#rows .mine").last()).toHaveAttribute("data-tick", "read"); // nothing moves any more
  expect(await anna.barriers()).toEqual([]);
  await anna.shoot("tray");
  expect([...anna.complaints, ...ben.complaints]).toEqual([]);
  expect(bugsIn(stage.server.output)).toEqual([]);
});
