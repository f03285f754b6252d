import { type Browser, chromium } from "@playwright/test";
import { afterAll, beforeAll } from "vitest";
import { newPerson, type Somebody } from "./person.ts";
import { type Server, startServer } from "./server.ts";
import { tellAsStory } from "./story.ts";

/** Debian's Chromium, as it runs in a container without a screen. */
export const launchBrowser = (...more: string[]): Promise<Browser> =>
  chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--use-fake-device-for-media-stream", ...more],
  });

/** What a story of the page is told on: the real server, and a browser. */
export class Stage {
  #server: Server | undefined;
  #browser: Browser | undefined;

  async set(): Promise<void> {
    this.#server = await startServer();
    this.#browser = await launchBrowser();
  }

  /** Whatever of it was set. */
  async strike(): Promise<void> {
    try {
      await this.#browser?.close();
    } finally {
      await this.#server?.remove();
    }
  }

  get server(): Server {
    if (!this.#server) throw new Error("the stage is not set yet");
    return this.#server;
  }

  get browser(): Browser {
    if (!this.#browser) throw new Error("the stage is not set yet");
    return this.#browser;
  }

  get url(): string {
    return this.server.url;
  }

  /** Somebody new, with a browser profile of their own. */
  enter(handle: string): Promise<Somebody> {
    return newPerson(this.browser, this.url, handle);
  }

  /** Somebody who has entered before, at another device of theirs. */
  enterAgain(handle: string): Promise<Somebody> {
    return newPerson(this.browser, this.url, handle, true);
  }
}

/** Tells the tests of this file as one story, on a stage of its own: `begin` brings on who is there when the first of them begins. */
export function tellOnStage(begin: (stage: Stage) => Promise<void>): Stage {
  const stage = new Stage();
  beforeAll(async () => {
    await stage.set();
    await begin(stage);
  });
  afterAll(() => stage.strike());
  tellAsStory();
  return stage;
}
