import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import * as fc from "fast-check";
import { ulid } from "ulid";
import { expect, test } from "vitest";
import type { Outcome } from "../../src/objects/rpc.ts";
import { newInviteCode } from "../../src/platform/invite-codes.ts";
import { Invite, InvitePreview, JoinRequest, JoinRequested, type Session } from "../../src/protocol/http.ts";
import { ConversationId, type InviteCode, type UserId } from "../../src/protocol/ids.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { bindings, conversation, newUserId, openGroup, TestSocket, until } from "../objects/support.ts";
import { signUp } from "./support/accounts.ts";
import { type Asked, ask, groupOf, openPair, say } from "./support/worker.ts";

const at = (id: ConversationId, rest = "") => `/v1/conversations/${id}${rest}`;
const waiting = (id: ConversationId, { user }: Session) => at(id, `/requests/${user.userId}`);
const codeOf = ({ status, json }: Asked): string | number => json?.code ?? status;
const join = (me: Session, code: string) => ask(me, "POST", `/v1/invites/${code}/join`);
const preview = (me: Session, code: string) => ask(me, "GET", `/v1/invites/${code}`);
const listed = async (me: Session, id: ConversationId) =>
  JoinRequest.array().parse((await ask(me, "GET", at(id, "/requests"))).json.requests);
const asleep = (id: ConversationId) => evictDurableObject(bindings.CONVERSATIONS.getByName(id)).catch(() => {});

async function approving(wish: object = {}) {
  const [ann, bob, cat, eve, dan] = (await Promise.all(Array.from({ length: 5 }, () => signUp()))) as [
    ...[Session, Session, Session, Session, Session],
  ];
  const id = await groupOf(ann, bob, cat);
  await ask(ann, "DELETE", at(id, `/members/${cat.user.userId}`));
  await ask(ann, "PATCH", at(id), { approval: true });
  const { code } = Invite.parse((await ask(ann, "POST", at(id, "/invites"), wish)).json);
  return { ann, bob, cat, eve, dan, id, code };
}

test("[IV-7] [IV-8] where joining needs an approval an invite asks; an admin lets in, and the one let in is told", async () => {
  const { ann, bob, eve, id, code } = await approving();
  const phone = await TestSocket.caughtUp(eve.user.userId, eve.device.deviceId);
  const asked = await join(eve, code);
  expect(asked.status).toBe(202);
  const { askedAt } = JoinRequested.parse(asked.json);
  expect(asked.json).toEqual({ state: "requested", conversationId: id, askedAt });
  await asleep(id);
  for (let i = 0; i < 2; i++) expect((await join(eve, code)).json).toEqual(asked.json); // asking again is harmless
  expect(await listed(ann, id)).toEqual([{ userId: eve.user.userId, askedAt }]);
  expect(codeOf(await ask(eve, "GET", at(id)))).toBe("not_found"); // who waits is no member
  expect(codeOf(await ask(eve, "GET", at(id, "/events?after=0")))).toBe("not_found");
  const { memberCount, requestCount } = (await ask(ann, "GET", "/v1/conversations")).json.conversations[0];
  expect([memberCount, requestCount]).toEqual([2, 1]);
  const accepted = await ask(ann, "PUT", waiting(id, eve));
  expect([accepted.status, accepted.json.conversation.members.length]).toEqual([201, 3]);
  await until(() => phone.of("events").length > 0);
  expect(phone.of("events")[0]?.events).toMatchObject([
    { kind: "member", change: "added", userId: eve.user.userId, senderId: ann.user.userId },
  ]);
  expect(await listed(ann, id)).toEqual([]);
  expect((await ask(ann, "PUT", waiting(id, eve))).status).toBe(200); // and letting in, too
  expect([(await join(eve, code)).status, (await ask(ann, "DELETE", waiting(id, eve))).status]).toEqual([200, 204]);
  expect((await ask(eve, "GET", at(id))).json.conversation.mine.role).toBe("member");
  expect((await ask(bob, "GET", "/v1/conversations")).json.conversations[0]).not.toHaveProperty("requestCount");
});

test("[IV-7] nobody but admins sees, lets in or declines, and a stranger is told nothing", async () => {
  const { ann, bob, cat, eve, dan, id, code } = await approving();
  await join(eve, code);
  const doors = (me: Session, where = id) =>
    Promise.all([
      ask(me, "GET", at(where, "/requests")),
      ask(me, "PUT", waiting(where, eve)),
      ask(me, "DELETE", waiting(where, eve)),
    ]).then((all) => all.map(codeOf));
  expect(await doors(bob)).toEqual(Array(3).fill("forbidden"));
  expect(await doors(cat)).toEqual(Array(3).fill("not_member"));
  expect(await doors(dan)).toEqual(Array(3).fill("not_found"));
  expect(await doors(dan, ConversationId.parse(`g${ulid()}`))).toEqual(Array(3).fill("not_found"));
  expect(codeOf(await ask(eve, "PUT", waiting(id, eve)))).toBe("not_found"); // nor does who waits let themselves in
  expect(await doors(ann, await openPair(ann, bob))).toEqual(Array(3).fill("forbidden"));
  expect(await listed(ann, id)).toHaveLength(1);
  for (const where of [id, ConversationId.parse(`g${ulid()}`)])
    expect(codeOf(await ask(dan, "DELETE", waiting(where, dan)))).toBe(204); // which tells nothing
  expect(codeOf(await ask(ann, "PUT", waiting(id, dan)))).toBe("not_found");
  expect(codeOf(await ask(ann, "PUT", at(id, "/requests/x")))).toBe("invalid_request");
});

test("[IV-8] [IV-9] declining and withdrawing end a request, give the use back, and may be repeated", async () => {
  const { ann, eve, dan, id, code } = await approving({ maxUses: 1 });
  const uses = async () => (await ask(ann, "GET", at(id, "/invites"))).json.invites[0]?.uses;
  for (const who of [ann, eve]) {
    expect((await join(eve, code)).status).toBe(202);
    expect([await uses(), codeOf(await join(dan, code))]).toEqual([undefined, "invite_over"]);
    await asleep(id);
    for (let i = 0; i < 2; i++) expect((await ask(who, "DELETE", waiting(id, eve))).status).toBe(204);
    expect([await uses(), await listed(ann, id)]).toEqual([0, []]);
    expect(codeOf(await ask(ann, "PUT", waiting(id, eve)))).toBe("not_found");
  }
  expect((await join(eve, code)).status).toBe(202);
  expect((await ask(ann, "PUT", waiting(id, eve))).status).toBe(201);
  expect(codeOf(await join(dan, code))).toBe("invite_over");
});

test("[IV-8] who was let in and removed waits no more; who is added otherwise neither", async () => {
  const { ann, eve, dan, id, code } = await approving();
  await join(eve, code);
  await join(dan, code);
  await ask(ann, "PUT", waiting(id, eve));
  await ask(ann, "DELETE", at(id, `/members/${eve.user.userId}`));
  await asleep(id);
  expect(codeOf(await ask(ann, "PUT", waiting(id, eve)))).toBe("not_found");
  expect(codeOf(await join(eve, code))).toBe("forbidden"); // [IV-5] stands
  await ask(ann, "PUT", at(id, `/members/${dan.user.userId}`), {});
  expect(await listed(ann, id)).toEqual([]);
  const readmitting = Invite.parse((await ask(ann, "POST", at(id, "/invites"), { readmits: true })).json);
  expect((await join(eve, readmitting.code)).status).toBe(202);
  expect((await ask(ann, "PUT", waiting(id, eve))).status).toBe(201);
});

test("[IV-8] when approval is turned off those who wait wait on, until they are decided on or come again", async () => {
  const { ann, eve, dan, id, code } = await approving({ maxUses: 3 });
  await join(eve, code);
  await join(dan, code);
  await ask(ann, "PATCH", at(id), { approval: false });
  await asleep(id);
  expect(await listed(ann, id)).toHaveLength(2);
  expect((await join(eve, code)).status).toBe(201); // by the use that is theirs
  expect((await ask(ann, "GET", at(id, "/invites"))).json.invites[0].uses).toBe(2);
  expect((await ask(ann, "PUT", waiting(id, dan))).status).toBe(201);
  expect(await listed(ann, id)).toEqual([]);
});

test("[IV-8] two admins at once: one is first, and all agree on what came of it", async () => {
  for (let round = 0; round < 4; round++) {
    const { ann, bob, eve, id, code } = await approving();
    await ask(ann, "PUT", at(id, `/members/${bob.user.userId}`), { role: "admin" });
    await join(eve, code);
    const [yes, no, again] = await Promise.all([
      ask(ann, "PUT", waiting(id, eve)),
      ask(bob, "DELETE", waiting(id, eve)),
      ask(bob, "PUT", waiting(id, eve)),
    ]);
    const isIn = (await ask(eve, "GET", at(id))).status === 200;
    expect(no.status).toBe(204);
    if (isIn) expect([yes.status, again.status].sort()).toEqual([200, 201]);
    else expect([codeOf(yes), codeOf(again)]).toEqual(["not_found", "not_found"]);
    expect(await listed(ann, id)).toEqual([]);
    const { events } = (await ask(ann, "GET", at(id, "/events?after=0"))).json;
    const added = events.filter((e: { userId?: string }) => e.userId === eve.user.userId);
    expect(added).toHaveLength(isIn ? 1 : 0);
  }
}, 120_000);

test("[GR-5] [IV-8] who waits while the group fills up is let in when there is room", async () => {
  const { maker, members, id } = await openGroup(LIMITS.groupMembers - 1);
  await conversation(id).set(maker, { approval: true });
  const code = newInviteCode(id);
  await conversation(id).invite(maker, code, {});
  const [one, two] = [newUserId(), newUserId()];
  for (const userId of [one, two]) expect(await conversation(id).join(userId, code)).toMatchObject({ ok: true });
  const said = await Promise.all(
    [one, two].map((userId) => conversation(id).acceptRequest({ actorId: maker, userId })),
  );
  expect(said.map((o) => (o.ok ? "in" : o.code)).sort()).toEqual(["group_full", "in"]);
  expect(await conversation(id).join(newUserId(), code)).toMatchObject({ code: "group_full" });
  const late = said[0]?.ok ? two : one;
  expect(await conversation(id).joinRequests(maker)).toMatchObject({ value: [{ userId: late }] });
  await conversation(id).removeMember({ actorId: maker, userId: members[1] as UserId });
  await asleep(id);
  expect(await conversation(id).acceptRequest({ actorId: maker, userId: late })).toMatchObject({ ok: true });
}, 180_000);

test("[IV-10] no more than may wait wait, each for a row, and the object's sleep forgets none", async () => {
  const { maker, id } = await openGroup(1);
  await conversation(id).set(maker, { approval: true });
  const code = newInviteCode(id);
  await conversation(id).invite(maker, code, {});
  const people = Array.from({ length: LIMITS.joinRequests }, newUserId);
  for (const userId of people) expect(await conversation(id).join(userId, code)).toMatchObject({ ok: true });
  const late = newUserId();
  expect(await conversation(id).join(late, code)).toMatchObject({ ok: false, code: "too_many_waiting" });
  expect(await conversation(id).previewInvite(late, code)).toMatchObject({ code: "too_many_waiting" });
  expect(await conversation(id).join(people[0] as UserId, code)).toMatchObject({ ok: true });
  await asleep(id);
  const got = await conversation(id).joinRequests(maker);
  expect(got.ok && got.value.map(({ userId }) => userId).sort()).toEqual(people.toSorted());
  const rows = await runInDurableObject(
    bindings.CONVERSATIONS.getByName(id),
    (_, state) => state.storage.sql.exec<{ n: number }>("SELECT count(*) AS n FROM requests").one().n,
  );
  expect(rows).toBe(LIMITS.joinRequests);
  await conversation(id).dropRequest({ actorId: maker, userId: people[7] as UserId });
  expect(await conversation(id).join(late, code)).toMatchObject({ ok: true, value: { added: false } });
}, 120_000);

test("[IV-11] admins who look are told that somebody waits, and that nobody does any more", async () => {
  const { ann, bob, eve, id, code } = await approving();
  const phone = await TestSocket.caughtUp(ann.user.userId, ann.device.deviceId);
  const members = await TestSocket.caughtUp(bob.user.userId, bob.device.deviceId);
  const hints = () => phone.of("changed").filter(({ conversations }) => !("head" in (conversations[0] ?? {}))).length;
  const counted = async () => {
    const before = phone.of("changed").length;
    await phone.ask({ type: "pull", conversationId: id, after: 0 });
    return phone.of("changed")[before]?.conversations[0];
  };
  await join(eve, code);
  await until(() => hints() === 1);
  expect(await counted()).toMatchObject({ conversationId: id, requestCount: 1 });
  await ask(eve, "DELETE", waiting(id, eve));
  await until(() => hints() === 2);
  expect(await counted()).not.toHaveProperty("requestCount");
  await join(eve, code);
  await until(() => hints() === 3);
  await ask(ann, "PUT", waiting(id, eve));
  await until(() => hints() === 4);
  expect(await counted()).not.toHaveProperty("requestCount");
  expect(members.of("changed").flatMap(({ conversations }) => conversations)).toHaveLength(1); // of the greeting
  phone.socket.close();
  await join(await signUp(), code);
  const later = await TestSocket.caughtUp(ann.user.userId, ann.device.deviceId, phone.cursor);
  expect(later.of("changed").flatMap(({ conversations }) => conversations)).toMatchObject([{ requestCount: 1 }]);
});

test("[IV-12] whoever has the code sees where it leads, and nothing is used up", async () => {
  const { ann, bob, cat, eve, dan, id, code } = await approving({ maxUses: 2 });
  await say(ann, id, "not for strangers");
  const seen = async (me: Session) => InvitePreview.parse((await preview(me, code)).json);
  const outside = { conversationId: id, title: "Team", memberCount: 2, approval: true, state: "outside" };
  expect(await seen(eve)).toEqual(outside);
  expect((await preview(eve, code)).json).toEqual(outside); // and no word of anything else
  expect((await seen(bob)).state).toBe("member");
  await join(eve, code);
  await asleep(id);
  expect((await seen(eve)).state).toBe("requested");
  await ask(ann, "PATCH", at(id), { approval: false, title: "Open team" });
  expect(await seen(dan)).toMatchObject({ title: "Open team", approval: false, state: "outside" });
  expect((await ask(ann, "GET", at(id, "/invites"))).json.invites[0].uses).toBe(1);
  expect(codeOf(await preview(cat, code))).toBe("forbidden");
  const wrong = `${code.slice(0, -2)}${code.endsWith("AA") ? "BB" : "AA"}`;
  expect(codeOf(await preview(dan, wrong))).toBe("not_found");
  expect(codeOf(await preview(dan, newInviteCode(ConversationId.parse(`g${ulid()}`))))).toBe("not_found");
  expect(codeOf(await preview(dan, "x"))).toBe("invalid_request");
  await join(dan, code);
  const late = await signUp();
  expect([codeOf(await preview(late, code)), codeOf(await join(late, code))]).toEqual(["invite_over", "invite_over"]);
  await ask(ann, "DELETE", at(id, `/invites/${code}`));
  expect([codeOf(await preview(late, code)), (await seen(dan)).state]).toEqual(["not_found", "member"]);
});

test("[IV-7] [IV-8] [IV-9] whatever comes in whatever order, the group and a model of it agree", async () => {
  const act = fc.tuple(
    fc.constantFrom("join", "join", "accept", "accept", "decline", "withdraw", "add", "remove", "toggle", "evict"),
    fc.nat(2),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
      const { maker, id } = await openGroup(1);
      const people = Array.from({ length: 3 }, newUserId);
      const code: InviteCode = newInviteCode(id);
      await conversation(id).invite(maker, code, { maxUses: 4 });
      const model = {
        approval: false,
        uses: 0,
        in: new Set<UserId>(),
        waits: new Set<UserId>(),
        out: new Set<UserId>(),
      };
      const said = (o: Outcome<unknown>) => (o.ok ? "ok" : o.code);
      for (const [what, who] of acts) {
        const userId = people[who] as UserId;
        const decision = { actorId: maker, userId };
        if (what === "evict") await asleep(id);
        if (what === "toggle") {
          model.approval = !model.approval;
          await conversation(id).set(maker, { approval: model.approval });
        }
        if (what === "join") {
          const got = await conversation(id).join(userId, code);
          const held = model.waits.has(userId) ? 1 : 0;
          if (model.in.has(userId)) expect(got).toMatchObject({ value: { added: false, conversation: {} } });
          else if (held && model.approval) expect(got).toMatchObject({ value: { askedAt: expect.any(Number) } });
          else if (model.uses - held >= 4) expect(said(got)).toBe("invite_over");
          else if (model.out.has(userId)) expect(said(got)).toBe("forbidden");
          else if (model.approval) {
            expect(got).toMatchObject({ value: { askedAt: expect.any(Number) } });
            model.waits.add(userId);
            model.uses += 1;
          } else {
            expect(got).toMatchObject({ value: { added: true } });
            model.waits.delete(userId);
            model.in.add(userId);
            model.uses += 1 - held;
          }
        }
        if (what === "accept") {
          const isIn = model.in.has(userId) || model.waits.has(userId);
          expect(said(await conversation(id).acceptRequest(decision))).toBe(isIn ? "ok" : "not_found");
          if (model.waits.delete(userId)) model.in.add(userId);
        }
        if (what === "decline" || what === "withdraw") {
          const actorId = what === "decline" ? maker : userId;
          expect(said(await conversation(id).dropRequest({ actorId, userId }))).toBe("ok");
          if (model.waits.delete(userId)) model.uses -= 1;
        }
        if (what === "add") {
          await conversation(id).putMember({ ...decision, role: "member" });
          model.in.add(userId);
          model.waits.delete(userId);
          model.out.delete(userId);
        }
        if (what === "remove") {
          await conversation(id).removeMember(decision);
          if (model.in.delete(userId)) model.out.add(userId);
        }
        const waits = await conversation(id).joinRequests(maker);
        expect(waits.ok && waits.value.map((r) => r.userId).sort()).toEqual([...model.waits].sort());
        for (const one of people) expect((await conversation(id).admits(one)).ok).toBe(model.in.has(one));
      }
      const left = await conversation(id).invites(maker);
      expect(left.ok && left.value.map(({ uses }) => uses)).toEqual(model.uses < 4 ? [model.uses] : []);
    }),
    { numRuns: 15 },
  );
}, 120_000);
