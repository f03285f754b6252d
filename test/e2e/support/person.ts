import { mkdirSync } from "node:fs";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContext, expect, type Page } from "@playwright/test";
import { PASSWORD, signUp } from "./client.ts";
import { PATIENCE_MS } from "./patience.ts";

/** Waits for what is to be seen. */
export const see = expect.configure({ timeout: PATIENCE_MS });

/** Two frames in which nothing fades or moves; what does so for ever does not count. Runs in the page. */
const STILL = `(async () => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const moves = ({ playState, effect }) => playState === "running" && effect?.getComputedTiming().endTime !== Infinity;
  for (let still = 0; still < 2; still = document.getAnimations().some(moves) ? 0 : still + 1) await frame();
})()`;

/** Notes the words of each message that is shown as the one that was looked for. Runs in the page. */
const NOTE_SHOWN = `{
  const shown = (globalThis.shownOnes = []);
  new MutationObserver((changes) => {
    for (const { target } of changes) if (target.matches("#rows .flash")) shown.push(target.textContent);
  }).observe(document, { subtree: true, attributeFilter: ["class"] });
}`;

/** Somebody in front of a browser: what they do on the page, and what they see there. */
export class Person {
  page: Page;
  readonly handle: string;
  /** What the page complained about. Must stay empty. */
  readonly complaints: string[] = [];

  constructor(page: Page, handle: string) {
    this.page = page;
    this.handle = handle;
    this.use(page);
  }

  /** Goes on with this page. */
  use(page: Page): void {
    this.page = page;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    // A page whose server is away may say so; anything that its own policy or code is wrong about may not.
    page.on("console", (line) => {
      if (line.type() === "error" && !/ERR_|WebSocket connection|status of/.test(line.text()))
        this.complaints.push(line.text());
    });
  }

  signUp(url: string): Promise<this> {
    return this.#enter(url, "Create account");
  }

  /** As another device of somebody who has signed up. */
  signIn(url: string): Promise<this> {
    return this.#enter(url, "Sign in");
  }

  async #enter(url: string, button: string): Promise<this> {
    await this.page.goto(url);
    await this.page.getByLabel("Handle", { exact: true }).fill(this.handle);
    await this.page.getByLabel("Password").fill(PASSWORD);
    await this.page.getByRole("button", { name: button }).click();
    await this.isConnected();
    return this;
  }

  async isConnected(): Promise<void> {
    await see(this.page.locator("#connection-text")).toHaveText("connected");
  }

  async talkTo(handle: string): Promise<void> {
    await this.page.getByRole("button", { name: "New conversation" }).click();
    await this.page.getByLabel("Talk to").fill(handle);
    await this.page.getByRole("button", { name: "Open", exact: true }).click();
    await see(this.page.locator("#title")).toHaveText(handle);
  }

  async makeGroup(title: string, ...handles: string[]): Promise<void> {
    await this.page.getByRole("button", { name: "New conversation" }).click();
    await this.page.getByText("New group").click();
    for (const handle of handles) {
      await this.page.getByLabel("Who is in it").fill(handle);
      await this.page.getByRole("button", { name: "Add", exact: true }).click();
      await see(this.page.locator(".chosen")).toContainText(handle);
    }
    await this.page.getByLabel("Title").fill(title);
    await this.page.getByRole("button", { name: "Make group" }).click();
    await see(this.page.locator("#title")).toHaveText(title);
  }

  async open(title: string): Promise<void> {
    await this.listed(title).click();
    await see(this.page.locator("#title")).toHaveText(title);
  }

  async say(...texts: string[]): Promise<void> {
    for (const text of texts) {
      await this.page.getByLabel("Message", { exact: true }).fill(text);
      await this.page.getByLabel("Message", { exact: true }).press("Enter");
    }
  }

  /** The messages of the open conversation, from top to bottom. */
  texts(): Promise<string[]> {
    return this.page.locator("#rows .message .bubble > p:not(.problem)").allTextContents();
  }

  /** The messages of the open conversation that say this: in their words. Their time stands next to those, and is that of the test. */
  message(text: string, kind = ".message") {
    const words = this.page.locator(".bubble > :not(small)", { hasText: text });
    return this.page.locator(`#rows ${kind}`).filter({ has: words });
  }

  /** How far one's own message has come. */
  tick(text: string) {
    return this.message(text, ".mine");
  }

  /** The line under the title of the open conversation. */
  get status() {
    return this.page.locator("#status");
  }

  /** The conversation in the list, wherever it stands there. */
  listed(title: string) {
    const name = this.page.locator("strong").getByText(title, { exact: true });
    return this.page.locator(".list a").filter({ has: name });
  }

  /** What is shown as looked for is so only for a moment: from now on it is noted. Answers how to wait for it. */
  async noteShown(): Promise<(text: string) => Promise<void>> {
    await this.page.evaluate(NOTE_SHOWN);
    const all = () => this.page.evaluate<string>("shownOnes.join()");
    return (text) => see.poll(all).toContain(text);
  }

  /** What axe finds wrong on the screen as it is, once nothing moves there: a line each. To put frames together it opens another page each time; ours has none. */
  async barriers(): Promise<string[]> {
    await this.page.evaluate(STILL);
    const hasFrames = this.page.frames().length > 1;
    const { violations } = await new AxeBuilder({ page: this.page }).setLegacyMode(!hasFrames).analyze();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  }

  async shoot(name: string): Promise<void> {
    const dir = process.env.SHOTS;
    if (!dir) return;
    mkdirSync(dir, { recursive: true });
    await this.page.screenshot({ path: `${dir}/${name}.png` });
  }
}

/** anna at a browser of her own, who has said this to ben. */
export async function annaWhoSaid(browser: Browser, url: string, words: string): Promise<Somebody> {
  const anna = await newPerson(browser, url, "anna");
  await signUp(url, "ben");
  await anna.talkTo("ben");
  await anna.say(words);
  await see(anna.tick(words)).toHaveAttribute("data-tick", "sent");
  return anna;
}

export type Somebody = Person & { context: BrowserContext };

/** A person with a browser profile of their own; `again`: one who has signed up, at another device. */
export async function newPerson(browser: Browser, url: string, handle: string, again = false): Promise<Somebody> {
  const context = await browser.newContext({ viewport: { width: 1_100, height: 720 } });
  const person = new Person(await context.newPage(), handle);
  await (again ? person.signIn(url) : person.signUp(url));
  return Object.assign(person, { context });
}
