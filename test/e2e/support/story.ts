import { type Browser, chromium } from "@playwright/test";
import { beforeEach } from "vitest";

/** Debian's Chromium, as it runs in a container without a screen. */
export const launchBrowser = (...more: string[]): Promise<Browser> =>
  chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--use-fake-device-for-media-stream", ...more],
  });

/** The tests of this file are one story, told in order: each goes on where the one before it ended, and none after one that failed. */
export function tellAsStory(): void {
  let isBroken = false;
  beforeEach(({ skip, onTestFailed }) => {
    skip(isBroken, "the story broke off before");
    onTestFailed(() => {
      isBroken = true;
    });
  });
}
