import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import type { Session } from "../../src/protocol/http.ts";
import type { ConversationId, MediaId } from "../../src/protocol/ids.ts";
import { mediaById } from "../../src/storage/media.ts";
import { bindings } from "../objects/support.ts";
import { downDatabase } from "./support/accounts.ts";
import { ask, pair, saying, see, send, showing, upload } from "./support/media.ts";

/** What becomes of media when its message goes: by the conversation's alarm, however often the object crashes on the way. */
const stubOf = (id: ConversationId) => bindings.CONVERSATIONS.getByName(id);
const crash = (id: ConversationId) => evictDurableObject(stubOf(id));
const settle = (id: ConversationId) => runDurableObjectAlarm(stubOf(id));
/** The alarm, over bindings of which some are replaced until the object crashes. */
const settleWith = (id: ConversationId, changed: object) =>
  runInDurableObject(stubOf(id), async (object) => {
    Reflect.set(Reflect.get(object, "settler"), "env", { ...bindings, ...changed });
    await object.alarm();
  });
const recall = (who: Session, id: ConversationId, targetSeq: number) =>
  ask(who, "POST", `/v1/conversations/${id}/events`, { ...saying({}), event: { kind: "recall", targetSeq } });
const waiting = (id: ConversationId) =>
  runInDurableObject(stubOf(id), (_, { storage: { sql } }) => sql.exec("SELECT * FROM stale").toArray().length);

const objectOf = async (mediaId: MediaId) => (await mediaById(bindings.DIRECTORY, mediaId))?.objectKey ?? "";
/** What is left of media: its row, its bytes. */
const left = async (mediaId: MediaId, key: string) =>
  [await mediaById(bindings.DIRECTORY, mediaId), await bindings.MEDIA.head(key)].map((it) => (it ? "there" : "gone"));

async function shown(file = {}, retentionMs = 0) {
  const { ann, bob, id } = await pair();
  if (retentionMs > 0) await stubOf(id).set(ann.user.userId, { retentionMs });
  const mediaId = await upload(ann, id, file);
  const { seq } = (await send(ann, id, showing(mediaId, file))).json as { seq: number };
  await settle(id);
  return { ann, bob, id, mediaId, seq, key: await objectOf(mediaId) };
}

for (const contentType of ["audio/ogg", "video/mp4"])
  test(`[LM-7] [MD-12] recalled ${contentType} is dropped, also when the object crashes before its alarm`, async () => {
    const { ann, bob, id, mediaId, seq, key } = await shown({ contentType });
    expect(await left(mediaId, key)).toEqual(["there", "there"]);
    await recall(ann, id, seq);
    await crash(id);
    expect((await see(bob, mediaId)).status).toBe(200); // its log has said so; the alarm has not come yet
    await settle(id);
    expect([await left(mediaId, key), await waiting(id)]).toEqual([["gone", "gone"], 0]);
    expect((await see(bob, mediaId)).json.code).toBe("not_found");
  });

test("[LM-15] [MD-12] media of a message whose time is over is dropped, also across a crash", async () => {
  const { bob, id, mediaId, key } = await shown({}, 60_000);
  await crash(id);
  expect(await left(mediaId, key)).toEqual(["there", "there"]);
  await runInDurableObject(stubOf(id), (_, { storage: { sql } }) => {
    const later = "UPDATE log SET expires_at = expires_at - ?1, body = json_set(body, '$.expiresAt', expires_at - ?1)";
    sql.exec(`${later} WHERE expires_at NOT NULL`, 60_000);
  });
  await settleWith(id, { MEDIA: { delete: () => Promise.reject(new Error("away")) } });
  expect([await left(mediaId, key), await waiting(id)]).toEqual([["there", "there"], 1]); // the words went, the bytes not yet
  await crash(id);
  await settle(id);
  expect([await left(mediaId, key), await waiting(id)]).toEqual([["gone", "gone"], 0]);
  expect((await see(bob, mediaId)).json.code).toBe("not_found");
});

test("[LM-7] [MD-12] wherever dropping breaks off and the object crashes, the next alarm ends it", async () => {
  const refusing = (what: string) =>
    new Proxy(bindings.DIRECTORY, {
      get: (database, name) => {
        if (name !== "prepare") return Reflect.get(database, name);
        return (query: string) => {
          if (query.startsWith(what)) throw new Error("D1 is away");
          return database.prepare(query);
        };
      },
    });
  const breaks: [string, object, string[]][] = [
    ["before anything", { DIRECTORY: downDatabase() }, ["there", "there"]],
    ["before the bytes", { MEDIA: { delete: () => Promise.reject(new Error("R2 is away")) } }, ["there", "there"]],
    ["after the bytes", { DIRECTORY: refusing("delete") }, ["there", "gone"]],
    ["before history", { HISTORY_0: downDatabase(), HISTORY_1: downDatabase() }, ["there", "there"]],
  ];
  for (const [when, changed, halfway] of breaks) {
    const { ann, id, mediaId, seq, key } = await shown();
    await recall(ann, id, seq);
    await settleWith(id, changed);
    expect(await left(mediaId, key), when).toEqual(halfway);
    expect(await waiting(id), when).toBe(1);
    await crash(id);
    await settle(id);
    expect([await left(mediaId, key), await waiting(id)], when).toEqual([["gone", "gone"], 0]);
  }
});

test("[LM-15] [MD-12] media of messages that go together is dropped together, and an object goes with the last that means it", async () => {
  const { ann, id, mediaId, seq, key } = await shown();
  const twin = await upload(ann, id); // the same bytes
  const { seq: second } = (await send(ann, id, showing(twin))).json;
  const other = await upload(ann, id, { contentType: "audio/ogg" });
  const { seq: third } = (await send(ann, id, showing(other, { contentType: "audio/ogg" }))).json;
  await recall(ann, id, seq);
  await settle(id);
  expect([await left(mediaId, key), await left(twin, key)]).toEqual([
    ["gone", "there"],
    ["there", "there"],
  ]);
  const otherKey = await objectOf(other);
  await Promise.all([second, third].map((one) => recall(ann, id, one)));
  await crash(id);
  await settle(id);
  expect([await left(twin, key), await left(other, otherKey)]).toEqual([
    ["gone", "gone"],
    ["gone", "gone"],
  ]);
});
