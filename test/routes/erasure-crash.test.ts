import { createScheduledController, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { ROUND, type Step } from "../../src/domain/erasure.ts";
import type { Erasure } from "../../src/protocol/http.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import worker from "../../src/worker.ts";
import { bindings, command, conversation, newDeviceId, nextCall, openGroup } from "../objects/support.ts";
import { downDatabase } from "./support/accounts.ts";
import {
  backToNow,
  buildWorld,
  conversationStub,
  eraseMe,
  finish,
  hersAnywhere,
  type Inside,
  inboxStub,
  inside,
  later,
  othersWork,
  planOf,
  recordOf,
  rowsOf,
  scan,
  WORDS,
  type World,
} from "./support/erasure.ts";
import { settle } from "./support/worker.ts";

afterEach(backToNow);

const rejecting = (message: string) =>
  new Proxy({}, { get: () => () => Promise.reject(Object.assign(new Error(message), { overloaded: true })) });
const away = { getByName: () => rejecting("away") };
const lost = () => {
  throw new Error("the object was cut off");
};
const without = (changed: object) => (object: Inside) => {
  object.eraser.env = { ...bindings, ...changed };
};

type Fault = { what: string; at: Step; inject: (object: Inside) => void };
const STEPS: readonly Step[] = [...ROUND, "close"];
const FAULTS: Fault[] = [
  // The piece is done, and what came of it is lost.
  ...ROUND.map((at) => ({
    what: "the plan is not written",
    at,
    inject: ({ store }: Inside) => {
      store.setErasure = lost;
    },
  })),
  ...STEPS.map((at) => ({ what: "the directory is away", at, inject: without({ DIRECTORY: downDatabase() }) })),
  ...(["people", "conversations"] as const).map((at) => ({
    what: "inboxes are away",
    at,
    inject: without({ INBOXES: away }),
  })),
  ...(["conversations", "look"] as const).map((at) => ({
    ...{ what: "conversations are away", at, inject: without({ CONVERSATIONS: away }) },
  })),
  { what: "history is away", at: "look", inject: without({ HISTORY_0: downDatabase(), HISTORY_1: downDatabase() }) },
  { what: "the bucket is away", at: "media", inject: without({ MEDIA: rejecting("away") }) },
  {
    what: "the bucket deletes nothing",
    at: "media",
    inject: without({ MEDIA: { head: (key: string) => bindings.MEDIA.head(key), delete: async () => lost() } }),
  },
  {
    what: "the inbox is not emptied",
    at: "close",
    inject: ({ eraser }: Inside) => {
      eraser.parts = { ...eraser.parts, storage: { deleteAll: async () => lost() } };
    },
  },
  {
    what: "the record is not closed",
    at: "close",
    inject: without({
      DIRECTORY: {
        prepare: (query: string) => (query.includes("done_at = ?2") ? lost() : bindings.DIRECTORY.prepare(query)),
      },
    }),
  },
];

/** One piece of the erasure. Rejects where the inbox did not come to its end. */
const piece = (world: World, inject: (object: Inside) => void = () => {}) =>
  inside(world.ann.user.userId, async (object) => {
    inject(object);
    await object.eraser.take(object.store.erasure);
  });

/** Piece by piece, each in a new life of the inbox; the fault comes once, when its step is due for the first time. */
async function erase(world: World, fault?: Fault): Promise<void> {
  const { userId } = world.ann.user;
  let isDue = fault !== undefined;
  for (let pieces = 0; pieces < 200; pieces++) {
    const plan = await planOf(userId);
    if (!plan) return backToNow();
    if (plan.dueAt > Date.now()) later(plan.dueAt - Date.now() + 1);
    if (isDue && plan.step === fault?.at) {
      isDue = false;
      await piece(world, fault.inject).catch(() => {});
    } else await piece(world);
    await evictDurableObject(inboxStub(userId));
    for (const id of [world.direct, world.group, world.past]) await settle(id);
  }
  throw new Error(`never done: ${JSON.stringify(await planOf(userId))}`);
}

const hourly = () => {
  const scheduledTime = new Date();
  return worker.scheduled(createScheduledController({ scheduledTime, cron: "17 * * * *" }), bindings);
};

/** What was taken away. Some a repeat may count anew or not at all, and what history had of it is a matter of time. */
function exact({ counts }: Erasure) {
  const { copies: _, bucketObjects: __, inboxRows: ___, historyRows: ____, searchEntries: _____, ...rest } = counts;
  return rest;
}

let faultless: Erasure;
beforeAll(async () => {
  const world = await buildWorld();
  await eraseMe(world.ann);
  await finish(world);
  faultless = await recordOf(world.ann.user.userId);
}, 120_000);

describe("[ER-5] [ER-8] whatever fails at whatever step, it goes on and ends the same", () => {
  test("in one life, or piece by piece in many", async () => {
    const world = await buildWorld();
    await eraseMe(world.ann);
    await erase(world);
    expect(exact(await recordOf(world.ann.user.userId))).toEqual(exact(faultless));
  });

  test.each(FAULTS)("$at: $what", async (fault) => {
    const world = await buildWorld();
    const { userId } = world.ann.user;
    const before = await othersWork(world);
    await eraseMe(world.ann);
    await erase(world, fault);
    if (fault.what === "the record is not closed") {
      expect((await recordOf(userId)).state).toBe("settling");
      later(3_600_000 * 2);
      await hourly(); // on an inbox that is empty by now
      await erase(world);
    }
    const record = await recordOf(userId);
    expect(record.state).toBe("done");
    expect(exact(record)).toEqual(exact(faultless));
    expect(await rowsOf(inboxStub(userId))).toEqual([]);
    expect(await othersWork(world)).toEqual(before);
  });

  test("and of none of these people anything is left in any table, object or bucket", async () => {
    expect(await scan([...WORDS, "ann-user", "QUJD"])).toEqual([]);
  });
});

test("[ER-5] a crash before the inbox heard of it, or of its alarm, is mended by the hourly look", async () => {
  const world = await buildWorld();
  const { userId } = world.ann.user;
  const unheard = await eraseMe(world.ann, undefined, { INBOXES: away });
  expect(unheard).toMatchObject({ status: 503, json: { code: "unavailable", retryable: true } });
  expect(await planOf(userId)).toBeUndefined();
  await hourly();
  const plan = await planOf(userId);
  expect(plan).toMatchObject({ userId, step: "account" });
  await inside(userId, async (_, { storage }) => storage.deleteAlarm());
  await evictDurableObject(inboxStub(userId));
  await hourly();
  expect(await inside(userId, (_, { storage }) => storage.getAlarm())).not.toBeNull();
  expect(await planOf(userId)).toEqual(plan); // wound up, not begun anew
  await finish(world);
  expect(await hersAnywhere(world)).toEqual([]);
});

test("[ER-5] [ER-9] a conversation that crashes between two batches goes on behind the last, and one event tells of it all", async () => {
  const { maker, members, id } = await openGroup(3);
  const [, ann = maker, bob = maker] = members;
  const device = newDeviceId();
  for (let batch = 0; batch < 11; batch++) {
    const commands = Array.from({ length: 100 }, (_, i) => command(ann, device, `xyzzyzebra ${i}`));
    await conversation(id).append(ann, { commands, aloneAs: null, confirmed: [], call: nextCall() });
  }
  const head = await headOf(id);
  await runInDurableObject(conversationStub(id), (object): void => {
    const { erasures } = (object as Inside).ledger.store;
    let batches = 0;
    const { writtenBy } = erasures;
    erasures.writtenBy = (...args: unknown[]) => (++batches === 2 ? lost() : writtenBy.apply(erasures, args));
  });
  expect(await failureOf(conversation(id).erase(ann))).toContain("cut off");
  await evictDurableObject(conversationStub(id));
  expect(await contentOf(id)).toBe(600); // the first batch is gone, and nobody is told yet
  expect(await headOf(id)).toBe(head);
  expect(
    await conversation(id).append(ann, {
      commands: [command(ann, device, "more")],
      aloneAs: null,
      confirmed: [],
      call: nextCall(),
    }),
  ).toMatchObject([{ code: "not_member" }]);
  for (
    let again = 0;
    again < 2;
    again++ // and once more when it is done
  )
    expect(await conversation(id).erase(ann)).toMatchObject({
      value: { done: true, counts: { messages: 1_100, edits: 0 } },
    });
  expect(await contentOf(id)).toBe(0);
  expect(await headOf(id)).toBe(head + 1);
  expect(await conversation(id).leftOf(ann)).toMatchObject({
    value: { left: { messages: 0, conversations: 0, historyRows: 1_100 } },
  });
  await settle(id);
  expect(await conversation(id).leftOf(ann)).toMatchObject({
    value: { left: { messages: 0, conversations: 0, historyRows: 0 } },
  });
  expect(await conversation(id).erase(bob)).toMatchObject({ value: { counts: { messages: 0 } } });
});

const failureOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "answered",
    (error: Error) => error.message,
  );
const headOf = (id: ConversationId): Promise<number> =>
  runInDurableObject(conversationStub(id), (_, { storage: { sql } }) =>
    Number(sql.exec("SELECT max(seq) AS head FROM log").one().head),
  );
const contentOf = (id: ConversationId) =>
  runInDurableObject(
    conversationStub(id),
    (_, { storage: { sql } }) => sql.exec("SELECT count(*) AS n FROM log WHERE body LIKE '%xyzzyzebra%'").one().n,
  );
