import { expect, test } from "vitest";
import type { Event } from "../../../src/protocol/events.ts";
import { applyClientChange, erasedIn, NOTHING_KEPT, nobody } from "../../../src/sdk/client/state.ts";
import { fakeServer } from "../../../src/sdk/testing.ts";
import { signUp } from "./support/people.ts";

const BOB = "01JDB3T7Z0000000000000B0B0";
const left = (more: object) => ({ kind: "member", userId: BOB, change: "left", ...more }) as Event;

test("[ER-9] the event that tells of an erasure takes the name off the device, and somebody's leaving does not", () => {
  const profile = { userId: BOB, handle: "bob", displayName: "Bob" };
  const knows = applyClientChange(NOTHING_KEPT, { type: "person", profile });
  const hears = (event: Event) => erasedIn([event]).reduce(applyClientChange, knows).people[BOB];
  expect(hears(left({}))).toEqual(profile);
  expect(hears(left({ erased: true }))).toEqual(nobody(BOB));
});

test("[ER-9] a person whom the server does not know is refused, and has no name here", async () => {
  const alice = await signUp(fakeServer(), "alice");
  await expect(alice.people.get(BOB)).rejects.toMatchObject({ code: "not_found" });
  expect(alice.people.known(BOB)).toEqual(nobody(BOB));
});
