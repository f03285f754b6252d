import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";
import type { PushJob, Subscription } from "../../src/domain/push.ts";
import type { ConversationState } from "../../src/objects/conversation-state.ts";
import { Inbox } from "../../src/objects/inbox.ts";
import type { Settler } from "../../src/objects/settler.ts";
import type { Event, Wish } from "../../src/protocol/events.ts";
import type { Ack } from "../../src/protocol/frames.ts";
import { ConversationId, type DeviceId, type UserId } from "../../src/protocol/ids.ts";
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
const DAY_MS = 24 * 60 * 60_000;
const stubOf = (id: ConversationId) => bindings.CONVERSATIONS.getByName(id);
const settle = (id: ConversationId) => runDurableObjectAlarm(stubOf(id));
const evict = (id: ConversationId) => evictDurableObject(stubOf(id));
const evictInbox = (userId: UserId, how?: "close") =>
  evictDurableObject(bindings.INBOXES.getByName(userId), how ? { webSockets: how } : {});
const alarmOf = (id: ConversationId) => runInDurableObject(stubOf(id), (_, { storage }) => storage.getAlarm());

/** What the deployer has set; every object starts anew with it. */
async function deploy(
  vars: { FORGET_DELIVERED?: string; RETENTION_DAYS?: string },
  id: ConversationId,
  users: UserId[],
) {
  Object.assign(bindings, vars);
  await evict(id);
  for (const userId of users) await evictInbox(userId).catch(() => {}); // it may not have been awake
}
afterEach(() => void Object.assign(bindings, { FORGET_DELIVERED: "", RETENTION_DAYS: "" }));

async function wish(id: ConversationId, userId: UserId, event: Wish, deviceId = newDeviceId()): Promise<Ack | string> {
  const sent = await inbox(userId).send(id, { ...command(userId, deviceId, "", newKey()), event });
  return sent.ok ? sent.value : sent.code;
}
const say = async (id: ConversationId, userId: UserId, words: string) =>
  ((await wish(id, userId, text(words))) as Ack).seq;
const recall = (targetSeq: number): Wish => ({ kind: "recall", targetSeq });
async function logOf(id: ConversationId, userId: UserId): Promise<Event[]> {
  const page = await conversation(id).pull(userId, VISIT, 0, 1_000);
  return page.ok ? page.value.bodies.map((body) => JSON.parse(body) as Event) : [];
}
const unread = async (id: ConversationId, userId: UserId) => {
  const standing = await conversation(id).standing(userId, null);
  return standing.ok ? standing.value.unread : standing.code;
};
const inHistory = async (id: ConversationId) => {
  const query = "SELECT body, folded FROM events WHERE conversation_id = ? ORDER BY seq";
  const rows = await Promise.all(
    [bindings.HISTORY_0, bindings.HISTORY_1].map((db) => db.prepare(query).bind(id).all<{ body: string }>()),
  );
  return JSON.stringify(rows.map(({ results }) => results));
};
const inLog = (id: ConversationId) =>
  runInDurableObject(stubOf(id), (_, { storage: { sql } }) =>
    JSON.stringify(sql.exec("SELECT body FROM log").toArray()),
  );
/** As if the last try had been so long ago. */
const later = (id: ConversationId, ms: number) =>
  runInDurableObject(stubOf(id), (object) => {
    const { state } = (
      object as unknown as { ledger: { state: { checkpoint: { tries: { count: number; at: number } } } } }
    ).ledger;
    state.checkpoint.tries.at -= ms;
  });
/** A device that says what it has, as soon as it is asked. */
function confirming(socket: TestSocket): TestSocket {
  socket.socket.addEventListener("message", ({ data }) => {
    const { type, cursor } = JSON.parse(data as string);
    if (type === "caught_up") socket.send({ type: "cursor", cursor });
  });
  socket.send({ type: "cursor", cursor: socket.cursor });
  return socket;
}
const connect = async (userId: UserId, deviceId: DeviceId, cursor: string | null = null) =>
  confirming(await TestSocket.caughtUp(userId, deviceId, cursor));
async function tryToForget(id: ConversationId): Promise<string> {
  await later(id, DAY_MS);
  await runInDurableObject(stubOf(id), (object) => object.alarm());
  return (await inLog(id)) + (await inHistory(id));
}

test("[LM-20] [LM-21] [LM-22] words go once every device of every member has confirmed them, and not before, whatever sleeps meanwhile", async () => {
  const { alice, bob, id } = await openDirect();
  await deploy({ FORGET_DELIVERED: "1" }, id, [alice, bob]);
  const [phone, bobsPhone, bobsLaptop] = [newDeviceId(), newDeviceId(), newDeviceId()];
  const alices = await connect(alice, phone);
  await connect(bob, bobsPhone);
  const away = await connect(bob, bobsLaptop);
  away.socket.close(1000, "bye");
  await until(() => away.closed !== undefined);
  const { seq } = (await alices.say(id, SECRET)) as { seq: number };
  await settle(id);
  expect(await tryToForget(id)).toContain(SECRET); // the laptop lacks it
  await evict(id);
  for (const userId of [alice, bob]) await evictInbox(userId);
  expect(await tryToForget(id)).toContain(SECRET);
  const back = await connect(bob, bobsLaptop, away.cursor);
  const page = await back.ask({ type: "pull", conversationId: id, after: 0 });
  expect(JSON.stringify(page)).toContain(SECRET);
  expect(await unread(id, bob)).toBe(1);
  expect(await tryToForget(id)).not.toContain(SECRET);
  expect(await unread(id, bob)).toBe(1); // it is there, on their devices
  const [message] = await logOf(id, bob);
  expect(message).toMatchObject({ seq, content: { type: "gone", because: "expired", delivered: true } });
  await evict(id);
  expect(await wish(id, bob, { kind: "reaction", targetSeq: seq, emoji: "👍" })).toMatchObject({ duplicate: false });
  expect(await wish(id, alice, recall(seq))).toMatchObject({ duplicate: false });
  expect((await logOf(id, bob))[0]).toMatchObject({ content: { type: "gone", because: "recalled" } });
  expect(await unread(id, bob)).toBe(0);
  expect(await wish(id, alice, recall(seq))).toBe("too_late");
}, 120_000);

test("[LM-7] [LM-20] what history has forgotten is written down, also when a receipt has the checkpoint written meanwhile", async () => {
  const { alice, bob, id } = await openDirect();
  const alices = await connect(alice, newDeviceId());
  const bobs = await connect(bob, newDeviceId());
  await alices.say(id, SECRET);
  await until(() => bobs.texts.length === 1);
  await settle(id);
  await deploy({ FORGET_DELIVERED: "1" }, id, [alice, bob]);
  await unread(id, bob); // it is awake
  const written = await runInDurableObject(stubOf(id), (object) => {
    const { settler, ledger } = object as unknown as {
      settler: Settler;
      ledger: { state: Pick<ConversationState, "store" | "checkpoint"> };
    };
    const { store, checkpoint } = ledger.state;
    const { tombstones } = store;
    const { wordRows } = tombstones;
    const times: number[] = [];
    tombstones.wordRows = (...args) => {
      if (checkpoint.forgottenInHistory < checkpoint.forgotten) {
        times.push(Date.now());
        settler.saveCheckpoint(Date.now()); // as a receipt that comes while history is told
      }
      return wordRows.apply(tombstones, args);
    };
    return times;
  });
  expect(await tryToForget(id)).not.toContain(SECRET);
  expect(written.length).toBeGreaterThan(0);
  const [row] = await runInDurableObject(stubOf(id), (_, { storage: { sql } }) =>
    sql.exec<{ body: string }>("SELECT body FROM checkpoint").toArray(),
  );
  expect(JSON.parse(row?.body ?? "{}")).toMatchObject({ forgotten: 1, forgottenInHistory: 1 });
}, 120_000);

test("[LM-21] a device that never comes holds it up for 30 days; a person without a device, for as long as they have none", async () => {
  const { alice, bob, id } = await openDirect();
  await deploy({ FORGET_DELIVERED: "1" }, id, [alice, bob]);
  const alices = await connect(alice, newDeviceId());
  await alices.say(id, SECRET);
  expect(await tryToForget(id)).toContain(SECRET); // nobody has it for Bob
  const phone = newDeviceId();
  const bobs = await connect(bob, phone);
  await bobs.ask({ type: "pull", conversationId: id, after: 0 });
  const lost = newDeviceId();
  (await connect(bob, lost)).socket.close(1000, "bye");
  await alices.say(id, `${SECRET} again`);
  await until(() => bobs.texts.length === 1);
  expect(await tryToForget(id)).toContain(`${SECRET} again`);
  const age = (ms: number) =>
    runInDurableObject(bindings.INBOXES.getByName(bob), (_, { storage: { sql } }) => {
      sql.exec("UPDATE kept SET at = at - ? WHERE device_id = ?", ms, lost);
    });
  await age(29 * DAY_MS);
  await evictInbox(bob);
  expect(await tryToForget(id)).toContain(`${SECRET} again`);
  await age(2 * DAY_MS);
  await evictInbox(bob);
  expect(await tryToForget(id)).not.toContain(SECRET);
  const returned = await TestSocket.caughtUp(bob, lost);
  const page = await returned.ask({ type: "pull", conversationId: id, after: 0 });
  expect(page).toMatchObject({ events: [{ content: { delivered: true } }, { content: { delivered: true } }] });
}, 120_000);

test("[LM-22] the sender's own device has to have its ack; who crashed before that still gets the words", async () => {
  const { alice, bob, id } = await openDirect();
  await deploy({ FORGET_DELIVERED: "1" }, id, [alice, bob]);
  const phone = newDeviceId();
  const alices = await connect(alice, phone);
  const bobs = await connect(bob, newDeviceId());
  await alices.say(id, "before");
  await until(() => bobs.texts.length === 1);
  expect(await tryToForget(id)).not.toContain('"text":"before"');
  const { cursor } = alices;
  await evictInbox(alice, "close"); // the wish comes over HTTP, and nobody reads the answer
  await wish(id, alice, text(SECRET), phone);
  await until(() => bobs.texts.length === 2);
  await settle(id);
  expect(await tryToForget(id)).toContain(SECRET);
  const back = await connect(alice, phone, cursor);
  expect(JSON.stringify(await back.ask({ type: "pull", conversationId: id, after: 1 }))).toContain(SECRET);
  expect(await tryToForget(id)).not.toContain(SECRET);
}, 120_000);

test("[LM-20] above 256 members, without the deployer's wish, and of media, nothing is forgotten", async () => {
  const { alice, bob, id } = await openDirect();
  const sockets = [await connect(alice, newDeviceId()), await connect(bob, newDeviceId())];
  await (sockets[0] as TestSocket).say(id, SECRET);
  await until(() => sockets[1]?.texts.length === 1);
  const asked = vi.spyOn(Inbox.prototype, "haveAll").mockClear();
  expect(await tryToForget(id)).toContain(SECRET);
  Object.assign(bindings, { FORGET_DELIVERED: "1" });
  const crowd = await openGroup(257);
  const maker = await connect(crowd.maker, newDeviceId());
  await maker.say(crowd.id, SECRET);
  expect(await tryToForget(crowd.id)).toContain(SECRET);
  expect(asked).not.toHaveBeenCalled();
}, 120_000);

test("[LM-17] a time that the deployer sets holds for what was sent before, also where nobody wakes the conversation", async () => {
  const { alice, bob, id } = await openDirect();
  await say(id, alice, `${SECRET} old`);
  await say(id, alice, "new");
  await settle(id);
  await runInDurableObject(stubOf(id), (_, { storage: { sql } }) => {
    sql.exec("UPDATE log SET body = json_set(body, '$.receivedAt', ?) WHERE seq = 1", Date.now() - 3 * DAY_MS);
  });
  await deploy({ RETENTION_DAYS: "2" }, id, [alice, bob]);
  await conversation(id).awaken();
  expect((await alarmOf(id)) ?? 0).toBeLessThanOrEqual(Date.now() + 1_000); // or it has rung
  await settle(id);
  expect((await inLog(id)) + (await inHistory(id))).not.toContain(SECRET);
  expect(await logOf(id, bob)).toMatchObject([{ content: { because: "expired" } }, { content: { text: "new" } }]);
  const ringsAt = (await alarmOf(id)) as number;
  expect(Math.abs(ringsAt - (Date.now() + 2 * DAY_MS))).toBeLessThan(60_000); // `new` is next
  const socket = await TestSocket.caughtUp(bob, newDeviceId());
  expect(socket.of("welcome")).toMatchObject([{ keepMs: 2 * DAY_MS }]);
});

test("[RC-4] an alarm for what expires asks nobody what they have received; one that receipts waited for does", async () => {
  const { alice, bob, id } = await openDirect();
  const bobs = await TestSocket.caughtUp(bob, newDeviceId());
  await conversation(id).set(alice, { retentionMs: 60 * 60_000 });
  const seq = await say(id, alice, "hello");
  await until(() => bobs.texts.includes("hello"));
  for (let n = 0; n < 3; n++) await settle(id);
  const asked = vi.spyOn(Inbox.prototype, "tellAgain").mockClear();
  const at = (await alarmOf(id)) as number;
  expect(at % 1_000).toBe(0);
  const ring = async (scheduledTime: number) => {
    await evict(id);
    await runInDurableObject(stubOf(id), (object) => object.alarm({ scheduledTime, isRetry: false, retryCount: 0 }));
  };
  const askedHere = () => asked.mock.calls.filter(([about]) => about === id); // others' alarms ring, too
  await ring(at);
  expect(askedHere()).toEqual([]);
  await evict(id);
  await conversation(id).receipt(bob, read(seq)); // written at once, or waiting for an alarm of its own
  await conversation(id).receipt(bob, read(seq));
  await ring(at - 1);
  expect(askedHere()).not.toEqual([]);
});

const endpoint: Subscription = {
  endpoint: { provider: "web", url: "https://push.example/1", p256dh: "p", auth: "a" },
  preview: true,
};
test("[LM-18] a push says when its message disappears; what rang and is unread is taken down then", async () => {
  const { alice, bob, id } = await openDirect();
  const jobs: PushJob[] = [];
  await inbox(bob).putSubscription(bob, newDeviceId(), endpoint);
  await runInDurableObject(bindings.INBOXES.getByName(bob), (object) => {
    const sendBatch = async (batch: { body: PushJob }[]) => void jobs.push(...batch.map(({ body }) => body));
    Object.assign((object as unknown as { ringer: object }).ringer, { env: { ...bindings, PUSHES: { sendBatch } } });
  });
  await conversation(id).set(alice, { retentionMs: 60_000 });
  const { seq, expiresAt } = (await wish(id, alice, text(SECRET))) as Ack;
  await until(() => jobs.length === 1);
  expect(jobs).toMatchObject([{ kind: "message", seq, expiresAt }]);
  await settle(id);
  await runInDurableObject(stubOf(id), (_, { storage: { sql } }) => {
    sql.exec("UPDATE log SET expires_at = expires_at - 60000 WHERE expires_at NOT NULL");
  });
  await settle(id);
  await until(() => jobs.length === 2);
  expect(jobs.slice(1)).toMatchObject([{ kind: "gone", seq, unread: 0 }]);
  expect(JSON.stringify(jobs.slice(1))).not.toContain(SECRET);
});

test("[LM-19] who was out while a message was recalled is told so by the page that steps over it", async () => {
  const { maker, members, id } = await openGroup(2);
  const ann = members[1] as UserId;
  const socket = await TestSocket.caughtUp(ann, newDeviceId());
  const seq = await say(id, maker, SECRET);
  const other = await say(id, maker, "stays");
  await conversation(id).removeMember({ actorId: maker, userId: ann });
  await wish(id, maker, recall(seq));
  const unseen = await say(id, maker, "while out");
  await wish(id, maker, recall(unseen));
  await conversation(id).putMember({ actorId: maker, userId: ann, role: "member" });
  await evict(id);
  const pull = (after: number) => socket.ask({ type: "pull", conversationId: id, after });
  expect(await pull(other + 1)).toMatchObject({ recalled: [seq] });
  expect(await pull(unseen + 2)).not.toHaveProperty("recalled"); // what lies before it has been told
});

test("[LM-19] [RC-11] after a block devices are told what was recalled meanwhile, and the author's ticks leave out what was hidden", async () => {
  const { alice, bob, id } = await openDirect();
  const bobs = await TestSocket.caughtUp(bob, newDeviceId());
  const seq = await say(id, alice, SECRET);
  await until(() => bobs.texts.length === 1);
  await conversation(id).setBlock(bob, true);
  const hidden = await say(id, alice, "hidden");
  await wish(id, alice, recall(seq));
  expect(await bobs.ask({ type: "pull", conversationId: id, after: seq })).not.toHaveProperty("recalled");
  const told = bobs.of("changed").length;
  await conversation(id).setBlock(bob, false);
  await until(() => bobs.of("changed").length > told); // their devices are to pull
  expect(await bobs.ask({ type: "pull", conversationId: id, after: seq })).toMatchObject({ recalled: [seq] });
  const after = await say(id, alice, "after");
  await conversation(id).receipt(bob, read(after));
  await settle(id);
  await evict(id);
  const { value } = (await conversation(id).standing(alice, null)) as { value: object };
  expect(value).toMatchObject({ ticks: { delivered: after, except: [{ from: hidden, to: hidden + 1 }] } });
});

test("[PU-8] a first subscription asks very many conversations in turns, and goes on after an eviction", async () => {
  const { alice: me } = await openDirect();
  const stub = bindings.INBOXES.getByName(me);
  const ids = Array.from({ length: 450 }, (_, n) =>
    ConversationId.parse(`g01KA0000000000000000000${String(n).padStart(3, "0")}`),
  );
  await runInDurableObject(stub, (object) => {
    const { store } = object as unknown as { store: { touch(id: ConversationId): void } };
    for (const id of ids) store.touch(id);
  });
  expect(await inbox(me).putSubscription(me, newDeviceId(), endpoint)).toMatchObject({ ok: true });
  const state = () =>
    runInDurableObject(stub, (object) => {
      const { store } = object as unknown as { store: { isRinging: boolean; asking: { after: string } | null } };
      return { ringing: store.isRinging, after: store.asking?.after };
    });
  expect(await state()).toEqual({ ringing: false, after: "" });
  await evictInbox(me);
  await runDurableObjectAlarm(stub);
  expect(await state()).toEqual({ ringing: false, after: ids[199] });
  await runDurableObjectAlarm(stub);
  await runDurableObjectAlarm(stub);
  expect(await state()).toEqual({ ringing: true, after: undefined });
}, 120_000);
