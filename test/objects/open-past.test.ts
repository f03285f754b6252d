import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import type { PushJob } from "../../src/domain/push.ts";
import { bellFor } from "../../src/objects/bells.ts";
import type { ConversationState } from "../../src/objects/conversation-state.ts";
import type { Standing } from "../../src/objects/rpc.ts";
import type { ConversationId, DeviceId, UserId } from "../../src/protocol/ids.ts";
import {
  bindings,
  command,
  conversation,
  inbox,
  newDeviceId,
  newUserId,
  nextCall,
  openGroup,
  read,
  TestSocket,
  text,
  until,
  VISIT,
} from "./support.ts";

const stubOf = (id: ConversationId) => bindings.CONVERSATIONS.getByName(id);
const asleep = (id: ConversationId) => evictDurableObject(stubOf(id)).catch(() => {});
/** With what was received written down. */
const settled = async (id: ConversationId) => {
  await runDurableObjectAlarm(stubOf(id));
  await asleep(id);
};
const append = async (id: ConversationId, userId: UserId, count: number, deviceId = newDeviceId()): Promise<number> => {
  const commands = Array.from({ length: count }, (_, i) => command(userId, deviceId, `${i}`));
  const acks = await conversation(id).append(userId, { commands, aloneAs: 1, confirmed: [], call: nextCall() });
  const last = acks.at(-1);
  if (!last?.ok) throw new Error("not appended");
  return last.value.ack.seq;
};
const say = async (id: ConversationId, userId: UserId, words: string, replyTo?: number) => {
  const { event, ...wish } = command(userId, newDeviceId(), words);
  const content = { ...text(words).content, ...(replyTo === undefined ? {} : { replyTo }) };
  const sent = await inbox(userId).send(id, { ...wish, event: { ...event, content } });
  if (!sent.ok) throw new Error(sent.code);
  return sent.value.seq;
};
const open = (id: ConversationId, maker: UserId) => conversation(id).set(maker, { history: "all" });
const add = (id: ConversationId, actorId: UserId, userId: UserId) =>
  conversation(id).putMember({ actorId, userId, role: "member" });
const standing = async (id: ConversationId, userId: UserId): Promise<Standing> => {
  const answer = await conversation(id).standing(userId, null);
  if (!answer.ok) throw new Error(answer.code);
  return answer.value;
};

test("[UN-3] [GR-13] [GR-14] who joins a group of 10,000 messages has none of them unread, reads all, and holds up no ticks", async () => {
  const { maker, members, id } = await openGroup(2);
  const bob = members[1] as UserId;
  const device = newDeviceId();
  for (let i = 0; i < 20; i++) await append(id, maker, 500, device);
  await conversation(id).receipt(bob, read(10_000));
  await open(id, maker);
  const { head: before } = await standing(id, maker);
  await conversation(id).receipt(bob, read(before));
  const dan = newUserId();
  await add(id, maker, dan);
  for (const nap of [false, true]) {
    if (nap) await settled(id);
    expect(await standing(id, dan)).toMatchObject({ floor: 1, head: before + 1, unread: 0, readSeq: before });
    expect((await standing(id, maker)).ticks).toEqual({ delivered: before, read: before });
  }
  await append(id, maker, 3, device);
  expect(await standing(id, dan)).toMatchObject({ unread: 3, readSeq: before });
  let [after, pulled] = [0, 0];
  for (;;) {
    const page = await conversation(id).pull(dan, VISIT, after, 1_000);
    if (!page.ok) throw new Error(page.code);
    expect(page.value.floor).toBe(1);
    const seqs = page.value.bodies.map((body) => JSON.parse(body).seq as number);
    if (seqs.length === 0) break;
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => after + i + 1));
    after = seqs.at(-1) as number;
    pulled += seqs.length;
  }
  expect(pulled).toBe(before + 4);
  await conversation(id).receipt(dan, read(before + 2));
  expect(await standing(id, dan)).toMatchObject({ unread: 2, readSeq: before + 2 });
}, 120_000);

test("[GR-14] receipts and traces of what was said before a newcomer are of those who were in", async () => {
  const { maker, members, id } = await openGroup(2);
  const bob = members[1] as UserId;
  const old = await say(id, maker, "old");
  await conversation(id).receipt(bob, read(old));
  await open(id, maker);
  const dan = newUserId();
  await add(id, maker, dan);
  await settled(id);
  const mine = await say(id, maker, "for all three");
  const traced = async (seq: number) => {
    const trace = await conversation(id).traceEvent(maker, seq);
    return trace.ok ? trace.value.members.map(({ userId }) => userId).sort() : trace.code;
  };
  expect(await traced(old)).toEqual([bob]);
  expect(await traced(mine)).toEqual([bob, dan].sort());
  expect(await inbox(maker).eventReceipts(maker, id, old)).toMatchObject({ value: { memberCount: 1, readCount: 1 } });
  await conversation(id).receipt(dan, { marks: { delivered: mine }, shows: "everyone" });
  expect(await traced(old)).toEqual([bob]); // also once they have looked it up
  const replied = await say(id, dan, "about that", old);
  expect((await conversation(id).traceEvent(dan, old)).ok).toBe(false);
  expect(await conversation(id).traceEvent(dan, replied)).toMatchObject({ ok: true });
});

test("[GR-14] the past is not delivered to a newcomer and rings nobody; what follows their coming is and does", async () => {
  const { maker, id } = await openGroup(1);
  for (let i = 0; i < 5; i++) await say(id, maker, `old ${i}`);
  await open(id, maker);
  const [dan, tablet, phone] = [newUserId(), newDeviceId(), newDeviceId()];
  const jobs = await listen(dan, tablet);
  const device = await TestSocket.caughtUp(dan, phone);
  await add(id, maker, dan);
  await until(() => device.of("events").length > 0);
  await asleep(id);
  const news = await say(id, maker, "news");
  await runDurableObjectAlarm(stubOf(id));
  await until(() => device.texts.includes("news"));
  const delivered = device.of("events").flatMap(({ events }) => events.map(({ seq }) => seq));
  expect(Math.min(...delivered)).toBe(news - 1); // their own coming
  await until(() => jobs.length > 0);
  expect(jobs.map((job) => job.seq)).toEqual([news]);
  expect(jobs).toMatchObject([{ unread: 1 }]);
});

test("[GR-14] no bell is made of the past, also not for a device that gives no sign, and its authors hear of nobody who looks it up", async () => {
  const { maker, members, id } = await openGroup(2);
  const bob = members[1] as UserId;
  await say(id, bob, "long ago");
  await open(id, maker);
  const dan = newUserId();
  await add(id, maker, dan);
  const { head } = await standing(id, dan);
  const bells = (from: number, to: number) =>
    runInDurableObject(stubOf(id), (object) => {
      const { state } = (object as unknown as { ledger: { state: ConversationState } }).ledger;
      return bellFor(state, dan, from, to);
    });
  expect(await bells(1, head)).toBeNull();
  const news = await say(id, maker, "news");
  expect(await bells(1, news)).toMatchObject({ seq: news, unread: 1, mentioned: false });
  const [makers, bobs] = [
    await TestSocket.caughtUp(maker, newDeviceId()),
    await TestSocket.caughtUp(bob, newDeviceId()),
  ];
  await conversation(id).receipt(dan, { marks: { delivered: news }, shows: "everyone" });
  await until(() => makers.of("receipts").length > 0);
  await say(id, bob, "now");
  await until(() => makers.texts.includes("now"));
  expect(bobs.of("receipts")).toEqual([]);
});

test("[UN-3] a device that is there when its person is added learns where their reading begins before it pulls the past", async () => {
  const { maker, id } = await openGroup(1);
  for (let i = 0; i < 3; i++) await say(id, maker, `old ${i}`);
  await open(id, maker);
  const dan = newUserId();
  const device = await TestSocket.caughtUp(dan, newDeviceId());
  await add(id, maker, dan);
  await until(() => device.of("events").length > 0);
  const page = await device.ask({ type: "pull", conversationId: id, after: 0 });
  expect(page).toMatchObject({ type: "page", floor: 1, head: 6 });
  const [summary] = device.of("changed").at(-1)?.conversations ?? [];
  expect(summary).toMatchObject({ conversationId: id, unread: 0, readSeq: 5, memberCount: 2 });
  const order = device.frames.map(({ type }) => type);
  expect(order.lastIndexOf("changed")).toBeLessThan(order.indexOf("page"));
});

test("[GR-13] who comes back keeps what they had with its gap, and who is in gets no more, however the setting stands", async () => {
  const { maker, members, id } = await openGroup(2);
  const bob = members[1] as UserId;
  const dan = newUserId();
  await say(id, maker, "before dan");
  await add(id, maker, dan);
  await open(id, maker);
  const floor = (await standing(id, dan)).floor;
  expect(floor).toBe(4);
  const seen = await say(id, maker, "with dan");
  await conversation(id).removeMember({ actorId: maker, userId: dan });
  await conversation(id).removeMember({ actorId: bob, userId: bob });
  const missed = await say(id, maker, "without them");
  for (const userId of [dan, bob]) await add(id, maker, userId);
  await asleep(id);
  const seqs = async (userId: UserId) => {
    const page = await conversation(id).pull(userId, VISIT, 0, 100);
    return page.ok ? page.value.bodies.map((body) => JSON.parse(body).seq as number) : [];
  };
  const [dans, bobs] = [await seqs(dan), await seqs(bob)];
  expect([dans.includes(seen), dans.includes(missed), dans[0]]).toEqual([true, false, floor]);
  expect([bobs[0], bobs.includes(missed)]).toEqual([2, false]);
  const eve = newUserId();
  await add(id, maker, eve);
  await conversation(id).set(maker, { history: "joined" });
  expect((await standing(id, eve)).floor).toBe(1); // what was opened stays open
  expect((await seqs(eve)).length).toBe((await standing(id, eve)).head);
});

test("[GR-13] a store of before there was anything to open reads on", async () => {
  const { maker, id } = await openGroup(2);
  await say(id, maker, "hello");
  const tables = () =>
    runInDurableObject(stubOf(id), (_, state) =>
      state.storage.sql
        .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name IN ('opened', 'requests')")
        .toArray()
        .map(({ name }) => name),
    );
  expect(await tables()).toEqual([]); // made for the groups that need them
  await asleep(id);
  await open(id, maker);
  await add(id, maker, newUserId());
  expect(await tables()).toEqual(["opened"]);
});

/** A device that wants pushes, and what is queued for it. */
async function listen(userId: UserId, deviceId: DeviceId): Promise<PushJob[]> {
  const jobs: PushJob[] = [];
  const endpoint = { provider: "web" as const, url: `https://push.example/${deviceId}`, p256dh: "p", auth: "a" };
  await inbox(userId).putSubscription(userId, deviceId, { endpoint, preview: true });
  await runInDurableObject(bindings.INBOXES.getByName(userId), (object) => {
    const sendBatch = async (batch: { body: PushJob }[]) => void jobs.push(...batch.map(({ body }) => body));
    Reflect.set(Reflect.get(object, "ringer"), "env", { ...bindings, PUSHES: { sendBatch } });
  });
  return jobs;
}
