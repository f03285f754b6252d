import { runInDurableObject } from "cloudflare:test";
import * as fc from "fast-check";
import { ulid } from "ulid";
import { expect, test } from "vitest";
import { dropMedia, placeOf } from "../../src/platform/media/media.ts";
import { storeOf } from "../../src/platform/media/presign.ts";
import type { Session } from "../../src/protocol/http.ts";
import { type ConversationId, MediaId } from "../../src/protocol/ids.ts";
import { LIMITS, TIMES } from "../../src/protocol/limits.ts";
import { mediaById } from "../../src/storage/media.ts";
import { bindings, inbox, newKey, TestSocket, until } from "../objects/support.ts";
import { signatureOf } from "../sigv4.ts";
import { downDatabase, signUp } from "./support/accounts.ts";
import {
  ask,
  askUpload,
  headOf,
  keyOf,
  openDirect,
  PICTURE,
  pair,
  saying,
  see,
  send,
  showing,
  upload,
  wishFor,
} from "./support/media.ts";

const SECRET = { region: "auto", secret: "secret-of-the-tests" };
const SOUND = { contentType: "audio/ogg" };

async function group(...others: Session[]) {
  const maker = await signUp();
  const made = await ask(maker, "POST", "/v1/conversations", {
    title: "Team",
    memberIds: others.map((s) => s.user.userId),
  });
  const id: ConversationId = made.json.conversation.conversationId;
  return {
    maker,
    id,
    remove: (s: Session) => ask(maker, "DELETE", `/v1/conversations/${id}/members/${s.user.userId}`),
  };
}

test("[MD-1] only a member of the conversation may upload for it, and only where there is a bucket", async () => {
  const { ann, bob, id } = await pair();
  const stranger = await signUp();
  const wish = await wishFor(id);
  expect(await ask(bob, "POST", "/v1/media", wish)).toMatchObject({ status: 201 });
  expect(await ask(stranger, "POST", "/v1/media", wish)).toMatchObject({ status: 404, json: { code: "not_found" } });
  const team = await group(ann);
  await team.remove(ann);
  const late = await ask(ann, "POST", "/v1/media", { ...wish, conversationId: team.id });
  expect(late.json.code).toBe("not_member");
  for (const gone of ["R2_ENDPOINT", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"]) {
    const without = await ask(ann, "POST", "/v1/media", wish, { [gone]: "" });
    expect(without).toMatchObject({ status: 409, json: { code: "media_not_offered" } });
  }
});

test("[MD-2] each kind of media has its greatest size", async () => {
  const { ann, id } = await pair();
  const kinds = [
    ["image/jpeg", LIMITS.imageBytes],
    ["audio/ogg", LIMITS.audioBytes],
    ["video/mp4", LIMITS.putBytes], // in one request
    ["application/pdf", LIMITS.putBytes],
  ] as const;
  for (const [contentType, most] of kinds) {
    const post = async (bytes: number) => {
      const answer = await ask(ann, "POST", "/v1/media", { ...(await wishFor(id)), contentType, bytes });
      return answer.status === 201 ? 201 : answer.json.code;
    };
    expect(await post(most), contentType).toBe(201);
    expect(["media_too_large", "invalid_request"], contentType).toContain(await post(most + 1));
    expect(await post(0), contentType).toBe("invalid_request");
  }
});

test("[MD-3] an independent signer signs the same: method, place, type, size, hash, disposition and time", async () => {
  const { ann, id } = await pair();
  const type = fc.stringMatching(/^[a-z0-9][a-z0-9.+-]{0,8}\/[a-z0-9][a-z0-9.+-]{0,8}$/);
  const size = fc.integer({ min: 1, max: 1_000_000 });
  await fc.assert(
    fc.asyncProperty(type, size, async (contentType, bytes) => {
      const { json } = await ask(ann, "POST", "/v1/media", { ...(await wishFor(id)), contentType, bytes });
      const url = new URL(json.upload.url);
      const all = { ...json.upload.headers, "content-length": String(bytes) };
      expect(url.searchParams.get("X-Amz-Signature")).toBe(signatureOf("PUT", url, all, SECRET));
      expect(url.searchParams.get("X-Amz-SignedHeaders")?.split(";").sort()).toEqual(
        ["host", ...Object.keys(all)].sort(),
      );
      expect(all["content-type"]).toBe(contentType);
    }),
    { numRuns: 25 },
  );
});

test("[MD-3] a URL lets one upload begin for a quarter of an hour, and tells its hash as stores want it", async () => {
  const { ann, id } = await pair();
  const now = Date.now();
  const { upload: place } = await askUpload(ann, id);
  const url = new URL(place?.url ?? "");
  expect(url.searchParams.get("X-Amz-Expires")).toBe("900");
  expect(place?.expiresAt).toBeGreaterThanOrEqual(now + TIMES.uploadMs);
  const sha = new Uint8Array(await crypto.subtle.digest("SHA-256", PICTURE));
  expect(place?.headers["x-amz-checksum-sha256"]).toBe(btoa(String.fromCharCode(...sha)));
  expect(place?.headers["if-none-match"]).toBe("*");
  for (const secret of [ann.user.userId, id]) expect(url.href).not.toContain(secret);
});

test("[MD-5] the same bytes of one person are uploaded once, and another person learns nothing of it", async () => {
  const { ann, bob, id } = await pair();
  const first = await askUpload(ann, id);
  const second = await askUpload(ann, id); // not uploaded yet: both may
  expect(keyOf(second.upload?.url ?? "")).toBe(keyOf(first.upload?.url ?? ""));
  await bindings.MEDIA.put(keyOf(first.upload?.url ?? ""), PICTURE);
  const third = await askUpload(ann, id);
  expect(third.upload).toBeUndefined();
  expect(new Set([first.mediaId, second.mediaId, third.mediaId]).size).toBe(3);
  const others = await askUpload(bob, id);
  expect(keyOf(others.upload?.url ?? "")).not.toBe(keyOf(first.upload?.url ?? ""));
  expect((await askUpload(ann, id, SOUND)).upload).toBeDefined(); // of another type it is another thing
  expect((await send(ann, id, showing(third.mediaId))).status).toBe(201);
});

test("[MD-6] members see what was sent; strangers, removed members and everybody before it was sent see nothing", async () => {
  const [bob, carol, stranger] = [await signUp(), await signUp(), await signUp()];
  const team = await group(bob, carol);
  const { mediaId, upload: place } = await askUpload(team.maker, team.id);
  expect((await see(team.maker, mediaId)).json.code).toBe("media_not_uploaded");
  await bindings.MEDIA.put(keyOf(place?.url ?? ""), PICTURE);
  expect((await see(team.maker, mediaId)).status).toBe(200);
  expect((await see(bob, mediaId)).json.code).toBe("not_found");
  await send(team.maker, team.id, showing(mediaId));
  expect((await see(bob, mediaId)).status).toBe(200);
  expect((await see(stranger, mediaId)).json.code).toBe("not_found");
  expect((await see(stranger, ulid())).json.code).toBe("not_found");
  await team.remove(carol);
  expect((await see(carol, mediaId)).json.code).toBe("not_found");
  const redirect = await ask(bob, "GET", `/v1/media/${mediaId}`);
  expect(redirect.status).toBe(302);
  const url = new URL(redirect.headers.get("location") ?? "");
  expect(url.searchParams.get("X-Amz-Signature")).toBe(signatureOf("GET", url, {}, SECRET));
  expect(url.pathname).toBe(`/edgewise-media/${keyOf(place?.url ?? "")}`);
  expect(redirect.headers.get("cache-control")).toBe("no-store");
});

test("[MD-6] a place is the same for a while and good for a quarter of an hour at least, never for twice as long", async () => {
  const { ann, id } = await pair();
  const mediaId = await upload(ann, id);
  const { json } = await see(ann, mediaId);
  expect(json.expiresAt - Date.now()).toBeGreaterThan(TIMES.downloadMs - 60_000);
  expect(json.expiresAt - Date.now()).toBeLessThanOrEqual(2 * TIMES.downloadMs);
  expect(new URL(json.url).searchParams.get("X-Amz-Expires")).toBe("1800");
  const [store, row] = [storeOf(bindings), await mediaById(bindings.DIRECTORY, mediaId)];
  if (!store || !row) throw new Error("no media");
  const quarter = Math.ceil(Date.now() / TIMES.downloadMs) * TIMES.downloadMs;
  const at = async (ms: number) => (await placeOf(store, row, quarter + ms)).url;
  expect(await at(TIMES.downloadMs - 1)).toBe(await at(0));
  expect(await at(TIMES.downloadMs)).not.toBe(await at(0));
});

test("[MD-7] what a browser might run is kept as something to save, in the store and in the link", async () => {
  const { ann, id } = await pair();
  const cases = {
    "image/png": "inline",
    "video/mp4": "inline",
    "image/svg+xml": "attachment",
    "text/html": "attachment",
  };
  for (const [contentType, disposition] of Object.entries(cases)) {
    const { mediaId, upload: place } = await askUpload(ann, id, { contentType });
    expect(place?.headers["content-disposition"], contentType).toBe(disposition);
    await bindings.MEDIA.put(keyOf(place?.url ?? ""), PICTURE);
    const url = new URL((await see(ann, mediaId)).json.url);
    expect(url.searchParams.get("response-content-disposition"), contentType).toBe(disposition);
  }
});

test("[MD-8] a message shows nothing but what its sender uploaded for that conversation, as it is", async () => {
  const { ann, bob, id } = await pair();
  const other = await openDirect(ann, await signUp());
  const mediaId = await upload(ann, id);
  const waiting = (await askUpload(ann, id, SOUND)).mediaId;
  const bad: [string, Session, ConversationId, object][] = [
    ["another's", bob, id, showing(mediaId)],
    ["of another conversation", ann, other, showing(mediaId)],
    ["nobody's", ann, id, showing(MediaId.parse(ulid()))],
    ["of another type", ann, id, { ...showing(mediaId), contentType: "image/jpeg" }],
    ["of another size", ann, id, { ...showing(mediaId), bytes: PICTURE.length + 1 }],
    ["not uploaded", ann, id, showing(waiting, SOUND)],
  ];
  for (const [what, who, where, content] of bad) {
    const refused = await send(who, where, content);
    expect([refused.status, refused.json.code], what).toEqual([400, "invalid_request"]);
    expect(refused.json.detail, what).toContain("content.mediaId");
    const device = await TestSocket.caughtUp(who.user.userId, who.device.deviceId);
    const answer = await device.ask({ type: "send", conversationId: where, ...saying(content) } as never);
    expect(answer, what).toMatchObject({ type: "error", code: "invalid_request" });
    device.socket.close();
  }
  expect(await headOf(ann, id)).toBe(0);
  const stranger = await signUp();
  expect((await send(stranger, id, showing(mediaId))).json.code).toBe("not_found");
  expect((await send(ann, id, showing(mediaId))).status).toBe(201);
});

test("[MD-8] what was found fit once is fit for the same wish alone, whatever key another one uses", async () => {
  const { ann, id } = await pair();
  const other = await openDirect(ann, await signUp());
  const mediaId = await upload(ann, id);
  const key = newKey();
  expect((await send(ann, id, showing(mediaId), key)).status).toBe(201);
  expect((await send(ann, other, showing(mediaId), key)).json.code).toBe("invalid_request");
  expect(await headOf(ann, other)).toBe(0);
});

test("[MD-8] bytes of the right type and size whose hash the store knows to be another are not there", async () => {
  const { ann, id } = await pair();
  const { mediaId, upload: place } = await askUpload(ann, id);
  const wrong = PICTURE.map((byte) => byte ^ 1);
  const sha256 = await crypto.subtle.digest("SHA-256", wrong);
  await bindings.MEDIA.put(keyOf(place?.url ?? ""), wrong, { sha256 });
  expect((await send(ann, id, showing(mediaId))).json.code).toBe("invalid_request");
});

test("[MD-9] media is of one message; its wish repeated gets the first ack, however late", async () => {
  const { ann, id } = await pair();
  const mediaId = await upload(ann, id);
  const key = newKey();
  const first = await send(ann, id, showing(mediaId), key);
  expect([first.status, (await send(ann, id, showing(mediaId))).json.code]).toEqual([201, "invalid_request"]);
  expect((await send(ann, id, showing(mediaId), key)).json).toEqual({ ...first.json, duplicate: true });
  await dropMedia(bindings, [mediaId]);
  const object = bindings.INBOXES.getByName(ann.user.userId);
  await runInDurableObject(object, (it) =>
    Reflect.get(Reflect.get(Reflect.get(it, "sender"), "media"), "claimed").clear(),
  );
  expect((await send(ann, id, showing(mediaId), key)).json).toEqual({ ...first.json, duplicate: true });
  expect(await headOf(ann, id)).toBe(1);
});

test("[MD-9] two messages at once do not share it; one whose key came to nothing lets it go", async () => {
  const { ann, id } = await pair();
  const mediaId = await upload(ann, id);
  const early = newKey();
  await send(ann, id, { type: "text", text: "newer" });
  expect((await send(ann, id, showing(mediaId), early)).json.code).toBe("key_out_of_order");
  const device = await TestSocket.caughtUp(ann.user.userId, ann.device.deviceId);
  const wish = (content: object) => ({ type: "send", conversationId: id, ...saying(content) }) as never;
  const first = device.ask(wish({ type: "text", text: "goes alone, and those behind it as one batch" }));
  const answers = await Promise.all([device.ask(wish(showing(mediaId))), device.ask(wish(showing(mediaId)))]);
  expect([(await first).type, ...answers.map((answer) => answer.type)]).toEqual(["ack", "ack", "error"]);
  expect(await headOf(ann, id)).toBe(3);
  const another = await upload(ann, id);
  const { userId } = ann.user;
  const { deviceId } = ann.device;
  const wishes = [1, 2].map(() => ({ userId, deviceId, ...saying(showing(another)) }));
  const vetted = await runInDurableObject(bindings.INBOXES.getByName(userId), (it) =>
    Reflect.get(Reflect.get(it, "sender"), "media").vet(id, wishes, Date.now()),
  );
  expect(vetted.map((wish: { unfit?: string }) => wish.unfit)).toEqual([undefined, "another message has it"]);
});

test("[MD-10] looking at media holds up what is behind it, and while it cannot be looked at nothing overtakes", async () => {
  const { ann, id } = await pair();
  const mediaId = await upload(ann, id);
  const device = await TestSocket.caughtUp(ann.user.userId, ann.device.deviceId);
  const sends = [showing(mediaId), { type: "text", text: "behind" }].map(
    (content) => ({ type: "send", conversationId: id, ...saying(content) }) as never,
  );
  const object = bindings.INBOXES.getByName(ann.user.userId);
  const reach = (directory: D1Database) =>
    runInDurableObject(object, (it) => {
      const desk = Reflect.get(Reflect.get(it, "sender"), "media");
      Reflect.set(desk, "env", { ...Reflect.get(desk, "env"), DIRECTORY: directory });
    });
  await reach(downDatabase());
  const failed = await Promise.all(sends.map((frame) => device.ask(frame)));
  expect(failed).toMatchObject([{ code: "unavailable" }, { code: "unavailable" }]);
  await reach(bindings.DIRECTORY);
  const acked = await Promise.all(sends.map((frame) => device.ask(frame)));
  expect(acked).toMatchObject([
    { type: "ack", seq: 1 },
    { type: "ack", seq: 2 },
  ]);
});

test("[MD-5] forwarding is a new request with the same hash, and the first conversation's end is not the second's", async () => {
  const { ann, id } = await pair();
  const carol = await signUp();
  const other = await openDirect(ann, carol);
  const first = await upload(ann, id);
  await send(ann, id, showing(first));
  const { mediaId, upload: place } = await askUpload(ann, other);
  expect(place).toBeUndefined();
  expect((await send(ann, other, showing(mediaId))).status).toBe(201);
  expect((await see(carol, first)).json.code).toBe("not_found");
  await dropMedia(bindings, [first]);
  expect((await see(carol, mediaId)).status).toBe(200);
  expect(await bindings.MEDIA.head((await mediaById(bindings.DIRECTORY, mediaId))?.objectKey ?? "")).not.toBeNull();
});

test("[MD-12] recalled media is deleted, with its bytes, and that is tried until it is done", async () => {
  const { ann, bob, id } = await pair();
  const mediaId = await upload(ann, id);
  const { seq } = (await send(ann, id, showing(mediaId))).json;
  const { objectKey } = (await mediaById(bindings.DIRECTORY, mediaId)) ?? { objectKey: "" };
  const settleWith = (changed: object) =>
    runInDurableObject(bindings.CONVERSATIONS.getByName(id), async (object) => {
      Reflect.set(Reflect.get(object, "settler"), "env", { ...bindings, ...changed });
      await object.alarm();
    });
  const recalling = { ...saying({}), event: { kind: "recall", targetSeq: seq } };
  expect((await ask(ann, "POST", `/v1/conversations/${id}/events`, recalling)).status).toBe(201);
  await settleWith({ MEDIA: { delete: () => Promise.reject(new Error("away")) } });
  expect(await bindings.MEDIA.head(objectKey)).not.toBeNull();
  await settleWith({});
  expect([await bindings.MEDIA.head(objectKey), await mediaById(bindings.DIRECTORY, mediaId)]).toEqual([
    null,
    undefined,
  ]);
  expect((await see(bob, mediaId)).json.code).toBe("not_found");
});

test("[MD-14] a push says what kind of media there is, and its caption", async () => {
  const { ann, bob, id } = await pair();
  const subscription = { endpoint: { provider: "fcm" as const, token: "t" }, preview: true };
  await inbox(bob.user.userId).putSubscription(bob.user.userId, bob.device.deviceId, subscription);
  const told: unknown[] = [];
  await runInDurableObject(bindings.INBOXES.getByName(bob.user.userId), (object) => {
    const sendBatch = async (batch: { body: { preview?: { text?: string } } }[]) => {
      told.push(...batch.map(({ body }) => body.preview?.text));
    };
    Reflect.set(Reflect.get(object, "ringer"), "env", { ...bindings, PUSHES: { sendBatch } });
  });
  await send(ann, id, { ...showing(await upload(ann, id)), caption: "Look!" });
  await send(ann, id, showing(await upload(ann, id, SOUND), SOUND));
  await until(() => told.length === 2);
  expect(told).toEqual(["Photo: Look!", "Voice message"]);
});
