import { describe, expect, test } from "vitest";
import {
  advanced,
  failed,
  isSettling,
  newPlan,
  type Plan,
  ROUND,
  SETTLES_MS,
  UPLOAD_OVER_MS,
} from "../../src/domain/erasure.ts";
import { heirOf, type Membership } from "../../src/domain/membership.ts";
import { ACCESS_LIFE_MS } from "../../src/domain/session.ts";
import type { Erasure } from "../../src/protocol/http.ts";
import type { UserId } from "../../src/protocol/ids.ts";
import { TIMES } from "../../src/protocol/limits.ts";

const BEGUN = 1_800_000_000_000;
const record = (more: Partial<Erasure> = {}): Erasure => ({
  ...{ userId: "01J0000000000000000000USER" as UserId, state: "erasing", askedBy: "user", begunAt: BEGUN, rounds: 0 },
  counts: {
    ...{
      accounts: 0,
      identities: 0,
      devices: 0,
      contacts: 0,
      blocks: 0,
      names: 0,
      reports: 0,
      copies: 0,
      pushEndpoints: 0,
    },
    ...{ conversations: 0, messages: 0, edits: 0, reactions: 0, invites: 0, historyRows: 0, searchEntries: 0 },
    ...{ mediaRows: 0, bucketObjects: 0, inboxRows: 0, unreached: 0 },
  },
  ...more,
});
const over = { cursor: null };
/** One round at this time; `found`: what its re-scan finds. */
function round(plan: Plan, now: number, found = {}): Plan {
  return ROUND.reduce((at, step) => {
    expect(at.step).toBe(step);
    return advanced(at, step === "look" ? { ...over, found } : over, now);
  }, plan);
}

describe("the plan of an erasure", () => {
  test("[ER-6] it waits longer than any token or signed URL lives, and ends with a round that began after that", () => {
    expect(SETTLES_MS).toBeGreaterThan(Math.max(ACCESS_LIFE_MS, UPLOAD_OVER_MS));
    expect(UPLOAD_OVER_MS).toBeGreaterThan(TIMES.uploadMs);
    const first = round(newPlan(record(), BEGUN), BEGUN + 1_000);
    expect(first).toMatchObject({ step: "account", dueAt: BEGUN + SETTLES_MS, rounds: 1 });
    expect(isSettling(first)).toBe(true);
    expect(round(first, BEGUN + SETTLES_MS)).toMatchObject({ step: "close", rounds: 2 });
  });

  test("[ER-6] a round that began before and ended after it is not the last", () => {
    const slow = round(newPlan(record(), BEGUN), BEGUN + SETTLES_MS + 1);
    expect(slow).toMatchObject({ step: "account", dueAt: BEGUN + SETTLES_MS + 1 });
    expect(round(slow, slow.dueAt).step).toBe("close");
  });

  test("[ER-7] a re-scan that finds anything makes another round, however late", () => {
    for (const found of [{ messages: 1 }, { unreached: 1 }, { historyRows: 3, mediaRows: 0 }]) {
      const late = BEGUN + SETTLES_MS;
      const seen = round({ ...newPlan(record(), late) }, late, found);
      expect(seen).toMatchObject({ step: "account", rescan: { at: late, remaining: found } });
      expect(seen.dueAt).toBeGreaterThan(late);
      expect(isSettling(seen)).toBe(false);
      expect(round(seen, seen.dueAt, { messages: 0 }).step).toBe("close");
    }
  });

  test("[ER-5] a piece leads on from its cursor; a try that failed comes again, later and later, and loses nothing", () => {
    const plan = advanced(newPlan(record(), BEGUN), over, BEGUN);
    const half = advanced(plan, { cursor: "x", counts: { copies: 2 } }, BEGUN + 1);
    expect(half).toMatchObject({ step: "people", cursor: "x", counts: { copies: 2 } });
    const [once, twice] = [failed(half, BEGUN, 0.99), failed(failed(half, BEGUN, 0.99), BEGUN, 0.99)];
    expect(once).toMatchObject({ step: "people", cursor: "x", counts: { copies: 2 }, failures: 1 });
    expect(twice.dueAt).toBeGreaterThan(once.dueAt);
    expect(failed({ ...half, failures: 40 }, BEGUN, 0.99).dueAt).toBeLessThanOrEqual(BEGUN + 600_000);
    expect(advanced(twice, over, BEGUN + 5)).toMatchObject({ step: "conversations", cursor: "", failures: 0 });
  });

  test("[ER-8] what conversations tell since their beginning is counted once, however many rounds there are; a lost plan goes on from its record", () => {
    const sums = { conversations: 2, messages: 7 };
    const through = (plan: Plan, now: number) =>
      ROUND.reduce((at, step) => advanced(at, step === "conversations" ? { ...over, sums } : over, now), plan);
    const twice = through(through(newPlan(record(), BEGUN), BEGUN), BEGUN + SETTLES_MS);
    expect(twice).toMatchObject({ step: "close", counts: sums });
    const counts = { ...record().counts, messages: 7, accounts: 1, devices: 3 };
    const again = newPlan(record({ counts, rounds: 2 }), BEGUN + SETTLES_MS);
    expect(again).toMatchObject({ rounds: 2, begunAt: BEGUN });
    expect(again.counts).toEqual({ messages: 7 }); // what the directory counts itself is not told it again
    expect(round(again, BEGUN + SETTLES_MS)).toMatchObject({ step: "close", counts: { messages: 7 } });
  });
});

const member = (userId: string, role: "admin" | "member", from: number, more: Partial<Membership> = {}) =>
  [userId as UserId, { userId: userId as UserId, role, spans: [[from, null]], ...more } as Membership] as const;

test("[ER-11] a group without an admin gets the one who has been in it longest, and never one who is erased or has left", () => {
  const gone = { erased: true } as const;
  const left = { spans: [[1, 4]] as const };
  const roster = [
    member("A", "admin", 1, gone),
    member("B", "member", 9),
    member("C", "member", 5),
    member("D", "member", 1, left),
  ];
  expect(heirOf(new Map(roster))?.userId).toBe("C");
  expect(heirOf(new Map([...roster, member("E", "admin", 20)]))).toBeUndefined();
  expect(heirOf(new Map([member("A", "admin", 1, gone)]))).toBeUndefined();
});
