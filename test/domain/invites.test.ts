import { expect, test } from "vitest";
import { FIRST_RULES } from "../../src/domain/group-rules.ts";
import { decideInvite, decideJoin, type Invite, isInForce, isTheirs, mayInvite } from "../../src/domain/invites.ts";
import { decideAccept, decideDrop, type JoinRequest } from "../../src/domain/join-requests.ts";
import type { Membership } from "../../src/domain/membership.ts";
import type { GroupRules } from "../../src/protocol/group-rules.ts";
import type { InviteCode, UserId } from "../../src/protocol/ids.ts";
import { LIMITS } from "../../src/protocol/limits.ts";

const id = (name: string) => name as UserId;
const [CODE, OTHER] = ["code", "other"] as InviteCode[] as [InviteCode, InviteCode];
const member = (name: string, role: Membership["role"] = "member"): Membership => ({
  userId: id(name),
  role,
  spans: [[1, null]],
});
const gone = (name: string): Membership => ({ ...member(name), spans: [[1, 4]] });
const roster = new Map([member("ann", "admin"), member("bob"), gone("cat")].map((m) => [m.userId, m]));
const full = new Map(Array.from({ length: LIMITS.groupMembers }, (_, i) => [id(`m${i}`), member(`m${i}`, "admin")]));
const invite: Invite = {
  ...{ code: CODE, makerId: id("ann"), madeAt: 5, expiresAt: 100, maxUses: null, uses: 0, readmits: false },
};
const request: JoinRequest = { userId: id("eve"), askedAt: 1, code: CODE };
const code = <T>(result: { ok: true; value: T } | { ok: false; code: string }) =>
  result.ok ? result.value : result.code;
const rules = (said: Partial<GroupRules>): GroupRules => ({ ...FIRST_RULES, ...said });
const APPROVAL = rules({ approval: true });

type Coming = Parameters<typeof decideJoin>[0];
const coming = (more: Partial<Coming>) =>
  code(
    decideJoin({
      ...{ roster, rules: FIRST_RULES, userId: id("eve"), invite, request: undefined, waiting: 0, removedAt: null },
      now: 50,
      ...more,
    }),
  );

test("[IV-7] an invite lets in, or asks where joining needs an approval", () => {
  expect(coming({})).toBe("adds");
  expect(coming({ rules: APPROVAL })).toBe("asks");
  expect(coming({ rules: APPROVAL, userId: id("bob") })).toBe("in");
  for (const [more, refused] of [
    [{ invite: undefined }, "not_found"],
    [{ now: 100 }, "invite_over"],
    [{ removedAt: 5 + 1 }, "forbidden"],
    [{ roster: full }, "group_full"],
  ] as [Partial<Coming>, string][]) {
    expect(coming(more)).toBe(refused);
    expect(coming({ ...more, rules: APPROVAL })).toBe(refused);
  }
});

test("[IV-4] [IV-8] [IV-9] who waits goes on waiting, whatever became of the invite; the use they hold is theirs", () => {
  const used = { ...invite, maxUses: 1, uses: 1 };
  for (const one of [invite, used, undefined]) expect(coming({ rules: APPROVAL, request, invite: one })).toBe("waits");
  expect(coming({ request, invite: used })).toBe("adds"); // approval is needed no more
  expect(coming({ request: { ...request, code: OTHER }, invite: used })).toBe("invite_over");
  expect(coming({ invite: used })).toBe("invite_over");
});

test("[IV-10] no more than may wait ask, and those who wait are not turned away for it", () => {
  const waiting = LIMITS.joinRequests;
  expect(coming({ rules: APPROVAL, waiting: waiting - 1 })).toBe("asks");
  expect(coming({ rules: APPROVAL, waiting })).toBe("too_many_waiting");
  expect(coming({ rules: APPROVAL, waiting, request })).toBe("waits");
  expect(coming({ waiting })).toBe("adds");
});

test("[IV-6] members invite by a right that may end, with them or with the right; admins' invites stay", () => {
  const byBob: Invite = { ...invite, makerId: id("bob"), byMember: true };
  const letting = rules({ adding: "members" });
  const left = new Map([...roster, [id("bob"), gone("bob")]]);
  const risen = new Map([...roster, [id("bob"), member("bob", "admin")]]);
  expect(isInForce(byBob, roster, letting)).toBe(true);
  expect(isInForce(byBob, roster, FIRST_RULES)).toBe(false);
  expect(isInForce(byBob, left, letting)).toBe(false);
  expect(isInForce(byBob, risen, FIRST_RULES)).toBe(true);
  expect(isInForce({ ...invite, makerId: id("cat") }, roster, FIRST_RULES)).toBe(true);
  expect([coming({ invite: byBob, rules: letting }), coming({ invite: byBob })]).toEqual(["adds", "invite_over"]);
  const may = (who: string, now: GroupRules) => {
    const said = mayInvite({ kind: "group", roster, actorId: id(who) }, now);
    return said.ok ? "ok" : said.code;
  };
  expect([may("ann", FIRST_RULES), may("bob", FIRST_RULES), may("bob", letting)]).toEqual(["ok", "forbidden", "ok"]);
  expect([may("cat", letting), may("eve", letting)]).toEqual(["not_member", "not_found"]);
  expect([isTheirs(byBob, member("bob")), isTheirs(byBob, member("dan"))]).toEqual([true, false]);
  expect(isTheirs(byBob, member("ann", "admin"))).toBe(true);
});

test("[IV-5] [IV-6] a member's invite readmits nobody", () => {
  const facts = { code: CODE, madeAt: 5, open: 0, now: 50 };
  const make = (maker: Membership, readmits: boolean) => code(decideInvite({ readmits }, { ...facts, maker }));
  expect(make(member("bob"), true)).toBe("forbidden");
  expect(make(member("bob"), false)).toMatchObject({ makerId: "bob", byMember: true });
  expect(make(member("ann", "admin"), true)).not.toHaveProperty("byMember");
});

test("[IV-7] [IV-8] admins let in and decline, each may withdraw, and nobody learns more", () => {
  const accept = (actor: string, more: object = {}) =>
    code(decideAccept({ kind: "group", roster, actorId: id(actor), userId: id("eve"), request, ...more }));
  expect(accept("ann")).toEqual({ userId: "eve", change: "added", role: "member" });
  expect(accept("ann", { userId: id("bob"), request: undefined })).toBeNull();
  expect(accept("ann", { request: undefined })).toBe("not_found");
  expect(accept("ann", { userId: id("cat"), request: undefined })).toBe("not_found");
  expect(accept("m0", { roster: full })).toBe("group_full");
  expect([accept("bob"), accept("cat"), accept("eve"), accept("dan")]).toEqual([
    ...["forbidden", "not_member", "not_found", "not_found"],
  ]);
  const drop = (actor: string, userId = "eve") =>
    code(decideDrop({ kind: "group", roster, actorId: id(actor), userId: id(userId) }));
  expect([drop("ann"), drop("eve"), drop("dan", "dan")]).toEqual([null, null, null]);
  expect([drop("bob"), drop("cat"), drop("dan")]).toEqual(["forbidden", "not_member", "not_found"]);
});
