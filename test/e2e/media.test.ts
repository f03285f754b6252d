import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseEnv } from "node:util";
import fc from "fast-check";
import { ulid } from "ulid";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Upload } from "../../src/protocol/http.ts";
import { TIMES } from "../../src/protocol/limits.ts";
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

const BYTES = Buffer.from("0123456789 the bytes of a picture");
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const wishFor = (bytes = BYTES, contentType = "image/png") => ({
  conversationId: id,
  contentType,
  bytes: bytes.length,
  sha256: sha256(bytes),
});
const ticketFor = (bytes = BYTES, contentType = "image/png") =>
  must(server.url, "newMedia", { body: wishFor(bytes, contentType), token: ann.token });
async function uploadFor(bytes: Buffer, contentType?: string): Promise<Upload> {
  const { upload } = await ticketFor(bytes, contentType);
  if (!upload) throw new Error("it is there already");
  return upload;
}
let made = 0;
const fresh = () => Buffer.from(`${BYTES} ${++made}`);
const put = (url: string, headers: Record<string, string>, body: Buffer, method = "PUT") =>
  fetch(url, { method, headers, ...(method === "GET" || method === "HEAD" ? {} : { body: Uint8Array.from(body) }) });
const send = (mediaId: string, bytes: Buffer, contentType = "image/png") => {
  const now = Date.now();
  const event = { kind: "message", content: { type: "media", mediaId, contentType, bytes: bytes.length } };
  return call(server.url, "send", {
    params: { id },
    body: { idempotencyKey: ulid(), composedAt: now, sentAt: now, event },
    token: ann.token,
  });
};
const see = (mediaId: string, { token }: Device) =>
  fetch(`${server.url}/v1/media/${mediaId}`, { headers: { authorization: `Bearer ${token}` } });

test("[MD-3] [MD-6] what was uploaded as signed is what the peer is led to, whole and in ranges", async () => {
  const { mediaId, upload } = await ticketFor();
  const stored = await put(upload?.url ?? "", upload?.headers ?? {}, BYTES);
  expect(stored.status).toBe(200);
  expect((await send(mediaId, BYTES)).status).toBe(201);
  const got = await see(mediaId, bob);
  expect([got.status, got.headers.get("content-type"), Buffer.from(await got.arrayBuffer())]).toEqual([
    200,
    "image/png",
    BYTES,
  ]);
  expect(got.headers.get("content-disposition")).toBe("inline");
  const headers = { authorization: `Bearer ${bob.token}`, range: "bytes=3-6" };
  const part = await fetch(`${server.url}/v1/media/${mediaId}`, { headers });
  expect([part.status, await part.text(), part.headers.get("content-range")]).toEqual([
    206,
    "3456",
    `bytes 3-6/${BYTES.length}`,
  ]);
});

test("[MD-3] the store refuses another type, size, hash, disposition, method, place, time or signature, and keeps nothing", async () => {
  const bytes = fresh();
  const { url, headers } = await uploadFor(bytes);
  const other = fresh();
  const changed = (change: (url: URL) => void): string => {
    const copy = new URL(url);
    change(copy);
    return copy.href;
  };
  const set = (name: string, value: string) => changed((u) => u.searchParams.set(name, value));
  const without = (name: string) => Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
  const tries: Record<string, Promise<Response>> = {
    type: put(url, { ...headers, "content-type": "text/html" }, bytes),
    "no type": put(url, without("content-type"), bytes),
    longer: put(url, headers, Buffer.concat([bytes, Buffer.of(0)])),
    shorter: put(url, headers, bytes.subarray(1)),
    hash: put(
      url,
      { ...headers, "x-amz-checksum-sha256": Buffer.from(sha256(other), "hex").toString("base64") },
      bytes,
    ),
    "no hash": put(url, without("x-amz-checksum-sha256"), bytes),
    disposition: put(url, { ...headers, "content-disposition": "attachment" }, bytes),
    overwriting: put(url, without("if-none-match"), bytes),
    get: put(url, headers, bytes, "GET"),
    delete: put(url, headers, bytes, "DELETE"),
    post: put(url, headers, bytes, "POST"),
    key: put(
      changed((u) => (u.pathname = `${u.pathname.slice(0, -1)}x`)),
      headers,
      bytes,
    ),
    bucket: put(
      changed((u) => (u.pathname = u.pathname.replace("edgewise-media", "other"))),
      headers,
      bytes,
    ),
    later: put(set("X-Amz-Expires", "604800"), headers, bytes),
    date: put(set("X-Amz-Date", "20200101T000000Z"), headers, bytes),
    signature: put(set("X-Amz-Signature", "0".repeat(64)), headers, bytes),
    "no signature": put(
      changed((u) => (u.search = "")),
      headers,
      bytes,
    ),
    "fewer headers signed": put(set("X-Amz-SignedHeaders", "host"), headers, bytes),
  };
  for (const [what, tried] of Object.entries(tries)) {
    const { status } = await tried;
    expect([400, 403, 404], `${what}: ${status}`).toContain(status);
  }
  expect((await ticketFor(bytes)).upload, "nothing was kept").toBeDefined();
  expect((await put(url, headers, bytes)).status).toBe(200);
});

test("[MD-3] an independent signer's URLs pass while they are good, and not a second longer", async () => {
  const secrets = parseEnv(await readFile(join(server.dataDir, "secrets.env"), "utf8"));
  const sign = (at: number, forSeconds: number): string => {
    const url = new URL(`http://localhost:${server.port}/cdn-cgi/local/r2/s3/edgewise-media/independent-${at}`);
    const date = new Date(at).toISOString().replace(/[:-]|\.\d{3}/g, "");
    const scope = `${secrets.R2_ACCESS_KEY_ID}/${date.slice(0, 8)}/auto/s3/aws4_request`;
    const query = { Algorithm: "AWS4-HMAC-SHA256", Credential: scope, Date: date, Expires: String(forSeconds) };
    for (const [name, value] of Object.entries({ ...query, SignedHeaders: "host" }))
      url.searchParams.set(`X-Amz-${name}`, value);
    const how = { region: "auto", secret: secrets.R2_SECRET_ACCESS_KEY ?? "" };
    url.searchParams.set("X-Amz-Signature", signatureOf("PUT", url, {}, how));
    return url.href;
  };
  expect((await put(sign(Date.now(), 900), {}, BYTES)).status).toBe(200);
  const late = await put(sign(Date.now() - 901_000, 900), {}, BYTES);
  expect([late.status, await late.text()]).toEqual([403, expect.stringContaining("ExpiredRequest")]);
});

test("[MD-4] bytes that are there are not replaced, and a repeat is told so", async () => {
  const bytes = fresh();
  const { url, headers } = await uploadFor(bytes);
  const [one, two] = await Promise.all([put(url, headers, bytes), put(url, headers, bytes)]);
  expect([one.status, two.status].sort()).toEqual([200, 412]);
  expect((await put(url, headers, Buffer.alloc(bytes.length, "x"))).status).toBe(412);
  const { mediaId, upload } = await ticketFor(bytes);
  expect(upload).toBeUndefined();
  expect(Buffer.from(await (await see(mediaId, ann)).arrayBuffer())).toEqual(bytes);
});

test("[MD-6] a link is for one file and for reading it", async () => {
  const bytes = fresh();
  const { mediaId, upload } = await ticketFor(bytes);
  await put(upload?.url ?? "", upload?.headers ?? {}, bytes);
  await send(mediaId, bytes);
  const answer = await must(server.url, "media", { params: { mediaId }, query: { as: "url" }, token: bob.token });
  const { url } = answer as { url: string };
  expect((await fetch(url)).status).toBe(200);
  for (const method of ["PUT", "DELETE", "POST"]) expect((await put(url, {}, bytes, method)).status).toBe(403);
  const elsewhere = new URL(url);
  elsewhere.pathname = `${elsewhere.pathname.slice(0, -1)}x`;
  expect((await fetch(elsewhere)).status).toBe(403);
  const shown = new URL(url);
  shown.searchParams.set("response-content-disposition", "attachment");
  expect((await fetch(shown)).status).toBe(403);
});

test("[MD-7] a page that somebody uploads is saved and not shown", async () => {
  const bytes = Buffer.from(`<script>alert(1)</script> ${++made}`);
  const { mediaId, upload } = await ticketFor(bytes, "text/html");
  await put(upload?.url ?? "", upload?.headers ?? {}, bytes);
  await send(mediaId, bytes, "text/html");
  expect((await see(mediaId, bob)).headers.get("content-disposition")).toBe("attachment");
});

test("[MD-8] [MD-10] over the socket a message waits for its media to be looked at, and those behind it for it", async () => {
  await ann.connect();
  await ann.caughtUp();
  const now = Date.now();
  const bytes = fresh();
  const { mediaId, upload } = await ticketFor(bytes);
  await put(upload?.url ?? "", upload?.headers ?? {}, bytes);
  const media = { type: "media", mediaId, contentType: "image/png", bytes: bytes.length };
  const contents = [media, ...Array.from({ length: 20 }, (_, i) => ({ type: "text", text: `behind ${i}` }))];
  const factory = contents.map((_, i) => ulid(now + i));
  const answers = await Promise.all(
    contents.map((content, i) =>
      ann.wire?.ask({
        type: "send",
        conversationId: id,
        idempotencyKey: factory[i],
        composedAt: now,
        sentAt: now,
        event: { kind: "message", content },
      } as never),
    ),
  );
  const seqs = answers.map((answer) => (answer?.type === "ack" ? answer.seq : Number.NaN));
  expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] ?? Number.NaN) + i));
  ann.cut();
});

test("[MD-1] [MD-2] the door answers anything with a code or a ticket", async () => {
  await fc.assert(
    fc.asyncProperty(bent(fc.constant(wishFor())), async (body) => {
      const answer = await probe(server.port, {
        method: "POST",
        path: "/v1/media",
        token: ann.token,
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      });
      if (answer.status !== 201) {
        expect(answer.status).toBeLessThan(500);
        expect(JSON.parse(answer.text).code).toMatch(/^(invalid_request|not_found|media_too_large|payload_too_large)$/);
      }
    }),
    { numRuns: 150 },
  );
  expect(bugsIn(server.output)).toEqual([]);
});

test("[MD-11] the hourly trigger deletes what nobody sent", async () => {
  const bytes = fresh();
  const { mediaId, upload } = await ticketFor(bytes);
  await put(upload?.url ?? "", upload?.headers ?? {}, bytes);
  const trigger = (at: number) => fetch(`${server.url}/cdn-cgi/local/scheduled?time=${at}`);
  expect((await trigger(Date.now())).status).toBe(200);
  expect((await see(mediaId, ann)).status).toBe(200);
  expect((await trigger(Date.now() + TIMES.mediaWaitsMs + 60_000)).status).toBe(200);
  expect((await see(mediaId, ann)).status).toBe(404);
  expect((await ticketFor(bytes)).upload).toBeDefined();
});

test("[MD-9] media outlives a crash of the server, with what was signed before", async () => {
  const bytes = fresh();
  const { mediaId, upload } = await ticketFor(bytes);
  await server.kill9();
  await server.start();
  expect((await put(upload?.url ?? "", upload?.headers ?? {}, bytes)).status).toBe(200);
  expect((await send(mediaId, bytes)).status).toBe(201);
  await server.kill9();
  await server.start();
  await sleep(10);
  expect(Buffer.from(await (await see(mediaId, bob)).arrayBuffer())).toEqual(bytes);
  expect((await send(mediaId, bytes)).status).toBe(400);
});
