import { beforeEach } from "vitest";

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
