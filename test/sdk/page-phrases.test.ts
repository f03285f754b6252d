import { describe, expect, test } from "vitest";
import { ERRORS, type ErrorCode } from "../../src/protocol/errors.ts";
import { EpochMs } from "../../src/protocol/ids.ts";
import {
  ALWAYS_AT,
  forwardedText,
  GONE,
  membersText,
  muteText,
  presenceText,
  refusalText,
  shedText,
  typingText,
  waitingText,
} from "../../web/phrases.ts";
import { receiptGroups, traceLines } from "../../web/way.ts";
import { userId } from "./support/ids.ts";

const [ANNA, BEN, CLEO] = [userId("A"), userId("B"), userId("C")] as const;
const HOUR = 3_600_000;
const noon = new Date(2026, 10, 12, 12, 0).getTime();

describe("phrases", () => {
  test("[AP-46] no refusal is told in the words of those who build with the contract", () => {
    const told = Object.keys(ERRORS).map((code) => refusalText(code as ErrorCode));
    const jargon =
      /token|schema|protocol|\brequest\b|idempoten|\bmint|append|refresh|frame|\bbody|socket|upgrade|receipt|\bpath|byte|media|push|safe to/i;
    expect(told.filter((text) => jargon.test(text))).toEqual([]);
    expect(refusalText("unavailable")).toBe("The server did not answer");
    expect(refusalText("last_admin")).toBe("A group keeps at least one admin");
  });

  test("who types", () => {
    expect(typingText([], true)).toBe("");
    expect(typingText(["ben"], false)).toBe("typing …");
    expect(typingText(["ben"], true)).toBe("ben is typing …");
    expect(typingText(["ben", "cleo"], true)).toBe("ben and cleo are typing …");
    expect(typingText(["ben", "cleo", "dan"], true)).toBe("3 people are typing …");
  });

  test("[AP-25] [AP-20] how often words were passed on, how many are in and wait to be", () => {
    expect([0, 1, 4, 5, 9].map((times) => forwardedText(times, 5))).toEqual([
      ...["", "Forwarded", "Forwarded", "Forwarded many times", "Forwarded many times"],
    ]);
    expect([0, 1, 12].map(membersText)).toEqual(["0 members", "1 member", "12 members"]);
    expect([1, 2].map(waitingText)).toEqual(["1 person asks to join", "2 people ask to join"]);
  });

  test("[LM-22] what the server alone has forgotten is not called deleted", () => {
    expect(GONE.delivered).toBe("This message is only on the devices that got it");
  });

  test("who is there, and nothing where that is not shown", () => {
    const offline = { userId: BEN, state: "offline" } as const;
    expect(presenceText(undefined, noon)).toBe("");
    expect(presenceText({ userId: BEN, state: "unknown" }, noon)).toBe("");
    expect(presenceText({ userId: BEN, state: "online" }, noon)).toBe("online");
    expect(presenceText(offline, noon)).toBe("offline");
    expect(presenceText({ ...offline, lastSeenAt: noon - HOUR }, noon)).toMatch(/^last seen today at \S*11.00/);
    expect(presenceText({ ...offline, lastSeenAt: noon - 24 * HOUR }, noon)).toMatch(/^last seen yesterday at /);
    expect(presenceText({ ...offline, lastSeenAt: noon - 72 * HOUR }, noon)).toMatch(/^last seen \D*9\D* at /);
  });

  test("how long it is muted", () => {
    const mine = { mentionsPierce: false, pinned: false, archived: false };
    expect(muteText(mine, noon)).toBe("");
    expect(muteText({ ...mine, mutedUntil: noon }, noon)).toBe("");
    expect(muteText({ ...mine, mutedUntil: noon + HOUR }, noon)).toMatch(/^Muted until today at /);
    expect(muteText({ ...mine, mutedUntil: noon + 20 * HOUR }, noon)).toMatch(/^Muted until tomorrow at /);
    expect(muteText({ ...mine, mutedUntil: ALWAYS_AT }, noon)).toBe("Muted");
    expect(EpochMs.safeParse(ALWAYS_AT).success).toBe(true);
  });

  test("what is left out", () => {
    expect(shedText([])).toBe("");
    expect(shedText(["typing", "presence"])).toContain("who is typing and who is online may be late or missing");
  });
});

describe("the way of a message", () => {
  test("each person stands in one group, the latest first", () => {
    const members = [
      { userId: ANNA, deliveredAt: 1, readAt: 5 },
      { userId: BEN, deliveredAt: 2 },
      { userId: CLEO, deliveredAt: 2, readAt: 9 },
    ];
    const groups = receiptGroups({ seq: 1, memberCount: 3, deliveredCount: 3, readCount: 2, members });
    expect(groups).toEqual([
      {
        title: "Read by",
        people: [
          { userId: CLEO, at: 9 },
          { userId: ANNA, at: 5 },
        ],
      },
      { title: "Delivered to", people: [{ userId: BEN, at: 2 }] },
    ]);
    expect(receiptGroups({ seq: 1, memberCount: 300, deliveredCount: 3, readCount: 2 })).toEqual([]);
  });

  test("the trace is a line each, with the provider's answer", () => {
    const pushes = [{ at: noon, provider: "web", seq: 1, answer: "410" }] as const;
    const trace = {
      seq: 1,
      appendedAt: noon,
      inHistory: false,
      members: [
        { userId: BEN, state: "pushed" as const, inboxAt: noon, pushes: [...pushes] },
        { userId: CLEO, state: "retrying" as const, pushes: [], failures: 2, retryAt: noon },
      ],
    };
    const lines = traceLines(trace);
    expect(lines.map(({ userId }) => userId)).toEqual([null, BEN, CLEO]);
    expect(lines[1]?.steps.join()).toMatch(/inbox\s.*push by web answered 410/);
    expect(lines[2]?.steps.join()).toMatch(/next try\s.*2 calls failed/);
  });
});
