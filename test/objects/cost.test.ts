import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { Conversation } from "../../src/objects/conversation.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { bill, costOf, FRAMES_PER_REQUEST, meter, round, settle, tell } from "./meters.ts";
import {
  bindings,
  conversation,
  inbox,
  newDeviceId,
  openDirect,
  openGroup,
  TestSocket,
  until,
  VISIT,
} from "./support.ts";

/** People with caught-up devices and an opened conversation that has been talked in, all of it metered. */
async function pair(devices: number) {
  const { alice, bob, id } = await openDirect();
  const open = (userId: UserId) =>
    Promise.all(Array.from({ length: devices }, () => TestSocket.caughtUp(userId, newDeviceId())));
  const [alices, bobs] = [await open(alice), await open(bob)];
  const [phone, bobsPhone] = [alices[0] as TestSocket, bobs[0] as TestSocket];
  for (const seq of [1, 2]) {
    await phone.say(id, "warm up");
    await bobsPhone.waitFor("events", seq);
    bobsPhone.send({ type: "receipt", conversationId: id, delivered: seq, read: seq });
    await until(() => phone.of("receipts").at(-1)?.receipts[0]?.read === seq);
    await runDurableObjectAlarm(bindings.CONVERSATIONS.getByName(id));
    // Every device is handed the newest cursor: from here on the next message writes the index rows again, as after a quiet minute. The first
    // ticks after it put the conversation into the row that outlives a crash. [IX-8]
    for (const userId of [alice, bob]) await handOut(userId);
  }
  await meter(bindings.CONVERSATIONS.getByName(id));
  await meter(bindings.INBOXES.getByName(alice));
  await meter(bindings.INBOXES.getByName(bob));
  return { id, phone, bobsPhone };
}

const handOut = (userId: UserId) =>
  runInDurableObject(bindings.INBOXES.getByName(userId), (object) => {
    const { index, store } = object as unknown as { index: { handed: number }; store: { top: number } };
    index.handed = store.top;
  });

/** Sends `count` messages; the peer has each delivered and read, at the end once when they come in a burst. */
async function talk({ id, phone, bobsPhone }: Awaited<ReturnType<typeof pair>>, count: number): Promise<void> {
  const before = bobsPhone.texts.length;
  await Promise.all(Array.from({ length: count }, (_, i) => phone.say(id, `${i}`)));
  await until(() => bobsPhone.texts.length === before + count);
  const seq = bobsPhone.of("events").at(-1)?.events.at(-1)?.seq as number;
  bobsPhone.send({ type: "receipt", conversationId: id, delivered: seq, read: seq });
  await until(() => phone.of("receipts").at(-1)?.receipts[0]?.read === seq);
  await settle(id);
  bill.frames += count + 1;
}

test("[CO-1] a lone 1:1 message to an online peer, receipts and its D1 row included: at most 5 rows", async () => {
  const people = await pair(1);
  const { rows } = await costOf("1:1 message, lone, receipts and history included", () => talk(people, 1));
  expect(rows).toBeLessThanOrEqual(5);
});

test("[CO-1] in a burst of 20: at most 2.3 rows and 4 requests a message", async () => {
  const people = await pair(1);
  const { rows, requests } = await costOf("1:1 message, in a burst of 20", () => talk(people, 20), 20);
  expect(rows).toBeLessThanOrEqual(2.3);
  expect(requests).toBeLessThanOrEqual(4);
});

test("[CO-1] two devices each, in a burst of 20: at most 2.3 rows and 4 requests a message", async () => {
  const people = await pair(2);
  const { rows, requests } = await costOf(
    "1:1 message, in a burst of 20, two devices each",
    () => talk(people, 20),
    20,
  );
  expect(rows).toBeLessThanOrEqual(2.3);
  expect(requests).toBeLessThanOrEqual(4);
});

test("what a lone message costs with two devices each is told, too", async () => {
  const people = await pair(2);
  const { rows } = await costOf("1:1 message, lone, two devices each", () => talk(people, 1));
  expect(rows).toBeLessThanOrEqual(6);
});

/** The inbox has heard of it that the last socket was closed. */
const isAway = (userId: UserId) =>
  runInDurableObject(bindings.INBOXES.getByName(userId), (_, state) => state.getWebSockets().length === 0);
const areParked = (id: ConversationId, members: readonly UserId[]) =>
  runInDurableObject(bindings.CONVERSATIONS.getByName(id), (object) => {
    const { fanout } = object as unknown as { fanout: { stateOf(u: UserId): { mode: string } | undefined } };
    return members.every((userId) => fanout.stateOf(userId)?.mode === "parked");
  });

test("[CO-2] a group message costs an online member one request and no row; a parked one nothing", async () => {
  const { maker, members, id } = await openGroup(51);
  const sockets = await Promise.all(members.map((m) => TestSocket.caughtUp(m, newDeviceId())));
  const phone = sockets[members.indexOf(maker)] as TestSocket;
  const others = sockets.filter((s) => s !== phone);
  const everybodyHas = (n: number) =>
    until(() => others.every((s) => s.texts.filter((t) => t !== "member").length === n));
  await phone.say(id, "warm up");
  await everybodyHas(1);
  await settle(id);
  await meter(bindings.CONVERSATIONS.getByName(id));
  for (const userId of members) await meter(bindings.INBOXES.getByName(userId));
  const sends = 1 / FRAMES_PER_REQUEST;
  const online = await costOf("group message, whole, 50 members online", async () => {
    await phone.say(id, "hello");
    await everybodyHas(2);
    bill.frames += 1;
  });
  // The message itself: one row in the log and one for the alarm, and one call to append it.
  expect(online.rows).toBeLessThanOrEqual(2);
  expect(online.requests).toBeLessThanOrEqual(1 + sends + 50);
  tell("group message, each online member", { rows: 0, requests: round((online.requests - 1 - sends) / 50) });
  await settle(id);
  for (const socket of others) socket.socket.close(1000);
  const away = members.filter((member) => member !== maker);
  for (const userId of away) await until(() => isAway(userId));
  await phone.say(id, "is anybody there?"); // everybody answers `parked`
  await until(() => areParked(id, away));
  await settle(id);
  const parked = await costOf("group message, whole, 50 members parked", async () => {
    await phone.say(id, "nobody");
    await new Promise((resolve) => setTimeout(resolve, 200));
    bill.frames += 1;
  });
  expect(parked.rows).toBeLessThanOrEqual(2);
  expect(parked.requests).toBeLessThanOrEqual(1 + sends);
  tell("group message, each parked member", { rows: 0, requests: round((parked.requests - 1 - sends) / 50) });
  expect(await conversation(id).attend(members[1] as UserId, VISIT)).toMatchObject({ ok: true });
});

/** Everybody is online; one speaks, all others have it delivered and read. What it costs in all, and what receipts add. */
async function talkInGroup(size: number): Promise<{ rows: number; requests: number }> {
  const { maker, members, id } = await openGroup(size);
  const sockets = await Promise.all(members.map((m) => TestSocket.caughtUp(m, newDeviceId())));
  const phone = sockets[members.indexOf(maker)] as TestSocket;
  const others = sockets.filter((socket) => socket !== phone);
  const everybodyHas = (words: string) => until(() => others.every((socket) => socket.texts.includes(words)));
  await phone.say(id, "warm up");
  await everybodyHas("warm up");
  await settle(id);
  await meter(bindings.CONVERSATIONS.getByName(id));
  for (const userId of members) await meter(bindings.INBOXES.getByName(userId));
  const calls = vi.spyOn(Conversation.prototype, "receipt").mockClear();
  const cost = await costOf(
    `group message, ${size} members online, receipts and history included`,
    async () => {
      for (const words of ["one", "two"]) {
        const { seq } = (await phone.say(id, words)) as { seq: number };
        await everybodyHas(words);
        for (const socket of others) socket.send({ type: "receipt", conversationId: id, delivered: seq, read: seq });
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
      bill.frames += 2 * size;
      await settle(id);
    },
    2,
  );
  const receipts = calls.mock.calls.length / 2;
  tell(`  of these: calls that bring the receipts of ${size - 1} readers`, { rows: 0, requests: round(receipts) });
  expect(receipts).toBeLessThanOrEqual(size > LIMITS.receiptMembers ? 0 : size - 1);
  for (const socket of sockets) socket.socket.close(1000);
  return cost;
}

test("[CO-4] receipts write nothing a message, and above 256 members make no calls of their own", async () => {
  // A thousand sockets take a slow machine more than the minute after which cursors are handed out anew: `npm run bench:cost` does it.
  for (const size of process.env.BENCH ? [10, 100, 1_000] : [10, 100, LIMITS.receiptMembers + 4]) {
    const { rows, requests } = await talkInGroup(size);
    expect(rows).toBeLessThanOrEqual(4.5); // the log, its history, the alarm and the checkpoint, however many read it
    expect(requests).toBeLessThanOrEqual(size > LIMITS.receiptMembers ? size * 1.1 + 2 : 2.1 * size + 4);
  }
}, 180_000);

test("[CO-5] what a push and a lease on presence cost", async () => {
  const { alice, bob, id } = await openDirect();
  const device = newDeviceId();
  const endpoint = { provider: "fcm" as const, token: "t" };
  await inbox(bob).putSubscription(bob, device, { endpoint, preview: true });
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  await phone.say(id, "warm up");
  await settle(id);
  await handOut(alice);
  await meter(bindings.CONVERSATIONS.getByName(id));
  for (const userId of [alice, bob]) await meter(bindings.INBOXES.getByName(userId));
  let pushes = 0;
  await runInDurableObject(bindings.INBOXES.getByName(bob), (object) => {
    const { ringer } = object as unknown as { ringer: { env: object } };
    const sendBatch = async (batch: unknown[]) => {
      pushes += batch.length;
    };
    ringer.env = { ...ringer.env, PUSHES: { sendBatch } };
  });
  const ring = await costOf("1:1 message to an offline peer who is rung, history included (and the push)", async () => {
    await phone.say(id, "ring");
    await until(() => pushes === 1);
    bill.frames += 1;
    await settle(id);
  });
  expect(ring.rows).toBeLessThanOrEqual(5);
  expect(ring.requests).toBeLessThanOrEqual(4);
  const watch = await costOf("presence: one lease of a minute", async () => {
    await phone.ask({ type: "watch", userIds: [bob] });
    bill.frames += 1;
  });
  expect(watch).toMatchObject({ rows: 1, requests: 1.05 });
  const bobs = await TestSocket.open(bob, device);
  const arrive = await costOf("presence: a time online begins and ends, one watcher told", async () => {
    bobs.send({ type: "hello", version: 1, cursor: null });
    await bobs.waitFor("caught_up");
    await until(() => phone.of("presence").length === 2);
    bobs.socket.close(1000);
    await until(() => bobs.closed !== undefined);
    bill.frames += 2;
  });
  expect(arrive.rows).toBeLessThanOrEqual(4); // it begins, it ends, the alarm for the watcher, the device's first hello
});

test("[CO-3] a heartbeat and an idle device cost nothing; a resume with nothing new writes nothing", async () => {
  const { phone } = await pair(1);
  const idle = await costOf("heartbeat, answered by the runtime", async () => {
    phone.socket.send("ping");
    await new Promise((resolve) => setTimeout(resolve, 50));
  });
  expect(idle).toMatchObject({ rows: 0, requests: 0 });
});
