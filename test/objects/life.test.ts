import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import type { PushJob, Subscription } from "../../src/domain/push.ts";
import type { Conversation } from "../../src/objects/conversation.ts";
import type { Event, Wish } from "../../src/protocol/events.ts";
import type { Ack } from "../../src/protocol/frames.ts";
import type { ConversationId, DeviceId, UserId } from "../../src/protocol/ids.ts";
import { TIMES } from "../../src/protocol/limits.ts";
import {
  bindings,
  command,
  conversation,
  inbox,
  newDeviceId,
  newKey,
  openDirect,
  openGroup,
  read,
  TestSocket,
  text,
  until,
  VISIT,
} from "./support.ts";

const SECRET = "xyzzy-secret";
const stubOf = (id: ConversationId): DurableObjectStub<Conversation> => bindings.CONVERSATIONS.getByName(id);
const settle = (id: ConversationId) => runDurableObjectAlarm(stubOf(id));
const evict = (id: ConversationId) => evictDurableObject(stubOf(id));

/** The ack, or the code of the refusal. */
async function wish(
  id: ConversationId,
  userId: UserId,
  event: Wish,
  { deviceId = newDeviceId(), key = newKey() }: { deviceId?: DeviceId; key?: ReturnType<typeof newKey> } = {},
): Promise<Ack | string> {
  const sent = await inbox(userId).send(id, { ...command(userId, deviceId, "", key), event });
  return sent.ok ? sent.value : sent.code;
}
const say = async (id: ConversationId, userId: UserId, words: string) =>
  ((await wish(id, userId, text(words))) as Ack).seq;
const edit = (targetSeq: number, words: string): Wish => ({
  kind: "edit",
  targetSeq,
  content: { type: "text", text: words },
});
const recall = (targetSeq: number): Wish => ({ kind: "recall", targetSeq });
const react = (targetSeq: number, emoji: string | null): Wish => ({ kind: "reaction", targetSeq, emoji });

async function logOf(id: ConversationId, userId: UserId): Promise<Event[]> {
  const page = await conversation(id).pull(userId, VISIT, 0, 1_000);
  return page.ok ? page.value.bodies.map((body) => JSON.parse(body) as Event) : [];
}
const unread = async (id: ConversationId, userId: UserId) => {
  const standing = await conversation(id).standing(userId, null);
  return standing.ok ? standing.value.unread : standing.code;
};
const GONE = { type: "gone", because: "recalled" };

/** Every value of every table, as text. */
async function tablesOf(db: D1Database): Promise<string> {
  const { results } = await db
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'")
    .all<{ name: string }>();
  const rows = await Promise.all(
    results
      .filter(({ name }) => !/^(sqlite_|d1_|texts)/.test(name))
      .map(({ name }) => db.prepare(`SELECT * FROM "${name}"`).all()),
  );
  return JSON.stringify(rows.map(({ results }) => results));
}
async function objectOf(stub: DurableObjectStub): Promise<string> {
  return runInDurableObject(stub, (_, { storage: { sql } }) => {
    const tables = sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").toArray();
    const own = tables.filter(({ name }) => !name.startsWith("_cf") && !name.startsWith("sqlite_"));
    return JSON.stringify(own.map(({ name }) => sql.exec(`SELECT * FROM "${name}"`).toArray()));
  });
}
/** Where the words still are. */
async function scan(id: ConversationId, userIds: UserId[], words: string): Promise<string[]> {
  const places: [string, string][] = [["log", await objectOf(stubOf(id))]];
  for (const userId of userIds) places.push(["inbox", await objectOf(bindings.INBOXES.getByName(userId))]);
  for (const shard of ["HISTORY_0", "HISTORY_1", "DIRECTORY"] as const)
    places.push([shard, await tablesOf(bindings[shard])]);
  return places.filter(([, all]) => all.includes(words)).map(([place]) => place);
}
const inHistory = async (id: ConversationId) => {
  const query = "SELECT body FROM events WHERE conversation_id = ? ORDER BY seq";
  const shards = [bindings.HISTORY_0, bindings.HISTORY_1];
  const rows = await Promise.all(shards.map((db) => db.prepare(query).bind(id).all<{ body: string }>()));
  return rows.flatMap(({ results }) => results.map(({ body }) => JSON.parse(body) as Event));
};

test("[LM-1] [LM-2] [LM-3] [LM-10] edits, recalls and reactions are events of the log, for those who may", async () => {
  const { maker, members, id } = await openGroup(3);
  const [, ann, bob] = members as [UserId, UserId, UserId];
  const seq = await say(id, ann, "helo");
  expect(await wish(id, ann, edit(seq, "hello"))).toMatchObject({ seq: seq + 1, duplicate: false });
  expect(await wish(id, bob, edit(seq, "mine"))).toBe("forbidden");
  expect(await wish(id, bob, react(seq, "👍"))).toMatchObject({ seq: seq + 2 });
  expect(await wish(id, bob, recall(seq))).toBe("forbidden");
  expect(await wish(id, bob, react(1, "👍"))).toBe("invalid_request"); // a note
  expect(await wish(id, bob, react(99, "👍"))).toBe("invalid_request");
  expect(await wish(id, maker, recall(seq))).toMatchObject({ seq: seq + 3 });
  expect(await wish(id, ann, edit(seq, "again"))).toBe("too_late");
  expect((await logOf(id, bob)).filter((event) => event.seq >= seq)).toMatchObject([
    { kind: "message", seq, senderId: ann, content: GONE },
    { kind: "edit", targetSeq: seq, content: GONE },
    { kind: "reaction", targetSeq: seq, emoji: "👍", senderId: bob },
    { kind: "recall", targetSeq: seq, senderId: maker },
  ]);
});

test("[LM-1] what was said before a member came is not theirs to react to", async () => {
  const { maker, id } = await openGroup(1);
  const seq = await say(id, maker, "before");
  const { alice: late } = await openDirect();
  await conversation(id).putMember({ actorId: maker, userId: late, role: "admin" });
  expect(await wish(id, late, react(seq, "👍"))).toBe("invalid_request");
  expect(await wish(id, late, recall(seq))).toBe("invalid_request");
});

test("[LM-2] [LM-3] the time is the server's, from when it received the message", async () => {
  const { alice, id } = await openDirect();
  const [old, older] = [await say(id, alice, "old"), await say(id, alice, "older")];
  const age = (seq: number, ms: number) =>
    runInDurableObject(stubOf(id), (_, { storage: { sql } }) => {
      sql.exec("UPDATE log SET body = json_set(body, '$.receivedAt', ?) WHERE seq = ?", Date.now() - ms, seq);
    });
  await age(old, TIMES.editMs + 1_000);
  await age(older, TIMES.recallMs + 1_000);
  expect(await wish(id, alice, edit(old, "x"))).toBe("too_late");
  expect(await wish(id, alice, recall(older))).toBe("too_late");
  expect(await wish(id, alice, recall(old))).toMatchObject({ duplicate: false });
});

test("[LM-5] [LM-7] a recall takes the words and those of the edits from every table, before and after they were shipped", async () => {
  for (const isShipped of [false, true]) {
    const { alice, bob, id } = await openDirect();
    const bobs = await TestSocket.caughtUp(bob, newDeviceId());
    const seq = await say(id, alice, `${SECRET} one`);
    await wish(id, alice, edit(seq, `${SECRET} two`));
    await say(id, bob, "and?");
    if (isShipped) {
      await settle(id);
      expect((await inHistory(id)).length).toBe(3);
      expect((await scan(id, [alice, bob], SECRET)).length).toBe(2);
    }
    await evict(id);
    expect(await wish(id, alice, recall(seq))).toMatchObject({ seq: 4 });
    await evict(id);
    await settle(id);
    expect(await scan(id, [alice, bob], SECRET)).toEqual([]);
    const log = await logOf(id, bob);
    expect(log.map(({ kind }) => kind)).toEqual(["message", "edit", "message", "recall"]);
    expect(await inHistory(id)).toEqual(log);
    expect(log[0]).toMatchObject({ seq: 1, senderId: alice, content: GONE });
    await until(() => bobs.texts.includes("recall"));
    const page = await bobs.ask({ type: "pull", conversationId: id, after: 0 });
    expect(JSON.stringify(page)).not.toContain(SECRET);
  }
});

test("[LM-7] until history has the tombstone the log answers for it, whatever fails on the way", async () => {
  const { alice, bob, id } = await openDirect();
  const seq = await say(id, alice, SECRET);
  await say(id, alice, "after");
  await settle(id);
  await wish(id, alice, recall(seq));
  const plan = async () => {
    const page = await conversation(id).history(bob, { limit: 10 }, false);
    return page.ok ? { history: page.value.history, words: JSON.stringify(page.value.bodies) } : page.code;
  };
  expect(await plan()).toMatchObject({ history: [], words: expect.not.stringContaining(SECRET) });
  const broken = {
    prepare: () => {
      throw new Error("the shard is away");
    },
  };
  await runInDurableObject(stubOf(id), (object) => {
    const { settler } = object as unknown as { settler: object };
    Object.assign(settler, { env: { ...bindings, HISTORY_0: broken, HISTORY_1: broken } });
  });
  await settle(id);
  expect(await plan()).toMatchObject({ history: [] });
  await evict(id); // it forgets that the shard was away, and nothing else
  await settle(id);
  expect(await plan()).toMatchObject({ history: [[1, 3]] });
  expect(await scan(id, [alice, bob], SECRET)).toEqual([]);
});

test("[LM-6] a repeated wish answers the first ack, also once its words are gone; another one under its key is a conflict", async () => {
  const { alice, id } = await openDirect();
  const deviceId = newDeviceId();
  const keys = [newKey(), newKey(), newKey(), newKey()] as const;
  const wishes: Wish[] = [text("one"), edit(1, "two"), react(1, "👍"), recall(1)];
  const once = [];
  for (const [i, event] of wishes.entries())
    once.push(await wish(id, alice, event, { deviceId, key: keys[i] as never }));
  expect(await wish(id, alice, react(1, "👎"), { deviceId, key: keys[2] })).toBe("idempotency_conflict");
  await evict(id);
  for (const [i, event] of wishes.entries())
    expect(await wish(id, alice, event, { deviceId, key: keys[i] as never })).toEqual({
      ...(once[i] as Ack),
      duplicate: true,
    });
  expect((await logOf(id, alice)).length).toBe(4);
});

test("[LM-8] unread are messages that are there: edits and reactions add none, a recall takes one away", async () => {
  const { alice, bob, id } = await openDirect();
  const [first, second] = [await say(id, alice, "one"), await say(id, alice, "two")];
  expect(await unread(id, bob)).toBe(2);
  await wish(id, alice, edit(second, "zwei"));
  await wish(id, alice, react(first, "👍"));
  expect(await unread(id, bob)).toBe(2);
  await wish(id, alice, recall(first));
  expect(await unread(id, bob)).toBe(1);
  await evict(id);
  expect(await unread(id, bob)).toBe(1);
  await conversation(id).receipt(bob, read(second));
  await wish(id, alice, recall(second));
  expect(await unread(id, bob)).toBe(0);
});

const endpoint: Subscription = {
  endpoint: { provider: "web", url: "https://push.example/1", p256dh: "p", auth: "a" },
  preview: true,
};
async function ringing(userId: UserId): Promise<PushJob[]> {
  const jobs: PushJob[] = [];
  await inbox(userId).putSubscription(userId, newDeviceId(), endpoint);
  await runInDurableObject(bindings.INBOXES.getByName(userId), (object) => {
    const sendBatch = async (batch: { body: PushJob }[]) => void jobs.push(...batch.map(({ body }) => body));
    Object.assign((object as unknown as { ringer: object }).ringer, { env: { ...bindings, PUSHES: { sendBatch } } });
  });
  return jobs;
}

test("[LM-9] messages ring, what is said of them does not; a recall takes down the notification that shows it", async () => {
  const { alice, bob, id } = await openDirect();
  const jobs = await ringing(bob);
  const [first, second] = [await say(id, alice, "one"), await say(id, alice, "two")];
  await until(() => jobs.some(({ seq }) => seq === second));
  const rang = jobs.length;
  await wish(id, alice, edit(first, "eins"));
  await wish(id, alice, react(second, "👍"));
  await wish(id, alice, recall(first)); // `two` is what is shown
  await wish(id, alice, recall(second));
  await until(() => jobs.length > rang);
  expect(jobs.slice(rang)).toMatchObject([{ kind: "gone", seq: second, unread: 0 }]);
  expect(JSON.stringify(jobs.slice(rang))).not.toContain("two");
  const third = await say(id, alice, "three");
  await until(() => jobs.some(({ kind, seq }) => kind === "message" && seq === third));
});

test("[LM-5] what an inbox was not reached with before the recall it never gets", async () => {
  const { alice, bob, id } = await openDirect();
  const bobs = await TestSocket.caughtUp(bob, newDeviceId());
  await runInDurableObject(bindings.INBOXES.getByName(bob), (object) => {
    const note = () => {
      throw new Error("it breaks");
    };
    Object.assign((object as unknown as { index: object }).index, { note });
  });
  const seq = await say(id, alice, SECRET);
  await wish(id, alice, recall(seq));
  await evictDurableObject(bindings.INBOXES.getByName(bob));
  await evict(id);
  await settle(id);
  await until(() => bobs.texts.includes("recall"));
  expect(JSON.stringify(bobs.frames)).not.toContain(SECRET);
  expect(bobs.texts).toEqual(["gone", "recall"]);
});

const retain = (id: ConversationId, actorId: UserId, retentionMs: number) =>
  conversation(id).set(actorId, { retentionMs });
/** As if so much time had passed for what is in the log. */
const goOn = (id: ConversationId, ms: number) =>
  runInDurableObject(stubOf(id), (_, { storage: { sql } }) => {
    const later = "UPDATE log SET expires_at = expires_at - ?1, body = json_set(body, '$.expiresAt', expires_at - ?1)";
    sql.exec(`${later} WHERE expires_at NOT NULL`, ms);
  });
const alarmOf = (id: ConversationId) => runInDurableObject(stubOf(id), (_, { storage }) => storage.getAlarm());

test("[LM-13] [LM-14] either in a direct conversation, and a group's admins, say how long messages are kept, from now on", async () => {
  const { alice, bob, id } = await openDirect();
  await say(id, alice, "before");
  expect(await retain(id, bob, 60_000)).toMatchObject({ ok: true });
  expect(await retain(id, bob, 60_000)).toMatchObject({ ok: true }); // nothing new
  const ack = (await wish(id, alice, text("after"))) as Ack;
  expect(ack.expiresAt).toBe(ack.receivedAt + 60_000);
  await retain(id, alice, 0);
  expect(await wish(id, alice, text("for ever"))).not.toHaveProperty("expiresAt");
  expect(await logOf(id, alice)).toMatchObject([
    { kind: "message" },
    { kind: "settings", senderId: bob, retentionMs: 60_000 },
    { kind: "message", expiresAt: ack.expiresAt },
    { kind: "settings", retentionMs: 0 },
    { kind: "message" },
  ]);
  const group = await openGroup(2);
  expect(await retain(group.id, group.members[1] as UserId, 60_000)).toMatchObject({ code: "forbidden" });
  expect(await retain(group.id, group.maker, 60_000)).toMatchObject({ ok: true });
  expect(await conversation(group.id).describe(group.maker)).toMatchObject({ value: { retentionMs: 60_000 } });
  expect(await retain(group.id, alice, 60_000)).toMatchObject({ code: "not_found" });
});

test("[LM-15] when its time is over a message goes from the log and from history, with its edits, and counts no more", async () => {
  const { alice, bob, id } = await openDirect();
  await retain(id, alice, 60_000);
  const saidAfter = Date.now();
  const seq = await say(id, alice, SECRET);
  await wish(id, alice, edit(seq, `${SECRET} again`));
  await retain(id, alice, 0);
  await say(id, alice, "stays");
  await settle(id);
  await evict(id);
  expect(await unread(id, bob)).toBe(2);
  const ringsAt = await alarmOf(id);
  expect(ringsAt).toBeGreaterThanOrEqual(saidAfter + 60_000);
  expect(ringsAt).toBeLessThanOrEqual(Date.now() + 60_000 + 1_000); // quietly: at the next whole second
  await goOn(id, 60_000);
  expect(await wish(id, alice, edit(seq, "late"))).toBe("too_late");
  await settle(id);
  expect(await scan(id, [alice, bob], SECRET)).toEqual([]);
  expect(await unread(id, bob)).toBe(1);
  const log = await logOf(id, bob);
  expect(log[1]).toMatchObject({ seq, content: { type: "gone", because: "expired" } });
  expect(await inHistory(id)).toEqual(log);
  expect(await alarmOf(id)).toBe(null);
});

test("[LM-15] very many messages whose time is over go in batches, and receipts do not wait for the next that will", async () => {
  const { alice, bob, id } = await openDirect();
  await retain(id, alice, 60 * 60_000);
  const deviceId = newDeviceId();
  for (let n = 0; n < 12; n++)
    await Promise.all(Array.from({ length: 50 }, () => inbox(alice).send(id, command(alice, deviceId, SECRET))));
  await settle(id);
  await goOn(id, 61 * 60_000);
  await say(id, alice, "new");
  await settle(id);
  expect(await scan(id, [alice, bob], SECRET)).toEqual([]);
  await settle(id);
  expect(await alarmOf(id)).toBeGreaterThan(Date.now() + 50 * 60_000);
  await conversation(id).receipt(bob, read(5));
  expect(await alarmOf(id)).toBeLessThan(Date.now() + 60_000);
});

test("[LM-16] clearing takes what there is from the sight of one member, on each of their devices, and of nobody else", async () => {
  const { alice, bob, id } = await openDirect();
  const [phone, laptop] = [newDeviceId(), newDeviceId()];
  const live = await TestSocket.caughtUp(bob, phone);
  const other = await TestSocket.caughtUp(bob, laptop);
  for (const words of ["one", "two", "three"]) await say(id, alice, words);
  await until(() => live.texts.length === 3 && other.texts.length === 3);
  const { cursor } = other;
  other.socket.close(1000, "bye");
  await settle(id);
  expect(await inbox(bob).clear(bob, id)).toEqual({ ok: true, value: null });
  await until(() => live.of("changed").some(({ conversations: [c] }) => c && "floor" in c && c.floor === 4));
  await evict(id);
  expect(await unread(id, bob)).toBe(0);
  expect(await logOf(id, bob)).toEqual([]);
  expect(await conversation(id).history(bob, { limit: 10 }, false)).toMatchObject({ value: { history: [], floor: 4 } });
  expect((await logOf(id, alice)).length).toBe(3);
  expect(await wish(id, bob, react(1, "👍"))).toBe("invalid_request");
  const again = await TestSocket.caughtUp(bob, laptop, cursor);
  expect(again.of("changed").flatMap(({ conversations }) => conversations)).toMatchObject([
    { conversationId: id, floor: 4, unread: 0 },
  ]);
  const seq = await say(id, alice, "four");
  expect(await unread(id, bob)).toBe(1);
  expect((await logOf(id, bob)).map((event) => event.seq)).toEqual([seq]);
  await until(() => live.texts.includes("four"));
  expect(await inbox(bob).clear(bob, id)).toMatchObject({ ok: true });
  expect(await inbox(alice).clear(alice, (await openDirect()).id)).toMatchObject({ code: "not_found" });
});

test("[LM-29] a clear that comes late takes nothing of what was said since the later one", async () => {
  const { alice, bob, id } = await openDirect();
  await say(id, alice, "before");
  expect(await conversation(id).clear(bob, VISIT, 2)).toMatchObject({ ok: true, value: { floor: 2 } });
  const seq = await say(id, alice, "since");
  for (const late of [2, 1])
    expect(await conversation(id).clear(bob, VISIT, late)).toMatchObject({ code: "unavailable" });
  expect((await logOf(id, bob)).map((event) => event.seq)).toEqual([seq]);
  expect(await inbox(bob).clear(bob, id)).toMatchObject({ ok: true });
  expect(await logOf(id, bob)).toEqual([]);
});

test("[LM-16] who was out of a group and comes back still does not see what they cleared", async () => {
  const { maker, members, id } = await openGroup(2);
  const ann = members[1] as UserId;
  await say(id, maker, "before");
  expect(await inbox(ann).clear(ann, id)).toMatchObject({ ok: true });
  await conversation(id).removeMember({ actorId: maker, userId: ann });
  await conversation(id).putMember({ actorId: maker, userId: ann, role: "member" });
  await evict(id);
  await say(id, maker, "after");
  const log = await logOf(id, ann);
  expect(log.map(({ kind }) => kind)).toEqual(["member", "member", "message"]);
  expect(await unread(id, ann)).toBe(1);
});

test("[LM-5] [LM-15] what an inbox was not reached with before its time was over it never gets", async () => {
  const { alice, bob, id } = await openDirect();
  const bobs = await TestSocket.caughtUp(bob, newDeviceId());
  await retain(id, alice, 60_000);
  await until(() => bobs.texts.includes("settings"));
  await runInDurableObject(bindings.INBOXES.getByName(bob), (object) => {
    const note = () => {
      throw new Error("it breaks");
    };
    Object.assign((object as unknown as { index: object }).index, { note });
  });
  await say(id, alice, SECRET);
  const mode = () =>
    runInDurableObject(stubOf(id), (object) => {
      const { fanout } = object as unknown as { fanout: { stateOf(u: UserId): { mode: string } | undefined } };
      return fanout.stateOf(bob)?.mode;
    });
  await until(async () => (await mode()) === "lagging");
  await evictDurableObject(bindings.INBOXES.getByName(bob));
  await goOn(id, 60_000);
  await settle(id);
  await conversation(id).attend(bob, VISIT);
  await until(() => bobs.texts.length === 2);
  expect(bobs.texts).toEqual(["settings", "gone"]);
});
