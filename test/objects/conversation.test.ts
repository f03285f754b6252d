import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import type { Conversation } from "../../src/objects/conversation.ts";
import type { ConversationId, DeviceId, IdempotencyKey, UserId } from "../../src/protocol/ids.ts";
import {
  bindings,
  command,
  conversation,
  newDeviceId,
  newKey,
  newUserId,
  nextCall,
  openDirect,
  openGroup,
  read,
  VISIT,
} from "./support.ts";

const stubOf = (id: ConversationId): DurableObjectStub<Conversation> => bindings.CONVERSATIONS.getByName(id);
const seqs = (outcomes: { ok: boolean }[]) =>
  outcomes.map((o) => (o as unknown as { value?: { ack: { seq: number } } }).value?.ack.seq);

test("[EV-1] a log is 1, 2, 3 … for whoever sends, and a batch keeps its order", async () => {
  const { alice, bob, id } = await openDirect();
  const [phone, laptop] = [newDeviceId(), newDeviceId()];
  const batch = {
    commands: [command(alice, phone, "one"), command(alice, phone, "two")],
    aloneAs: 1,
    confirmed: [],
    call: nextCall(),
  };
  expect(seqs(await conversation(id).append(alice, batch))).toEqual([1, 2]);
  expect(
    seqs(
      await conversation(id).append(bob, {
        commands: [command(bob, laptop, "three")],
        aloneAs: 1,
        confirmed: [],
        call: nextCall(),
      }),
    ),
  ).toEqual([3]);
  const page = await conversation(id).pull(bob, VISIT, 0, 10);
  expect(page).toMatchObject({ ok: true, value: { head: 3, floor: 1 } });
});

test("[EO-1] [EO-2] [EO-3] [EO-4] a key appends once for ever, also after the object was evicted", async () => {
  const { alice, id } = await openDirect();
  const phone = newDeviceId();
  const [never, first, second] = [newKey(), newKey(), newKey()];
  const send = (words: string, key: typeof first) =>
    conversation(id).append(alice, {
      commands: [command(alice, phone, words, key)],
      aloneAs: 1,
      confirmed: [],
      call: nextCall(),
    });
  const [appended] = await send("first", first);
  await send("second", second);
  for (const evict of [false, true]) {
    if (evict) await evictDurableObject(stubOf(id));
    const [repeat] = await send("first", first);
    expect(repeat).toMatchObject({ ok: true, value: { ack: { seq: 1, duplicate: true } } });
    if (repeat?.ok && appended?.ok) expect(repeat.value.ack).toEqual({ ...appended.value.ack, duplicate: true });
    expect(await send("another", first)).toMatchObject([{ ok: false, code: "idempotency_conflict" }]);
    expect(await send("never", never)).toMatchObject([{ ok: false, code: "key_out_of_order" }]);
  }
  expect(await conversation(id).pull(alice, VISIT, 0, 10)).toMatchObject({ value: { head: 2 } });
});

test("[EO-5] the newest keys outlive an eviction after the checkpoint was written", async () => {
  const { alice, id } = await openDirect();
  const phone = newDeviceId();
  const key = newKey();
  await conversation(id).append(alice, {
    commands: [command(alice, phone, "x", key)],
    aloneAs: 1,
    confirmed: [],
    call: nextCall(),
  });
  await runDurableObjectAlarm(stubOf(id));
  await evictDurableObject(stubOf(id));
  const [again] = await conversation(id).append(alice, {
    commands: [command(alice, phone, "x", key)],
    aloneAs: 1,
    confirmed: [],
    call: nextCall(),
  });
  expect(again).toMatchObject({ ok: true, value: { ack: { seq: 1, duplicate: true } } });
});

test("[EO-6] looking up old keys costs their user the rows that are read: others are not held up, and waiting helps", async () => {
  const { alice, bob, id } = await openDirect();
  const [phone, laptop] = [newDeviceId(), newDeviceId()];
  const [first, old, newest] = [newKey(), newKey(), newKey()];
  const send = (userId: UserId, deviceId: DeviceId, key: IdempotencyKey) =>
    conversation(id).append(userId, {
      commands: [command(userId, deviceId, "x", key)],
      aloneAs: 1,
      confirmed: [],
      call: nextCall(),
    });
  await send(bob, laptop, first);
  await runInDurableObject(stubOf(id), (_, { storage }) => {
    const rows = `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 120000)
      INSERT INTO log (seq, sender_id, kind, device_id, key, body) SELECT i, ?, 'message', ?, ?, '{}' FROM n`;
    storage.sql.exec(rows, bob, newDeviceId(), newKey());
  });
  await evictDurableObject(stubOf(id));
  await send(alice, phone, newest);
  const now = Date.now();
  const answers: string[] = [];
  for (let i = 0; i < 12 && answers.at(-1) !== "rate_limited"; i++) {
    const [again] = await send(alice, phone, old);
    answers.push(again?.ok ? "appended" : (again?.code ?? ""));
    if (again?.ok === false && again.code === "rate_limited") expect(again.retryAfterMs).toBeGreaterThan(0);
  }
  expect(answers.at(-1)).toBe("rate_limited");
  expect(answers.length).toBeGreaterThan(8); // a million rows at once
  expect(new Set(answers.slice(0, -1))).toEqual(new Set(["key_out_of_order"]));
  expect(await send(alice, phone, newKey())).toMatchObject([{ ok: true }]); // what is new needs no lookup
  expect(await send(bob, laptop, first)).toMatchObject([{ ok: true, value: { ack: { duplicate: true } } }]);
  await runInDurableObject(stubOf(id), () => void vi.useFakeTimers({ toFake: ["Date"], now: now + 60_000 }));
  expect(await send(alice, phone, old)).toMatchObject([{ ok: false, code: "key_out_of_order" }]);
  vi.useRealTimers();
});

test("[EV-3] composed offline a day ago by a clock that is an hour ahead: occurred a day ago", async () => {
  const { alice, id } = await openDirect();
  const [hour, day] = [3_600_000, 86_400_000];
  const now = Date.now();
  const late = { ...command(alice, newDeviceId(), "late"), composedAt: now + hour - day, sentAt: now + hour };
  const [outcome] = await conversation(id).append(alice, {
    commands: [late],
    aloneAs: 1,
    confirmed: [],
    call: nextCall(),
  });
  if (!outcome?.ok) throw new Error("refused");
  expect(outcome.value.ack.receivedAt - outcome.value.ack.occurredAt).toBe(day);
});

test("[EV-4] an answer to an event that does not exist is refused and changes nothing", async () => {
  const { alice, id } = await openDirect();
  const wish = command(alice, newDeviceId(), "re");
  const reply = { ...wish, event: { kind: "message" as const, content: { ...wish.event.content, replyTo: 1 } } };
  expect(
    await conversation(id).append(alice, { commands: [reply], aloneAs: 1, confirmed: [], call: nextCall() }),
  ).toMatchObject([{ code: "invalid_request" }]);
  expect(await conversation(id).pull(alice, VISIT, 0, 1)).toMatchObject({ value: { head: 0 } });
});

test("[GR-1] strangers and unopened ids answer alike on every call, and asking leaves nothing behind", async () => {
  const { id } = await openDirect();
  const unopened = `d${"0".repeat(26)}` as ConversationId;
  const stranger = newUserId();
  for (const target of [id, unopened]) {
    const c = () => conversation(target);
    const refused = { ok: false, code: "not_found" };
    const send = { commands: [command(stranger, newDeviceId(), "hi")], aloneAs: 1, confirmed: [], call: nextCall() };
    expect(await c().append(stranger, send)).toEqual([refused]);
    expect(await c().pull(stranger, VISIT, 0, 1)).toEqual(refused);
    expect(await c().history(stranger, { limit: 1 }, false)).toEqual(refused);
    expect(await c().attend(stranger, VISIT)).toEqual(refused);
    expect(await c().describe(stranger)).toEqual(refused);
    expect(await c().receipt(stranger, read(1))).toEqual(refused);
    expect(await c().set(stranger, { title: "x" })).toEqual(refused);
    expect(await c().putMember({ actorId: stranger, userId: stranger, role: "admin" })).toEqual(refused);
    expect(await c().removeMember({ actorId: stranger, userId: stranger })).toEqual(refused);
  }
  await runInDurableObject(stubOf(unopened) as DurableObjectStub<Conversation>, (_, state) => {
    expect(
      state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'").toArray(),
    ).toEqual([]);
  });
});

test("[GR-2] [GR-4] [GR-6] [GR-7] roles and spans hold, also after eviction", async () => {
  const { maker, members, id } = await openGroup(3);
  const [, bob, carol] = members as [typeof maker, typeof maker, typeof maker];
  const say = (userId: typeof maker, words: string) =>
    conversation(id).append(userId, {
      commands: [command(userId, newDeviceId(), words)],
      aloneAs: 1,
      confirmed: [],
      call: nextCall(),
    });
  expect(await conversation(id).putMember({ actorId: bob, userId: newUserId(), role: "member" })).toMatchObject({
    code: "forbidden",
  });
  await say(maker, "before");
  expect(await conversation(id).removeMember({ actorId: maker, userId: carol })).toMatchObject({ ok: true });
  await say(maker, "without carol");
  expect(await say(carol, "let me in")).toMatchObject([{ code: "not_member" }]);
  await evictDurableObject(stubOf(id));
  const seen = await conversation(id).pull(carol, VISIT, 0, 100);
  if (!seen.ok) throw new Error("refused");
  expect(seen.value.bodies.map((b) => JSON.parse(b).seq)).toEqual([3, 4, 5]);
  expect(await conversation(id).removeMember({ actorId: maker, userId: maker })).toMatchObject({ code: "last_admin" });
  expect(await conversation(id).putMember({ actorId: maker, userId: bob, role: "admin" })).toMatchObject({ ok: true });
  expect(await conversation(id).removeMember({ actorId: maker, userId: maker })).toMatchObject({ ok: true });
  expect(await conversation(id).putMember({ actorId: bob, userId: carol, role: "member" })).toMatchObject({ ok: true });
  const again = await conversation(id).pull(carol, VISIT, 5, 100);
  if (!again.ok) throw new Error("refused");
  expect(again.value.bodies.map((b) => JSON.parse(b).seq)).toEqual([9]);
});

test("[CV-1] [CV-3] opening twice opens once; another wish under the same id is a conflict", async () => {
  const { alice, bob, id } = await openDirect();
  expect(await conversation(id).open(id, { kind: "direct", memberIds: [bob, alice] })).toEqual({
    ok: true,
    value: { created: false },
  });
  const group = await openGroup(2);
  const wish = { kind: "group" as const, makerId: group.maker, memberIds: [], title: "Group" };
  expect(await conversation(group.id).open(group.id, { ...wish, fingerprint: "f" })).toEqual({
    ok: true,
    value: { created: false },
  });
  expect(await conversation(group.id).open(group.id, { ...wish, fingerprint: "g" })).toMatchObject({
    code: "idempotency_conflict",
  });
});

test("[HI-1] [HI-2] the alarm ships the log to its shard; pages merge both without gap or repeat", async () => {
  const { alice, id } = await openDirect();
  const phone = newDeviceId();
  const send = (n: number) =>
    conversation(id).append(alice, {
      commands: Array.from({ length: n }, (_, i) => command(alice, phone, `${i}`)),
      aloneAs: 1,
      confirmed: [],
      call: nextCall(),
    });
  await send(5);
  await runDurableObjectAlarm(stubOf(id));
  await send(3);
  const page = await conversation(id).history(alice, { after: 2, limit: 5 }, false);
  if (!page.ok) throw new Error("refused");
  expect(page.value.history).toEqual([[3, 5]]);
  expect(page.value.bodies.map((b) => JSON.parse(b).seq)).toEqual([6, 7]);
  expect(page.value.hasMore).toBe(true);
  const shard = page.value.shard === "HISTORY_0" ? bindings.HISTORY_0 : bindings.HISTORY_1;
  const { results } = await shard
    .prepare("SELECT seq FROM events WHERE conversation_id = ? ORDER BY seq")
    .bind(id)
    .all();
  expect(results.map((r) => r.seq)).toEqual([1, 2, 3, 4, 5]);
});

test("[DL-4] [DL-5] a reply counts as delivered only for a user who is alone, and has been since their newest device looked", async () => {
  const { alice, id } = await openDirect();
  const told: string[] = [];
  await runInDurableObject(stubOf(id), (object) => {
    Object.assign(object, {
      deliver: async (userId: string, after: number, through: number) => {
        if (userId === alice) told.push(`${after}-${through}`);
        return { parked: false };
      },
    });
  });
  const send = async (aloneAs: number | null) => {
    await conversation(id).append(alice, {
      commands: [command(alice, newDeviceId(), "x")],
      aloneAs,
      confirmed: [],
      call: nextCall(),
    });
    await runDurableObjectAlarm(stubOf(id));
  };
  await send(1);
  expect(told).toEqual([]);
  await conversation(id).attend(alice, { devices: 2, held: null });
  await evictDurableObject(stubOf(id)); // what has looked is remembered for good
  await runInDurableObject(stubOf(id), (object) => {
    const deliver = async (_: string, after: number, through: number) => {
      told.push(`${after}-${through}`);
      return null;
    };
    Object.assign(object, {
      deliverer: { deliver, ringTheSilent: async () => {}, nextDoubtAt: () => null, ease: async () => {} },
    });
  });
  await send(1);
  expect(told.filter((t) => t === "1-2")).toHaveLength(2); // to bob, and to alice's own inbox
  told.length = 0;
  await send(2);
  expect(told).toEqual(["2-3"]); // to bob alone
  told.length = 0;
  await send(null);
  expect(told).toHaveLength(2);
});

test("[DL-2] an alarm that fails rings again by itself", async () => {
  const { alice, id } = await openDirect();
  await conversation(id).append(alice, {
    commands: [command(alice, newDeviceId(), "x")],
    aloneAs: 1,
    confirmed: [],
    call: nextCall(),
  });
  await runInDurableObject(stubOf(id), async (object, state) => {
    const saveCheckpoint = () => {
      throw new Error("disk is full");
    };
    Reflect.set(object, "saveCheckpoint", saveCheckpoint);
    await object.alarm();
    expect(await state.storage.getAlarm()).toBeGreaterThan(Date.now());
    Reflect.deleteProperty(object, "saveCheckpoint");
  });
  await runDurableObjectAlarm(stubOf(id));
  await evictDurableObject(stubOf(id));
  await runInDurableObject(stubOf(id), async (_, state) => {
    expect(await state.storage.getAlarm()).toBeNull(); // everything is settled, and known to be
  });
});

test("[SD-3] a call that was overtaken by a later one is not carried out", async () => {
  const { maker, members, id } = await openGroup(2);
  const bob = members[1] as UserId;
  const request = { commands: [command(bob, newDeviceId(), "late")], aloneAs: null, confirmed: [] };
  const [early, late] = [nextCall(), nextCall()];
  await conversation(id).removeMember({ actorId: maker, userId: bob });
  expect(await conversation(id).append(bob, { ...request, call: late })).toMatchObject([{ code: "not_member" }]);
  await conversation(id).putMember({ actorId: maker, userId: bob, role: "member" });
  expect(await conversation(id).append(bob, { ...request, call: early })).toMatchObject([{ code: "unavailable" }]);
  expect(await conversation(id).append(bob, { ...request, call: nextCall() })).toMatchObject([{ ok: true }]);
});
