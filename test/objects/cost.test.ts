import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterAll, expect, test } from "vitest";
import type { Env } from "../../src/platform/env.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import { bindings, conversation, newDeviceId, openDirect, openGroup, TestSocket, until, VISIT } from "./support.ts";

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
    prepare: (query: string) => ({
      bind: (...values: unknown[]) => ({
        run: async () => {
          const result = await real
            .prepare(query)
            .bind(...values)
            .run();
          bill.rows += result.meta.rows_written;
          return result;
        },
      }),
    }),
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

async function cost(act: string, per: number, run: () => Promise<void>): Promise<{ rows: number; requests: number }> {
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
  const { rows } = await cost("1:1 message, lone, receipts and history included", 1, () => talk(people, 1));
  expect(rows).toBeLessThanOrEqual(5);
});

test("[CO-1] in a burst of 20: at most 2.3 rows and 4 requests a message", async () => {
  const people = await pair(1);
  const { rows, requests } = await cost("1:1 message, in a burst of 20", 20, () => talk(people, 20));
  expect(rows).toBeLessThanOrEqual(2.3);
  expect(requests).toBeLessThanOrEqual(4);
});

test("[CO-1] two devices each, in a burst of 20: at most 2.3 rows and 4 requests a message", async () => {
  const people = await pair(2);
  const { rows, requests } = await cost("1:1 message, in a burst of 20, two devices each", 20, () => talk(people, 20));
  expect(rows).toBeLessThanOrEqual(2.3);
  expect(requests).toBeLessThanOrEqual(4);
});

test("what a lone message costs with two devices each is told, too", async () => {
  const people = await pair(2);
  const { rows } = await cost("1:1 message, lone, two devices each", 1, () => talk(people, 1));
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
  const online = await cost("group message, whole, 50 members online", 1, async () => {
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
  const parked = await cost("group message, whole, 50 members parked", 1, async () => {
    await phone.say(id, "nobody");
    await new Promise((resolve) => setTimeout(resolve, 200));
    bill.frames += 1;
  });
  expect(parked.rows).toBeLessThanOrEqual(2);
  expect(parked.requests).toBeLessThanOrEqual(1 + sends);
  acts.push({ act: "group message, each parked member", rows: 0, requests: round((parked.requests - 1 - sends) / 50) });
  expect(await conversation(id).attend(members[1] as UserId, VISIT)).toMatchObject({ ok: true });
});

test("[CO-3] a heartbeat and an idle device cost nothing; a resume with nothing new writes nothing", async () => {
  const { phone } = await pair(1);
  const idle = await cost("heartbeat, answered by the runtime", 1, async () => {
    phone.socket.send("ping");
    await new Promise((resolve) => setTimeout(resolve, 50));
  });
  expect(idle).toMatchObject({ rows: 0, requests: 0 });
});

afterAll(() => {
  for (const { act, rows, requests } of acts) console.log(`COST ${JSON.stringify({ act, rows, requests })}`);
});
