import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { bellFor } from "../../src/objects/bells.ts";
import { Event } from "../../src/protocol/events.ts";
import type { Session } from "../../src/protocol/http.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import { TIMES } from "../../src/protocol/limits.ts";
import { timelineOf } from "../../src/sdk/index.ts";
import { bindings, newKey } from "../objects/support.ts";
import { ask, pair, saying, send, showing, upload } from "./support/media.ts";

const wish = (who: Session, id: ConversationId, event: object, key = newKey()) =>
  ask(who, "POST", `/v1/conversations/${id}/events`, { ...saying({}, key), event });
const edit = (targetSeq: number, caption?: string, more = {}) => ({
  kind: "edit",
  targetSeq,
  content: { type: "caption", ...(caption === undefined ? {} : { caption }), ...more },
});
const settle = (id: ConversationId) => runDurableObjectAlarm(bindings.CONVERSATIONS.getByName(id));
/** A picture that Ann has sent, with this caption. */
async function pictured(caption: string) {
  const { ann, bob, id } = await pair();
  const content = { ...showing(await upload(ann, id)), caption };
  const { seq } = (await send(ann, id, content)).json as { seq: number };
  return { ann, bob, id, seq, content };
}
async function eventsOf(who: Session, id: ConversationId): Promise<Event[]> {
  const { json } = await ask(who, "GET", `/v1/conversations/${id}/events?after=0`);
  return json.events.map((event: unknown) => Event.parse(event));
}
async function shownTo(who: Session, id: ConversationId) {
  const [line] = timelineOf(await eventsOf(who, id), { me: who.user.userId, wishes: [], now: Date.now() });
  return line;
}

test("[LM-23] a caption is changed and taken away, by its sender alone; the picture stays, before and after shipping", async () => {
  const { ann, bob, id, seq, content } = await pictured("Lok!");
  expect((await wish(bob, id, edit(seq, "mine"))).json.code).toBe("forbidden");
  const key = newKey();
  const first = await wish(ann, id, edit(seq, "Look!", { mentions: [bob.user.userId] }), key);
  expect([first.status, (await wish(ann, id, edit(seq, "Look!", { mentions: [bob.user.userId] }), key)).json]).toEqual([
    201,
    { ...first.json, duplicate: true },
  ]);
  expect((await wish(ann, id, edit(seq, "Other"), key)).json.code).toBe("idempotency_conflict");
  for (const _ of ["before", "after"]) {
    const changed = { ...content, caption: "Look!", mentions: [bob.user.userId] };
    expect(await shownTo(bob, id)).toMatchObject({ content: changed, edited: true });
    await settle(id);
  }
  expect((await wish(ann, id, edit(seq))).status).toBe(201);
  const { caption: _, ...bare } = content;
  expect(await shownTo(bob, id)).toMatchObject({ edited: true, content: { ...bare } });
  expect(Reflect.get((await shownTo(bob, id)) ?? {}, "content")).toEqual(bare);
});

test("[LM-2] [LM-23] a caption has the same quarter of an hour, and is no text", async () => {
  const { ann, id, seq } = await pictured("old");
  const text = (await send(ann, id, { type: "text", text: "words" })).json.seq;
  expect((await wish(ann, id, edit(text, "x"))).json.code).toBe("invalid_request");
  const asText = { kind: "edit", targetSeq: seq, content: { type: "text", text: "x" } };
  expect((await wish(ann, id, asText)).json.code).toBe("invalid_request");
  for (const content of [
    { type: "caption", caption: "" },
    { type: "caption", caption: "x".repeat(2_000) },
    { type: "caption", text: "x" },
    { type: "caption", caption: "x", replyTo: 1 },
    { type: "caption", caption: "x", mediaId: "x" },
    { type: "media", caption: "x" },
  ])
    expect((await wish(ann, id, { kind: "edit", targetSeq: seq, content })).json.code).toBe("invalid_request");
  await runInDurableObject(bindings.CONVERSATIONS.getByName(id), (_, { storage: { sql } }) => {
    const receivedAt = Date.now() - TIMES.editMs - 1_000;
    sql.exec("UPDATE log SET body = json_set(body, '$.receivedAt', ?) WHERE seq = ?", receivedAt, seq);
  });
  expect((await wish(ann, id, edit(seq, "late"))).json.code).toBe("too_late");
});

test("[LM-23] [SE-5] the new caption is found and the old one is not, before and after shipping, whole chunks too", async () => {
  const { ann, bob, id, seq } = await pictured("zebra crossing");
  const found = async (q: string) => {
    const { json } = await ask(bob, "GET", `/v1/search?q=${q}`);
    return json.hits.map((hit: { seq: number; snippet: { text: string } }) => [hit.seq, hit.snippet.text]);
  };
  await settle(id);
  await wish(ann, id, edit(seq, "giraffe crossing"));
  for (const _ of ["before", "after"]) {
    expect([await found("zebra"), await found("giraffe")]).toEqual([[], [[seq, "giraffe crossing"]]]);
    await settle(id);
  }
  for (let i = 0; i < 40; i++) await send(ann, id, { type: "text", text: "hay" });
  await settle(id);
  expect([await found("zebra"), await found("giraffe")]).toEqual([[], [[seq, "giraffe crossing"]]]);
  await wish(ann, id, edit(seq));
  for (const _ of ["before", "after"]) {
    expect([await found("zebra"), await found("giraffe")]).toEqual([[], []]);
    await settle(id);
  }
});

test("[LM-5] [LM-23] a recall takes the captions with it, from the log and from history", async () => {
  const { ann, bob, id, seq } = await pictured("secret one");
  await wish(ann, id, edit(seq, "secret two"));
  await settle(id);
  await wish(ann, id, { kind: "recall", targetSeq: seq });
  for (const _ of ["before", "after"]) {
    const events = await eventsOf(bob, id);
    expect(JSON.stringify(events)).not.toContain("secret");
    expect(events.map((event) => ("content" in event ? event.content.type : event.kind))).toEqual([
      "gone",
      "gone",
      "recall",
    ]);
    await settle(id);
  }
  const { results } = await bindings.HISTORY_0.prepare("SELECT body FROM events WHERE conversation_id = ?")
    .bind(id)
    .all();
  const other = await bindings.HISTORY_1.prepare("SELECT body FROM events WHERE conversation_id = ?").bind(id).all();
  expect(JSON.stringify([results, other.results])).not.toContain("secret");
  expect((await wish(ann, id, edit(seq, "again"))).json.code).toBe("too_late");
});

test("[LM-23] [MD-14] a push that comes after the edit says what is said now", async () => {
  const { ann, bob, id, seq } = await pictured("Lok!");
  const bell = () =>
    runInDurableObject(bindings.CONVERSATIONS.getByName(id), (object) => {
      const { state } = Reflect.get(object, "ledger");
      return bellFor(state, bob.user.userId, seq, seq)?.text;
    });
  expect(await bell()).toBe("Photo: Lok!");
  await wish(ann, id, edit(seq, "Look!"));
  expect(await bell()).toBe("Photo: Look!");
  await wish(ann, id, edit(seq));
  expect(await bell()).toBe("Photo");
});
