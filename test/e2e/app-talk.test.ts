import { expect, test } from "vitest";
import { type Device, signUp } from "./support/client.ts";
import { must } from "./support/door.ts";
import { type Somebody, see } from "./support/person.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;
/** Somebody at another program, who can say much at once. */
let ben: Device;
let direct: string;
let group: string;

const stage = tellOnStage(async (stage) => {
  anna = await stage.enter("anna");
  ben = await signUp(stage.url, "ben");
  await ben.connect();
  const { userId } = await must(stage.url, "findUser", { query: { handle: "anna" }, token: ben.token });
  const opened = await must(stage.url, "openDirect", { params: { userId }, token: ben.token });
  direct = opened.conversation.conversationId;
});

const field = () => anna.page.getByLabel("Message", { exact: true });
const row = (text: string) => anna.message(text);
const log = () => anna.page.locator("#log");
const isFocused = (name: string | RegExp) => see(anna.page.getByRole("button", { name })).toBeFocused();
const keys = async (...all: string[]) => {
  for (const key of all) await anna.page.keyboard.press(key);
};
async function says(conversationId: string, ...texts: string[]): Promise<void> {
  for (const text of texts) ben.outbox.add(conversationId, text);
  await see.poll(() => ben.outbox.waiting.length).toBe(0);
}

test("[AP-8] without a mouse: open, send, answer, react, edit, delete", async () => {
  const { page } = anna;
  await says(direct, "Do you see this?");
  await see(anna.listed("ben")).toContainText("Do you see this?");
  await page.getByLabel("Search", { exact: true }).focus();
  await keys("Tab");
  await see(anna.listed("ben")).toBeFocused();
  await keys("Enter");
  await see(field()).toBeFocused();
  await page.keyboard.type("I do");
  await keys("Shift+Enter");
  await page.keyboard.type("in two lines");
  await keys("Enter");
  await see(row("in two lines")).toBeVisible();
  expect(await anna.texts()).toEqual(["Do you see this?", "I do\nin two lines"]);

  await see(page.locator("#rows button.more")).toHaveCount(2);
  await see(page.locator('#rows button.more[tabindex="0"]')).toHaveCount(1); // one stop for all of them
  // The menu of the newest, from there by an arrow that of the one before it.
  for (let i = 0; i < 6 && (await page.locator("button.more:focus").count()) === 0; i++) await keys("Shift+Tab");
  await see(row("in two lines").locator("button.more")).toBeFocused();
  await keys("ArrowUp");
  await see(row("Do you see this?").locator("button.more")).toBeFocused();
  await keys("Enter");
  await isFocused("React with thumbs up");
  await keys("ArrowRight", "Enter");
  await see(row("Do you see this?").getByRole("button", { name: "❤️ 1, yours" })).toBeVisible();
  await see(row("Do you see this?").locator("button.more")).toBeFocused(); // back where the menu hung
  await keys("Enter");
  await isFocused("React with thumbs up");
  for (let i = 0; i < 7; i++) await keys("ArrowDown");
  await isFocused("Reply");
  await keys("Enter");
  await see(field()).toBeFocused();
  await see(page.locator("#answering")).toContainText("Do you see this?");
  await page.keyboard.type("An answer");
  await keys("Enter");
  await see(row("An answer").locator("button.quote")).toContainText("Do you see this?");

  await see(row("An answer")).toHaveAttribute("data-tick", /sent|delivered|read/);
  await keys("ArrowUp"); // in the empty field: the last one of mine
  await see(field()).toHaveValue("An answer");
  await page.keyboard.type(" indeed");
  await keys("Enter");
  await see(row("An answer indeed")).toContainText("edited");

  for (let i = 0; i < 6 && (await page.locator("button.more:focus").count()) === 0; i++) await keys("Shift+Tab");
  await keys("ArrowDown", "ArrowDown");
  await see(row("An answer indeed").locator("button.more")).toBeFocused();
  await keys("Enter");
  await isFocused("React with thumbs up");
  await keys("ArrowUp");
  await isFocused("Delete for everyone");
  await keys("Enter");
  await see(page.getByRole("alertdialog")).toBeVisible();
  await keys("Tab", "Tab");
  await isFocused(/^Delete$/);
  await keys("Enter");
  await see(row("This message was deleted")).toBeVisible();
  const last = ben.log(direct);
  await see.poll(() => last.events.at(-1)?.kind).toBe("recall");
  expect(last.events.find((event) => event.kind === "reaction")).toMatchObject({ emoji: "❤️", targetSeq: 1 });
  const answer = last.events.find((event) => event.kind === "message" && event.seq > 2);
  expect(answer).toBeDefined();
});

test("[AP-8] Escape closes what lies on top and gives the focus back; nothing holds it for ever", async () => {
  const { page } = anna;
  await page.getByRole("button", { name: "Settings" }).focus();
  await keys("Enter");
  await see(page.getByRole("dialog", { name: "Settings" })).toBeVisible();
  await keys("Escape");
  await see(page.getByRole("dialog")).toHaveCount(0);
  await see(page.getByRole("button", { name: "Settings" })).toBeFocused();
  const seen = new Set<string>();
  for (let i = 0; i < 40; i++) {
    await keys("Tab");
    seen.add(
      await page.evaluate("document.activeElement?.id || document.activeElement?.getAttribute('aria-label') || ''"),
    );
  }
  for (const stop of ["search", "title", "text", "Emoji", "log"]) expect([...seen]).toContain(stop);
});

test("[AP-8] what others say is said to a screen reader once, and the past is not", async () => {
  const said = anna.page.getByRole("status").filter({ hasText: /^ben: / });
  await says(direct, "Hear this");
  await see(said).toHaveText("ben: Hear this");
  await anna.page.reload();
  await anna.isConnected();
  await see(row("Hear this")).toBeVisible();
  await see(said).toHaveCount(0);
});

test("[AP-5] what was not sent is there again after a reload, and shows in the list", async () => {
  const { page } = anna;
  await row("in two lines").click({ button: "right" });
  await page.locator("#message-menu").getByRole("button", { name: "Reply" }).click();
  await field().fill("half a thou");
  await page.evaluate("location.hash = ''");
  await see(anna.listed("ben")).toContainText("Draft: half a thou");
  await page.reload();
  await see(anna.listed("ben")).toContainText("Draft: half a thou");
  await anna.open("ben");
  await see(field()).toHaveValue("half a thou");
  await see(page.locator("#answering")).toContainText("in two lines");
  await anna.isConnected();
  await field().press("Enter");
  await see(row("half a thou").locator("button.quote")).toContainText("in two lines");
  await see(row("half a thou")).toHaveAttribute("data-tick", /sent|delivered/);
  const drafts = () => page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('edgewise.drafts.'))");
  await see.poll(drafts).toEqual([]);
});

test("[AP-6] names and texts are words: no markup, no script, and links only to http and https", async () => {
  const { page } = anna;
  const evil = [
    `<img src=x onerror="document.title='broken'"><script>document.title='broken'</script>`,
    "javascript:document.title='broken' data:text/html,<script>1</script> vbscript:x",
    "https://ok.example/a?b=c#d, and https://bank.example@evil.example/",
    "https://ok.example/\u202egpj.exe",
  ];
  await says(direct, ...evil);
  await see(row("gpj.exe")).toBeVisible();
  await see.poll(async () => (await anna.texts()).slice(-4)).toEqual(evil);
  const links = page.locator("#rows .bubble > p a");
  await see(links).toHaveCount(2);
  expect(await links.evaluateAll((all) => all.map((a) => a.getAttribute("href")))).toEqual([
    "https://ok.example/a?b=c#d",
    "https://ok.example/",
  ]);
  for (const link of await links.all()) {
    await see(link).toHaveAttribute("rel", "noopener noreferrer nofollow");
    await see(link).toHaveAttribute("target", "_blank");
  }
  const title = `<b>Club</b>\u202e gpj`;
  const { conversation } = await must(stage.url, "createGroup", {
    body: { title, memberIds: [await idOf("anna")] },
    token: ben.token,
  });
  group = conversation.conversationId;
  await anna.open("<b>Club</b> gpj");
  await see(page.locator("#rows")).toContainText("ben added you");
  expect(await page.locator("#rows b, #rows script, #rows img, #title *, .list strong *").count()).toBe(0);
  expect(await page.title()).not.toContain("broken");
});

const idOf = async (handle: string) =>
  (await must(stage.url, "findUser", { query: { handle }, token: ben.token })).userId;

test("[AP-9] a member is mentioned by the beginning of their name", async () => {
  const { page } = anna;
  await field().pressSequentially("Look @b");
  await see(page.getByRole("option", { name: "ben" })).toHaveAttribute("aria-selected", "true");
  await field().press("Enter");
  await see(field()).toHaveValue("Look @ben ");
  await field().pressSequentially("here");
  await field().press("Enter");
  await see(row("Look").locator(".mention")).toHaveText("@ben");
  await see
    .poll(() => ben.log(group).events.at(-1))
    .toMatchObject({ kind: "message", content: { text: "Look @ben here", mentions: [ben.userId] } });
});

test("[AP-9] [MD-25] a voice message is recorded with its waveform, sent, played, and played from elsewhere", async () => {
  const { page } = anna;
  await anna.context.grantPermissions(["microphone"], { origin: stage.url });
  await page.getByRole("button", { name: "Record a voice message" }).click();
  await see(page.getByRole("timer")).not.toHaveText("0:00");
  await page.getByRole("button", { name: "Throw the recording away" }).click();
  await see(field()).toBeVisible();
  await page.getByRole("button", { name: "Record a voice message" }).click();
  await see(page.getByRole("timer")).not.toHaveText("0:00");
  await page.getByRole("button", { name: "Send the recording" }).click();
  const voice = page.locator("#rows .media.audio");
  await see(voice).toHaveCount(1);
  await see(voice.locator("audio")).toHaveAttribute("src", /X-Amz-Signature/);
  await see
    .poll(() => ben.log(group).events.at(-1))
    .toMatchObject({ content: { type: "media", contentType: "audio/webm" } });
  const last = ben.log(group).events.at(-1);
  const content = last?.kind === "message" && last.content.type === "media" ? last.content : null;
  expect(content?.durationMs).toBeGreaterThan(400);
  expect(content?.bytes).toBeGreaterThan(100);
  const sound = voice.locator("audio");
  const at = () => sound.evaluate((sound) => Reflect.get(sound, "currentTime"));
  await sound.evaluate((sound) => Reflect.set(sound, "loop", true)); // it is over in a second, and this test may be slower
  await voice.getByRole("button", { name: "Play" }).click();
  await see.poll(at, { intervals: [100] }).toBeGreaterThan(0.2);
  expect(content?.waveform).toMatch(/^[\w-]{40,88}$/);
  await see(voice.locator(".waveform rect")).toHaveCount(64);
  await see(voice.locator(".waveform rect.played").first()).toBeVisible();
  await anna.shoot("voice-note");
  await voice.getByRole("button", { name: "Pause" }).click();
  const place = voice.getByLabel("Where it plays");
  await place.fill("0.1");
  await see.poll(at).toBeLessThanOrEqual(0.15);
});

test("[AP-7] whoever reads back keeps their place while more comes and earlier is put above", async () => {
  const { page } = anna;
  await anna.open("ben");
  await says(direct, ...Array.from({ length: 260 }, (_, i) => `number ${i + 1} of many`));
  await see(row("number 260 of many")).toBeInViewport();
  const readBack = async () => {
    await log().evaluate((log) => log.scrollTo(0, log.scrollHeight - log.clientHeight * 3));
    return page.locator("#newest").isVisible(); // then the page has noticed
  };
  await see.poll(readBack).toBe(true);
  const places = (): Promise<Record<string, number>> =>
    page
      .locator("#rows .message")
      .evaluateAll((all) =>
        Object.fromEntries(
          all.map((row) => [row.getAttribute("data-seq"), Math.round(row.getBoundingClientRect().top)]),
        ),
      );
  const seenNow = async () => {
    const { top, bottom } = await log().evaluate((log) => log.getBoundingClientRect().toJSON());
    return Object.entries(await places()).find(([, y]) => y > top && y < bottom) ?? ["", 0];
  };
  const [seq, y] = await seenNow();
  await says(direct, "one more");
  await see(page.getByRole("button", { name: "Go to the newest message, 1 unread" })).toBeVisible();
  expect(Math.abs(((await places())[seq] ?? -99) - y)).toBeLessThan(3);
  // The first row comes into sight, and a hundred are put above it.
  const before = await page.locator("#rows .message").count();
  const first = page.locator("#rows .message").first();
  const firstSeq = (await first.getAttribute("data-seq")) ?? "";
  const where = () =>
    page.evaluate<number>(
      `document.querySelector('#rows [data-seq="${firstSeq}"] .bubble').getBoundingClientRect().top`,
    );
  await log().evaluate((log) => log.scrollTo(0, 450));
  const stood = await where();
  await see.poll(() => page.locator("#rows .message").count()).toBeGreaterThan(before);
  await page.waitForTimeout(300);
  expect(Math.abs((await where()) - stood)).toBeLessThan(3);
  await page.getByRole("button", { name: /^Go to the newest message/ }).click();
  await see(row("one more")).toBeInViewport();
  await see(page.getByRole("button", { name: /^Go to the newest message/ })).toHaveCount(0);
});

test("[AP-7] what is new is marked when the conversation is opened, and gone when I say something", async () => {
  const { page } = anna;
  await page.evaluate("location.hash = ''");
  await see(page.locator("#conversation")).toHaveCount(0);
  await says(direct, ...Array.from({ length: 40 }, (_, i) => `news ${i + 1}!`));
  await see(anna.listed("ben").locator(".unread")).toContainText("40");
  await anna.open("ben");
  await see(page.locator(".new-line")).toHaveText("40 unread messages");
  await see(page.locator(".new-line")).toBeInViewport();
  await see(row("news 40!")).not.toBeInViewport();
  await anna.shoot("unread-line");
  await anna.say("I have read that");
  await see(page.locator(".new-line")).toHaveCount(0);
  await see(row("I have read that")).toBeInViewport();
});

test("[AP-7] a quote and a hit of the search lead to the message, however far back", async () => {
  const { page } = anna;
  await row("news 40!").locator("button.more").click();
  await page.getByRole("button", { name: "Reply" }).click();
  await anna.say("About the last news");
  await page.getByLabel("Search", { exact: true }).fill("number 7 of many");
  const hit = page.locator("#found li").filter({ hasText: "number 7 of many" });
  await see(hit).toHaveCount(1);
  const isShown = await anna.noteShown();
  await hit.locator("a").click();
  await see(row("number 7 of many")).toBeInViewport();
  await isShown("number 7 of many");
  await page.getByRole("button", { name: /^Go to the newest message/ }).click();
  await row("About the last news").locator("button.quote").click();
  await isShown("news 40!");
});

test("[CL-39] a new device has the newest, and fetches what is further back when somebody looks for it", async () => {
  await says(direct, ...Array.from({ length: 240 }, (_, i) => `late ${i + 1} in the day`));
  const tablet = await stage.enterAgain("anna");
  await tablet.open("ben");
  await see(tablet.message("late 240 in the day")).toBeInViewport();
  const top = () => tablet.page.locator("#log").evaluate((log) => log.scrollTo(0, 0));
  const first = tablet.message("Do you see this?");
  await see
    .poll(async () => {
      await top();
      return first.count();
    })
    .toBe(1);
  await see(tablet.page.locator("#earlier")).toHaveCount(0);
  const seqs = await tablet.page
    .locator("#rows .message")
    .evaluateAll((all) => all.map((row) => Number(row.getAttribute("data-seq"))));
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  expect(new Set(seqs).size).toBe(seqs.length);

  const phone = await stage.enterAgain("anna");
  const isShown = await phone.noteShown();
  await phone.page.getByLabel("Search", { exact: true }).fill("number 7 of many");
  await phone.page.locator("#found li a").first().click();
  const far = phone.message("number 7 of many");
  await see(far).toBeInViewport();
  await isShown("number 7 of many");
  expect([...tablet.complaints, ...phone.complaints]).toEqual([]);
  for (const { context } of [tablet, phone]) await context.close();
});

test("nobody's page complained", () => {
  expect(anna.complaints).toEqual([]);
  expect(ben.faults).toEqual([]);
});
