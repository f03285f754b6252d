import { ulid } from "ulid";
import { expect, test } from "vitest";
import { UserId } from "../../src/protocol/ids.ts";
import { contactsOf, putContact, removeContact, standingOf } from "../../src/storage/contacts.ts";
import { Unavailable } from "../../src/storage/reach.ts";
import { downDatabase, env, signUp } from "../routes/support/accounts.ts";

const db = env.DIRECTORY;
const ROOM = { contacts: 5, requests: 3, ended: 6 };
const put = async (a: UserId, b: UserId, on = db) => {
  const answer = await putContact(on, a, b, ROOM);
  return typeof answer === "string" ? answer : answer.state;
};
const stateOf = async (on: D1Database, a: UserId, b: UserId) => {
  const { state } = await standingOf(on, a, b);
  return state === "none" ? undefined : state;
};
const listOf = async (userId: UserId, on = db) => (await contactsOf(on, userId)).contacts;
const idOf = async (): Promise<UserId> => (await signUp()).user.userId;
const people = (count: number): Promise<UserId[]> => Promise.all(Array.from({ length: count }, idOf));
const pair = async () => [await idOf(), await idOf()] as const;
const statesOf = async (a: UserId, b: UserId) => [await stateOf(db, a, b), await stateOf(db, b, a)];
const countOf = async (userId: UserId) => (await listOf(userId)).length;

/** The database, and what was written and read by the batches and statements through it. */
function metered() {
  const rows = { written: 0, read: 0 };
  const note = <R extends { meta: D1Meta }>(result: R): R => {
    rows.written += result.meta.rows_written;
    rows.read += result.meta.rows_read;
    return result;
  };
  const meter = (statement: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(statement, {
      get: (target, name) => {
        if (name === "bind") return (...values: unknown[]) => meter(target.bind(...values));
        if (name === "run") return async () => note(await target.run());
        if (name === "raw")
          return async () => note(await target.all()).results.map((row) => Object.values(row as object));
        return Reflect.get(target, name);
      },
    });
  const metering = new Proxy(db, {
    get: (target, name) => {
      if (name === "prepare") return (query: string) => meter(target.prepare(query));
      if (name === "batch") return async (all: D1PreparedStatement[]) => (await target.batch(all)).map(note);
      return Reflect.get(target, name);
    },
  });
  return { db: metering, rows };
}

test("[CT-1] [CT-2] the first of a pair asks, the second accepts, whoever has the smaller id", async () => {
  const [a, b] = await pair();
  for (const [first, second] of [
    [a, b],
    [b, a],
  ] as const) {
    expect(await put(first, second)).toBe("requested");
    expect(await statesOf(first, second)).toEqual(["requested", "incoming"]);
    expect(await put(second, first)).toBe("accepted");
    expect(await statesOf(first, second)).toEqual(["accepted", "accepted"]);
    await removeContact(db, first, second);
    expect(await statesOf(first, second)).toEqual([undefined, undefined]);
  }
});

test("[CT-2] of many who ask each other at the same moment all end as contacts, and one of each pair was first", async () => {
  const pairs = await Promise.all(Array.from({ length: 10 }, pair));
  const answers = await Promise.all(pairs.flatMap(([a, b]) => [put(a, b), put(b, a), put(a, b), put(b, a)]));
  expect(new Set(answers)).toEqual(new Set(["requested", "accepted"]));
  for (const [a, b] of pairs) expect(await statesOf(a, b)).toEqual(["accepted", "accepted"]);
});

test("[CT-3] a repeat changes nothing in any state", async () => {
  const [a, b] = await pair();
  await removeContact(db, a, b);
  expect([await put(a, b), await put(a, b)]).toEqual(["requested", "requested"]);
  expect([await put(b, a), await put(b, a), await put(a, b)]).toEqual(["accepted", "accepted", "accepted"]);
  await removeContact(db, b, a);
  await removeContact(db, b, a);
  expect(await statesOf(a, b)).toEqual([undefined, undefined]);
  expect(await put(b, a)).toBe("requested");
});

test("[CT-4] nobody is asked", async () => {
  const [a, nobody] = [await idOf(), UserId.parse(ulid())];
  expect(await put(a, nobody)).toBe("nobody");
  expect(await stateOf(db, a, nobody)).toBeUndefined();
});

test("[CT-5] own contacts and requests have an end, also when all are made at once; each one given up makes room", async () => {
  const [me, ...others] = (await people(9)) as [UserId, ...UserId[]];
  const [first, second, ...rest] = others as [UserId, UserId, ...UserId[]];
  await put(first, me);
  await put(me, first);
  const answers = await Promise.all([...rest, second].map((other) => put(me, other)));
  expect(answers.filter((answer) => answer === "requested")).toHaveLength(ROOM.contacts - 1);
  expect(answers.filter((answer) => answer === "full")).toHaveLength(3);
  expect(await countOf(me)).toBe(ROOM.contacts);
  expect(await put(me, first)).toBe("accepted"); // a repeat needs no room
  const stranger = await idOf();
  expect(await put(stranger, me)).toBe("requested");
  expect(await put(me, stranger)).toBe("full"); // accepting does
  expect(await stateOf(db, me, stranger)).toBe("incoming");
  await removeContact(db, me, first);
  expect(await put(me, stranger)).toBe("accepted");
});

test("[CT-5] those who wait for one user's answer have an end, and take none of that user's own room", async () => {
  const [me, ...others] = (await people(ROOM.requests + 3)) as [UserId, ...UserId[]];
  const answers = await Promise.all(others.map((other) => put(other, me)));
  expect(answers.filter((answer) => answer === "requested")).toHaveLength(ROOM.requests);
  expect(answers.filter((answer) => answer === "full")).toHaveLength(2);
  const waiting = (await listOf(me)).map((contact) => contact.userId);
  const late = others.filter((other) => !waiting.includes(other));
  for (const other of waiting) expect(await put(other, me)).toBe("requested");
  for (const other of late) expect([await put(me, other), await put(other, me)]).toEqual(["requested", "accepted"]);
  for (const other of waiting) expect(await put(me, other)).toBe("accepted");
});

test("[CT-8] everybody sees their own pairs and nobody else's, by handle and with the profile", async () => {
  const [ann, bob, cat, dan] = await Promise.all(["z.ann", "b.bob", "x.cat", "c.dan"].map((handle) => signUp(handle)));
  if (!ann || !bob || !cat || !dan) throw new Error("nobody");
  const id = { ann: ann.user.userId, bob: bob.user.userId, cat: cat.user.userId, dan: dan.user.userId };
  await Promise.all([put(id.ann, id.bob), put(id.cat, id.ann), put(id.dan, id.ann), put(id.bob, id.dan)]);
  await put(id.ann, id.cat);
  expect(await listOf(id.ann)).toEqual([
    { userId: id.bob, handle: "b.bob", displayName: "B.BOB", state: "requested" },
    { userId: id.dan, handle: "c.dan", displayName: "C.DAN", state: "incoming" },
    { userId: id.cat, handle: "x.cat", displayName: "X.CAT", state: "accepted" },
  ]);
  expect((await listOf(id.cat)).map(({ userId, state }) => [userId, state])).toEqual([[id.ann, "accepted"]]);
});

test("[CT-12] asking writes two rows, over what has ended one, accepting and ending one, a repeat none; a list reads its own pairs alone", async () => {
  const [a, b] = await pair();
  const { db: meteredDb, rows } = metered();
  const written = async (act: () => Promise<unknown>) => {
    rows.written = 0;
    await act();
    return rows.written;
  };
  for (const [first, second] of [
    [a, b],
    [b, a],
  ] as const) {
    expect(await written(() => put(first, second, meteredDb))).toBe(first === a ? 2 : 1);
    expect(await written(() => put(first, second, meteredDb))).toBe(0);
    expect(await written(() => put(second, first, meteredDb))).toBe(1);
    expect(await written(() => put(second, first, meteredDb))).toBe(0);
    expect(await written(() => removeContact(meteredDb, first, second))).toBe(1);
    expect(await written(() => removeContact(meteredDb, first, second))).toBe(0);
  }
  const others = await people(12);
  for (const [i, other] of others.entries()) await (i % 2 ? put(a, other) : put(other, others[i - 1] ?? b));
  rows.read = 0;
  const listed = await listOf(a, meteredDb);
  expect(rows.read).toBeLessThanOrEqual(4 * listed.length + 4);
});

test("[AC-24] a database that is away is Unavailable", async () => {
  const [a, b] = [UserId.parse(ulid()), UserId.parse(ulid())];
  for (const act of [
    contactsOf(downDatabase(), a),
    stateOf(downDatabase(), a, b),
    put(a, b, downDatabase()),
    removeContact(downDatabase(), a, b),
  ])
    await expect(act).rejects.toThrow(Unavailable);
});
