import { runInDurableObject } from "cloudflare:test";
import { afterAll, expect, test } from "vitest";
import type { Env } from "../../src/platform/env.ts";
import type { Session } from "../../src/protocol/http.ts";
import { signUp } from "../routes/support/accounts.ts";
import { ask, pairUp, say } from "../routes/support/worker.ts";
import { watchRows } from "./meters.ts";
import { bindings, newDeviceId, newKey, TestSocket, until } from "./support.ts";

/** What acts about people cost: rows of the directory and of the inboxes, and calls of objects by the doors and by the inboxes. */
const bill = { rows: 0, read: 0, calls: 0 };
const acts: { act: string; rows: number; requests: number }[] = [];

const note = <R extends { meta: D1Meta }>(result: R): R => {
  bill.rows += result.meta.rows_written;
  bill.read += result.meta.rows_read;
  return result;
};

function metered(statement: D1PreparedStatement): D1PreparedStatement {
  return new Proxy(statement, {
    get: (target, name) => {
      if (name === "bind") return (...values: unknown[]) => metered(target.bind(...values));
      if (name === "run" || name === "all") return async () => note(await target[name]());
      if (name === "raw")
        return async () => note(await target.all()).results.map((row) => Object.values(row as object));
      if (name === "first") return async () => note(await target.all()).results[0] ?? null;
      return Reflect.get(target, name);
    },
  });
}

const DIRECTORY = {
  prepare: (query: string) => metered(bindings.DIRECTORY.prepare(query)),
  batch: async (all: D1PreparedStatement[]) => (await bindings.DIRECTORY.batch(all)).map(note),
} as unknown as D1Database;

const counting = <N extends "INBOXES" | "CONVERSATIONS">(which: N): Env[N] =>
  ({
    getByName: (name: string) =>
      new Proxy(bindings[which].getByName(name), {
        get:
          (stub, method) =>
          (...args: unknown[]) => {
            bill.calls += 1;
            return (Reflect.get(stub, method) as (...a: unknown[]) => unknown)(...args);
          },
      }),
  }) as unknown as Env[N];
const counted = { DIRECTORY, INBOXES: counting("INBOXES"), CONVERSATIONS: counting("CONVERSATIONS") };

/** Counts an inbox's own rows, and its calls, from now on. */
const meter = ({ user }: Session) =>
  runInDurableObject(bindings.INBOXES.getByName(user.userId), (object) => {
    const innards = object as unknown as Parameters<typeof watchRows>[0] & { stars: { env: object } };
    watchRows(innards, (cursor) => {
      bill.rows += cursor.rowsWritten;
    });
    innards.stars.env = { ...innards.stars.env, CONVERSATIONS: counted.CONVERSATIONS };
  });

async function costOf(act: string, run: () => Promise<unknown>) {
  Object.assign(bill, { rows: 0, read: 0, calls: 0 });
  await run();
  acts.push({ act, rows: bill.rows, requests: bill.calls });
  return { rows: bill.rows, requests: bill.calls };
}
const door = (me: Session, method: string, path: string, body?: object) => ask(me, method, path, body, counted);
const contact = (me: Session, method: string, { user }: Session) => door(me, method, `/v1/contacts/${user.userId}`);

test("[CO-7] [CT-12] asking to be a contact writes two rows, accepting and ending one and one in each inbox; each makes two calls, ending four", async () => {
  const [ann, bob] = [await signUp(), await signUp()];
  // Both have been here before: an inbox is made by its first write.
  for (const one of [ann, bob]) (await TestSocket.caughtUp(one.user.userId, newDeviceId())).socket.close(1000);
  for (const one of [ann, bob]) await meter(one);
  const put = (me: Session, them: Session) => () => contact(me, "PUT", them);
  expect(await costOf("contacts: asking", put(ann, bob))).toEqual({ rows: 2, requests: 2 });
  expect(await costOf("contacts: asking again", put(ann, bob))).toEqual({ rows: 0, requests: 2 });
  expect(await costOf("contacts: accepting", put(bob, ann))).toEqual({ rows: 3, requests: 2 });
  const { version } = (await door(ann, "GET", "/v1/contacts")).json;
  const sync = () => door(ann, "GET", `/v1/contacts?since=${version}`);
  expect(await costOf("contacts: what has changed", sync)).toEqual({ rows: 0, requests: 0 });
  expect(bill.read).toBeLessThanOrEqual(6);
  expect(await costOf("contacts: ending", () => contact(ann, "DELETE", bob))).toEqual({ rows: 3, requests: 4 });
});

test("[CO-7] [PE-7] a name costs a row a word, when it is new and when it changes; a search costs none", async () => {
  const me = await signUp();
  const rename = (displayName: string) => () => door(me, "PATCH", "/v1/me", { displayName });
  await meter(me);
  await rename("Ada Byron")();
  expect((await costOf("a new name of two words, one of them new", rename("Ada Lovelace"))).rows).toBe(4); // row, inbox, one out, one in
  expect((await costOf("the same name again", rename("Ada Lovelace"))).rows).toBe(2);
  expect(await costOf("people: a search", () => door(me, "GET", "/v1/users/search?q=lovelace"))).toEqual({
    rows: 0,
    requests: 0,
  });
});

test("[CO-7] a report writes three rows and one for each event that is copied", async () => {
  const { ann, bob, id } = await pairUp();
  await say(ann, id, "before");
  const seqs = [await say(bob, id, "rude"), await say(bob, id, "ruder")];
  const body = { idempotencyKey: newKey(), conversationId: id, seqs, reason: "harassment" };
  const report = () => door(ann, "POST", "/v1/reports", body);
  expect(await costOf("report: two messages and the one before them", report)).toEqual({ rows: 6, requests: 1 });
  expect(await costOf("report: the same again", report)).toEqual({ rows: 0, requests: 0 });
});

test("[CO-7] [ST-1] a star writes two rows at most, one of them for the devices that know the conversation; a repeat none", async () => {
  const { ann, bob, id } = await pairUp();
  const [one, two] = [await say(bob, id, "one"), await say(bob, id, "two")];
  const phone = await TestSocket.caughtUp(ann.user.userId, newDeviceId());
  await meter(ann);
  const star = (method: string, seq: number) => () => door(ann, method, `/v1/conversations/${id}/events/${seq}/star`);
  expect(await costOf("star, every device connected", star("PUT", one))).toEqual({ rows: 2, requests: 2 });
  expect(await costOf("star, again", star("PUT", one))).toEqual({ rows: 0, requests: 2 });
  phone.socket.close(1000);
  const sockets = () =>
    runInDurableObject(bindings.INBOXES.getByName(ann.user.userId), (_, state) => state.getWebSockets().length);
  await until(async () => (await sockets()) === 0);
  const away = await costOf("star, a device away", star("PUT", two));
  expect(away.rows).toBeLessThanOrEqual(2);
  expect((await costOf("star: taking it off", star("DELETE", two))).rows).toBeLessThanOrEqual(2);
  expect((await costOf("stars: a page of one conversation", () => door(ann, "GET", "/v1/stars"))).requests).toBe(2);
});

test("[CO-7] beginning a conversation asks one inbox more", async () => {
  const [ann, bob] = [await signUp(), await signUp()];
  const open = () => door(ann, "PUT", `/v1/conversations/direct/${bob.user.userId}`);
  expect((await costOf("a direct conversation is opened", open)).requests).toBe(4);
});

afterAll(() => {
  for (const { act, rows, requests } of acts) console.log(`COST ${JSON.stringify({ act, rows, requests })}`);
});
