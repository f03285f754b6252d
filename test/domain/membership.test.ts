import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  applyChange,
  canSee,
  currentMembers,
  decideDelete,
  decidePut,
  decideRemove,
  floorFor,
  headFor,
  type Membership,
  mayAct,
  missedSpans,
  withCleared,
  withDeleted,
} from "../../src/domain/membership.ts";
import { isWithin, joined, type Range, without } from "../../src/domain/spans.ts";
import type { UserId } from "../../src/protocol/ids.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { always } from "../property.ts";

const id = (name: string) => name as UserId;
const member = (name: string, role: Membership["role"] = "member"): Membership => ({
  userId: id(name),
  role,
  spans: [[1, null]],
});
const rosterOf = (...members: Membership[]) => new Map(members.map((m) => [m.userId, m]));
const gone = (name: string): Membership => ({ ...member(name), spans: [[1, 4]] });
const group = (...members: Membership[]) => ({ kind: "group" as const, roster: rosterOf(...members) });

test("[GR-1] [GR-2] [GR-3] who may act at all", () => {
  const facts = group(member("ann", "admin"), gone("bob"));
  expect(mayAct({ ...facts, actorId: id("eve") })).toMatchObject({ code: "not_found" });
  expect(mayAct({ ...facts, actorId: id("bob") })).toMatchObject({ code: "not_member" });
  expect(mayAct({ ...facts, actorId: id("ann") })).toMatchObject({ ok: true });
  expect(mayAct({ ...facts, kind: "direct", actorId: id("ann") })).toMatchObject({ code: "forbidden" });
});

test("[GR-4] only admins add, remove and set roles; anybody may leave", () => {
  const facts = group(member("ann", "admin"), member("bob"), member("cat"));
  expect(decidePut({ ...facts, actorId: id("bob"), userId: id("dan"), role: "member" })).toMatchObject({
    code: "forbidden",
  });
  expect(decideRemove({ ...facts, actorId: id("bob"), userId: id("cat") })).toMatchObject({ code: "forbidden" });
  expect(decideRemove({ ...facts, actorId: id("bob"), userId: id("bob") })).toMatchObject({
    value: { change: "left" },
  });
  expect(decideRemove({ ...facts, actorId: id("ann"), userId: id("cat") })).toMatchObject({
    value: { change: "removed" },
  });
  expect(decidePut({ ...facts, actorId: id("ann"), userId: id("dan"), role: "admin" })).toMatchObject({
    value: { change: "added", role: "admin" },
  });
  expect(decidePut({ ...facts, actorId: id("ann"), userId: id("bob"), role: "admin" })).toMatchObject({
    value: { change: "role" },
  });
});

test("wishes that change nothing are no events", () => {
  const facts = group(member("ann", "admin"), member("bob"), gone("cat"));
  expect(decidePut({ ...facts, actorId: id("ann"), userId: id("bob"), role: "member" })).toEqual({
    ok: true,
    value: null,
  });
  expect(decideRemove({ ...facts, actorId: id("ann"), userId: id("cat") })).toEqual({ ok: true, value: null });
  expect(decideRemove({ ...facts, actorId: id("cat"), userId: id("cat") })).toEqual({ ok: true, value: null });
  expect(decideRemove({ ...facts, actorId: id("ann"), userId: id("dan") })).toMatchObject({ code: "not_found" });
});

test("[GR-5] a group has at most as many members as the limit says", () => {
  const full = Array.from({ length: LIMITS.groupMembers }, (_, i) => member(`m${i}`, i === 0 ? "admin" : "member"));
  expect(decidePut({ ...group(...full), actorId: id("m0"), userId: id("one more"), role: "member" })).toMatchObject({
    code: "group_full",
  });
});

test("[GR-7] the last admin stays one while others are there, and may leave as the last person", () => {
  const facts = group(member("ann", "admin"), member("bob"));
  expect(decideRemove({ ...facts, actorId: id("ann"), userId: id("ann") })).toMatchObject({ code: "last_admin" });
  expect(decidePut({ ...facts, actorId: id("ann"), userId: id("ann"), role: "member" })).toMatchObject({
    code: "last_admin",
  });
  expect(decideRemove({ ...group(member("ann", "admin")), actorId: id("ann"), userId: id("ann") })).toMatchObject({
    value: { change: "left" },
  });
});

test("[GR-6] [GR-7] whatever is decided: spans tell who could see what, and a group with people has an admin", () => {
  const names = ["ann", "bob", "cat", "dan"].map(id);
  const wish = fc.record({
    actorId: fc.constantFrom(...names),
    userId: fc.constantFrom(...names),
    role: fc.constantFrom("admin" as const, "member" as const, null),
  });
  always(
    fc.property(fc.array(wish, { maxLength: 40 }), (wishes) => {
      const ann = applyChange(undefined, { userId: id("ann"), change: "added", role: "admin" }, 1);
      const roster = rosterOf(ann);
      const presence = [new Set([id("ann")])];
      for (const { role, ...who } of wishes) {
        const facts = { kind: "group" as const, roster, ...who };
        const decided = role === null ? decideRemove(facts) : decidePut({ ...facts, role });
        const before = new Set(currentMembers(roster).map((m) => m.userId));
        if (!decided.ok || !decided.value) continue;
        const seq = presence.length + 1;
        roster.set(who.userId, applyChange(roster.get(who.userId), decided.value, seq));
        const after = new Set(currentMembers(roster).map((m) => m.userId));
        presence.push(new Set([...before, ...after])); // the change itself is seen by whom it takes in and whom it puts out
        if (after.size > 0) expect(currentMembers(roster).some((m) => m.role === "admin")).toBe(true);
      }
      const head = presence.length;
      for (const m of roster.values()) {
        presence.forEach((there, i) => {
          expect(canSee(m, i + 1)).toBe(there.has(m.userId));
        });
        expect(headFor(m, head)).toBe(m.spans.at(-1)?.[1] ?? head);
        expect(canSee(m, floorFor(m))).toBe(true);
      }
    }),
  );
});

describe("what a member has deleted for themselves", () => {
  const ann = (more: Partial<Membership> = {}): Membership => ({ ...member("ann"), ...more });
  const seen = (m: Membership, head: number) =>
    Array.from({ length: head }, (_, i) => i + 1).filter((seq) => canSee(m, seq));

  test("[LM-26] it is theirs no more, whatever else they see", () => {
    const m = withDeleted(
      withDeleted(
        ann({
          spans: [
            [2, 6],
            [9, null],
          ],
        }),
        [4],
      ),
      [5, 10],
    );
    expect(m.deleted).toEqual([
      [4, 5],
      [10, 10],
    ]);
    expect(seen(m, 12)).toEqual([2, 3, 6, 9, 11, 12]);
    expect([headFor(m, 12), floorFor(m)]).toEqual([12, 2]);
    expect(withDeleted(m, [4, 10])).toBe(m);
    expect(missedSpans(m, 0, 12)).toEqual([[7, 8]]); // deleted is not missed
  });

  test("[LM-26] [LM-28] only a message that one could see, and not without end", () => {
    const m = ann({ spans: [[2, null]] });
    expect(decideDelete(m, 3, true)).toEqual({ ok: true, value: false });
    expect(decideDelete(withDeleted(m, [3]), 3, true)).toEqual({ ok: true, value: true });
    expect(decideDelete({ ...m, clearedThrough: 5 }, 3, true)).toEqual({ ok: true, value: true });
    for (const decided of [decideDelete(m, 1, true), decideDelete(m, 3, false)])
      expect(decided).toMatchObject({ code: "not_found" });
    const gaps = Array.from({ length: LIMITS.deletions }, (_, i) => 3 + 2 * i);
    const full = withDeleted(m, gaps);
    expect(decideDelete(full, 1 + 2 * gaps.length + 3, true)).toMatchObject({ code: "too_many_deletions" });
    expect(decideDelete(full, 4, true)).toEqual({ ok: true, value: false }); // next to others
  });

  test("[LM-16] [LM-26] clearing swallows what was deleted below", () => {
    const m = withCleared(withDeleted(ann(), [2, 3, 9]), 5);
    expect(m).toMatchObject({ clearedThrough: 5, deleted: [[9, 9]] });
    expect(seen(m, 10)).toEqual([6, 7, 8, 10]);
    expect(withCleared(m, 5)).toBe(m);
  });

  test("[LM-26] spans without others are what is left of every seq", () => {
    const spans = fc
      .uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 8 })
      .map((ends) => ends.toSorted((a, b) => a - b))
      .map((ends) => ends.flatMap((end, i) => (i % 2 === 0 ? [[end, ends[i + 1] ?? null] as const] : [])));
    always(
      fc.property(spans, spans, (some, gaps) => {
        const left = without(some, gaps);
        for (let seq = 1; seq <= 32; seq++)
          expect(isWithin(left, seq)).toBe(isWithin(some, seq) && !isWithin(gaps, seq));
      }),
    );
  });

  test("[LM-26] what is joined has all of both, in order, with gaps between", () => {
    const seqs = fc.array(fc.integer({ min: 1, max: 25 }), { maxLength: 12 });
    const ranges = (all: number[]) => all.reduce<readonly Range[]>((before, seq) => joined(before, [[seq, seq]]), []);
    always(
      fc.property(seqs, seqs, (some, others) => {
        const both = joined(ranges(some), ranges(others));
        for (let seq = 1; seq <= 26; seq++) expect(isWithin(both, seq)).toBe([...some, ...others].includes(seq));
        for (const [i, [from, to]] of both.entries()) {
          expect(from).toBeLessThanOrEqual(to);
          if (i > 0) expect(from).toBeGreaterThan((both[i - 1]?.[1] ?? 0) + 1);
        }
      }),
    );
  });
});
