import { describe, expect, test } from "vitest";
import type { Session } from "../../src/protocol/http.ts";
import { newKey } from "../objects/support.ts";
import { downInboxes, signUp } from "./support/accounts.ts";
import { CUT, InboxWire, over } from "./support/wires.ts";
import { ask, groupOf, openPair, say } from "./support/worker.ts";

const idOf = ({ user }: Session) => user.userId;
const people = (count: number) => Promise.all(Array.from({ length: count }, () => signUp()));
const lets = async (me: Session, conversations: string) =>
  expect((await ask(me, "PATCH", "/v1/me", { privacy: { conversations } })).status).toBe(200);
const open = (me: Session, them: Session, changed = {}) =>
  ask(me, "PUT", `/v1/conversations/direct/${idOf(them)}`, undefined, changed);
const make = (me: Session, members: Session[], more: object = {}, changed = {}) =>
  ask(me, "POST", "/v1/conversations", { title: "Team", memberIds: members.map(idOf), ...more }, changed);
const add = (me: Session, id: string, them: Session, role = "member", changed = {}) =>
  ask(me, "PUT", `/v1/conversations/${id}/members/${idOf(them)}`, { role }, changed);
const befriend = async (a: Session, b: Session) => {
  await ask(a, "PUT", `/v1/contacts/${idOf(b)}`);
  await ask(b, "PUT", `/v1/contacts/${idOf(a)}`);
};
const answered = ({ status, json }: { status: number; json: { code?: string } | null }) => json?.code ?? status;
const listOf = async (me: Session) => (await ask(me, "GET", "/v1/conversations")).json.conversations;

describe("a direct conversation", () => {
  test("[CT-17] everyone, contacts or nobody may begin one with me; nothing is left behind by who may not", async () => {
    const [me, friend, stranger] = (await people(3)) as [Session, Session, Session];
    await befriend(me, friend);
    await lets(me, "contacts");
    expect([answered(await open(stranger, me)), answered(await open(friend, me))]).toEqual(["forbidden", 201]);
    await lets(me, "nobody");
    const other = await signUp();
    await befriend(me, other);
    expect([answered(await open(stranger, me)), answered(await open(other, me))]).toEqual(["forbidden", "forbidden"]);
    expect([await listOf(stranger), await listOf(other)]).toEqual([[], []]);
    expect(answered(await open(me, stranger))).toBe(201); // what I choose is about others
    await lets(me, "everyone");
    expect(answered(await open(other, me))).toBe(201);
  });

  test("[CT-17] one that stands in my list goes on: what I opened, and where somebody has written to me", async () => {
    const [me, opened, wrote, silent] = (await people(4)) as [Session, Session, Session, Session];
    await open(me, opened);
    await say(wrote, await openPair(wrote, me), "hello");
    await open(silent, me);
    await lets(me, "nobody");
    expect([answered(await open(opened, me)), answered(await open(wrote, me))]).toEqual([200, 200]);
    expect(answered(await open(silent, me))).toBe("forbidden");
  });

  test("[CT-17] [BL-4] a blocked stranger is answered as any stranger is; and a block that is over opens nothing", async () => {
    const [me, blocked, stranger] = (await people(3)) as [Session, Session, Session];
    await ask(me, "PUT", `/v1/blocks/${idOf(blocked)}`);
    for (const choice of ["everyone", "contacts", "nobody"]) {
      await lets(me, choice);
      const [theirs, others] = [await open(blocked, me), await open(stranger, me)];
      expect([choice, theirs.status === 403]).toEqual([choice, others.status === 403]);
      if (theirs.status === 403) expect({ ...theirs.json, detail: "" }).toEqual({ ...others.json, detail: "" });
    }
    await ask(me, "DELETE", `/v1/blocks/${idOf(blocked)}`);
    expect(answered(await open(blocked, me))).toBe("forbidden"); // the block had opened it, and nobody else [BL-9]
  });

  test("[CT-17] while my inbox cannot be asked, it is unavailable", async () => {
    const [me, stranger] = (await people(2)) as [Session, Session];
    expect(answered(await open(stranger, me, { INBOXES: downInboxes() }))).toBe("unavailable");
  });
});

describe("a group", () => {
  test("[CT-18] is made with those who let its maker add them, or not at all; who does not is named", async () => {
    const [maker, friend, closed, shut] = (await people(4)) as [Session, Session, Session, Session];
    await befriend(maker, friend);
    for (const [one, choice] of [
      [friend, "contacts"],
      [closed, "contacts"],
      [shut, "nobody"],
    ] as const)
      await lets(one, choice);
    const refused = await make(maker, [friend, closed, shut]);
    expect(answered(refused)).toBe("forbidden");
    expect(refused.json.detail.split(": ")[1].split(" ").sort()).toEqual([idOf(closed), idOf(shut)].sort());
    expect([await listOf(maker), await listOf(friend)]).toEqual([[], []]);
    expect(answered(await make(maker, [friend]))).toBe(201);
  });

  test("[CT-18] [CV-3] a repeat answers the group that was made, whatever its members have chosen since", async () => {
    const [maker, member] = (await people(2)) as [Session, Session];
    const idempotencyKey = newKey();
    const made = await make(maker, [member], { idempotencyKey });
    await lets(member, "nobody");
    const again = await make(maker, [member], { idempotencyKey });
    expect([answered(made), answered(again)]).toEqual([201, 200]);
    expect(again.json.conversation.conversationId).toBe(made.json.conversation.conversationId);
    expect(answered(await make(maker, [member], { idempotencyKey: newKey() }))).toBe("forbidden");
  });

  test("[CT-18] an admin adds nobody who does not let them, sends an invite instead, and steers who is in", async () => {
    const [admin, member, closed] = (await people(3)) as [Session, Session, Session];
    const id = await groupOf(admin, member);
    for (const one of [member, closed]) await lets(one, "nobody");
    expect(answered(await add(admin, id, closed))).toBe("forbidden");
    expect(answered(await add(admin, id, member, "admin"))).toBe(200); // is in
    const { code } = (await ask(admin, "POST", `/v1/conversations/${id}/invites`, {})).json;
    expect((await ask(closed, "POST", `/v1/invites/${code}/join`)).status).toBe(201);
    await ask(member, "DELETE", `/v1/conversations/${id}/members/${idOf(member)}`);
    expect(answered(await add(admin, id, member))).toBe("forbidden"); // left, and lets nobody
  });

  test("[CT-18] [GR-1] [GR-2] strangers, removed and plain members learn nothing of what somebody has chosen", async () => {
    const [admin, member, removed, stranger, closed, open] = (await people(6)) as [
      Session,
      Session,
      Session,
      Session,
      Session,
      Session,
    ];
    const id = await groupOf(admin, member, removed);
    await ask(admin, "DELETE", `/v1/conversations/${id}/members/${idOf(removed)}`);
    await lets(closed, "nobody");
    for (const [who, code] of [
      [stranger, "not_found"],
      [removed, "not_member"],
      [member, "forbidden"],
    ] as const) {
      const [theirs, others] = [await add(who, id, closed), await add(who, id, open)];
      expect([answered(theirs), theirs.json.detail]).toEqual([code, others.json.detail]);
    }
  });

  test("[CT-18] while somebody's inbox cannot be asked, nobody is added", async () => {
    const [admin, member] = (await people(2)) as [Session, Session];
    const id = await groupOf(admin);
    const down = over(new InboxWire(({ method }) => (method === "admits" ? Promise.reject(CUT) : Promise.resolve())));
    expect(answered(await add(admin, id, member, "member", down))).toBe("unavailable");
    expect(answered(await make(admin, [member], {}, down))).toBe("unavailable");
    expect((await ask(admin, "GET", `/v1/conversations/${id}`)).json.conversation.members).toHaveLength(1);
  });
});
