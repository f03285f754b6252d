import { runInDurableObject } from "cloudflare:test";
import { ulid } from "ulid";
import { expect, test } from "vitest";
import type { Session } from "../../src/protocol/http.ts";
import type { ConversationId, MediaId } from "../../src/protocol/ids.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { forwarded } from "../../src/sdk/index.ts";
import { mediaById } from "../../src/storage/media.ts";
import { bindings } from "../objects/support.ts";
import { signUp } from "./support/accounts.ts";
import { ask, askUpload, openDirect, PICTURE, pair, saying, see, send, showing, upload } from "./support/media.ts";

const passOn = (who: Session, conversationId: ConversationId, from: MediaId | string, changed = {}) =>
  ask(who, "POST", "/v1/media", { conversationId, from }, changed);
const objectOf = async (mediaId: MediaId) => (await mediaById(bindings.DIRECTORY, mediaId))?.objectKey ?? "";
const say = (who: Session, id: ConversationId, event: object) =>
  ask(who, "POST", `/v1/conversations/${id}/events`, { ...saying({}), event });
const settle = (id: ConversationId) =>
  runInDurableObject(bindings.CONVERSATIONS.getByName(id), async (object) => object.alarm());

/** Ann has sent Bob a picture; Bob also talks with Cat. */
async function received() {
  const { ann, bob, id } = await pair();
  const cat = await signUp();
  const mediaId = await upload(ann, id);
  const { seq } = (await send(ann, id, showing(mediaId))).json as { seq: number };
  return { ann, bob, cat, id, other: await openDirect(bob, cat), mediaId, seq };
}

test("[MD-22] what somebody received they pass on without its bytes: a row of their own, the same object", async () => {
  const { ann, bob, cat, other, mediaId } = await received();
  const { status, json } = await passOn(bob, other, mediaId);
  expect([status, Object.keys(json)]).toEqual([201, ["mediaId"]]);
  expect(await objectOf(json.mediaId)).toBe(await objectOf(mediaId));
  expect((await see(cat, json.mediaId)).json.code).toBe("not_found"); // not before it is sent [MD-6]
  expect((await send(bob, other, { ...forwarded(showing(mediaId)), mediaId: json.mediaId })).status).toBe(201);
  expect((await see(cat, json.mediaId)).status).toBe(200);
  for (const [who, what] of [
    [cat, mediaId],
    [ann, json.mediaId],
  ] as const)
    expect((await see(who, what)).json.code).toBe("not_found");
  const further = await passOn(cat, await openDirect(cat, await signUp()), json.mediaId);
  expect([further.status, await objectOf(further.json.mediaId)]).toEqual([201, await objectOf(mediaId)]);
});

test("[MD-22] [MD-12] what was passed on stays when the original is recalled; the bytes go with the last that mean them", async () => {
  const { ann, bob, cat, id, other, mediaId, seq } = await received();
  const copy = (await passOn(bob, other, mediaId)).json.mediaId;
  const key = await objectOf(mediaId);
  const sent = await send(bob, other, showing(copy));
  await say(ann, id, { kind: "recall", targetSeq: seq });
  await settle(id);
  expect(await mediaById(bindings.DIRECTORY, mediaId)).toBeUndefined();
  expect((await see(cat, copy)).status).toBe(200);
  expect(await bindings.MEDIA.head(key)).not.toBeNull();
  expect((await passOn(bob, other, mediaId)).json.code).toBe("not_found");
  await say(bob, other, { kind: "recall", targetSeq: sent.json.seq });
  await settle(other);
  expect([await bindings.MEDIA.head(key), await mediaById(bindings.DIRECTORY, copy)]).toEqual([null, undefined]);
});

test("[MD-22] who may not see it passes nothing on, and nobody passes it where they may not write", async () => {
  const { ann, bob, cat, id, other, mediaId } = await received();
  const stranger = await signUp();
  const own = await openDirect(stranger, cat);
  expect((await passOn(stranger, own, mediaId)).json.code).toBe("not_found");
  expect((await passOn(cat, other, mediaId)).json.code).toBe("not_found");
  expect((await passOn(bob, other, ulid())).json.code).toBe("not_found");
  expect((await passOn(bob, own, mediaId)).json.code).toBe("not_found");
  const waiting = (await askUpload(ann, id, { contentType: "audio/ogg" })).mediaId;
  expect((await passOn(bob, other, waiting)).json.code).toBe("not_found");
  expect((await passOn(ann, id, waiting)).json.code).toBe("media_not_uploaded");
  const team = await ask(ann, "POST", "/v1/conversations", { title: "Team", memberIds: [cat.user.userId] });
  const teamId: ConversationId = team.json.conversation.conversationId;
  const shown = await upload(ann, teamId);
  await send(ann, teamId, showing(shown));
  expect((await passOn(cat, other, shown)).status).toBe(201);
  await ask(ann, "DELETE", `/v1/conversations/${teamId}/members/${cat.user.userId}`);
  expect((await passOn(cat, other, shown)).json.code).toBe("not_found");
  expect((await passOn(cat, teamId, mediaId)).json.code).toBe("not_member");
  expect((await passOn(bob, other, mediaId, { R2_ENDPOINT: "" })).json.code).toBe("media_not_offered");
  const copy = (await passOn(bob, other, mediaId)).json.mediaId;
  for (const change of [{ bytes: PICTURE.length + 1 }, { contentType: "image/jpeg" }]) // [MD-8]
    expect((await send(bob, other, { ...showing(copy), ...change })).json.code).toBe("invalid_request");
  expect((await send(bob, id, showing(copy))).json.code).toBe("invalid_request");
  expect((await ask(bob, "POST", "/v1/media", { conversationId: other, from: mediaId, bytes: 3 })).json.code).toBe(
    "invalid_request",
  );
});

test("[LM-24] a message says how often it was passed on, five at most; its words are not edited, and it is recalled like any other", async () => {
  const { ann, bob, id } = await pair();
  const says = async (forwards: unknown) => (await send(ann, id, { type: "text", text: "news", forwards })).status;
  expect([await says(1), await says(LIMITS.forwards)]).toEqual([201, 201]);
  for (const bad of [0, -1, 1.5, LIMITS.forwards + 1, "1", true, null]) expect(await says(bad), `${bad}`).toBe(400);
  const edit = { kind: "edit", targetSeq: 1, content: { type: "text", text: "other news" } };
  expect((await say(ann, id, edit)).json.code).toBe("forbidden");
  const media = { ...showing(await upload(ann, id)), caption: "Look", forwards: 1 };
  const { seq } = (await send(ann, id, media)).json;
  expect((await say(ann, id, { kind: "edit", targetSeq: seq, content: { type: "caption" } })).json.code).toBe(
    "forbidden",
  );
  const page = await ask(bob, "GET", `/v1/conversations/${id}/events?after=0`);
  expect(page.json.events.map((event: { content: { forwards?: number } }) => event.content.forwards)).toEqual([
    1, 5, 1,
  ]);
  expect((await say(ann, id, { kind: "recall", targetSeq: 1 })).status).toBe(201);
});
