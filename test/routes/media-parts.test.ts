import { expect, test } from "vitest";
import { sweepMedia } from "../../src/platform/media/sweep.ts";
import { type MediaTicket, PartedUpload, type Session } from "../../src/protocol/http.ts";
import type { ConversationId, MediaId } from "../../src/protocol/ids.ts";
import { LIMITS, TIMES } from "../../src/protocol/limits.ts";
import { mediaById } from "../../src/storage/media.ts";
import { uploadOfObject } from "../../src/storage/uploads.ts";
import { bindings } from "../objects/support.ts";
import { signatureOf } from "../sigv4.ts";
import { signUp } from "./support/accounts.ts";
import { ask, headOf, keyOf, pair, see, send, sha256Of, showing } from "./support/media.ts";

const SECRET = { region: "auto", secret: "secret-of-the-tests" };
const VIDEO = { contentType: "video/mp4" };
let made = 0;
/** A file of two parts, unlike any other; the second is short. */
function newFile(): Uint8Array[] {
  const first = new Uint8Array(LIMITS.partBytes).fill(++made);
  return [first, new TextEncoder().encode(`the end of ${made}`)];
}
async function md5Of(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest("MD5", Uint8Array.from(bytes)); // which the Workers runtime knows
  return btoa(String.fromCharCode(...new Uint8Array(hash)));
}
async function wishFor(conversationId: ConversationId, pieces: readonly Uint8Array[]) {
  const hashes = await Promise.all(pieces.map(sha256Of));
  const joined = Uint8Array.from(hashes.flatMap((hash) => hash.match(/../g)?.map((byte) => parseInt(byte, 16)) ?? []));
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  return {
    conversationId,
    ...VIDEO,
    bytes,
    sha256: await sha256Of(joined),
    parts: await Promise.all(pieces.map(md5Of)),
  };
}
async function begin(who: Session, id: ConversationId, pieces: readonly Uint8Array[]) {
  const { status, json } = await ask(who, "POST", "/v1/media", await wishFor(id, pieces));
  if (status !== 201) throw new Error(JSON.stringify(json));
  const { mediaId, parted } = json as MediaTicket;
  return { mediaId, parted: PartedUpload.parse(parted) };
}
const doors = (who: Session, mediaId: MediaId, changed = {}) => {
  const path = `/v1/media/${mediaId}/upload`;
  return {
    state: () => ask(who, "GET", path, undefined, changed),
    tell: (etags: Record<number, string>) =>
      ask(
        who,
        "POST",
        `${path}/parts`,
        { parts: Object.entries(etags).map(([part, etag]) => ({ part: Number(part), etag })) },
        changed,
      ),
    complete: () => ask(who, "POST", `${path}/complete`, undefined, changed),
    drop: () => ask(who, "DELETE", path, undefined, changed),
  };
};
/** Puts a part as the store does when a client has asked it to; its etag. */
async function put(parted: PartedUpload, part: number, bytes: Uint8Array): Promise<string> {
  const url = new URL((parted.parts.find((one) => one.part === part) ?? parted.parts[0])?.url ?? "");
  const upload = bindings.MEDIA.resumeMultipartUpload(keyOf(url.href), url.searchParams.get("uploadId") ?? "");
  return (await upload.uploadPart(part, bytes)).etag;
}
const sized = (pieces: readonly Uint8Array[]) => ({
  ...VIDEO,
  bytes: new Uint8Array(pieces.reduce((n, p) => n + p.length, 0)),
});

test("[MD-18] an independent signer signs the same: number, upload, size and MD5 of each part", async () => {
  const { ann, id } = await pair();
  const pieces = newFile();
  const wish = await wishFor(id, pieces);
  const { parted } = await begin(ann, id, pieces);
  expect([parted.partBytes, parted.partCount, parted.there]).toEqual([LIMITS.partBytes, 2, []]);
  for (const [i, part] of parted.parts.entries()) {
    const url = new URL(part.url);
    const all = { ...part.headers, "content-length": String(pieces[i]?.length) };
    expect(url.searchParams.get("X-Amz-Signature")).toBe(signatureOf("PUT", url, all, SECRET));
    expect(url.searchParams.get("X-Amz-SignedHeaders")).toBe("content-length;content-md5;host");
    expect(part.headers).toEqual({ "content-md5": wish.parts[i] });
    expect([part.part, url.searchParams.get("partNumber"), url.searchParams.get("X-Amz-Expires")]).toEqual([
      i + 1,
      `${i + 1}`,
      "900",
    ]);
    for (const secret of [ann.user.userId, id]) expect(url.href).not.toContain(secret);
  }
});

test("[MD-18] what is too large for one request comes in as many parts as it has; each kind keeps its size", async () => {
  const { ann, id } = await pair();
  const post = async (change: object) => {
    const { status, json } = await ask(ann, "POST", "/v1/media", { ...(await wishFor(id, newFile())), ...change });
    return status === 201 ? 201 : json.code;
  };
  const md5 = "AAAAAAAAAAAAAAAAAAAAAA==";
  const parts = (count: number) => Array.from({ length: count }, () => md5);
  const most = Math.ceil(LIMITS.videoBytes / LIMITS.partBytes);
  expect(await post({ bytes: LIMITS.putBytes, parts: undefined })).toBe(201);
  expect(await post({ bytes: LIMITS.putBytes + 1, parts: undefined })).toBe("media_too_large");
  expect(await post({ bytes: LIMITS.videoBytes, parts: parts(most) })).toBe(201);
  expect(await post({ bytes: LIMITS.videoBytes + 1, parts: parts(most + 1) })).toBe("invalid_request");
  expect(await post({ contentType: "image/png", bytes: LIMITS.imageBytes + 1, parts: parts(3) })).toBe(
    "media_too_large",
  );
  for (const wrong of [parts(3), parts(1), [], ["x", md5], [md5.toLowerCase(), "AAAAAAAAAAAAAAAAAAAAAB=="], "x"])
    expect(await post({ parts: wrong }), JSON.stringify(wrong)).toBe("invalid_request");
});

test("[MD-19] which parts are there is told by whoever put them, and a later process goes on with the rest", async () => {
  const { ann, id } = await pair();
  const pieces = newFile();
  const { mediaId, parted } = await begin(ann, id, pieces);
  const { state, tell, complete } = doors(ann, mediaId);
  const told = await tell({ 2: `"${await put(parted, 2, pieces[1] as Uint8Array)}"` });
  expect(told.json).toMatchObject({ there: [2], parts: [{ part: 1 }] });
  expect((await state()).json).toMatchObject({ there: [2], partCount: 2, parts: [{ part: 1 }] });
  expect((await complete()).json.code).toBe("media_not_uploaded");
  const again = await begin(ann, id, pieces); // a page that remembers nothing but the file
  expect([again.parted.there, again.mediaId === mediaId]).toEqual([[2], false]);
  await doors(ann, again.mediaId).tell({ 1: await put(again.parted, 1, pieces[0] as Uint8Array) });
  expect((await state()).json).toMatchObject({ there: [1, 2], parts: [] });
  expect((await complete()).status).toBe(204);
  for (const one of [mediaId, again.mediaId]) {
    expect((await doors(ann, one).complete()).status).toBe(204);
    expect((await doors(ann, one).state()).json).toMatchObject({ there: [1, 2], parts: [] });
    expect((await send(ann, id, showing(one, sized(pieces)))).status).toBe(201);
  }
});

test("[MD-19] parts that are told at the same moment all count", async () => {
  const { ann, id } = await pair();
  const pieces = newFile();
  const { mediaId, parted } = await begin(ann, id, pieces);
  const etags = await Promise.all(pieces.map((piece, i) => put(parted, i + 1, piece)));
  const { tell, complete } = doors(ann, mediaId);
  await Promise.all(etags.map((etag, i) => tell({ [i + 1]: etag })));
  expect((await complete()).status).toBe(204);
});

test("[MD-19] of a large file the URLs come a few at a time", async () => {
  const { ann, id } = await pair();
  const count = 20;
  const parts = Array.from({ length: count }, () => "AAAAAAAAAAAAAAAAAAAAAA==");
  const wish = { ...(await wishFor(id, newFile())), bytes: count * LIMITS.partBytes, parts };
  const { mediaId, parted } = (await ask(ann, "POST", "/v1/media", wish)).json as MediaTicket;
  const numbers = (upload: PartedUpload | undefined) => upload?.parts.map(({ part }) => part);
  expect(numbers(parted)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(numbers((await doors(ann, mediaId).tell({ 1: "x", 3: "x" })).json)).toEqual([2, 4, 5, 6, 7, 8, 9, 10]);
});

test("[MD-19] an upload is its maker's alone, while they are a member", async () => {
  const { ann, bob, id } = await pair();
  const stranger = await signUp();
  const { mediaId } = await begin(ann, id, newFile());
  for (const who of [bob, stranger]) {
    const { state, tell, complete, drop } = doors(who, mediaId);
    for (const asked of [await state(), await tell({ 1: "x" }), await complete()])
      expect(asked.json.code).toBe("not_found");
    expect((await drop()).status).toBe(204); // which tells nothing, and does nothing
  }
  expect((await doors(ann, mediaId).state()).json.there).toEqual([]);
  const team = await ask(bob, "POST", "/v1/conversations", { title: "Team", memberIds: [ann.user.userId] });
  const teamId = team.json.conversation.conversationId;
  const late = await begin(ann, teamId, newFile());
  await ask(bob, "DELETE", `/v1/conversations/${teamId}/members/${ann.user.userId}`);
  expect((await doors(ann, late.mediaId).state()).json.code).toBe("not_member");
  const without = doors(ann, mediaId, { R2_ENDPOINT: "" });
  for (const asked of [
    await without.state(),
    await without.tell({ 1: "x" }),
    await without.complete(),
    await without.drop(),
  ])
    expect(asked.json.code).toBe("media_not_offered");
  expect((await doors(ann, mediaId).tell({ 3: "x" })).json.code).toBe("invalid_request");
  expect((await doors(ann, mediaId).tell({ 1: 'a"b' })).json.code).toBe("invalid_request");
});

test("[MD-20] the store decides: etags that are not its own are refused, and all parts are to come again", async () => {
  const { ann, id } = await pair();
  const pieces = newFile();
  const { mediaId, parted } = await begin(ann, id, pieces);
  const { state, tell, complete } = doors(ann, mediaId);
  const etag = await put(parted, 1, pieces[0] as Uint8Array);
  await tell({ 1: etag, 2: "0".repeat(32) });
  expect((await complete()).json.code).toBe("media_not_uploaded");
  expect((await state()).json.there).toEqual([]);
  expect((await send(ann, id, showing(mediaId, sized(pieces)))).json.code).toBe("invalid_request");
  await tell({ 1: etag, 2: await put(parted, 2, pieces[1] as Uint8Array) });
  expect((await complete()).status).toBe(204);
  expect((await send(ann, id, showing(mediaId, sized(pieces)))).status).toBe(201);
});

test("[MD-20] what is whole and of another size or type than was asked for is deleted and refused", async () => {
  const { ann, id } = await pair();
  for (const wrong of ["size", "type"]) {
    const pieces = newFile();
    const { mediaId, parted } = await begin(ann, id, pieces);
    const last = wrong === "size" ? new Uint8Array(3) : (pieces[1] as Uint8Array);
    await doors(ann, mediaId).tell({ 1: await put(parted, 1, pieces[0] as Uint8Array), 2: await put(parted, 2, last) });
    if (wrong === "type")
      await bindings.DIRECTORY.prepare("UPDATE media SET content_type = 'video/webm' WHERE media_id = ?")
        .bind(mediaId)
        .run();
    expect((await doors(ann, mediaId).complete()).json.code, wrong).toBe("media_not_uploaded");
    expect(await bindings.MEDIA.head(keyOf(parted.parts[0]?.url ?? "")), wrong).toBeNull();
    expect((await doors(ann, mediaId).state()).json.code, wrong).toBe("not_found");
  }
  expect(await headOf(ann, id)).toBe(0);
});

test("[MD-20] a crash after the store has put it together is made good by the next try", async () => {
  const { ann, id } = await pair();
  const pieces = newFile();
  const { mediaId, parted } = await begin(ann, id, pieces);
  const etags = { 1: await put(parted, 1, pieces[0] as Uint8Array), 2: await put(parted, 2, pieces[1] as Uint8Array) };
  await doors(ann, mediaId).tell(etags);
  const url = new URL(parted.parts[0]?.url ?? "");
  const upload = bindings.MEDIA.resumeMultipartUpload(keyOf(url.href), url.searchParams.get("uploadId") ?? "");
  await upload.complete([1, 2].map((partNumber) => ({ partNumber, etag: etags[partNumber as 1 | 2] })));
  expect((await doors(ann, mediaId).complete()).status).toBe(204);
  expect(await uploadOfObject(bindings.DIRECTORY, keyOf(url.href))).toBeUndefined();
});

test("[MD-4] [MD-19] however many begin at once, an object has one upload and becomes whole once", async () => {
  const { ann, id } = await pair();
  const pieces = newFile();
  const begun = await Promise.all([1, 2, 3, 4].map(() => begin(ann, id, pieces)));
  const uploadIds = begun.map(({ parted }) => new URL(parted.parts[0]?.url ?? "").searchParams.get("uploadId"));
  expect(new Set(uploadIds).size).toBe(1);
  const { mediaId, parted } = begun[0] as (typeof begun)[0];
  await doors(ann, mediaId).tell({
    1: await put(parted, 1, pieces[0] as Uint8Array),
    2: await put(parted, 2, pieces[1] as Uint8Array),
  });
  expect((await doors(ann, mediaId).complete()).status).toBe(204);
  await expect(put(parted, 2, pieces[1] as Uint8Array)).rejects.toThrow();
  const { json } = await ask(ann, "POST", "/v1/media", await wishFor(id, pieces));
  expect([json.parted, json.upload]).toEqual([undefined, undefined]); // [MD-5]
});

test("[MD-4] an upload that begins while another one ends does not begin", async () => {
  const { ann, id } = await pair();
  const pieces = newFile();
  const { mediaId, parted } = await begin(ann, id, pieces);
  await doors(ann, mediaId).tell({
    1: await put(parted, 1, pieces[0] as Uint8Array),
    2: await put(parted, 2, pieces[1] as Uint8Array),
  });
  const key = keyOf(parted.parts[0]?.url ?? "");
  let looked = 0;
  // The object is looked for, and not there yet; then the other one ends, with its row; then this one writes its own.
  const MEDIA = new Proxy(bindings.MEDIA, {
    get: (bucket, name) => {
      if (name !== "head") return Reflect.get(bucket, name).bind(bucket);
      return async (...args: [string]) => {
        const found = await bucket.head(...args);
        if (++looked === 1) await doors(ann, mediaId).complete();
        return found;
      };
    },
  });
  const { json } = await ask(ann, "POST", "/v1/media", await wishFor(id, pieces), { MEDIA });
  expect([looked, json.parted]).toEqual([2, undefined]);
  expect(await uploadOfObject(bindings.DIRECTORY, key)).toBeUndefined();
  expect((await send(ann, id, showing(json.mediaId, sized(pieces)))).status).toBe(201);
});

test("[MD-21] who gives an upload up leaves nothing behind; media that a message has stays", async () => {
  const { ann, id } = await pair();
  const pieces = newFile();
  const { mediaId, parted } = await begin(ann, id, pieces);
  const joined = await begin(ann, id, pieces);
  await put(parted, 1, pieces[0] as Uint8Array);
  expect((await doors(ann, mediaId).drop()).status).toBe(204);
  expect((await doors(ann, mediaId).drop()).status).toBe(204);
  expect((await doors(ann, mediaId).state()).json.code).toBe("not_found");
  await put(parted, 1, pieces[0] as Uint8Array); // the other one goes on
  expect((await doors(ann, joined.mediaId).state()).status).toBe(200);
  await doors(ann, joined.mediaId).drop();
  await expect(put(parted, 2, pieces[1] as Uint8Array)).rejects.toThrow();
  expect(await uploadOfObject(bindings.DIRECTORY, keyOf(parted.parts[0]?.url ?? ""))).toBeUndefined();
  const sent = await begin(ann, id, pieces);
  await doors(ann, sent.mediaId).tell({
    1: await put(sent.parted, 1, pieces[0] as Uint8Array),
    2: await put(sent.parted, 2, pieces[1] as Uint8Array),
  });
  await doors(ann, sent.mediaId).complete();
  await send(ann, id, showing(sent.mediaId, sized(pieces)));
  expect((await doors(ann, sent.mediaId).drop()).status).toBe(204);
  expect((await see(ann, sent.mediaId)).status).toBe(200);
});

test("[MD-21] the hourly sweep ends uploads that nobody has ended for a day, and tries until it is done", async () => {
  const { ann, id } = await pair();
  const pieces = newFile();
  const { mediaId, parted } = await begin(ann, id, pieces);
  await put(parted, 1, pieces[0] as Uint8Array);
  const later = Date.now() + TIMES.mediaWaitsMs + 1_000;
  await sweepMedia(bindings, later - 60_000);
  expect((await doors(ann, mediaId).state()).status).toBe(200);
  const down = {
    resumeMultipartUpload: () => ({ abort: () => Promise.reject(new Error("away")) }),
    delete: async () => {},
  };
  await expect(sweepMedia({ ...bindings, MEDIA: down as never }, later)).rejects.toThrow("away");
  expect(await mediaById(bindings.DIRECTORY, mediaId)).toBeDefined();
  await sweepMedia(bindings, later);
  expect(await mediaById(bindings.DIRECTORY, mediaId)).toBeUndefined();
  expect(await uploadOfObject(bindings.DIRECTORY, keyOf(parted.parts[0]?.url ?? ""))).toBeUndefined();
  await expect(put(parted, 2, pieces[1] as Uint8Array)).rejects.toThrow();
});

test("[MD-7] what a browser might run is kept as something to save, in parts, too", async () => {
  const { ann, id } = await pair();
  for (const [contentType, disposition] of [
    ["video/mp4", "inline"],
    ["text/html", "attachment"],
  ]) {
    const pieces = newFile();
    const wish = { ...(await wishFor(id, pieces)), contentType };
    const { json } = await ask(ann, "POST", "/v1/media", wish);
    const { mediaId } = json as MediaTicket;
    const parted = PartedUpload.parse(json.parted);
    const [first, last] = pieces as [Uint8Array, Uint8Array];
    await doors(ann, mediaId).tell({ 1: await put(parted, 1, first), 2: await put(parted, 2, last) });
    expect((await doors(ann, mediaId).complete()).status).toBe(204);
    const object = await bindings.MEDIA.head(keyOf(parted.parts[0]?.url ?? ""));
    expect(object?.httpMetadata).toMatchObject({ contentType, contentDisposition: disposition });
  }
});

test("[MD-5] [MD-19] the same claim about the whole with other parts is another file, and another person's is another", async () => {
  const { ann, bob, id } = await pair();
  const pieces = newFile();
  const wish = await wishFor(id, pieces);
  const keyFor = async (who: Session, change: object) => {
    const { json } = await ask(who, "POST", "/v1/media", { ...wish, ...change });
    return keyOf(json.parted.parts[0].url);
  };
  const keys = [
    await keyFor(ann, {}),
    await keyFor(ann, { parts: wish.parts.toReversed() }),
    await keyFor(ann, { contentType: "video/webm" }),
    await keyFor(ann, { bytes: wish.bytes + 1 }),
    await keyFor(bob, {}),
  ];
  expect([new Set(keys).size, await keyFor(ann, {})]).toEqual([keys.length, keys[0]]);
});
