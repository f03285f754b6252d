import { evictDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { FIRST_RULES } from "../../src/domain/group-rules.ts";
import { Conversation, Invite, type Session } from "../../src/protocol/http.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import { bindings, conversation, TestSocket, text, until } from "../objects/support.ts";
import { signUp } from "./support/accounts.ts";
import { type Asked, ask, groupOf, openPair, say, settle, wishOf } from "./support/worker.ts";

const at = (id: ConversationId, rest = "") => `/v1/conversations/${id}${rest}`;
const set = (me: Session, id: ConversationId, change: object) => ask(me, "PATCH", at(id), change);
const settled = async (me: Session, id: ConversationId, change: object) => {
  const answer = await set(me, id, change);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.json));
  return Conversation.parse(answer.json.conversation);
};
const send = (me: Session, id: ConversationId, event: object) => ask(me, "POST", at(id, "/events"), wishOf(event));
const put = (me: Session, id: ConversationId, { user }: Session, role = "member") =>
  ask(me, "PUT", at(id, `/members/${user.userId}`), { role });
const remove = (me: Session, id: ConversationId, { user }: Session) =>
  ask(me, "DELETE", at(id, `/members/${user.userId}`));
const codeOf = ({ status, json }: Asked): string | number => json?.code ?? status;
const asleep = (id: ConversationId) => evictDurableObject(bindings.CONVERSATIONS.getByName(id));

/** An admin, a member, one who was removed, and a stranger. */
async function team() {
  const [ann, bob, cat, eve] = (await Promise.all(Array.from({ length: 4 }, () => signUp()))) as [
    Session,
    Session,
    Session,
    Session,
  ];
  const id = await groupOf(ann, bob, cat);
  await remove(ann, id, cat);
  return { ann, bob, cat, eve, id };
}

test("[GR-8] admins lay down who does what; it is told, shown to members, and outlives the object's memory", async () => {
  const { ann, bob, cat, eve, id } = await team();
  const phone = await TestSocket.caughtUp(bob.user.userId, bob.device.deviceId);
  expect((await ask(bob, "GET", at(id))).json.conversation).toMatchObject(FIRST_RULES);
  const rules = { sending: "admins", setting: "members", adding: "members", approval: true, history: "all" };
  for (const [name, value] of Object.entries(rules)) {
    const before = Conversation.parse((await ask(ann, "GET", at(id))).json.conversation);
    for (const [who, expected] of [
      [bob, "forbidden"],
      [cat, "not_member"],
      [eve, "not_found"],
    ] as const)
      expect(codeOf(await set(who, id, { [name]: value })), name).toBe(expected);
    expect((await ask(ann, "GET", at(id))).json.conversation).toEqual(before);
    expect(await settled(ann, id, { [name]: value })).toMatchObject({ [name]: value, head: before.head + 1 });
    expect((await settled(ann, id, { [name]: value })).head).toBe(before.head + 1); // what is so is no event
    await asleep(id);
  }
  const settings = () => {
    const all = phone.of("events").flatMap(({ events }) => events);
    return [...new Map(all.flatMap((e) => (e.kind === "settings" ? [[e.seq, e] as const] : []))).values()];
  };
  await until(() => settings().length === 5);
  const told = settings().sort((a, b) => a.seq - b.seq);
  expect(told).toMatchObject(Object.entries(rules).map(([name, value]) => ({ kind: "settings", [name]: value })));
  expect((await ask(bob, "GET", at(id))).json.conversation).toMatchObject(rules);
  const { conversations } = (await ask(bob, "GET", "/v1/conversations")).json;
  expect(conversations).toMatchObject([{ conversationId: id, ...rules }]);
  const laptop = await TestSocket.caughtUp(bob.user.userId, bob.device.deviceId);
  expect(laptop.of("changed").flatMap((frame) => frame.conversations)).toMatchObject([rules]);
  for (const answer of [
    (await ask(cat, "GET", at(id))).json.conversation,
    (await ask(cat, "GET", "/v1/conversations")).json.conversations[0],
  ])
    for (const name of Object.keys(rules)) expect(answer, name).not.toHaveProperty(name);
});

test("[GR-8] members change title and retention where they are let, and never the rules", async () => {
  const { ann, bob, cat, eve, id } = await team();
  for (const change of [{ title: "Bob's" }, { retentionMs: 60_000 }]) {
    expect(codeOf(await set(bob, id, change))).toBe("forbidden");
    await settled(ann, id, { setting: "members" });
    expect(await settled(bob, id, change)).toMatchObject(change);
    expect(codeOf(await set(bob, id, { ...change, sending: "members" }))).toBe("forbidden");
    expect([codeOf(await set(cat, id, change)), codeOf(await set(eve, id, change))]).toEqual([
      "not_member",
      "not_found",
    ]);
    await settled(ann, id, { setting: "admins" });
  }
  const direct = await openPair(ann, bob);
  for (const change of [{ sending: "admins" }, { approval: true }, { avatarMediaId: null }])
    expect(codeOf(await set(ann, direct, change)), JSON.stringify(change)).toBe("forbidden");
  for (const bad of [{ sending: "nobody" }, { approval: "yes" }, { history: "some" }, { rules: {} }, {}])
    expect(codeOf(await set(ann, id, bad)), JSON.stringify(bad)).toBe("invalid_request");
});

test("[GR-9] where admins alone send, members are refused at both doors, take back what they said, and react", async () => {
  const { ann, bob, cat, eve, id } = await team();
  const [own, other] = [await say(bob, id, "mine"), await say(ann, id, "yours")];
  await settled(ann, id, { sending: "admins" });
  await asleep(id);
  const phone = await TestSocket.caughtUp(bob.user.userId, bob.device.deviceId);
  const edit = { kind: "edit", targetSeq: own, content: { type: "text", text: "more" } };
  expect([codeOf(await send(bob, id, text("hello"))), codeOf(await send(bob, id, edit))]).toEqual([
    "forbidden",
    "forbidden",
  ]);
  expect(await phone.say(id, "hello")).toMatchObject({ type: "error", code: "forbidden", retryable: false });
  expect([codeOf(await send(cat, id, text("x"))), codeOf(await send(eve, id, text("x")))]).toEqual([
    "not_member",
    "not_found",
  ]);
  expect(codeOf(await send(bob, id, { kind: "reaction", targetSeq: other, emoji: "👍" }))).toBe(201);
  expect(codeOf(await send(bob, id, { kind: "recall", targetSeq: own }))).toBe(201);
  expect(codeOf(await send(ann, id, text("news")))).toBe(201);
  await put(ann, id, bob, "admin");
  expect(codeOf(await send(bob, id, text("me, too")))).toBe(201);
  await put(ann, id, bob, "member");
  expect(codeOf(await send(bob, id, text("not any more")))).toBe("forbidden");
  await settled(ann, id, { sending: "members" });
  expect(codeOf(await send(bob, id, text("again")))).toBe(201);
});

test("[GR-9] a wish from before that is repeated gets its first ack; typing of who may not send reaches nobody", async () => {
  const { ann, bob, id } = await team();
  const wish = wishOf(text("before"));
  const first = await ask(bob, "POST", at(id, "/events"), wish);
  const phone = await TestSocket.caughtUp(ann.user.userId, ann.device.deviceId);
  await phone.ask({ type: "pull", conversationId: id, after: 0 });
  const typing = async () => codeOf({ status: 0, json: await conversation(id).typing(bob.user.userId, true) });
  await settled(ann, id, { sending: "admins" });
  expect((await ask(bob, "POST", at(id, "/events"), wish)).json).toEqual({ ...first.json, duplicate: true });
  expect([await typing(), phone.of("typing")]).toEqual(["forbidden", []]);
  await settled(ann, id, { sending: "members" });
  expect(await typing()).toBe(0);
  expect((await phone.waitFor("typing")).userId).toBe(bob.user.userId);
  expect(phone.of("typing")).toHaveLength(1);
});

test("[GR-10] members add members where they are let, and neither admins nor whom an admin has removed", async () => {
  const { ann, bob, cat, eve, id } = await team();
  const dan = await signUp();
  expect(codeOf(await put(bob, id, dan))).toBe("forbidden");
  await settled(ann, id, { adding: "members" });
  await asleep(id);
  expect(codeOf(await put(bob, id, dan, "admin"))).toBe("forbidden");
  expect(codeOf(await put(bob, id, cat))).toBe("forbidden");
  expect([codeOf(await put(cat, id, dan)), codeOf(await put(eve, id, dan))]).toEqual(["not_member", "not_found"]);
  expect(codeOf(await put(bob, id, dan))).toBe(201);
  expect([codeOf(await put(bob, id, dan, "admin")), codeOf(await remove(bob, id, dan))]).toEqual([
    "forbidden",
    "forbidden",
  ]);
  await remove(dan, id, dan);
  expect(codeOf(await put(bob, id, dan))).toBe(201); // who left by themselves may be fetched back
  await remove(dan, id, dan);
  await settled(ann, id, { approval: true });
  expect(codeOf(await put(bob, id, dan))).toBe("forbidden");
  expect([codeOf(await put(ann, id, dan)), codeOf(await put(ann, id, cat))]).toEqual([201, 201]);
});

test("[IV-2] [IV-6] members' invites are their own, tell who made them, and end with the right and the maker", async () => {
  const { ann, bob, cat, eve, id } = await team();
  const [dan, joiner] = [await signUp(), await signUp()];
  const make = (me: Session, wish = {}) => ask(me, "POST", at(id, "/invites"), wish);
  const list = async (me: Session) => Invite.array().parse((await ask(me, "GET", at(id, "/invites"))).json.invites);
  const join = (me: Session, { code }: Invite) => ask(me, "POST", `/v1/invites/${code}/join`);
  expect(codeOf(await make(bob))).toBe("forbidden");
  await settled(ann, id, { adding: "members" });
  await put(bob, id, dan);
  const [anns, bobs] = [Invite.parse((await make(ann)).json), Invite.parse((await make(bob)).json)];
  expect(bobs).not.toHaveProperty("byMember");
  expect(codeOf(await make(bob, { readmits: true }))).toBe("forbidden");
  expect([codeOf(await make(cat)), codeOf(await make(eve))]).toEqual(["not_member", "not_found"]);
  const makers = async (me: Session) => (await list(me)).map(({ makerId }) => makerId).sort();
  expect(await makers(ann)).toEqual([ann.user.userId, bob.user.userId].sort());
  expect([await makers(bob), await makers(dan)]).toEqual([[bob.user.userId], []]);
  const revoke = (me: Session, { code }: Invite) => ask(me, "DELETE", at(id, `/invites/${code}`));
  expect([codeOf(await revoke(bob, anns)), codeOf(await revoke(dan, bobs))]).toEqual(["forbidden", "forbidden"]);
  await settled(ann, id, { adding: "admins" });
  await asleep(id);
  expect(codeOf(await join(joiner, bobs))).toBe("invite_over");
  expect([(await list(ann)).length, codeOf(await ask(bob, "GET", at(id, "/invites")))]).toEqual([1, "forbidden"]);
  await settled(ann, id, { adding: "members" });
  await remove(ann, id, bob);
  expect(codeOf(await join(joiner, bobs))).toBe("invite_over");
  await put(ann, id, bob);
  expect(codeOf(await join(joiner, bobs))).toBe(201);
  expect([codeOf(await revoke(bob, bobs)), codeOf(await revoke(ann, anns))]).toEqual([204, 204]);
  expect([codeOf(await join(eve, bobs)), codeOf(await join(eve, anns))]).toEqual(["not_found", "not_found"]);
});

test("[GR-13] [GR-14] [UN-3] who joins while the past is open reads, finds and answers it, and has none of it unread", async () => {
  const { ann, bob, cat, eve, id } = await team();
  const dan = await signUp();
  const old = await say(ann, id, "the founding words");
  await settle(id);
  await settled(ann, id, { history: "all" });
  await say(bob, id, "in the tail");
  expect(codeOf(await put(ann, id, dan))).toBe(201);
  await asleep(id);
  await say(ann, id, "welcome");
  const { conversation: seen } = (await ask(dan, "GET", at(id))).json;
  expect(seen).toMatchObject({ floor: 1, mine: { unread: 1, read: seen.head - 2 } });
  const joinedSeq = seen.members.find((m: { userId: string }) => m.userId === dan.user.userId).joinedSeq;
  expect(joinedSeq).toBe(seen.head - 1);
  const seqs = (answer: Asked) => answer.json.events.map(({ seq }: { seq: number }) => seq);
  const page = await ask(dan, "GET", at(id, "/events?after=0"));
  expect(seqs(page)).toEqual(Array.from({ length: seen.head }, (_, i) => i + 1));
  expect([page.json.floor, page.json.hasMore]).toEqual([1, false]);
  expect(seqs(await ask(dan, "GET", at(id, "/events?limit=3"))).length).toBe(3);
  const found = async (me: Session, words: string) =>
    (await ask(me, "GET", `/v1/search?q=${words}&conversationId=${id}`)).json.hits?.length;
  expect([await found(dan, "founding"), await found(dan, "tail")]).toEqual([1, 1]);
  const answer = { kind: "message", content: { type: "text", text: "re", replyTo: old } };
  expect(codeOf(await send(dan, id, { kind: "reaction", targetSeq: old, emoji: "👍" }))).toBe(201);
  expect(codeOf(await send(dan, id, answer))).toBe(201);
  expect(codeOf(await send(dan, id, { kind: "recall", targetSeq: old }))).toBe("forbidden"); // seeing is not owning
  await put(ann, id, cat); // was in from the first event on, and comes back
  expect((await ask(cat, "GET", at(id))).json.conversation.floor).toBeLessThan(old);
  expect(await found(cat, "founding")).toBe(0);
  expect(codeOf(await ask(eve, "GET", at(id, "/events?after=0")))).toBe("not_found");
  await settled(ann, id, { history: "joined" });
  await put(ann, id, eve);
  const { floor, head } = (await ask(eve, "GET", at(id))).json.conversation;
  expect([floor, await found(eve, "founding"), await found(dan, "founding")]).toEqual([head, 0, 1]);
});
