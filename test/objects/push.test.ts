import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import type { PushJob, Subscription } from "../../src/domain/push.ts";
import type { Inbox } from "../../src/objects/inbox.ts";
import type { ConversationId, DeviceId, UserId } from "../../src/protocol/ids.ts";
import {
  bindings,
  command,
  conversation,
  inbox,
  newDeviceId,
  newUserId,
  openDirect,
  openGroup,
  read,
  TestSocket,
  text,
  until,
} from "./support.ts";

const stubOf = (userId: UserId): DurableObjectStub<Inbox> => bindings.INBOXES.getByName(userId);
const endpoint = (deviceId: DeviceId): Subscription => ({
  endpoint: { provider: "web", url: `https://push.example/${deviceId}`, p256dh: "p", auth: "a" },
  preview: true,
});
type Ringing = { ringer: { env: object; ring(r: object, now: number): Promise<boolean> } };

/** A queue in the place of the real one: what an inbox puts there, in order. */
async function listen(userId: UserId, failing: { times: number } = { times: 0 }): Promise<PushJob[]> {
  const jobs: PushJob[] = [];
  await runInDurableObject(stubOf(userId), (object) => {
    const sendBatch = async (batch: { body: PushJob }[]) => {
      if (failing.times-- > 0) throw new Error("the queue is away");
      jobs.push(...batch.map(({ body }) => body));
    };
    const { ringer } = object as unknown as Ringing;
    ringer.env = { ...bindings, PUSHES: { sendBatch } };
  });
  return jobs;
}

async function subscribed(userId: UserId, ...deviceIds: DeviceId[]): Promise<PushJob[]> {
  for (const deviceId of deviceIds)
    expect(await inbox(userId).putSubscription(userId, deviceId, endpoint(deviceId))).toMatchObject({ ok: true });
  return listen(userId);
}
const settle = (id: ConversationId) => runDurableObjectAlarm(bindings.CONVERSATIONS.getByName(id));
const say = async (id: ConversationId, userId: UserId, words: string, mentions: UserId[] = []) => {
  const wish = command(userId, newDeviceId(), words);
  const content = { ...text(words).content, ...(mentions.length > 0 ? { mentions } : {}) };
  const sent = await inbox(userId).send(id, { ...wish, event: { kind: "message", content } });
  if (!sent.ok) throw new Error(sent.code);
  return sent.value.seq;
};
const mode = (id: ConversationId, userId: UserId) =>
  runInDurableObject(bindings.CONVERSATIONS.getByName(id), (object) => {
    const { fanout } = object as unknown as { fanout: { stateOf(u: UserId): { mode: string } | undefined } };
    return fanout.stateOf(userId)?.mode;
  });

test("[PU-1] [PU-5] a message rings each device that wants it and is not connected, once, with what the list counts", async () => {
  const { alice, bob, id } = await openDirect();
  const [phone, tablet, laptop] = [newDeviceId(), newDeviceId(), newDeviceId()];
  const jobs = await subscribed(bob, phone, tablet, laptop);
  const live = await TestSocket.caughtUp(bob, laptop);
  await say(id, alice, "one");
  await until(() => jobs.length === 2);
  await say(id, alice, "two");
  await until(() => jobs.length === 4);
  expect(new Set(jobs.map((job) => job.deviceId))).toEqual(new Set([phone, tablet]));
  expect(jobs.filter((job) => job.deviceId === phone)).toMatchObject([
    { kind: "message", userId: bob, conversationId: id, seq: 1, unread: 1, preview: { senderId: alice, text: "one" } },
    { kind: "message", seq: 2, unread: 2, preview: { text: "two" }, endpoint: endpoint(phone).endpoint },
  ]);
  expect(live.texts).toEqual(["one", "two"]);
  const bell = { seq: 2, senderId: alice, unread: 2, mentioned: false };
  expect(await inbox(bob).ring({ userId: bob, conversationId: id, bell, silentMs: null })).toBe("none");
  expect(jobs).toHaveLength(4);
  // One's own message rings nobody, not even one's own devices.
  const own = await subscribed(alice, newDeviceId());
  await say(id, alice, "three");
  await until(() => jobs.length === 6);
  expect(own).toEqual([]);
});

test("[PU-1] a queue that fails delays the push; it is not lost", async () => {
  const { alice, bob, id } = await openDirect();
  await subscribed(bob, newDeviceId());
  const failing = { times: 2 };
  const jobs = await listen(bob, failing);
  await say(id, alice, "ring");
  await until(() => failing.times <= 0);
  await until(async () => (await mode(id, bob)) === "lagging");
  expect(jobs).toEqual([]);
  await conversation(id).attend(bob, { devices: 1, held: null });
  await until(() => jobs.length === 1);
});

test("[PU-2] [PU-3] [PU-4] a muted conversation neither rings nor calls; a mention goes through if I let it; unmuted it rings again", async () => {
  const { maker, members, id } = await openGroup(3);
  const bob = members[1] as UserId;
  const jobs = await subscribed(bob, newDeviceId());
  const hour = Date.now() + 3_600_000;
  expect(await inbox(bob).setMine(bob, id, { mutedUntil: hour })).toMatchObject({
    value: { mutedUntil: hour, mentionsPierce: false },
  });
  await say(id, maker, "quiet");
  await until(async () => (await mode(id, bob)) === "parked");
  await say(id, maker, "@bob", [bob]);
  expect(await mode(id, bob)).toBe("parked");
  await inbox(bob).setMine(bob, id, { mentionsPierce: true });
  await say(id, maker, "still quiet");
  await until(async () => (await mode(id, bob)) === "parked");
  const seq = await say(id, maker, "@bob again", [bob]);
  await until(() => jobs.length === 1);
  expect(jobs).toMatchObject([{ seq, unread: 4, preview: { title: "Group", text: "@bob again" } }]);
  await inbox(bob).setMine(bob, id, { mutedUntil: null });
  await say(id, maker, "loud");
  await until(() => jobs.length === 2);
  const stranger = newUserId();
  expect(await inbox(stranger).setMine(stranger, id, { pinned: true })).toMatchObject({ code: "not_found" });
});

test("[PU-6] what is read on one device takes down what rang on the others, and only what rang", async () => {
  const { alice, bob, id } = await openDirect();
  const [phone, laptop] = [newDeviceId(), newDeviceId()];
  const jobs = await subscribed(bob, phone);
  const seq = await say(id, alice, "look");
  await until(() => jobs.length === 1);
  const live = await TestSocket.caughtUp(bob, laptop);
  live.send({ type: "receipt", conversationId: id, delivered: seq });
  live.send({ type: "receipt", conversationId: id, read: seq });
  await until(() => jobs.length === 2);
  expect(jobs[1]).toMatchObject({ kind: "read", deviceId: phone, seq, unread: 0 });
  expect(jobs[1]).not.toHaveProperty("preview");
  await inbox(bob).setMine(bob, id, { mutedUntil: Date.now() + 3_600_000 });
  const next = await say(id, alice, "muted now");
  await until(() => live.texts.length === 1);
  live.send({ type: "receipt", conversationId: id, read: next });
  await until(async () => {
    const seen = await conversation(id).describe(bob);
    return seen.ok && seen.value.mine.read === next;
  });
  expect(jobs).toHaveLength(2);
});

test("[PU-7] a device that was told on its socket and gives no sign of life is rung", async () => {
  const { alice, bob, id } = await openDirect();
  const [phone, laptop] = [newDeviceId(), newDeviceId()];
  const jobs = await subscribed(bob, phone, laptop);
  await TestSocket.caughtUp(bob, phone);
  await TestSocket.caughtUp(bob, laptop);
  const before = Date.now();
  await runInDurableObject(stubOf(bob), (object) => {
    type Peek = { heardAt(s: WebSocket): number; of(s: WebSocket): { deviceId: DeviceId } };
    const { sockets } = object as unknown as { sockets: Peek };
    // The laptop pings on; of the phone nothing is heard any more.
    sockets.heardAt = (socket) => (sockets.of(socket).deviceId === phone ? before : Date.now());
  });
  await say(id, alice, "can you hear me?");
  await until(async () => (await mode(id, bob)) === "idle");
  await settle(id);
  if (Date.now() - before < 3_000) expect(jobs).toEqual([]); // too early to tell
  await new Promise((resolve) => setTimeout(resolve, 3_200));
  await settle(id);
  await until(() => jobs.length === 1);
  expect(jobs).toMatchObject([{ deviceId: phone, seq: 1, unread: 1 }]);
  await settle(id);
  const acked = await say(id, alice, "acked");
  await conversation(id).receipt(bob, read(acked));
  await new Promise((resolve) => setTimeout(resolve, 3_200));
  await settle(id);
  expect(jobs).toHaveLength(1);
});

test("[PU-8] [SO-3] who subscribes while conversations are parked is rung by them; who is signed out, or whose endpoint is gone, is not", async () => {
  const { alice, bob, id } = await openDirect();
  const [phone, tablet] = [newDeviceId(), newDeviceId()];
  await say(id, alice, "nobody there");
  await until(async () => (await mode(id, bob)) === "parked");
  const jobs = await subscribed(bob, phone, tablet);
  await say(id, alice, "now");
  await until(() => jobs.length === 2);
  const known = endpoint(tablet).endpoint;
  await inbox(bob).endpointGone(tablet, { ...known, url: "https://push.example/older" } as typeof known);
  await say(id, alice, "both");
  await until(() => jobs.length === 4);
  await inbox(bob).endpointGone(tablet, known);
  await say(id, alice, "one");
  await until(() => jobs.length === 5);
  await inbox(bob).revoke(phone);
  expect(await inbox(bob).putSubscription(bob, phone, endpoint(phone))).toMatchObject({ code: "device_revoked" });
  await say(id, alice, "none");
  await until(async () => (await mode(id, bob)) === "parked");
  expect(jobs.map((job) => job.deviceId)).toEqual([phone, tablet, phone, tablet, phone]);
});
