import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { ulid } from "ulid";
import { expect, test } from "vitest";
import { sweepMedia } from "../../src/platform/media/sweep.ts";
import { Conversation, Invite, InvitePreview, type Session } from "../../src/protocol/http.ts";
import { type ConversationId, MediaId } from "../../src/protocol/ids.ts";
import { TIMES } from "../../src/protocol/limits.ts";
import { mediaById } from "../../src/storage/media.ts";
import { bindings, conversation, TestSocket, until } from "../objects/support.ts";
import { downDatabase, signUp } from "./support/accounts.ts";
import { ask, askUpload, headOf, keyOf, PICTURE, see, send, showing, upload } from "./support/media.ts";

const at = (id: ConversationId, rest = "") => `/v1/conversations/${id}${rest}`;
const set = (me: Session, id: ConversationId, avatarMediaId: MediaId | null) =>
  ask(me, "PATCH", at(id), { avatarMediaId });
const shown = async (me: Session, id: ConversationId) =>
  Conversation.parse((await ask(me, "GET", at(id))).json.conversation).avatarMediaId;
const codeOf = ({ status, json }: { status: number; json: { code?: string } | null }) => json?.code ?? status;
const stubOf = (id: ConversationId) => bindings.CONVERSATIONS.getByName(id);
const asleep = (id: ConversationId) => evictDurableObject(stubOf(id)).catch(() => {});
const alarmOver = (id: ConversationId, changed: object = {}) =>
  runInDurableObject(stubOf(id), async (object) => {
    Reflect.set(Reflect.get(object, "settler"), "env", { ...bindings, ...changed });
    await object.alarm();
  });
const keyOfMedia = async (mediaId: MediaId) => (await mediaById(bindings.DIRECTORY, mediaId))?.objectKey ?? "";

/** Different bytes for each: the same ones share a place. */
const FILES = ["one", "two", "three"].map((word) => ({ bytes: new TextEncoder().encode(`picture ${word}`) }));

/** An admin, a member, one who was removed, and a stranger. */
async function team() {
  const [ann, bob, cat, eve] = (await Promise.all(Array.from({ length: 4 }, () => signUp()))) as [
    ...[Session, Session, Session, Session],
  ];
  const memberIds = [bob, cat].map(({ user }) => user.userId);
  const made = await ask(ann, "POST", "/v1/conversations", { title: "Team", memberIds });
  const id: ConversationId = made.json.conversation.conversationId;
  await ask(ann, "DELETE", at(id, `/members/${cat.user.userId}`));
  return { ann, bob, cat, eve, id };
}

test("[GR-11] a picture is told, shown to members wherever the group is, and nobody else gets it", async () => {
  const { ann, bob, cat, eve, id } = await team();
  const phone = await TestSocket.caughtUp(bob.user.userId, bob.device.deviceId);
  const mediaId = await upload(ann, id);
  expect(codeOf(await see(bob, mediaId))).toBe("not_found"); // not before it is set
  expect((await set(ann, id, mediaId)).json.conversation.avatarMediaId).toBe(mediaId);
  const head = await headOf(ann, id);
  expect([(await set(ann, id, mediaId)).status, await headOf(ann, id)]).toEqual([200, head]);
  await asleep(id);
  await until(() => phone.of("events").length > 0);
  expect(phone.of("events").at(-1)?.events.at(-1)).toMatchObject({ kind: "settings", avatarMediaId: mediaId });
  expect(await shown(bob, id)).toBe(mediaId);
  expect((await ask(bob, "GET", "/v1/conversations")).json.conversations[0].avatarMediaId).toBe(mediaId);
  for (const who of [ann, bob]) expect((await see(who, mediaId)).status).toBe(200);
  for (const who of [cat, eve]) expect(codeOf(await see(who, mediaId))).toBe("not_found");
  expect(await shown(cat, id)).toBeUndefined();
  const { code } = Invite.parse((await ask(ann, "POST", at(id, "/invites"), {})).json);
  const { avatar } = InvitePreview.parse((await ask(eve, "GET", `/v1/invites/${code}`)).json);
  expect(keyOf(avatar?.url ?? "")).toBe(await keyOfMedia(mediaId)); // [IV-12]
  const without = await ask(eve, "GET", `/v1/invites/${code}`, undefined, { R2_ENDPOINT: "" });
  expect([without.status, without.json.avatar]).toEqual([200, undefined]);
});

test("[GR-11] a group shows nothing but what whoever sets it has uploaded for it, and no message's", async () => {
  const { ann, bob, cat, eve, id } = await team();
  const other = (await ask(ann, "POST", "/v1/conversations", { title: "Other", memberIds: [] })).json.conversation;
  await ask(ann, "PUT", at(id, `/members/${bob.user.userId}`), { role: "admin" });
  const sent = await upload(ann, id, FILES[0]);
  await send(ann, id, showing(sent, FILES[0]));
  const bad: [string, MediaId][] = [
    ["another admin's", await upload(bob, id)],
    ["of another conversation", await upload(ann, other.conversationId)],
    ["nobody's", MediaId.parse(ulid())],
    ["not uploaded", (await askUpload(ann, id, { contentType: "image/gif" })).mediaId],
    ["a sound", await upload(ann, id, { contentType: "audio/ogg" })],
    ["what a browser might run", await upload(ann, id, { contentType: "image/svg+xml" })],
    ["a message's", sent],
  ];
  const head = await headOf(ann, id);
  for (const [what, mediaId] of bad) {
    const refused = await set(ann, id, mediaId);
    expect([refused.status, refused.json.code], what).toEqual([400, "invalid_request"]);
    expect(refused.json.detail, what).toContain("avatarMediaId");
  }
  const own = await upload(ann, id);
  expect([codeOf(await set(cat, id, own)), codeOf(await set(eve, id, own))]).toEqual(["not_member", "not_found"]);
  await ask(ann, "PUT", at(id, `/members/${bob.user.userId}`), { role: "member" });
  expect(codeOf(await set(bob, id, await upload(bob, id)))).toBe("forbidden");
  expect([await headOf(ann, id), await shown(ann, id)]).toEqual([head + 1, undefined]);
  await ask(ann, "PATCH", at(id), { setting: "members" });
  expect((await set(bob, id, await upload(bob, id))).status).toBe(200);
  const { json } = await ask(ann, "PUT", `/v1/conversations/direct/${bob.user.userId}`);
  const direct = json.conversation.conversationId;
  expect(codeOf(await set(ann, direct, await upload(ann, direct)))).toBe("forbidden");
});

test("[GR-11] [MD-9] the picture is no message's any more, and a wish that has claimed media keeps it", async () => {
  const { ann, id } = await team();
  const mediaId = await upload(ann, id);
  await set(ann, id, mediaId);
  expect(codeOf(await send(ann, id, showing(mediaId)))).toBe("invalid_request");
  const claimed = await upload(ann, id, FILES[0]);
  await bindings.DIRECTORY.prepare("UPDATE media SET claim = ?1 WHERE media_id = ?2")
    .bind(`${ann.device.deviceId} ${ulid()}`, claimed) // of a wish that is perhaps on its way
    .run();
  expect(codeOf(await set(ann, id, claimed))).toBe("invalid_request");
  expect(await shown(ann, id)).toBe(mediaId);
});

test("[GR-12] a picture that was replaced or taken away goes, with its bytes; that is tried until it is done", async () => {
  const { ann, bob, id } = await team();
  const [one, two] = [await upload(ann, id, FILES[0]), await upload(ann, id, FILES[1])];
  const keys = [await keyOfMedia(one), await keyOfMedia(two)] as [string, string];
  await set(ann, id, one);
  await alarmOver(id);
  await set(ann, id, two);
  await alarmOver(id, { MEDIA: { delete: () => Promise.reject(new Error("away")) } });
  expect(await bindings.MEDIA.head(keys[0])).not.toBeNull();
  expect(codeOf(await set(ann, id, one))).toBe("invalid_request"); // it is on its way out
  await asleep(id);
  expect(codeOf(await set(ann, id, one))).toBe("invalid_request");
  await alarmOver(id);
  expect([await bindings.MEDIA.head(keys[0]), await mediaById(bindings.DIRECTORY, one)]).toEqual([null, undefined]);
  expect([codeOf(await set(ann, id, one)), codeOf(await see(bob, one))]).toEqual(["invalid_request", "not_found"]);
  expect([(await see(bob, two)).status, await shown(bob, id)]).toEqual([200, two]);
  await set(ann, id, null);
  expect((await set(ann, id, null)).status).toBe(200);
  await asleep(id);
  await alarmOver(id, { DIRECTORY: downDatabase() });
  expect(await bindings.MEDIA.head(keys[1])).not.toBeNull();
  await asleep(id);
  await alarmOver(id);
  expect([await bindings.MEDIA.head(keys[1]), codeOf(await see(ann, two)), await shown(ann, id)]).toEqual([
    ...[null, "not_found", undefined],
  ]);
  const { events } = (await ask(bob, "GET", at(id, "/events?after=0"))).json;
  expect(events.flatMap((e: { avatarMediaId?: unknown }) => ("avatarMediaId" in e ? [e.avatarMediaId] : []))).toEqual([
    ...[one, two, null],
  ]);
});

test("[GR-11] [MD-11] the sweep keeps a group's picture, and takes what was claimed for one and never set", async () => {
  const { ann, bob, id } = await team();
  const [kept, unset] = [await upload(ann, id, FILES[0]), await upload(ann, id, FILES[1])];
  await set(ann, id, kept);
  await bindings.DIRECTORY.prepare("UPDATE media SET claim = 'avatar' WHERE media_id = ?1").bind(unset).run();
  await asleep(id);
  await sweepMedia(bindings, Date.now() + TIMES.mediaWaitsMs + 60_000);
  expect(await mediaById(bindings.DIRECTORY, unset)).toBeUndefined();
  expect([(await see(bob, kept)).status, (await mediaById(bindings.DIRECTORY, kept))?.kept]).toEqual([200, 1]);
  expect(codeOf(await set(ann, id, unset))).toBe("invalid_request");
  await set(ann, id, null);
  await alarmOver(id);
  expect(await mediaById(bindings.DIRECTORY, kept)).toBeUndefined(); // also what the sweep had done with
});

test("[GR-8] [GR-11] what happens while a picture is looked at counts: the right may go, and another picture may come", async () => {
  const { ann, bob, id } = await team();
  await ask(ann, "PUT", at(id, `/members/${bob.user.userId}`), { role: "admin" });
  const [one, two] = [await upload(bob, id, FILES[0]), await upload(ann, id, FILES[1])];
  /** Sets it, with something done while the bucket is asked. */
  const during = async (mediaId: MediaId, act: () => Promise<unknown>) => {
    const held = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const head = async (key: string) => {
      reached.resolve();
      await held.promise;
      return bindings.MEDIA.head(key);
    };
    const over = (env: object) =>
      runInDurableObject(stubOf(id), (object) => void Reflect.set(Reflect.get(object, "settings"), "env", env));
    await over({ ...bindings, MEDIA: { head } });
    const setting = set(bob, id, mediaId);
    await reached.promise;
    await over(bindings);
    await act();
    held.resolve();
    return setting;
  };
  expect(codeOf(await during(one, () => set(ann, id, two)))).toBe("unavailable");
  expect(await shown(ann, id)).toBe(two);
  const demoted = await during(one, () => ask(ann, "PUT", at(id, `/members/${bob.user.userId}`), { role: "member" }));
  expect([codeOf(demoted), await shown(ann, id)]).toEqual(["forbidden", two]);
});

test("[ER-17] the picture of somebody who is erased is taken off the group, once, however often that is cut off; another's stays", async () => {
  const { ann, bob, cat, id } = await team();
  await ask(ann, "PUT", at(id, `/members/${bob.user.userId}`), { role: "admin" });
  await ask(ann, "PUT", at(id, `/members/${cat.user.userId}`), { role: "member" });
  const [hers, his] = [await upload(ann, id, FILES[0]), await upload(bob, id, FILES[1])];
  await set(ann, id, hers);
  const since = await headOf(ann, id);
  await runInDurableObject(stubOf(id), (object) => {
    const { erasures } = Reflect.get(object, "ledger").store;
    const { putErased } = erasures;
    let puts = 0;
    erasures.putErased = (...args: unknown[]) => {
      putErased.apply(erasures, args);
      if (++puts === 2) throw new Error("cut off"); // all of it was written, and nothing stays
    };
  });
  await expect(runInDurableObject(stubOf(id), (object) => object.erase(ann.user.userId))).rejects.toThrow("cut off");
  expect([await shown(bob, id), await headOf(bob, id)]).toEqual([hers, since]);
  await asleep(id);
  for (let again = 0; again < 2; again++) await conversation(id).erase(ann.user.userId);
  expect(await shown(bob, id)).toBeUndefined();
  const { events } = (await ask(bob, "GET", at(id, `/events?after=${since}`))).json;
  expect(events).toMatchObject([
    { kind: "settings", senderId: ann.user.userId, avatarMediaId: null },
    { kind: "member", change: "left", erased: true },
  ]);
  await set(bob, id, his);
  await conversation(id).erase(cat.user.userId);
  expect(await shown(bob, id)).toBe(his);
  expect(await headOf(bob, id)).toBe(since + 4); // his picture, and that cat is gone
});

test("[GR-11] while media cannot be looked at nothing is set, and the same wish is good later", async () => {
  const { ann, id } = await team();
  const mediaId = await upload(ann, id, { bytes: PICTURE });
  const head = await headOf(ann, id);
  await runInDurableObject(stubOf(id), (object) =>
    Reflect.set(Reflect.get(object, "settings"), "env", { ...bindings, DIRECTORY: downDatabase() }),
  );
  const failed = await ask(ann, "PATCH", at(id), { avatarMediaId: mediaId, title: "New" });
  expect([failed.status, failed.json.code, await headOf(ann, id)]).toEqual([503, "unavailable", head]);
  await asleep(id);
  const done = await ask(ann, "PATCH", at(id), { avatarMediaId: mediaId, title: "New" });
  expect(done.json.conversation).toMatchObject({ avatarMediaId: mediaId, title: "New", head: head + 1 });
});
