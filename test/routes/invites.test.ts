import { evictDurableObject } from "cloudflare:test";
import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { MemberChange } from "../../src/domain/membership.ts";
import { newInviteCode } from "../../src/platform/invite-codes.ts";
import { Invite, type Session } from "../../src/protocol/http.ts";
import type { ConversationId, InviteCode, UserId } from "../../src/protocol/ids.ts";
import { LIMITS, TIMES } from "../../src/protocol/limits.ts";
import { bindings, conversation, newUserId, openGroup, TestSocket, until } from "../objects/support.ts";
import { signUp } from "./support/accounts.ts";
import { ask, groupOf, openPair, say } from "./support/worker.ts";

const at = (id: ConversationId, code = "") => `/v1/conversations/${id}/invites${code && `/${code}`}`;
const make = (me: Session, id: ConversationId, wish: object = {}) => ask(me, "POST", at(id), wish);
const made = async (me: Session, id: ConversationId, wish: object = {}) =>
  Invite.parse((await make(me, id, wish)).json);
const listed = async (me: Session, id: ConversationId) =>
  Invite.array().parse((await ask(me, "GET", at(id))).json.invites);
const join = (me: Session, code: string) => ask(me, "POST", `/v1/invites/${code}/join`);
const codeOf = ({ status, json }: { status: number; json: { code?: string } | null }) => json?.code ?? status;
const member = (id: ConversationId, { user }: Session) => `/v1/conversations/${id}/members/${user.userId}`;

async function team(others = 1) {
  const [ann, ...rest] = (await Promise.all(Array.from({ length: others + 1 }, () => signUp()))) as [
    Session,
    ...Session[],
  ];
  return { ann, others: rest, id: await groupOf(ann, ...rest) };
}

test("[IV-1] [IV-4] who has the code joins, and joining again is harmless; everybody is told", async () => {
  const { ann, others, id } = await team();
  const [bob, cat] = [others[0] as Session, await signUp()];
  const phone = await TestSocket.caughtUp(bob.user.userId, bob.device.deviceId);
  const { code, uses, maxUses, expiresAt } = await made(ann, id);
  expect([uses, maxUses]).toEqual([0, null]);
  expect(Math.abs(expiresAt - Date.now() - TIMES.inviteMs)).toBeLessThan(60_000);
  await say(ann, id, "before");
  const joined = await join(cat, code);
  expect(joined).toMatchObject({
    status: 201,
    json: { conversation: { conversationId: id, mine: { role: "member" }, members: { length: 3 } } },
  });
  for (let i = 0; i < 3; i++) expect((await join(cat, code)).status).toBe(200);
  expect((await join(ann, code)).status).toBe(200);
  expect(await listed(ann, id)).toMatchObject([{ code, uses: 1 }]);
  await until(() =>
    phone
      .of("events")
      .flatMap(({ events }) => events)
      .some((e) => e.kind === "member" && e.userId === cat.user.userId && e.senderId === cat.user.userId),
  );
  const { json } = await ask(cat, "GET", `/v1/conversations/${id}/events?after=0`);
  expect(json.events).toMatchObject([{ kind: "member", change: "added", userId: cat.user.userId }]);
  expect((await ask(cat, "GET", "/v1/conversations")).json.conversations).toMatchObject([{ conversationId: id }]);
});

test("[IV-1] a code holds 128 random bits; one that was guessed, changed or revoked opens nothing", async () => {
  const { ann, id } = await team();
  const eve = await signUp();
  const { code } = await made(ann, id);
  const codes = new Set(Array.from({ length: 200 }, () => newInviteCode(id).slice(26)));
  expect(codes.size).toBe(200);
  for (const secret of codes) expect(Buffer.from(secret, "base64url").length).toBe(16);
  const swapped = `${code.slice(0, -2)}${code.endsWith("AA") ? "BB" : "AA"}`;
  for (const wrong of [swapped, newInviteCode(id), newInviteCode(`g${"0".repeat(26)}` as ConversationId)])
    expect(codeOf(await join(eve, wrong))).toBe("not_found");
  for (const malformed of ["x", `${code}x`, code.slice(1), `${"I".repeat(26)}${code.slice(26)}`])
    expect(codeOf(await join(eve, malformed))).toBe("invalid_request");
  for (let i = 0; i < 2; i++) expect((await ask(ann, "DELETE", at(id, code))).status).toBe(204);
  expect(codeOf(await join(eve, code))).toBe("not_found");
  expect(await listed(ann, id)).toEqual([]);
});

test("[IV-2] admins alone make, see and revoke them; a stranger is told nothing", async () => {
  const { ann, others, id } = await team(2);
  const [bob, cat] = others as [Session, Session];
  const eve = await signUp();
  const { code } = await made(ann, id);
  await ask(ann, "DELETE", member(id, cat));
  const direct = await openPair(ann, bob);
  const tries = (me: Session, where: ConversationId) =>
    Promise.all([make(me, where), ask(me, "GET", at(where)), ask(me, "DELETE", at(where, code))]).then((all) =>
      all.map(codeOf),
    );
  expect(await tries(bob, id)).toEqual(Array(3).fill("forbidden"));
  expect(await tries(cat, id)).toEqual(Array(3).fill("not_member"));
  expect(await tries(eve, id)).toEqual(Array(3).fill("not_found"));
  expect(await tries(ann, direct)).toEqual(Array(3).fill("forbidden"));
  expect(await listed(ann, id)).toHaveLength(1);
  const now = Date.now();
  for (const wish of [
    { expiresAt: now - 1 },
    { expiresAt: now + TIMES.inviteMaxMs + 60_000 },
    { maxUses: 0 },
    { maxUses: 1.5 },
    { maxUses: 9_999 },
    { uses: 3 },
    { expiresAt: "soon" },
  ])
    expect(codeOf(await make(ann, id, wish)), JSON.stringify(wish)).toBe("invalid_request");
  for (let i = 1; i < LIMITS.invites; i++) await conversation(id).invite(ann.user.userId, newInviteCode(id), {});
  expect(codeOf(await make(ann, id))).toBe("too_many_invites");
  await ask(ann, "DELETE", at(id, code));
  expect((await make(ann, id)).status).toBe(201);
});

test("[IV-3] of many who come at once exactly as many get in as may", async () => {
  const { maker, id } = await openGroup(2);
  for (const maxUses of [1, 3]) {
    const code = newInviteCode(id);
    expect(await conversation(id).invite(maker, code, { maxUses })).toMatchObject({ ok: true });
    const people = Array.from({ length: 12 }, newUserId);
    const outcomes = await Promise.all(
      [...people, ...people].map(async (userId) => ({ userId, got: await conversation(id).join(userId, code) })),
    );
    const inside = new Set(outcomes.filter(({ got }) => got.ok).map(({ userId }) => userId));
    expect(inside.size).toBe(maxUses);
    expect(outcomes.filter(({ got }) => got.ok && got.value.added)).toHaveLength(maxUses);
    for (const { got } of outcomes) if (!got.ok) expect(got.code).toBe("invite_over");
    await evictDurableObject(bindings.CONVERSATIONS.getByName(id)).catch(() => {});
    expect(await conversation(id).join(newUserId(), code)).toMatchObject({ ok: false, code: "invite_over" });
    for (const userId of inside)
      expect(await conversation(id).join(userId, code)).toMatchObject({ ok: true, value: { added: false } });
  }
});

test("[IV-3] past its time it opens nothing and is not listed", async () => {
  const { ann, id } = await team();
  const eve = await signUp();
  const { code } = await made(ann, id, { expiresAt: Date.now() + 3_000 });
  await vi.waitUntil(async () => (await listed(ann, id)).length === 0, { timeout: 60_000, interval: 50 });
  expect(await join(eve, code)).toMatchObject({ status: 410, json: { code: "invite_over" } });
});

test("[IV-5] who was removed comes in by no link, unless an admin made one afterwards that lets them; who left does", async () => {
  const { ann, others, id } = await team(2);
  const [bob, cat] = others as [Session, Session];
  const [plain, early] = [await made(ann, id), await made(ann, id, { readmits: true })];
  await ask(ann, "DELETE", member(id, bob));
  await ask(cat, "DELETE", member(id, cat));
  for (const { code } of [plain, early, await made(ann, id)]) expect(codeOf(await join(bob, code))).toBe("forbidden");
  expect((await join(cat, plain.code)).status).toBe(201);
  const late = await made(ann, id, { readmits: true });
  expect((await join(bob, late.code)).status).toBe(201);
  await ask(bob, "DELETE", member(id, bob));
  expect((await join(bob, plain.code)).status).toBe(201);
});

test("[IV-1] [IV-3] [IV-5] whatever comes in whatever order, an invite lets in nobody whom the rules keep out", async () => {
  const act = fc.tuple(
    fc.constantFrom("join", "join", "join", "remove", "leave", "revoke", "invite", "evict"),
    fc.nat(3),
    fc.nat(2),
    fc.boolean(),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
      const { maker, id } = await openGroup(1);
      const people = Array.from({ length: 4 }, newUserId);
      type Kept = { code: InviteCode; left: number; readmits: boolean; madeAt: number };
      const invites: Kept[] = [];
      const inside = new Set<UserId>();
      const removedAt = new Map<UserId, number>();
      for (const [time, [what, who, which, readmits]] of acts.entries()) {
        const userId = people[who] as UserId;
        const invite = invites[which];
        if (what === "invite") {
          const kept = { code: newInviteCode(id), left: which + 1, readmits, madeAt: time };
          invites.unshift(kept);
          expect(await conversation(id).invite(maker, kept.code, { maxUses: kept.left, readmits })).toMatchObject({
            ok: true,
          });
        }
        if (what === "evict") await evictDurableObject(bindings.CONVERSATIONS.getByName(id)).catch(() => {});
        if (what === "revoke" && invite) {
          await conversation(id).revokeInvite(maker, invite.code);
          invite.left = -1;
        }
        if (what === "remove" || what === "leave") {
          const change: MemberChange["change"] = what === "leave" ? "left" : "removed";
          await conversation(id).removeMember({ actorId: change === "left" ? userId : maker, userId });
          if (inside.delete(userId) && change === "removed") removedAt.set(userId, time);
        }
        if (what === "join" && invite) {
          const kept = removedAt.get(userId);
          const barred = kept !== undefined && !(invite.readmits && invite.madeAt > kept);
          const expected = inside.has(userId)
            ? "in"
            : invite.left < 0
              ? "not_found"
              : invite.left === 0
                ? "over"
                : barred
                  ? "barred"
                  : "added";
          const got = await conversation(id).join(userId, invite.code);
          const said = got.ok ? (got.value.added ? "added" : "in") : got.code === "forbidden" ? "barred" : got.code;
          // One that is used up is let go when the next is made.
          if (expected === "over") expect(["invite_over", "not_found"]).toContain(said);
          else expect(said).toBe(expected);
          if (expected !== "added") continue;
          invite.left -= 1;
          inside.add(userId);
          removedAt.delete(userId);
        }
      }
    }),
    { numRuns: 12 },
  );
}, 120_000);

test("[GR-5] a full group takes nobody in, and the invite is not used", async () => {
  const { maker, id } = await openGroup(LIMITS.groupMembers);
  const code = newInviteCode(id);
  await conversation(id).invite(maker, code, { maxUses: 5 });
  expect(await conversation(id).join(newUserId(), code)).toMatchObject({ ok: false, code: "group_full" });
  expect(await conversation(id).invites(maker)).toMatchObject({ value: [{ uses: 0 }] });
}, 120_000);
