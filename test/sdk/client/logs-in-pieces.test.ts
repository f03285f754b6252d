import { afterEach, expect, test } from "vitest";
import type { MessageEvent } from "../../../src/protocol/events.ts";
import type { ConversationId } from "../../../src/protocol/ids.ts";
import type { Client } from "../../../src/sdk/client/api.ts";
import { createClientIn } from "../../../src/sdk/client/client.ts";
import { memoryStorage } from "../../../src/sdk/client/memory-storage.ts";
import { applyClientChange, type ClientChange, NOTHING_KEPT } from "../../../src/sdk/client/state.ts";
import type { Storage, Store, Value } from "../../../src/sdk/client/storage.ts";
import { Encoder, rowsOf } from "../../../src/sdk/client/stored.ts";
import { fakeServer } from "../../../src/sdk/testing.ts";
import { conversationId } from "../support/ids.ts";
import { message } from "../support/script.ts";
import { impatient, live, signUp, until } from "./support/people.ts";

const complaints: unknown[] = [];
const complain = (reason: unknown) => complaints.push(reason);
process.on("unhandledRejection", complain);
afterEach(() => {
  expect(complaints.splice(0)).toEqual([]);
});

const EACH = 70;
const idsOf = (count: number): ConversationId[] => Array.from({ length: count }, (_, n) => conversationId(n + 1));

/** A store that holds so many conversations. */
async function filled(count: number): Promise<Store> {
  const store = await memoryStorage().open("filled");
  const encoder = new Encoder();
  let state = NOTHING_KEPT;
  for (const id of idsOf(count)) {
    const events = Array.from({ length: EACH }, (_, i): MessageEvent => ({ ...message(i + 1), conversationId: id }));
    const changes: ClientChange[] = [
      { type: "grew", conversationId: id, covered: EACH, events },
      { type: "about", conversationId: id, about: { kind: "group", title: `Group ${id}` } },
    ];
    state = changes.reduce(applyClientChange, state);
    await store.write(encoder.encode(changes, state));
  }
  return store;
}

const eventsIn = (rows: readonly (readonly [string, Value])[]): number =>
  rows.reduce((sum, [key, value]) => sum + (key.startsWith("log/") ? (value as unknown[]).length : 0), 0);

test("[AP-37] no read of a store answers more than the log of one conversation, and all together are the state", async () => {
  const store = await filled(30);
  const whole = new Encoder().load(await store.read(""));
  const answered: number[] = [];
  const rows = await rowsOf({
    read: async (prefix) => {
      const read = await store.read(prefix);
      answered.push(eventsIn(read));
      return read;
    },
  });
  expect(Math.max(...answered)).toBe(EACH);
  expect(eventsIn(rows)).toBe(30 * EACH);
  expect(new Encoder().load(rows)).toEqual(whole);
});

test("[AP-37] [CL-24] what was read in pieces is taken away whole, when the logs are let go of", async () => {
  const store = await filled(10);
  const encoder = new Encoder();
  encoder.load(await rowsOf(store));
  await store.write(encoder.encodeWithoutLogs(NOTHING_KEPT));
  expect((await store.read("")).map(([key]) => key)).toEqual(["meta"]);
});

test("[AP-37] [CL-46] of a store of another shape all is read, so that nothing of it stays", async () => {
  const store = await filled(3);
  await store.write([
    { key: "meta", value: { shape: 1, cursor: null } },
    { key: "log/of nobody/0", value: [] },
  ]);
  const rows = await rowsOf(store);
  expect(rows).toEqual(await store.read(""));
  const encoder = new Encoder();
  expect(encoder.load(rows)).toEqual(NOTHING_KEPT);
  await store.write(encoder.encode([{ type: "forgot" }], NOTHING_KEPT));
  expect((await store.read("log/")).length + (await store.read("held/")).length).toBe(0);
});

/** The logs of this storage are given one by one, each when `next` is called; what is asked of it when it is closed fails, as a browser's does. */
function stepwise(storage: Storage) {
  const steps: (() => void)[] = [];
  const stepping: Storage = {
    open: async (name) => {
      const store = await storage.open(name);
      let isClosed = false;
      return {
        ...{ write: (batch) => store.write(batch), clear: () => store.clear() },
        read: async (prefix) => {
          if (prefix.startsWith("log/")) await new Promise<void>((resolve) => steps.push(resolve));
          if (isClosed) throw new Error("InvalidStateError");
          return store.read(prefix);
        },
        close: async () => {
          isClosed = true;
          await store.close();
        },
      };
    },
  };
  return { storage: stepping, steps };
}

const wordsIn = (client: Client, id: string): string[] =>
  client.conversations
    .get(id)
    .messages()
    .flatMap((line) => (line.is === "message" ? [line.text] : []))
    .sort();

/** Two conversations of Alice, on a device that has been closed. */
async function twoTalks() {
  const [server, storage] = [fakeServer(), memoryStorage()];
  const alice = await signUp(server, "alice", { storage });
  const [bob, cleo] = [await signUp(server, "bob"), await signUp(server, "cleo")];
  const ids: string[] = [];
  for (const other of ["bob", "cleo"]) {
    const chat = await alice.conversations.openDirect((await alice.people.find(other)).userId);
    for (let n = 0; n < 5; n++) await chat.send(`number ${n}`).sent;
    ids.push(chat.id);
  }
  await alice.flush();
  await alice.close();
  return { server, storage, bob, cleo, ids };
}

test("[AP-37] [CL-1] what is sent and what comes while the logs are read is there once, in every conversation", async () => {
  const { server, storage, bob, cleo, ids } = await twoTalks();
  const later = stepwise(storage);
  const client = await createClientIn(impatient, { ...server.options, storage: later.storage, glimpse: true });
  void client.openWhole();
  await until(() => later.steps.length > 0);
  const before = ids.map((id) => client.conversations.get(id).send("from the glimpse"));
  later.steps.shift()?.();
  const between = ids.map((id) => client.conversations.get(id).send("between two logs"));
  await bob.conversations.get(ids[0] ?? "").send("hello from bob").sent;
  await cleo.conversations.get(ids[1] ?? "").send("hello from cleo").sent;
  expect(client.isWhole).toBe(false);
  await until(() => {
    later.steps.shift()?.();
    return client.isWhole;
  });
  await live(client);
  await Promise.all([...before, ...between].map(({ sent }) => sent));
  const wanted = ["from the glimpse", "between two logs", ...[0, 1, 2, 3, 4].map((n) => `number ${n}`)];
  for (const [n, id] of ids.entries()) {
    const all = [...wanted, `hello from ${["bob", "cleo"][n]}`].sort();
    const other = [bob, cleo][n] as Client;
    for (const one of [client, other]) {
      await until(() => wordsIn(one, id).length >= all.length);
      expect(wordsIn(one, id)).toEqual(all);
    }
  }
  await client.close();
});

test("[AP-37] a client that is closed while the logs are read ends without a complaint, and nothing is lost", async () => {
  const { server, storage, ids } = await twoTalks();
  const later = stepwise(storage);
  const closing = await createClientIn(impatient, { ...server.options, storage: later.storage, glimpse: true });
  const going = closing.openWhole();
  await until(() => later.steps.length > 0);
  await closing.close();
  for (const step of later.steps.splice(0)) step();
  await expect(going).resolves.toBeUndefined();
  const client = await createClientIn(impatient, { ...server.options, storage });
  for (const id of ids) expect(wordsIn(client, id)).toHaveLength(5);
  await client.close();
});
