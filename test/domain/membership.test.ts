import * as fc from "fast-check";
import { expect, test } from "vitest";

import {
  applyChange,
  canSee,
  currentMembers,
  decidePut,
  decideRemove,
  floorFor,
  headFor,
  type Membership,
  mayAct,
} from "../../src/domain/membership.ts";
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
