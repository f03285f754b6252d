import { ulid } from "ulid";
import { afterEach, expect, test } from "vitest";
import { sweepMedia } from "../../src/platform/media/sweep.ts";
import { ExportLine } from "../../src/protocol/export.ts";
import { Conversation, Me, MediaTicket, Profile, type Session } from "../../src/protocol/http.ts";
import { MediaId } from "../../src/protocol/ids.ts";
import { LIMITS, TIMES } from "../../src/protocol/limits.ts";
import { mediaById } from "../../src/storage/media.ts";
import worker from "../../src/worker.ts";
import { bindings, TestSocket, until } from "../objects/support.ts";
import { downDatabase, downInboxes, signUp } from "./support/accounts.ts";
import { backToNow, eraseMe, finish, recordOf } from "./support/erasure.ts";
import {
  ask,
  askUpload,
  face,
  faceWish,
  keyOf,
  openDirect,
  PICTURE,
  pair,
  see,
  send,
  setFace,
  showing,
  upload,
  uploadFace,
} from "./support/media.ts";

afterEach(backToNow);

const codeOf = ({ status, json }: { status: number; json: { code?: string } | null }) => json?.code ?? status;
const idOf = ({ user }: Session) => user.userId;
const rowOf = (mediaId: MediaId) => mediaById(bindings.DIRECTORY, mediaId);
const keyOfMedia = async (mediaId: MediaId) => (await rowOf(mediaId))?.objectKey ?? "";
const bytesOf = (key: string) => bindings.MEDIA.head(key);
const profile = async (viewer: Session, of: Session): Promise<Profile> =>
  Profile.parse((await ask(viewer, "GET", `/v1/users/${idOf(of)}`)).json);
const shown = async (viewer: Session, of: Session) => (await profile(viewer, of)).avatarMediaId;
const hide = (who: Session, picture: string) => ask(who, "PATCH", "/v1/me", { privacy: { picture } });
const befriend = async (a: Session, b: Session) => {
  await ask(a, "PUT", `/v1/contacts/${idOf(b)}`);
  await ask(b, "PUT", `/v1/contacts/${idOf(a)}`);
};
/** Sweeps as the hourly chore does. */
const sweepAt = (now: number, changed = {}) => sweepMedia({ ...bindings, ...changed }, now);

test("[PF-1] what is uploaded as a picture is one that browsers show, and small; it waits for a day", async () => {
  const ann = await signUp();
  const wish = await faceWish(face("one"));
  const asked = async (change: object) => codeOf(await ask(ann, "POST", "/v1/media", { ...wish, ...change }));
  for (const contentType of ["image/svg+xml", "video/mp4", "audio/ogg", "application/pdf", "image/tiff"])
    expect(await asked({ contentType }), contentType).toBe("invalid_request");
  expect(await asked({ bytes: LIMITS.avatarBytes + 1 })).toBe("media_too_large");
  for (const change of [{ for: "you" }, { parts: ["x"] }, { bytes: 0 }, { sha256: "x" }, { conversationId: "d0" }])
    expect(await asked(change), JSON.stringify(change)).toBe("invalid_request");
  expect(codeOf(await ask(ann, "POST", "/v1/media", wish, { R2_ENDPOINT: "" }))).toBe("media_not_offered");
  for (const contentType of ["image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"])
    expect(await asked({ contentType, bytes: LIMITS.avatarBytes }), contentType).toBe(201);
  const unset = await uploadFace(ann, face("one"));
  const again = MediaTicket.parse((await ask(ann, "POST", "/v1/media", wish)).json);
  expect(again.upload).toBeUndefined(); // the bytes are there already [MD-5]
  await sweepAt(Date.now() + TIMES.mediaWaitsMs + 60_000);
  expect([await rowOf(unset), await rowOf(again.mediaId)]).toEqual([undefined, undefined]);
});

test("[PF-2] my picture is what I have uploaded to be one and nothing else, and what is refused changes nothing", async () => {
  const { ann, bob, id } = await pair();
  const first = await uploadFace(ann, face("first"));
  await setFace(ann, first);
  const sent = await upload(ann, id);
  await send(ann, id, showing(sent));
  const old = await uploadFace(ann, face("old"));
  await setFace(ann, old);
  await setFace(ann, first); // which is gone since
  const { json } = await ask(ann, "POST", "/v1/media", await faceWish(face("not there")));
  const bad: [string, MediaId][] = [
    ["another's", await uploadFace(bob, face("his"))],
    ["another's picture", await uploadFace(bob, face("set"))],
    ["nobody's", MediaId.parse(ulid())],
    ["not uploaded", MediaTicket.parse(json).mediaId],
    ["a message's", sent],
    ["made for a message", await upload(ann, id, face("for a message"))],
    ["a picture of before", first],
  ];
  await setFace(bob, (bad[1] as [string, MediaId])[1]);
  const before = (await ask(ann, "GET", "/v1/me")).json;
  for (const [what, mediaId] of bad) {
    const refused = await setFace(ann, mediaId, { displayName: "Changed" });
    expect([refused.status, refused.json.code], what).toEqual([400, "invalid_request"]);
    expect(refused.json.detail, what).toContain("avatarMediaId");
  }
  for (const avatarMediaId of ["x", 1, {}, ""])
    expect(codeOf(await ask(ann, "PATCH", "/v1/me", { avatarMediaId }))).toBe("invalid_request");
  expect((await ask(ann, "GET", "/v1/me")).json).toEqual(before);
  expect(before.avatarMediaId).toBe(old);
});

test("[PF-2] no message, no group and nothing that is passed on shows what was uploaded as a picture", async () => {
  const { ann, bob, id } = await pair();
  const group = Conversation.parse(
    (await ask(ann, "POST", "/v1/conversations", { title: "Team", memberIds: [idOf(bob)] })).json.conversation,
  ).conversationId;
  const [set, unset] = [await uploadFace(ann, face("set")), await uploadFace(ann, face("unset"))];
  await setFace(ann, set);
  for (const mediaId of [set, unset]) {
    const { bytes = PICTURE } = face(mediaId === set ? "set" : "unset");
    expect(codeOf(await send(ann, id, showing(mediaId, { bytes })))).toBe("invalid_request");
    const avatarMediaId = mediaId;
    expect(codeOf(await ask(ann, "PATCH", `/v1/conversations/${group}`, { avatarMediaId }))).toBe("invalid_request");
    for (const who of [ann, bob])
      expect(codeOf(await ask(who, "POST", "/v1/media", { conversationId: id, from: mediaId }))).toBe("not_found");
  }
  expect([await shown(bob, ann), (await see(bob, set)).status]).toEqual([set, 200]);
});

test("[PF-4] [AC-27] a picture is told wherever a profile is, and nowhere where there is none", async () => {
  const handle = `face-${ulid().toLowerCase()}`;
  const [ann, bob] = [await signUp(handle), await signUp()];
  const mediaId = await uploadFace(ann, face("told"));
  await befriend(ann, bob);
  await openDirect(bob, ann);
  const told = async () => [
    (await ask(bob, "GET", `/v1/users?handle=${handle}`)).json,
    (await ask(bob, "GET", `/v1/users/${idOf(ann)}`)).json,
    (await ask(bob, "GET", `/v1/users/search?q=${handle}`)).json.users[0],
    (await ask(bob, "GET", `/v1/users/search?q=${handle.slice(0, -2)}`)).json.users[0],
    (await ask(bob, "GET", "/v1/contacts")).json.contacts[0],
    (await ask(bob, "GET", "/v1/contacts?since=0")).json.contacts[0],
    (await ask(bob, "GET", "/v1/conversations")).json.conversations[0].peer,
    (await ask(ann, "GET", "/v1/me")).json,
  ];
  const pictures = async () => (await told()).map(({ avatarMediaId }) => avatarMediaId);
  expect((await told()).every((each) => each.userId === idOf(ann) && !("avatarMediaId" in each))).toBe(true);
  expect(Me.parse((await setFace(ann, mediaId)).json).avatarMediaId).toBe(mediaId);
  expect(await pictures()).toEqual(Array.from({ length: 8 }, () => mediaId));
  const blocker = await signUp();
  await ask(blocker, "PUT", `/v1/blocks/${idOf(ann)}`);
  expect((await ask(blocker, "GET", "/v1/blocks")).json.blocks[0].avatarMediaId).toBe(mediaId);
  expect((await told()).every((each) => !("picture" in each) && !("blocksMe" in each))).toBe(true); // facts stay here
  expect("avatarMediaId" in Me.parse((await setFace(ann, null)).json)).toBe(false);
  expect(await pictures()).toEqual(Array.from({ length: 8 }, () => undefined));
});

test("[PF-4] [PF-5] everyone, my contacts or nobody sees my picture, as I choose; I do", async () => {
  const [ann, friend, asked, stranger] = await Promise.all([signUp(), signUp(), signUp(), signUp()]);
  await befriend(ann, friend);
  await ask(asked, "PUT", `/v1/contacts/${idOf(ann)}`); // and no answer
  const mediaId = await uploadFace(ann, face("chosen"));
  await setFace(ann, mediaId);
  expect((await ask(ann, "GET", "/v1/me")).json.privacy.picture).toBe("everyone");
  const seers = async () => {
    const names = { ann, friend, asked, stranger };
    const told = await Promise.all(Object.values(names).map(async (who) => (await shown(who, ann)) === mediaId));
    const led = await Promise.all(Object.values(names).map(async (who) => (await see(who, mediaId)).status === 200));
    expect(led).toEqual(told); // whoever is told of it is led to it, and nobody else
    return Object.keys(names).filter((_, i) => told[i]);
  };
  expect(await seers()).toEqual(["ann", "friend", "asked", "stranger"]);
  await hide(ann, "contacts");
  expect(await seers()).toEqual(["ann", "friend"]);
  await hide(ann, "nobody");
  expect(await seers()).toEqual(["ann"]);
  await hide(ann, "contacts");
  await ask(friend, "DELETE", `/v1/contacts/${idOf(ann)}`);
  expect(await seers()).toEqual(["ann"]);
  await hide(ann, "everyone");
  expect(await seers()).toHaveLength(4);
  expect(codeOf(await hide(ann, "friends"))).toBe("invalid_request");
});

test("[PF-4] [PF-5] whom I block sees no picture of mine, and is told what they would be of somebody without one", async () => {
  const { ann, bob, id } = await pair();
  await send(ann, id, { type: "text", text: "hello" }); // so that he has it in his list
  await befriend(ann, bob);
  const bare = await profile(bob, ann);
  const mediaId = await uploadFace(ann, face("from the blocked"));
  await setFace(ann, mediaId);
  expect(await shown(bob, ann)).toBe(mediaId);
  await ask(ann, "PUT", `/v1/blocks/${idOf(bob)}`);
  expect(await profile(bob, ann)).toEqual(bare);
  expect((await ask(bob, "GET", `/v1/users/search?q=${ann.user.handle}`)).json.users[0].avatarMediaId).toBeUndefined();
  expect((await ask(bob, "GET", "/v1/conversations")).json.conversations[0].peer).toEqual(bare);
  const [theirs, nobodys] = [await see(bob, mediaId), await see(bob, ulid())];
  expect(codeOf(theirs)).toBe("not_found");
  expect(theirs.json).toEqual(nobodys.json); // not to be told apart from no media at all
  expect((await ask(bob, "GET", `/v1/media/${mediaId}`)).headers.get("location")).toBeNull();
  const his = await uploadFace(bob, face("his"));
  await setFace(bob, his);
  expect([await shown(ann, bob), (await see(ann, his)).status]).toEqual([his, 200]); // it is not mutual
  await ask(ann, "DELETE", `/v1/blocks/${idOf(bob)}`);
  expect(await shown(bob, ann)).toBe(mediaId);
});

test("[PF-5] the door leads to the bytes by a redirect or as a place, also before it is set for its maker alone, and to no earlier one", async () => {
  const [ann, bob] = [await signUp(), await signUp()];
  const [one, two] = [await uploadFace(ann, face("one")), await uploadFace(ann, face("two"))];
  expect([codeOf(await see(ann, one)), codeOf(await see(bob, one))]).toEqual([200, "not_found"]);
  await setFace(ann, one);
  const place = (await see(bob, one)).json;
  expect(keyOf(place.url)).toBe(await keyOfMedia(one));
  expect(place.url).toContain("response-content-disposition=inline");
  const redirect = await ask(bob, "GET", `/v1/media/${one}`);
  expect([redirect.status, keyOf(redirect.headers.get("location") ?? "")]).toEqual([302, await keyOfMedia(one)]);
  expect(codeOf(await see(bob, one, { R2_ENDPOINT: "" }))).toBe("media_not_offered");
  await setFace(
    ann,
    two,
    {},
    { MEDIA: { ...bindings.MEDIA, head: (k: string) => bindings.MEDIA.head(k), delete: fails } },
  );
  expect(await rowOf(one)).toBeDefined();
  for (const who of [ann, bob]) expect(codeOf(await see(who, one))).toBe("not_found"); // though its bytes are there still
  expect((await see(bob, two)).status).toBe(200);
});
const fails = () => Promise.reject(new Error("away"));

test("[PF-3] [PF-6] a picture that was replaced or taken off goes with its bytes, at once or by the next sweep however often that fails", async () => {
  const ann = await signUp();
  const one = await uploadFace(ann, face("goes"));
  await setFace(ann, one);
  await sweepAt(Date.now() + TIMES.mediaWaitsMs + 60_000);
  const two = await uploadFace(ann, face("stays"));
  const keys = [await keyOfMedia(one), await keyOfMedia(two)] as [string, string];
  expect((await rowOf(one))?.kept).toBe(1); // the sweep has done with it
  const away = { head: (key: string) => bindings.MEDIA.head(key), delete: fails };
  expect((await setFace(ann, two, {}, { MEDIA: away })).json.avatarMediaId).toBe(two);
  expect([await bytesOf(keys[0]), await rowOf(one)]).not.toContain(null);
  await sweepAt(Date.now(), { MEDIA: away }).catch(() => {});
  expect((await rowOf(one))?.claim).toBe("swept");
  expect(codeOf(await setFace(ann, one))).toBe("invalid_request"); // it does not come back
  await sweepAt(Date.now());
  expect([await bytesOf(keys[0]), await rowOf(one)]).toEqual([null, undefined]);
  expect(await bytesOf(keys[1])).not.toBeNull();
  await setFace(ann, null);
  expect([await bytesOf(keys[1]), await rowOf(two)]).toEqual([null, undefined]); // at once
  expect((await setFace(ann, null)).status).toBe(200);
});

test("[PF-6] [MD-12] bytes that another media of mine means stay, and the same picture set anew is kept", async () => {
  const { ann, bob, id } = await pair();
  const sent = await upload(ann, id, face("shared"));
  await send(ann, id, showing(sent, face("shared")));
  const first = await uploadFace(ann, face("shared"));
  expect(await keyOfMedia(first)).toBe(await keyOfMedia(sent));
  await setFace(ann, first);
  const again = await uploadFace(ann, face("shared"));
  await setFace(ann, again);
  expect([await rowOf(first), (await see(bob, again)).status]).toEqual([undefined, 200]);
  expect(await bytesOf(await keyOfMedia(again))).not.toBeNull();
  await setFace(ann, null);
  expect([(await see(bob, sent)).status, await rowOf(again)]).toEqual([200, undefined]);
  expect(await bytesOf(await keyOfMedia(sent))).not.toBeNull();
});

test("[PF-3] [PF-6] what the sweep is about to keep and is replaced meanwhile is not kept", async () => {
  const ann = await signUp();
  const one = await uploadFace(ann, face("was"));
  await setFace(ann, one);
  let two = one;
  let replaced = false;
  /** Replaces it between the sweep's look at the row and its word that it is shown. */
  const database = new Proxy(bindings.DIRECTORY, {
    get: (it, name) => {
      if (name !== "prepare") return Reflect.get(it, name).bind(it);
      return (query: string) => {
        if (!/update "media" set "kept"/.test(query) || replaced) return it.prepare(query);
        replaced = true;
        const statement = it.prepare(query);
        return {
          bind: (...args: unknown[]) => ({
            run: async () => {
              two = await uploadFace(ann, face("is"));
              await setFace(ann, two, {}, { MEDIA: { head: (k: string) => bindings.MEDIA.head(k), delete: fails } });
              return statement.bind(...args).run();
            },
          }),
        };
      };
    },
  });
  await sweepAt(Date.now() + TIMES.mediaWaitsMs + 60_000, { DIRECTORY: database });
  expect([replaced, (await rowOf(one))?.claim, (await rowOf(one))?.kept]).toEqual([true, "swept", 0]);
  await sweepAt(Date.now());
  expect([await rowOf(one), (await rowOf(two))?.claim]).toEqual([undefined, "avatar"]);
});

test("[PF-3] however changes cross, the profile names a picture that is kept, or none", async () => {
  const ann = await signUp();
  const faces = await Promise.all(["a", "b", "c", "d"].map((word) => uploadFace(ann, face(`crossing ${word}`))));
  const wishes = [...faces, null, ...faces, null];
  const answers = await Promise.all(wishes.map((wish) => setFace(ann, wish)));
  for (const answer of answers) expect([200, 400, 503]).toContain(answer.status);
  await sweepAt(Date.now());
  const { avatarMediaId } = (await ask(ann, "GET", "/v1/me")).json;
  const claimed = (await Promise.all(faces.map(rowOf))).filter((row) => row?.claim === "avatar");
  expect(claimed.map((row) => row?.mediaId)).toEqual(avatarMediaId ? [avatarMediaId] : []);
  if (avatarMediaId) expect(await bytesOf(await keyOfMedia(avatarMediaId))).not.toBeNull();
});

test("[PF-3] while the directory is away nothing is set, and an answer that was lost is asked for again", async () => {
  const ann = await signUp();
  const mediaId = await uploadFace(ann, face("again"));
  expect(codeOf(await setFace(ann, mediaId, {}, { DIRECTORY: downDatabase() }))).toBe("unavailable");
  expect(codeOf(await setFace(ann, mediaId, {}, { INBOXES: downInboxes() }))).toBe("unavailable"); // written, and not told
  const [first, second] = [await setFace(ann, mediaId), await setFace(ann, mediaId)];
  expect([first.status, second.status, second.json.avatarMediaId]).toEqual([200, 200, mediaId]);
  const version = async () =>
    (
      await bindings.DIRECTORY.prepare("SELECT version FROM users WHERE user_id = ?")
        .bind(idOf(ann))
        .first<{ version: number }>()
    )?.version;
  expect(await version()).toBe(1);
});

test("[PF-7] [CT-13] my other devices hear of it by the self frame, the one that made it by the answer, and nobody else is told", async () => {
  const { ann, bob } = await pair();
  const { accessToken } = ann;
  const signIn = { handle: ann.user.handle, password: "correct horse battery", device: { name: "tablet" } };
  const tablet: Session = (await ask(ann, "POST", "/v1/auth/sign-in", signIn)).json;
  const [mine, other, his] = [
    await TestSocket.caughtUp(idOf(ann), ann.device.deviceId),
    await TestSocket.caughtUp(idOf(ann), tablet.device.deviceId),
    await TestSocket.caughtUp(idOf(bob), bob.device.deviceId),
  ];
  const heard = his.frames.length;
  const mediaId = await uploadFace(ann, face("heard"));
  await setFace({ ...ann, accessToken }, mediaId, { displayName: "Ann", privacy: { picture: "contacts" } });
  await until(() => other.of("self").at(-1)?.profile?.avatarMediaId === mediaId);
  expect(other.of("self").at(-1)?.profile).toMatchObject({ displayName: "Ann", privacy: { picture: "contacts" } });
  await setFace(ann, null);
  await until(() => other.of("self").at(-1)?.profile?.avatarMediaId === undefined);
  expect(mine.of("self")).toEqual([]);
  expect(his.frames.length).toBe(heard);
});

test("[PF-4] a picture that comes with a stricter choice is seen by nobody in between", async () => {
  const [ann, bob] = [await signUp(), await signUp()];
  const mediaId = await uploadFace(ann, face("strict"));
  const seen: unknown[] = [];
  const database = new Proxy(bindings.DIRECTORY, {
    get: (it, name) => {
      const member = Reflect.get(it, name);
      if (name !== "batch") return member.bind(it);
      return async (statements: D1PreparedStatement[]) => {
        const answer = await it.batch(statements);
        seen.push(await shown(bob, ann));
        return answer;
      };
    },
  });
  await setFace(ann, mediaId, { privacy: { picture: "nobody" } }, { DIRECTORY: database });
  expect([seen.length > 0, seen.every((one) => one === undefined), await shown(ann, ann)]).toEqual([
    true,
    true,
    mediaId,
  ]);
});

test("[ER-18] the picture of somebody who is erased is nobody's at once, and gone with its bytes; the re-scan counts what is left of it", async () => {
  const ann = await signUp();
  const bob = await signUp();
  const [one, unset] = [await uploadFace(ann, face("erased")), await uploadFace(ann, face("never set"))];
  await setFace(ann, one);
  const keys = [await keyOfMedia(one), await keyOfMedia(unset)];
  const his = await uploadFace(bob, face("erased")); // the same bytes, another place
  await setFace(bob, his);
  expect((await see(bob, one)).status).toBe(200);
  await eraseMe(ann);
  expect(codeOf(await see(bob, one))).toBe("not_found");
  await finish({ ann } as never);
  expect(await Promise.all(keys.map(bytesOf))).toEqual([null, null]);
  expect([await rowOf(one), await rowOf(unset)]).toEqual([undefined, undefined]);
  const record = await recordOf(idOf(ann));
  expect(record).toMatchObject({ state: "done", counts: { mediaRows: 2, bucketObjects: 2 } });
  expect(Object.values(record.rescan?.remaining ?? {}).filter((n) => n !== 0)).toEqual([]);
  expect([await bytesOf(await keyOfMedia(his)), (await see(bob, his)).status]).not.toContain(null);
});

test("[EX-8] the export names my picture and where to fetch it, once, and not what others look like", async () => {
  const { ann, bob } = await pair();
  const dave = await signUp();
  await befriend(ann, bob);
  await ask(ann, "PUT", `/v1/blocks/${idOf(dave)}`);
  const others = [await uploadFace(bob, face("bob's")), await uploadFace(dave, face("dave's"))] as const;
  await setFace(bob, others[0]);
  await setFace(dave, others[1]);
  const mediaId = await uploadFace(ann, face("mine"));
  await uploadFace(ann, face("not set"));
  const exported = async (): Promise<ExportLine[]> => {
    const request = new Request("https://edgewise.test/v1/me/export", {
      headers: { authorization: `Bearer ${ann.accessToken}` },
    });
    const text = new TextDecoder().decode(await (await worker.fetch(request, bindings)).arrayBuffer());
    for (const other of others) expect(text).not.toContain(other); // the schema would leave out what it does not know
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => ExportLine.parse(JSON.parse(line)));
  };
  const without = (await exported()).find(({ type }) => type === "profile");
  expect(without && "picture" in without).toBe(false);
  await setFace(ann, mediaId);
  const lines = await exported();
  const { contentType, bytes, sha256 } = await faceWish(face("mine"));
  const href = `/v1/media/${mediaId}`;
  expect(lines.find(({ type }) => type === "profile")).toMatchObject({
    picture: { mediaId, contentType, bytes, sha256, href },
  });
  expect((await ask(ann, "GET", href)).status).toBe(302);
  expect(lines.filter(({ type }) => type === "media")).toEqual([]);
  expect(lines.flatMap((line) => (line.type === "contact" || line.type === "block" ? line.userId : []))).toEqual([
    ...[idOf(bob), idOf(dave)],
  ]);
  expect(lines.at(-1)).toMatchObject({ type: "end" });
});

test("[PF-4] [RP-2] somebody with a picture is reported as anybody is", async () => {
  const { ann, bob } = await pair();
  await setFace(bob, await uploadFace(bob, face("reported")));
  const report = { idempotencyKey: ulid(), userId: idOf(bob), reason: "spam" };
  expect((await ask(ann, "POST", "/v1/reports", report)).status).toBe(201);
});

test("[PF-1] giving up an upload takes a picture that is not set, and never the one that is", async () => {
  const [ann, bob] = [await signUp(), await signUp()];
  const [set, unset] = [await uploadFace(ann, face("kept")), await uploadFace(ann, face("given up"))];
  await setFace(ann, set);
  const state = await ask(ann, "GET", `/v1/media/${unset}/upload`);
  expect([state.status, state.json.there]).toEqual([200, [1]]);
  expect(codeOf(await ask(bob, "GET", `/v1/media/${unset}/upload`))).toBe("not_found");
  for (const [who, mediaId] of [
    [bob, unset],
    [ann, set],
  ] as const)
    expect((await ask(who, "DELETE", `/v1/media/${mediaId}/upload`)).status).toBe(204);
  expect([(await see(bob, set)).status, (await rowOf(unset))?.mediaId]).toEqual([200, unset]);
  await ask(ann, "DELETE", `/v1/media/${unset}/upload`);
  expect(await rowOf(unset)).toBeUndefined();
  expect(await askUpload(ann, await openDirect(ann, bob), face("kept"))).not.toHaveProperty("upload"); // one place for the same bytes
});
