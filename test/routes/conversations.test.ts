import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import type { Env } from "../../src/platform/env.ts";
import { Conversation, DOORS, type Session } from "../../src/protocol/http.ts";
import { type ConversationId, IdempotencyKey } from "../../src/protocol/ids.ts";
import worker from "../../src/worker.ts";
import { bindings, newKey, newUserId, TestSocket, text, until } from "../objects/support.ts";
import { downDatabase, signUp } from "./support/accounts.ts";

const request = (path: string, init: RequestInit, env: object) =>
  worker.fetch(new Request(`https://edgewise.test${path}`, init), env as Env);

// biome-ignore lint/suspicious/noExplicitAny: answers are checked against their schemas or by matchers
type Asked = { status: number; json: any };

/** One request to the whole Worker, over bindings of which some may be replaced. */
async function ask(session: Session, method: string, path: string, body?: unknown, changed = {}): Promise<Asked> {
  const headers = { authorization: `Bearer ${session.accessToken}`, "content-type": "application/json" };
  const init = { method, headers, body: body === undefined ? null : JSON.stringify(body) };
  const response = await request(path, init, { ...bindings, ...changed });
  const words = await response.text();
  return { status: response.status, json: words === "" ? null : JSON.parse(words) };
}
const opened = ({ json }: Asked) => Conversation.parse(json.conversation);
const wish = (words: string, idempotencyKey = newKey()) => {
  const now = Date.now();
  return { idempotencyKey, composedAt: now, sentAt: now, event: text(words) };
};
const stubOf = (id: ConversationId) => bindings.CONVERSATIONS.getByName(id);
const seqs = ({ json }: Asked) => (json.events as { seq: number }[]).map((e) => e.seq);

async function pair() {
  const [ann, bob] = [await signUp(), await signUp()];
  const { conversationId: id } = opened(await ask(ann, "PUT", `/v1/conversations/direct/${bob.user.userId}`));
  return { ann, bob, id, path: `/v1/conversations/${id}` };
}

async function group(size: number) {
  const people = await Promise.all(Array.from({ length: size }, () => signUp()));
  const [maker, ...others] = people as [Session, ...Session[]];
  const body = { title: "Team", memberIds: others.map((s) => s.user.userId) };
  const made = await ask(maker, "POST", "/v1/conversations", body);
  const { conversationId: id } = opened(made);
  return { maker, others, id, path: `/v1/conversations/${id}`, made };
}

test("[CV-1] [CV-2] both sides open the same direct conversation; with oneself or nobody there is none", async () => {
  const { ann, bob, id } = await pair();
  const again = await ask(bob, "PUT", `/v1/conversations/direct/${ann.user.userId}`);
  expect([again.status, opened(again).conversationId]).toEqual([200, id]);
  expect(await ask(ann, "PUT", `/v1/conversations/direct/${ann.user.userId}`)).toMatchObject({ status: 400 });
  expect(await ask(ann, "PUT", `/v1/conversations/direct/${newUserId()}`)).toMatchObject({ status: 404 });
});

test("[CV-3] a group wished for twice under one key is made once", async () => {
  const [ann, bob] = [await signUp(), await signUp()];
  const body = { title: "Team", memberIds: [bob.user.userId], idempotencyKey: newKey() };
  const [first, second] = [
    await ask(ann, "POST", "/v1/conversations", body),
    await ask(ann, "POST", "/v1/conversations", body),
  ];
  expect([first.status, second.status]).toEqual([201, 200]);
  expect(opened(second).conversationId).toBe(opened(first).conversationId);
  const other = await ask(ann, "POST", "/v1/conversations", { ...body, title: "Other" });
  expect(other).toMatchObject({ status: 409, json: { code: "idempotency_conflict" } });
  const unknown = await ask(ann, "POST", "/v1/conversations", { title: "x", memberIds: [newUserId()] });
  expect(unknown).toMatchObject({ status: 404 });
});

test("[EO-2] sending over HTTP: 201, and 200 with the same ack for a repeat", async () => {
  const { ann, path } = await pair();
  const body = wish("hello", IdempotencyKey.parse(newKey()));
  const [first, second] = [
    await ask(ann, "POST", `${path}/events`, body),
    await ask(ann, "POST", `${path}/events`, body),
  ];
  expect([first.status, second.status]).toEqual([201, 200]);
  expect(second.json).toEqual({ ...first.json, duplicate: true });
});

test("the list is newest first, with names, previews and unread counts, a page at a time", async () => {
  const { ann, bob } = await pair();
  const { path } = await pairOf(ann, await signUp());
  await ask(ann, "POST", `${path}/events`, wish("later"));
  const third = await pairOf(bob, ann);
  await ask(bob, "POST", `${third.path}/events`, wish("to ann"));
  const all = await ask(ann, "GET", "/v1/conversations");
  expect(DOORS.conversations.answers[200].safeParse(all.json).error).toBeUndefined();
  const list = all.json.conversations as {
    conversationId: string;
    unread: number;
    peer: { handle: string };
    lastEvent?: { seq: number };
  }[];
  expect(list[0]).toMatchObject({ unread: 1, peer: { handle: bob.user.handle }, lastEvent: { seq: 1 } });
  const first = await ask(ann, "GET", "/v1/conversations?limit=1");
  const rest = await ask(ann, "GET", `/v1/conversations?limit=10&cursor=${first.json.cursor}`);
  const paged = [...first.json.conversations, ...rest.json.conversations] as typeof list;
  expect(paged.map((c) => c.conversationId).toSorted()).toEqual(list.map((c) => c.conversationId).toSorted());
});

async function pairOf(a: Session, b: Session) {
  const { conversationId: id } = opened(await ask(a, "PUT", `/v1/conversations/direct/${b.user.userId}`));
  return { id, path: `/v1/conversations/${id}` };
}

test("[GR-4] [GR-6] [GR-7] members come and go through the doors", async () => {
  const { maker, others, path } = await group(3);
  const [bob, cat] = others as [Session, Session];
  const dan = await signUp();
  expect((await ask(bob, "PUT", `${path}/members/${dan.user.userId}`, {})).json.code).toBe("forbidden");
  expect((await ask(maker, "PUT", `${path}/members/${dan.user.userId}`, {})).status).toBe(201);
  expect((await ask(maker, "PUT", `${path}/members/${dan.user.userId}`, {})).status).toBe(200);
  expect((await ask(dan, "GET", path)).json.conversation).toMatchObject({ floor: 4, mine: { role: "member" } });
  expect((await ask(maker, "DELETE", `${path}/members/${cat.user.userId}`)).status).toBe(204);
  expect((await ask(cat, "POST", `${path}/events`, wish("x"))).json.code).toBe("not_member");
  expect((await ask(cat, "GET", path)).json.conversation).toMatchObject({ members: [], mine: { role: null } });
  expect((await ask(maker, "DELETE", `${path}/members/${maker.user.userId}`)).json.code).toBe("last_admin");
  expect((await ask(maker, "PATCH", path, { title: "New" })).json.conversation).toMatchObject({ title: "New" });
  expect((await ask(bob, "PATCH", path, { title: "Mine" })).json.code).toBe("forbidden");
});

test("[GR-1] every door of a conversation answers a stranger as if it were not there", async () => {
  const { path } = await pair();
  const eve = await signUp();
  const tries: [string, string, unknown?][] = [
    ["GET", path],
    ["PATCH", path, { title: "x" }],
    ["GET", `${path}/events`],
    ["POST", `${path}/events`, wish("x")],
    ["PUT", `${path}/members/${eve.user.userId}`, {}],
    ["DELETE", `${path}/members/${eve.user.userId}`],
  ];
  for (const [method, where, body] of tries)
    expect(await ask(eve, method, where, body)).toMatchObject({ status: 404, json: { code: "not_found" } });
});

async function say(session: Session, path: string, count: number) {
  for (let i = 0; i < count; i++) expect((await ask(session, "POST", `${path}/events`, wish(`${i}`))).status).toBe(201);
}

test("[HI-2] pages of both directions, before and after shipping, are the log", async () => {
  const { ann, bob, id, path } = await pair();
  await say(ann, path, 7);
  await runDurableObjectAlarm(stubOf(id));
  await say(bob, path, 4);
  expect(seqs(await ask(bob, "GET", `${path}/events`))).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  const walk: number[] = [];
  for (let after = 0, more = true; more; after = walk.at(-1) ?? 0) {
    const page = await ask(ann, "GET", `${path}/events?after=${after}&limit=3`);
    expect(DOORS.history.answers[200].safeParse(page.json).error).toBeUndefined();
    walk.push(...seqs(page));
    more = page.json.hasMore;
  }
  expect(walk).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect((await ask(ann, "GET", `${path}/events?after=1&before=3`)).status).toBe(400);
  expect((await ask(ann, "GET", `${path}/events?limit=201`)).status).toBe(400);
});

test("[HI-3] while D1 is away people send and read on, and history catches up by itself", async () => {
  const { ann, id, path } = await pair();
  await say(ann, path, 2);
  await runDurableObjectAlarm(stubOf(id));
  const whole = { ...bindings };
  const down = { HISTORY_0: downDatabase(), HISTORY_1: downDatabase() };
  await runInDurableObject(stubOf(id), (object) => {
    Object.assign((object as unknown as { settler: object }).settler, { env: { ...bindings, ...down } });
  });
  await say(ann, path, 2);
  expect(await runDurableObjectAlarm(stubOf(id))).toBe(true);
  expect(seqs(await ask(ann, "GET", `${path}/events`, undefined, down))).toEqual([4, 3, 2, 1]);
  await runInDurableObject(stubOf(id), (object) => {
    Object.assign((object as unknown as { settler: object }).settler, { env: whole });
  });
  expect(await runDurableObjectAlarm(stubOf(id))).toBe(true); // it had rung again for what was left
  expect(await shipped(id)).toEqual([1, 2, 3, 4]);
});

async function shipped(id: ConversationId): Promise<unknown[]> {
  const query = "SELECT seq FROM events WHERE conversation_id = ? ORDER BY seq";
  const [a, b] = await Promise.all(
    [bindings.HISTORY_0, bindings.HISTORY_1].map((db) => db.prepare(query).bind(id).all()),
  );
  return [...(a?.results ?? []), ...(b?.results ?? [])].map((r) => r.seq);
}

const rebuild = (body: unknown, token = bindings.OPERATOR_TOKEN) =>
  request(
    "/v1/operator/history/rebuild",
    { method: "POST", headers: { authorization: `Bearer ${token}` }, body: JSON.stringify(body) },
    { ...bindings },
  );

test("[HI-4] history that was lost is rebuilt from the logs by the operator, once for each start", async () => {
  const { ann, id, path } = await pair();
  await say(ann, path, 3);
  await runDurableObjectAlarm(stubOf(id));
  for (const db of [bindings.HISTORY_0, bindings.HISTORY_1]) await db.prepare("DELETE FROM events").run();
  expect(seqs(await ask(ann, "GET", `${path}/events`))).toEqual([3, 2, 1]); // the log answers for it meanwhile
  const startedAt = Date.now();
  for (let cursor: string | undefined, first = true; first || cursor; first = false) {
    const response = await rebuild({ startedAt, ...(cursor ? { cursor } : {}) });
    expect(response.status).toBe(200);
    cursor = ((await response.json()) as { cursor?: string }).cursor;
  }
  await until(async () => (await shipped(id)).length === 3);
  expect((await rebuild({ startedAt }, "wrong")).status).toBe(401);
});

test("[HI-6] a conversation whose bucket moved is shipped to the new shard and leaves the old one", async () => {
  const { ann, id, path } = await pair();
  await say(ann, path, 3);
  await runDurableObjectAlarm(stubOf(id));
  const count = async (db: D1Database) =>
    (await db.prepare("SELECT count(*) n FROM events WHERE conversation_id = ?").bind(id).first())?.n;
  const [from, to] =
    (await count(bindings.HISTORY_0)) === 3
      ? (["HISTORY_0", "HISTORY_1"] as const)
      : (["HISTORY_1", "HISTORY_0"] as const);
  await runInDurableObject(stubOf(id), (object) => {
    Object.assign((object as unknown as { settler: object }).settler, {
      env: { ...bindings, HISTORY_SHARDS: `0-255:${to}` },
    });
  });
  await say(ann, path, 1);
  await runDurableObjectAlarm(stubOf(id));
  expect([await count(bindings[from]), await count(bindings[to])]).toEqual([0, 4]);
  expect(seqs(await ask(ann, "GET", `${path}/events`))).toEqual([4, 3, 2, 1]);
  await evictDurableObject(stubOf(id));
});

test("[AR-6] a door refuses other methods, pages of any origin may call, and nobody on the way keeps an answer", async () => {
  const { ann, path } = await pair();
  const answer = (method: string, where: string) =>
    request(
      where,
      { method, headers: { authorization: `Bearer ${ann.accessToken}`, origin: "https://app.example" } },
      { ...bindings },
    );
  const wrong = await answer("DELETE", `${path}/events`);
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, POST"]);
  const right = await answer("GET", `${path}/events`);
  expect([right.status, right.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
  expect([right.headers.get("cache-control"), right.headers.get("x-content-type-options")]).toEqual([
    "no-store",
    "nosniff",
  ]);
  expect((await answer("OPTIONS", `${path}/events`)).status).toBe(204);
});

test("[AC-32] a device that asks too much over HTTP is told to wait, at every door", async () => {
  const { ann, path } = await pair();
  const counted: string[] = [];
  const limit = async ({ key }: { key: string }) => ({ success: counted.push(key) <= 2 });
  const strict = { RATE_LIMITS: "strict", STRICT_DEVICE: { limit } };
  const statuses = [];
  for (const where of [path, "/v1/me", `${path}/events`])
    statuses.push((await ask(ann, "GET", where, undefined, strict)).status);
  expect(statuses).toEqual([200, 200, 429]);
  expect(new Set(counted)).toEqual(new Set([ann.device.deviceId]));
});

test("[PR-9] who of a group is there is fetched when it is opened, by its members alone, and leases nothing", async () => {
  const [ann, bob, cat] = [await signUp(), await signUp(), await signUp()];
  const memberIds = [bob.user.userId, cat.user.userId];
  const { conversationId: id } = opened(await ask(ann, "POST", "/v1/conversations", { title: "Group", memberIds }));
  const socket = await TestSocket.caughtUp(bob.user.userId, bob.device.deviceId);
  const { status, json } = await ask(ann, "GET", `/v1/conversations/${id}/presence`);
  expect([status, json.users]).toEqual([
    200,
    [
      { userId: bob.user.userId, state: "online" },
      { userId: cat.user.userId, state: "offline" },
    ],
  ]);
  const watchers = await runInDurableObject(bindings.INBOXES.getByName(bob.user.userId), (object) =>
    (object as unknown as { store: { people: { watchersAt(now: number): unknown[] } } }).store.people.watchersAt(
      Date.now(),
    ),
  );
  expect(watchers).toEqual([]);
  const stranger = await signUp();
  expect((await ask(stranger, "GET", `/v1/conversations/${id}/presence`)).json.code).toBe("not_found");
  await ask(ann, "DELETE", `/v1/conversations/${id}/members/${cat.user.userId}`);
  expect((await ask(cat, "GET", `/v1/conversations/${id}/presence`)).json.code).toBe("not_member");
  socket.socket.close(1000);
});
