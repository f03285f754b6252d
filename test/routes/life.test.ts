import { runDurableObjectAlarm } from "cloudflare:test";
import { expect, test } from "vitest";
import type { Env } from "../../src/platform/env.ts";
import type { Wish } from "../../src/protocol/events.ts";
import { Conversation, type Session } from "../../src/protocol/http.ts";
import { TIMES } from "../../src/protocol/limits.ts";
import worker from "../../src/worker.ts";
import { bindings, newKey, text } from "../objects/support.ts";
import { signUp } from "./support/accounts.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers are checked by matchers
type Asked = { status: number; json: any };

async function ask(session: Session, method: string, path: string, body?: unknown): Promise<Asked> {
  const headers = { authorization: `Bearer ${session.accessToken}`, "content-type": "application/json" };
  const init = { method, headers, body: body === undefined ? null : JSON.stringify(body) };
  const response = await worker.fetch(new Request(`https://edgewise.test${path}`, init), bindings as Env);
  const words = await response.text();
  return { status: response.status, json: words === "" ? null : JSON.parse(words) };
}

async function pair() {
  const [ann, bob] = [await signUp(), await signUp()];
  const opened = await ask(ann, "PUT", `/v1/conversations/direct/${bob.user.userId}`);
  const { conversationId: id } = Conversation.parse(opened.json.conversation);
  const path = `/v1/conversations/${id}`;
  const send = (session: Session, event: Wish | object, idempotencyKey = newKey()) => {
    const now = Date.now();
    return ask(session, "POST", `${path}/events`, { idempotencyKey, composedAt: now, sentAt: now, event });
  };
  const settle = () => runDurableObjectAlarm(bindings.CONVERSATIONS.getByName(id));
  return { ann, bob, id, path, send, settle };
}
const history = ({ json }: Asked) =>
  (json.events as { kind: string; content?: object }[]).map(({ kind, content }) => content ?? kind);

test("[LM-1] [LM-5] [LM-6] edits, reactions and recalls go over HTTP like messages, and history tells of them before and after shipping", async () => {
  const { ann, bob, path, send, settle } = await pair();
  expect((await send(ann, text("secret"))).status).toBe(201);
  expect((await send(ann, { kind: "edit", targetSeq: 1, content: { type: "text", text: "secret too" } })).status).toBe(
    201,
  );
  expect((await send(bob, { kind: "reaction", targetSeq: 1, emoji: "❤️" })).status).toBe(201);
  await settle();
  const key = newKey();
  expect(await send(ann, { kind: "recall", targetSeq: 1 }, key)).toMatchObject({ status: 201, json: { seq: 4 } });
  expect(await send(ann, { kind: "recall", targetSeq: 1 }, key)).toMatchObject({
    status: 200,
    json: { seq: 4, duplicate: true },
  });
  const gone = { type: "gone", because: "recalled" };
  for (const isShipped of [false, true]) {
    if (isShipped) await settle();
    const page = await ask(bob, "GET", `${path}/events?after=0`);
    expect(history(page), `${isShipped}`).toEqual([gone, gone, "reaction", "recall"]);
  }
});

test("[LM-1] [LM-3] [LM-4] what may not be said is refused with a code, and what does not fit the schema, too", async () => {
  const { ann, bob, send } = await pair();
  await send(ann, text("one"));
  expect(await send(bob, { kind: "recall", targetSeq: 1 })).toMatchObject({ status: 403, json: { code: "forbidden" } });
  expect(await send(bob, { kind: "recall", targetSeq: 9 })).toMatchObject({
    status: 400,
    json: { code: "invalid_request" },
  });
  await send(ann, { kind: "recall", targetSeq: 1 });
  expect(await send(ann, { kind: "recall", targetSeq: 1 })).toMatchObject({
    status: 409,
    json: { code: "too_late", retryable: false },
  });
  for (const event of [
    { kind: "recall", targetSeq: 0 },
    { kind: "recall", targetSeq: 1, because: "x" },
    { kind: "reaction", targetSeq: 1 },
    { kind: "reaction", targetSeq: 1, emoji: "no" },
    { kind: "edit", targetSeq: 1, content: { type: "text", text: "" } },
    { kind: "edit", targetSeq: 1, content: { type: "text", text: "x", replyTo: 1 } },
    { kind: "edit", targetSeq: 1, content: { type: "gone", because: "recalled" } },
    { kind: "message", content: { type: "gone", because: "recalled" } },
    { kind: "message", content: { type: "text", text: "x" }, expiresAt: 1 },
  ])
    expect((await send(ann, event)).status, JSON.stringify(event)).toBe(400);
});

test("[LM-13] [LM-14] how long messages are kept is set with PATCH, within bounds, and told", async () => {
  const { ann, bob, path, send } = await pair();
  const set = async (retentionMs: unknown) => (await ask(ann, "PATCH", path, { retentionMs })).status;
  expect(await set(TIMES.retentionMinMs)).toBe(200);
  expect([await set(1), await set(TIMES.retentionMaxMs + 1), await set(-1), await set("1")]).toEqual([
    400, 400, 400, 400,
  ]);
  expect((await ask(ann, "PATCH", path, {})).status).toBe(400);
  expect((await ask(ann, "PATCH", path, { title: "x", retentionMs: 0 })).status).toBe(403); // [GR-3]
  expect((await ask(bob, "GET", path)).json.conversation).toMatchObject({ retentionMs: TIMES.retentionMinMs });
  const sent = await send(bob, text("soon gone"));
  expect(sent.json.expiresAt).toBe(sent.json.receivedAt + TIMES.retentionMinMs);
  expect(await set(null)).toBe(200);
  expect((await ask(bob, "GET", path)).json.conversation).not.toHaveProperty("retentionMs");
  expect((await send(bob, text("stays"))).json).not.toHaveProperty("expiresAt");
});

test("[LM-16] DELETE clears for me: history, list and counts begin after it, and are the other's as before", async () => {
  const { ann, bob, id, path, send, settle } = await pair();
  for (const words of ["one", "two"]) await send(ann, text(words));
  await settle();
  expect((await ask(bob, "DELETE", path)).status).toBe(204);
  expect((await ask(bob, "DELETE", path)).status).toBe(204);
  expect((await ask(bob, "GET", `${path}/events?after=0`)).json).toMatchObject({ events: [], floor: 3 });
  const { json } = await ask(bob, "GET", "/v1/conversations");
  expect(json.conversations).toMatchObject([{ conversationId: id, unread: 0, floor: 3 }]);
  expect(json.conversations[0]).not.toHaveProperty("lastEvent");
  await send(ann, text("three"));
  expect((await ask(bob, "GET", `${path}/events?after=0`)).json.events).toMatchObject([{ seq: 3 }]);
  expect((await ask(ann, "GET", `${path}/events?after=0`)).json.events).toHaveLength(3);
  expect((await ask(await signUp(), "DELETE", path)).status).toBe(404);
});
