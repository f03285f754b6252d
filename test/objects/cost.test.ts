import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterAll, expect, test, vi } from "vitest";
import { Conversation } from "../../src/objects/conversation.ts";
import type { Env } from "../../src/platform/env.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
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

/**
 * What an act costs, counted where it is billed: rows of the objects' cursors and of D1's `meta`, one for each `setAlarm`, and a request
 * for each call of an object, each alarm, and each twentieth frame that comes in on a socket.
 */
const FRAMES_PER_REQUEST = 20;
const bill = { rows: 0, calls: 0, alarms: 0, frames: 0 };
const acts: { act: string; rows: number; requests: number }[] = [];

type Innards = {
  env: Env;
  store: { sql: SqlStorage };
  clock: { storage: DurableObjectStorage };
};

/** Puts meters on an object that is in memory. */
const meter = (stub: DurableObjectStub) =>
  runInDurableObject(stub, (object) => {
    const innards = object as unknown as Innards;
    innards.store.sql = countingSql(innards.store.sql);
    const env = countingEnv(innards.env);
    for (const part of [innards, ...Object.values(innards)] as { env?: Env }[]) if (part?.env) part.env = env;
    innards.clock.storage = countingAlarms(innards.clock.storage);
  });

const countingSql = (sql: SqlStorage) =>
  new Proxy(sql, {
    get: (target, key) => {
      if (key !== "exec") return Reflect.get(target, key);
      return (query: string, ...bindings: unknown[]) => {
        const cursor = target.exec(query, ...bindings);
        bill.rows += cursor.rowsWritten;
        return cursor;
      };
    },
  });

const countingAlarms = (storage: DurableObjectStorage) =>
  new Proxy(storage, {
    get: (target, key) => {
      if (key === "setAlarm") bill.rows += 1;
      const value = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });

function countingEnv(env: Env): Env {
  const namespace = (real: { getByName(name: string): object }) => ({
    getByName: (name: string) =>
      new Proxy(real.getByName(name), {
        get:
          (stub, method) =>
          (...args: unknown[]) => {
            bill.calls += 1;
            return (Reflect.get(stub, method) as (...a: unknown[]) => unknown)(...args);
          },
      }),
  });
  const database = (real: D1Database) => ({
    prepare: (query: string) => real.prepare(query),
    batch: async (statements: D1PreparedStatement[]) => {
      const results = await real.batch(statements);
      for (const { meta } of results) bill.rows += meta.rows_written;
      return results;
    },
  });
  const { CONVERSATIONS, INBOXES, HISTORY_0, HISTORY_1 } = env;
  return {
    ...env,
    CONVERSATIONS: namespace(CONVERSATIONS),
    INBOXES: namespace(INBOXES),
    HISTORY_0: database(HISTORY_0),
    HISTORY_1: database(HISTORY_1),
  } as unknown as Env;
}

async function costOf(act: string, per: number, run: () => Promise<void>): Promise<{ rows: number; requests: number }> {
  Object.assign(bill, { rows: 0, calls: 0, alarms: 0, frames: 0 });
  await run();
  const requests = bill.calls + bill.alarms + bill.frames / FRAMES_PER_REQUEST;
  const counted = { act, rows: round(bill.rows / per), requests: round(requests / per) };
  acts.push(counted);
  return counted;
}
const round = (n: number) => Math.round(n * 100) / 100;

async function settle(id: ConversationId): Promise<void> {
  if (await runDurableObjectAlarm(bindings.CONVERSATIONS.getByName(id))) bill.alarms += 1;
}

/** People with caught-up devices and an opened conversation that has been talked in, all of it metered. */
async function pair(devices: number) {
  const { alice, bob, id } = await openDirect();
  const open = (userId: UserId) =>
    Promise.all(Array.from({ length: devices }, () => TestSocket.caughtUp(userId, newDeviceId())));
  const [alices, bobs] = [await open(alice), await open(bob)];
  const [phone, bobsPhone] = [alices[0] as TestSocket, bobs[0] as TestSocket];
  await phone.say(id, "warm up");
  await bobsPhone.waitFor("events");
  await runDurableObjectAlarm(bindings.CONVERSATIONS.getByName(id));
  // Every device is handed the newest cursor: from here on the next message writes the index rows again, as after a quiet minute.
  for (const userId of [alice, bob]) await handOut(userId);
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
  const { rows } = await costOf("1:1 message, lone, receipts and history included", 1, () => talk(people, 1));
  expect(rows).toBeLessThanOrEqual(5);
});

test("[CO-1] in a burst of 20: at most 2.3 rows and 4 requests a message", async () => {
  const people = await pair(1);
  const { rows, requests } = await costOf("1:1 message, in a burst of 20", 20, () => talk(people, 20));
  expect(rows).toBeLessThanOrEqual(2.3);
  expect(requests).toBeLessThanOrEqual(4);
});

test("[CO-1] two devices each, in a burst of 20: at most 2.3 rows and 4 requests a message", async () => {
  const people = await pair(2);
  const { rows, requests } = await costOf("1:1 message, in a burst of 20, two devices each", 20, () =>
    talk(people, 20),
  );
  expect(rows).toBeLessThanOrEqual(2.3);
  expect(requests).toBeLessThanOrEqual(4);
});

test("what a lone message costs with two devices each is told, too", async () => {
  const people = await pair(2);
  const { rows } = await costOf("1:1 message, lone, two devices each", 1, () => talk(people, 1));
  expect(rows).toBeLessThanOrEqual(6);
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
  const online = await costOf("group message, whole, 50 members online", 1, async () => {
    await phone.say(id, "hello");
    await everybodyHas(2);
    bill.frames += 1;
  });
  // The message itself: one row in the log and one for the alarm, and one call to append it.
  expect(online.rows).toBeLessThanOrEqual(2);
  expect(online.requests).toBeLessThanOrEqual(1 + sends + 50);
  acts.push({ act: "group message, each online member", rows: 0, requests: round((online.requests - 1 - sends) / 50) });
  await settle(id);
  for (const socket of others) socket.socket.close(1000);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await phone.say(id, "is anybody there?"); // everybody answers `parked`
  await new Promise((resolve) => setTimeout(resolve, 200));
  await settle(id);
  const parked = await costOf("group message, whole, 50 members parked", 1, async () => {
    await phone.say(id, "nobody");
    await new Promise((resolve) => setTimeout(resolve, 200));
    bill.frames += 1;
  });
  expect(parked.rows).toBeLessThanOrEqual(2);
  expect(parked.requests).toBeLessThanOrEqual(1 + sends);
  acts.push({ act: "group message, each parked member", rows: 0, requests: round((parked.requests - 1 - sends) / 50) });
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
  const cost = await costOf(`group message, ${size} members online, receipts and history included`, 2, async () => {
    for (const words of ["one", "two"]) {
      const { seq } = (await phone.say(id, words)) as { seq: number };
      await everybodyHas(words);
      for (const socket of others) socket.send({ type: "receipt", conversationId: id, delivered: seq, read: seq });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    bill.frames += 2 * size;
    await settle(id);
  });
  const receipts = calls.mock.calls.length / 2;
  acts.push({
    act: `  of these: calls that bring the receipts of ${size - 1} readers`,
    rows: 0,
    requests: round(receipts),
  });
  expect(receipts).toBeLessThanOrEqual(size > LIMITS.receiptMembers ? 0 : size - 1);
  for (const socket of sockets) socket.socket.close(1000);
  return cost;
}

test("[CO-4] receipts write nothing a message, and above 256 members make no calls of their own", async () => {
  // A thousand sockets take a slow machine more than the minute after which cursors are handed out anew: `npm run bench:cost` does it.
  for (const size of process.env.BENCH ? [10, 100, 1_000] : [10, 100, 300]) {
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
  const ring = await costOf(
    "1:1 message to an offline peer who is rung, history included (and the push)",
    1,
    async () => {
      await phone.say(id, "ring");
      await until(() => pushes === 1);
      bill.frames += 1;
      await settle(id);
    },
  );
  expect(ring.rows).toBeLessThanOrEqual(5);
  expect(ring.requests).toBeLessThanOrEqual(4);
  const watch = await costOf("presence: one lease of a minute", 1, async () => {
    await phone.ask({ type: "watch", userIds: [bob] });
    bill.frames += 1;
  });
  expect(watch).toMatchObject({ rows: 1, requests: 1.05 });
  const bobs = await TestSocket.open(bob, device);
  const arrive = await costOf("presence: a time online begins and ends, one watcher told", 1, async () => {
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
  const idle = await costOf("heartbeat, answered by the runtime", 1, async () => {
    phone.socket.send("ping");
    await new Promise((resolve) => setTimeout(resolve, 50));
  });
  expect(idle).toMatchObject({ rows: 0, requests: 0 });
});

afterAll(() => {
  for (const { act, rows, requests } of acts) console.log(`COST ${JSON.stringify({ act, rows, requests })}`);
});
