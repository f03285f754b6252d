import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ErrorCode } from "../../src/protocol/errors.ts";
import type { PartedUpload } from "../../src/protocol/http.ts";
import { ConversationId, MediaId } from "../../src/protocol/ids.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { ok, type Result, refuse } from "../../src/protocol/result.ts";
import {
  type PartPorts,
  type UploadPause,
  type UploadPorts,
  type UploadToken,
  uploadMedia,
} from "../../src/sdk/index.ts";
import { md5 } from "../../src/sdk/md5.ts";

const MEDIA = MediaId.parse("01ARZ3NDEKTSV4RRFFQ69G5FAV");
const CONVERSATION = ConversationId.parse(`d${MEDIA}`);
/** A piece of a file; what it holds is its place. */
type Piece = { size: number; from: number };
const FILE = (bytes: number): Piece => ({ size: bytes, from: 0 });
const FIVE = FILE(4 * LIMITS.partBytes + 10);
const contents = ({ from, size }: Piece) => new TextEncoder().encode(`${from} ${size}`);
const hash = (name: string, bytes: Uint8Array) => createHash(name).update(bytes).digest();

/** A server and its store, as far as an upload in parts meets them. `fails`: by part, the statuses it answers before it takes it. */
class World {
  there = new Map<number, string>();
  told = new Map<number, string>();
  isWhole = false;
  isOver = false;
  puts: number[] = [];
  asked: { bytes: number; sha256: string; parts?: string[] }[] = [];
  did: string[] = [];
  waits: number[] = [];
  seen: number[] = [];
  most = 0;
  fails = new Map<number, number[]>();
  refuses: ErrorCode[] = [];
  onPut: (part: number) => void = () => {};
  #flying = 0;
  #made = 0;
  readonly file: Piece;

  constructor(file = FIVE) {
    this.file = file;
  }

  get #count() {
    return Math.ceil(this.file.size / LIMITS.partBytes);
  }
  get #state(): PartedUpload {
    const missing = Array.from({ length: this.#count }, (_, i) => i + 1).filter((part) => !this.told.has(part));
    const parts = missing.slice(0, LIMITS.partsAtOnce).map((part) => {
      const url = `https://store.example/?part=${part}&n=${++this.#made}`;
      return { part, method: "PUT" as const, url, headers: { "content-md5": "" }, expiresAt: 0 };
    });
    const there = [...this.told.keys()].sort((a, b) => a - b);
    return { partBytes: LIMITS.partBytes, partCount: this.#count, there, parts };
  }
  #answer<T>(what: string, value: () => Result<T, ErrorCode>): Result<T, ErrorCode> {
    this.did.push(what);
    const code = this.refuses.shift();
    if (code) return refuse(code);
    return this.isOver ? refuse("not_found") : value();
  }

  readonly parts: PartPorts<Piece> = {
    slice: (_, from, to) => ({ from, size: to - from }),
    read: async (piece) => Uint8Array.from(contents(piece)),
    digest: async (bytes) => Uint8Array.from(hash("sha256", bytes)),
    put: async ({ url }, piece, progress) => {
      const part = Number(new URL(url).searchParams.get("part"));
      this.puts.push(part);
      this.most = Math.max(this.most, ++this.#flying);
      await new Promise((resolve) => setImmediate(resolve));
      progress(piece.size / 2);
      this.onPut(part);
      this.#flying -= 1;
      const status = this.fails.get(part)?.shift() ?? 200;
      if (status !== 200) return { status, etag: null };
      progress(piece.size);
      const etag = `"${part}.${piece.size}.${this.puts.length}"`;
      this.there.set(part, etag);
      return { status, etag };
    },
    state: async () => this.#answer("state", () => ok(this.#state)),
    tell: async (_, parts) =>
      this.#answer("tell", () => {
        for (const { part, etag } of parts) this.told.set(part, etag);
        return ok(this.#state);
      }),
    complete: async () =>
      this.#answer("complete", () => {
        const isRight =
          this.told.size === this.#count && [...this.told].every(([part, etag]) => this.there.get(part) === etag);
        if (!isRight) this.told.clear();
        this.isWhole = isRight;
        return isRight ? ok(null) : refuse("media_not_uploaded");
      }),
  };

  readonly ports: UploadPorts<Piece> = {
    hash: async () => "ff",
    ask: async (wish) => {
      this.asked.push(wish);
      this.isOver = false;
      return ok(this.isWhole ? { mediaId: MEDIA } : { mediaId: MEDIA, parted: this.#state });
    },
    put: async () => 200,
    sleep: async (ms) => void this.waits.push(ms),
    random: () => 0.5,
    parts: this.parts,
  };

  run(pause: UploadPause = {}) {
    const wanted = { conversationId: CONVERSATION, contentType: "video/mp4", file: this.file };
    return uploadMedia(this.ports, wanted, (bytes) => this.seen.push(bytes), pause);
  }
}

test("[MD-23] MD5 is what it is, for every length and wherever the bytes lie in their buffer", async () => {
  await fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(7), (bytes, at) => {
      const view = new Uint8Array([...new Uint8Array(at), ...bytes]).subarray(at);
      expect(Buffer.from(md5(view)).toString("hex")).toBe(hash("md5", bytes).toString("hex"));
    }),
    { numRuns: 500 },
  );
  const large = new Uint8Array(3 * 1024 * 1024 + 5).map((_, i) => i * 7);
  expect(Buffer.from(md5(large))).toEqual(hash("md5", large));
});

test("[MD-23] a large file goes part by part, a few at a time, and its progress is told over all of them", async () => {
  const world = new World();
  expect(await world.run()).toEqual(ok(MEDIA));
  expect([[...world.puts].sort(), world.most, world.isWhole]).toEqual([[1, 2, 3, 4, 5], 3, true]);
  const pieces = [0, 1, 2, 3, 4].map((i) => ({ from: i * LIMITS.partBytes, size: i === 4 ? 10 : LIMITS.partBytes }));
  const hashes = pieces.map((piece) => hash("sha256", contents(piece)));
  expect(world.asked).toEqual([
    {
      conversationId: CONVERSATION,
      contentType: "video/mp4",
      bytes: FIVE.size,
      sha256: hash("sha256", Buffer.concat(hashes)).toString("hex"),
      parts: pieces.map((piece) => hash("md5", contents(piece)).toString("base64")),
    },
  ]);
  expect(world.seen.at(-1)).toBe(FIVE.size);
  expect(world.seen).toEqual([...world.seen].sort((a, b) => a - b));
});

test("[MD-23] a file of one part, or where a shell has no parts, goes in one request", async () => {
  const small = new World(FILE(LIMITS.partBytes));
  await small.run();
  const { parts: _, ...ports } = small.ports;
  const wanted = { conversationId: CONVERSATION, contentType: "video/mp4", file: FIVE };
  await uploadMedia(ports, wanted, () => {});
  expect([small.puts, small.asked.map(({ parts }) => parts)]).toEqual([[], [undefined, undefined]]);
});

test("[MD-23] what is there already is not uploaded", async () => {
  const world = new World();
  world.isWhole = true;
  expect(await world.run()).toEqual(ok(MEDIA));
  expect([world.puts, world.did]).toEqual([[], []]);
});

test("[MD-23] a part that failed is tried again alone, later and later, by a fresh URL", async () => {
  const world = new World();
  world.fails.set(2, [0, 403, 503]);
  expect(await world.run()).toEqual(ok(MEDIA));
  expect(world.puts.filter((part) => part === 2)).toHaveLength(4);
  expect(world.puts.filter((part) => part !== 2).sort()).toEqual([1, 3, 4, 5]);
  expect(world.waits).toEqual([...world.waits].sort((a, b) => a - b));
  expect([world.waits.length, world.did.filter((what) => what === "state").length]).toEqual([3, 3]);
});

test("[MD-23] after four tries a part is given up, and the others stop; trying again goes on from there", async () => {
  const world = new World(FILE(30 * LIMITS.partBytes));
  world.fails.set(2, [0, 0, 0, 0]);
  expect(await world.run()).toMatchObject({ ok: false, code: "unavailable" });
  const before = world.puts.length;
  expect(before).toBeLessThan(34);
  expect(await world.run()).toEqual(ok(MEDIA));
  expect(world.puts).toHaveLength(30 + 4); // nothing twice but what failed
});

test("[MD-23] a server that is away for a moment is asked again; a refusal is told as it is", async () => {
  const world = new World();
  world.refuses = ["unavailable", "rate_limited", "unavailable"];
  expect(await world.run()).toEqual(ok(MEDIA));
  const refused = new World();
  refused.onPut = (part) => {
    if (part === 3) refused.refuses = Array.from({ length: 9 }, () => "not_member");
  };
  expect(await refused.run()).toMatchObject({ ok: false, code: "not_member" });
});

test("[MD-23] answers that cross bring no part back", async () => {
  const world = new World(FILE(25 * LIMITS.partBytes));
  const tell = world.parts.tell;
  let asked = 0;
  world.parts.tell = async (mediaId, parts) => {
    const answer = await tell(mediaId, parts);
    if (asked++ % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 20)); // those behind it overtake
    return answer;
  };
  expect(await world.run()).toEqual(ok(MEDIA));
  expect(world.puts).toHaveLength(25);
});

test("[MD-23] parts that the store turns out not to have are uploaded again", async () => {
  const world = new World();
  const complete = world.parts.complete;
  world.parts.complete = async (mediaId) => {
    if (world.puts.length === 5) world.there.delete(1);
    return complete(mediaId);
  };
  expect(await world.run()).toEqual(ok(MEDIA));
  expect(world.puts).toHaveLength(10);
});

test("[MD-23] paused, nothing more is begun; a later process goes on by the token, without hashing or uploading anything twice", async () => {
  const world = new World(FILE(20 * LIMITS.partBytes));
  const stop = new AbortController();
  let token: UploadToken | null = null;
  world.onPut = () => {
    if (world.puts.length === 6) stop.abort();
  };
  const begun = (it: UploadToken) => {
    token = JSON.parse(JSON.stringify(it));
  };
  expect(await world.run({ signal: stop.signal, begun })).toMatchObject({ ok: false, code: "unavailable" });
  const before = world.puts.length;
  expect(before).toBeLessThan(10);
  const read = world.parts.read;
  world.parts.read = () => Promise.reject(new Error("hashed again"));
  expect(await world.run({ resume: token, begun })).toEqual(ok(MEDIA));
  world.parts.read = read;
  expect([world.puts.length, new Set(world.puts).size, world.asked.length]).toEqual([20, 20, 1]);
  expect(world.seen.at(-1)).toBe(20 * LIMITS.partBytes);
});

test("[MD-23] a token of another file, or of an upload that is over, begins anew", async () => {
  const world = new World();
  const token = { mediaId: MEDIA, conversationId: CONVERSATION, contentType: "video/mp4", bytes: FIVE.size };
  for (const other of [
    { ...token, bytes: 1 },
    { ...token, contentType: "video/webm" },
  ]) {
    world.isWhole = true;
    expect(await world.run({ resume: other })).toEqual(ok(MEDIA));
  }
  expect(world.asked).toHaveLength(2);
  world.isWhole = false;
  world.isOver = true;
  expect(await world.run({ resume: token })).toEqual(ok(MEDIA));
  expect([world.asked.length, world.puts.length]).toEqual([3, 5]);
});

test("[MD-23] whatever fails for a while, the file gets there whole, and no part that was told is sent again", async () => {
  const statuses = fc.array(fc.constantFrom(0, 403, 500, 503), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 25 }), fc.array(statuses, { maxLength: 25 }), async (count, fails) => {
      const world = new World(FILE(count * LIMITS.partBytes - 1));
      for (const [i, some] of fails.entries()) world.fails.set(i + 1, [...some]);
      const failing = fails.slice(0, count).reduce((sum, some) => sum + some.length, 0);
      expect(await world.run()).toEqual(ok(MEDIA));
      expect([world.isWhole, world.puts.length]).toEqual([true, count + failing]);
    }),
    { numRuns: 60 },
  );
});
