import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import fc from "fast-check";
import { ulid } from "ulid";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PartedUpload } from "../../src/protocol/http.ts";
import type { ConversationId, MediaId } from "../../src/protocol/ids.ts";
import { LIMITS, TIMES } from "../../src/protocol/limits.ts";
import { ok, refuse } from "../../src/protocol/result.ts";
import { type UploadPorts, type UploadToken, uploadMedia } from "../../src/sdk/index.ts";
import { signatureOf } from "../sigv4.ts";
import { type Device, signUp } from "./support/client.ts";
import { call, must } from "./support/door.ts";
import { probe } from "./support/probe.ts";
import { bugsIn, type Server, startServer } from "./support/server.ts";
import { bent } from "./support/strange.ts";

let server: Server;
let ann: Device;
let bob: Device;
let id: string;

beforeAll(async () => {
  server = await startServer(undefined, { TRIGGER_HANDLERS: "on" });
  [ann, bob] = [await signUp(server.url, "ann"), await signUp(server.url, "bob")];
  const opened = await must(server.url, "openDirect", { params: { userId: bob.userId }, token: ann.token });
  id = opened.conversation.conversationId;
});
afterAll(() => server?.remove());

const hash = (name: string, bytes: Uint8Array) => createHash(name).update(bytes).digest();
let made = 0;
/** A file of so many parts, unlike any other; the last is short. */
const newFile = (count = 2): Buffer => {
  const file = Buffer.alloc((count - 1) * LIMITS.partBytes + 1_000, ++made);
  for (let at = 0; at < file.length; at += 4_096) file.writeUInt32LE(at, at);
  return file;
};
const partsOf = (file: Buffer): Buffer[] =>
  Array.from({ length: Math.ceil(file.length / LIMITS.partBytes) }, (_, i) =>
    file.subarray(i * LIMITS.partBytes, (i + 1) * LIMITS.partBytes),
  );
const wishFor = (file: Buffer, contentType = "video/mp4") => ({
  conversationId: id,
  contentType,
  bytes: file.length,
  sha256: hash("sha256", Buffer.concat(partsOf(file).map((part) => hash("sha256", part)))).toString("hex"),
  parts: partsOf(file).map((part) => hash("md5", part).toString("base64")),
});
async function begin(file: Buffer) {
  const { mediaId, parted } = await must(server.url, "newMedia", { body: wishFor(file), token: ann.token });
  if (!parted) throw new Error("it is there already");
  return { mediaId, parted };
}
const put = (url: string, headers: Record<string, string>, body: Uint8Array, method = "PUT") =>
  fetch(url, { method, headers, ...(method === "GET" || method === "HEAD" ? {} : { body: Uint8Array.from(body) }) });
const send = (mediaId: string, file: Buffer, more = {}) => {
  const now = Date.now();
  const content = { type: "media", mediaId, contentType: "video/mp4", bytes: file.length, ...more };
  const body = { idempotencyKey: ulid(), composedAt: now, sentAt: now, event: { kind: "message", content } };
  return call(server.url, "send", { params: { id }, body, token: ann.token });
};
const see = (mediaId: string, { token }: Device, headers = {}) =>
  fetch(`${server.url}/v1/media/${mediaId}`, { headers: { authorization: `Bearer ${token}`, ...headers } });

/** What Node lends the SDK's uploads. `cut`: asked before each part leaves. */
function portsOf(cut: (part: number) => boolean = () => false): UploadPorts<Blob> {
  const asked = async <T>(answer: Promise<{ ok: true; body: T } | { ok: false; problem: { code: never } }>) => {
    const came = await answer;
    return came.ok ? ok(came.body) : refuse(came.problem.code);
  };
  const door = (name: "upload" | "tellParts" | "completeUpload", mediaId: MediaId, body?: unknown) =>
    asked(call(server.url, name, { params: { mediaId }, token: ann.token, body }) as never) as Promise<never>;
  return {
    hash: async (file) => hash("sha256", new Uint8Array(await file.arrayBuffer())).toString("hex"),
    ask: (body) => asked(call(server.url, "newMedia", { body, token: ann.token }) as never) as Promise<never>,
    put: async ({ url, headers }, file) => (await put(url, headers, new Uint8Array(await file.arrayBuffer()))).status,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
    parts: {
      slice: (file, from, to) => file.slice(from, to),
      read: async (piece) => new Uint8Array(await piece.arrayBuffer()),
      digest: async (bytes) => Uint8Array.from(hash("sha256", bytes)),
      put: async ({ url, headers }, piece, progress) => {
        if (cut(Number(new URL(url).searchParams.get("partNumber")))) return { status: 0, etag: null };
        const stored = await put(url, headers, new Uint8Array(await piece.arrayBuffer()));
        progress(piece.size);
        return { status: stored.status, etag: stored.headers.get("etag") };
      },
      state: (mediaId) => door("upload", mediaId),
      tell: (mediaId, parts) => door("tellParts", mediaId, { parts }),
      complete: (mediaId) => door("completeUpload", mediaId),
    },
  };
}

test("[MD-18] the store refuses a part of another size, MD5, number, upload, key, method, time or signature", async () => {
  const file = newFile();
  const last = partsOf(file)[1] as Buffer; // a small body, for a store that refuses one does not read it to its end
  const { parted } = await begin(file);
  const other = await begin(newFile());
  const [before, one] = parted.parts as [PartedUpload["parts"][0], PartedUpload["parts"][0]];
  const changed = (change: (url: URL) => void): string => {
    const copy = new URL(one.url);
    change(copy);
    return copy.href;
  };
  const set = (name: string, value: string) => changed((url) => url.searchParams.set(name, value));
  const { headers } = one;
  const spoilt = Buffer.from(last);
  spoilt.writeUInt8(255, 5);
  const foreign = new URL(other.parted.parts[0]?.url ?? "");
  const tries: Record<string, Promise<Response>> = {
    "other bytes": put(one.url, headers, spoilt),
    "other MD5": put(one.url, { "content-md5": hash("md5", spoilt).toString("base64") }, spoilt),
    "no MD5": put(one.url, {}, last),
    longer: put(one.url, headers, Buffer.concat([last, Buffer.of(0)])),
    shorter: put(one.url, headers, last.subarray(1)),
    "of another part": put(before.url, headers, last),
    "as another part": put(set("partNumber", "1"), headers, last),
    "past the last part": put(set("partNumber", "3"), headers, last),
    "no number": put(
      changed((url) => url.searchParams.delete("partNumber")),
      headers,
      last,
    ),
    "another upload": put(set("uploadId", foreign.searchParams.get("uploadId") ?? ""), headers, last),
    "no upload": put(
      changed((url) => url.searchParams.delete("uploadId")),
      headers,
      last,
    ),
    key: put(
      changed((url) => (url.pathname = foreign.pathname)),
      headers,
      last,
    ),
    get: put(one.url, headers, last, "GET"),
    delete: put(one.url, headers, last, "DELETE"),
    post: put(one.url, headers, last, "POST"),
    later: put(set("X-Amz-Expires", "604800"), headers, last),
    date: put(set("X-Amz-Date", "20200101T000000Z"), headers, last),
    signature: put(set("X-Amz-Signature", "0".repeat(64)), headers, last),
    "no signature": put(
      changed((url) => {
        for (const name of [...url.searchParams.keys()]) if (name.startsWith("X-")) url.searchParams.delete(name);
      }),
      headers,
      last,
    ),
    "fewer headers signed": put(set("X-Amz-SignedHeaders", "host"), headers, last),
  };
  for (const [what, tried] of Object.entries(tries)) {
    const { status, headers } = await tried;
    expect([400, 403, 404, 405], `${what}: ${status}`).toContain(status);
    expect(headers.get("etag"), what).toBeNull(); // without which it can be no part of anything
  }
  expect((await put(one.url, headers, last)).status).toBe(200);
});

test("[MD-18] an independent signer's part passes while its URL is good, and not a second longer", async () => {
  const file = newFile();
  const { parted } = await begin(file);
  const ours = new URL(parted.parts[1]?.url ?? "");
  const secrets = parseEnv(await readFile(join(server.dataDir, "secrets.env"), "utf8"));
  const sign = (at: number): string => {
    const url = new URL(ours.origin + ours.pathname);
    const date = new Date(at).toISOString().replace(/[:-]|\.\d{3}/g, "");
    const scope = `${secrets.R2_ACCESS_KEY_ID}/${date.slice(0, 8)}/auto/s3/aws4_request`;
    for (const name of ["partNumber", "uploadId"]) url.searchParams.set(name, ours.searchParams.get(name) ?? "");
    const query = {
      Algorithm: "AWS4-HMAC-SHA256",
      Credential: scope,
      Date: date,
      Expires: "900",
      SignedHeaders: "host",
    };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(`X-Amz-${name}`, value);
    const how = { region: "auto", secret: secrets.R2_SECRET_ACCESS_KEY ?? "" };
    url.searchParams.set("X-Amz-Signature", signatureOf("PUT", url, {}, how));
    return url.href;
  };
  const last = partsOf(file)[1] as Buffer;
  expect((await put(sign(Date.now()), {}, last)).status).toBe(200);
  const late = await put(sign(Date.now() - 901_000), {}, last);
  expect([late.status, await late.text()]).toEqual([403, expect.stringContaining("ExpiredRequest")]);
});

test("[MD-19] [MD-20] [MD-23] an upload that was cut goes on in another process, also past a crash of the server, and comes out whole", async () => {
  const file = newFile(4);
  const wanted = {
    conversationId: id as ConversationId,
    contentType: "video/mp4",
    file: new Blob([Uint8Array.from(file)]),
  };
  const stop = new AbortController();
  let token: UploadToken | null = null;
  const begun = (it: UploadToken) => {
    token = JSON.parse(JSON.stringify(it));
  };
  const cut = (part: number) => {
    if (part === 4) stop.abort();
    return part === 4;
  };
  const first = await uploadMedia(portsOf(cut), wanted, () => {}, { signal: stop.signal, begun });
  expect(first).toMatchObject({ ok: false, code: "unavailable" });
  await server.kill9();
  await server.start();
  const left: number[] = [];
  const watch = (part: number) => {
    left.push(part);
    return false;
  };
  const seen: number[] = [];
  const came = await uploadMedia(portsOf(watch), wanted, (bytes) => seen.push(bytes), { resume: token });
  if (!came.ok) throw new Error(came.detail);
  expect(left).toContain(4);
  expect(left.length).toBeLessThan(4);
  expect(seen.at(-1)).toBe(file.length);
  expect((await send(came.value, file)).status).toBe(201);
  const got = await see(came.value, bob);
  expect(got.headers.get("content-type")).toBe("video/mp4");
  expect(hash("md5", new Uint8Array(await got.arrayBuffer()))).toEqual(hash("md5", file));
  const at = LIMITS.partBytes - 3; // across two parts
  const range = await see(came.value, bob, { range: `bytes=${at}-${at + 5}` });
  expect([range.status, range.headers.get("content-range")]).toEqual([206, `bytes ${at}-${at + 5}/${file.length}`]);
  expect(Buffer.from(await range.arrayBuffer())).toEqual(file.subarray(at, at + 6));
  const again = await uploadMedia(
    portsOf(() => true),
    wanted,
    () => {},
  );
  expect(again.ok, "what is there is not uploaded again").toBe(true);
});

test("[MD-4] the URLs of an upload that is whole are good for nothing", async () => {
  const file = newFile();
  const { mediaId, parted } = await begin(file);
  const pieces = partsOf(file);
  const stored = await Promise.all(parted.parts.map(({ url, headers }, i) => put(url, headers, pieces[i] as Buffer)));
  const parts = stored.map(({ headers }, i) => ({ part: i + 1, etag: headers.get("etag") ?? "" }));
  await must(server.url, "tellParts", { params: { mediaId }, body: { parts }, token: ann.token });
  await must(server.url, "completeUpload", { params: { mediaId }, token: ann.token });
  for (const [i, { url, headers }] of parted.parts.entries())
    expect((await put(url, headers, pieces[i] as Buffer)).status).toBe(404);
  expect((await send(mediaId, file)).status).toBe(201);
});

test("[MD-21] the hourly trigger ends an upload that nobody has ended", async () => {
  const file = newFile();
  const { mediaId, parted } = await begin(file);
  const [part] = parted.parts;
  const trigger = (at: number) => fetch(`${server.url}/cdn-cgi/local/scheduled?time=${at}`);
  expect((await trigger(Date.now())).status).toBe(200);
  expect((await put(part?.url ?? "", part?.headers ?? {}, partsOf(file)[0] as Buffer)).status).toBe(200);
  expect((await trigger(Date.now() + TIMES.mediaWaitsMs + 60_000)).status).toBe(200);
  expect((await put(part?.url ?? "", part?.headers ?? {}, partsOf(file)[0] as Buffer)).status).toBe(404);
  const asked = await call(server.url, "upload", { params: { mediaId }, token: ann.token });
  expect(asked.ok ? "there" : asked.problem.code).toBe("not_found");
});

test("[MD-7] what the bucket serves says its kind, and how to treat it; the door's own answers are not sniffed", async () => {
  const kinds = {
    "video/mp4": "inline",
    "audio/ogg": "inline",
    "image/svg+xml": "attachment",
    "text/html": "attachment",
  };
  for (const [contentType, disposition] of Object.entries(kinds)) {
    const file = Buffer.from(`<svg onload="alert(1)"/> ${++made}`);
    const { parts: _, ...wish } = { ...wishFor(file, contentType), sha256: hash("sha256", file).toString("hex") };
    const { mediaId, upload } = await must(server.url, "newMedia", { body: wish, token: ann.token });
    await put(upload?.url ?? "", upload?.headers ?? {}, file);
    expect((await send(mediaId, file, { contentType, durationMs: 1_000 })).status).toBe(201);
    const got = await see(mediaId, bob, { range: "bytes=1-3" });
    const said = ["content-type", "content-disposition", "content-range"].map((name) => got.headers.get(name));
    expect([got.status, await got.text(), ...said]).toEqual([
      206,
      "svg",
      contentType,
      disposition,
      `bytes 1-3/${file.length}`,
    ]);
    const headers = { authorization: `Bearer ${bob.token}` };
    const led = await fetch(`${server.url}/v1/media/${mediaId}`, { headers, redirect: "manual" });
    expect([led.status, led.headers.get("x-content-type-options"), led.headers.get("cache-control")]).toEqual([
      302,
      "nosniff",
      "no-store",
    ]);
    const beyond = await see(mediaId, bob, { range: `bytes=${file.length}-` });
    expect(beyond.status).toBe(416);
  }
});

test("[MD-18] [MD-19] the doors answer anything with a code or as described", async () => {
  const file = newFile();
  const { mediaId } = await begin(file);
  const wishes = bent(fc.constantFrom<object>(wishFor(file), { conversationId: id, from: mediaId }));
  const tellings = bent(fc.constantFrom<object>({ parts: [{ part: 1, etag: "x" }] }, { part: 1, etag: "x" }));
  const posts = fc.oneof(
    wishes.map((body) => ({ path: "/v1/media", body })),
    tellings.map((body) => ({
      path: `/v1/media/${mediaId}/upload/parts`,
      body: "parts" in body ? body : { parts: [body] },
    })),
  );
  await fc.assert(
    fc.asyncProperty(posts, async ({ path, body }) => {
      const headers = { "content-type": "application/json" };
      const sent = { method: "POST", path, token: ann.token, body: JSON.stringify(body), headers };
      const answer = await probe(server.port, sent);
      if (answer.status < 300) return;
      expect(answer.status).toBeLessThan(500);
      expect(JSON.parse(answer.text).code).toMatch(
        /^(invalid_request|not_found|media_too_large|media_not_uploaded|payload_too_large)$/,
      );
    }),
    { numRuns: 200 },
  );
  expect(bugsIn(server.output)).toEqual([]);
});
