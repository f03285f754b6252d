import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { PartedUpload } from "../../../src/protocol/http.ts";
import { LIMITS } from "../../../src/protocol/limits.ts";
import type { Fetch, MediaUpload } from "../../../src/sdk/client/api.ts";
import { memoryStorage } from "../../../src/sdk/client/memory-storage.ts";
import { type Fake, fakeServer } from "../../../src/sdk/testing.ts";
import { impatient, open, signUp, until } from "./support/people.ts";

const MEDIA = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const CHAT = `d${MEDIA}`;
const BYTES = 2 * LIMITS.partBytes + 10;
const VIDEO = new File([new Uint8Array(BYTES).fill(7)], "film.mp4", { type: "video/mp4", lastModified: 5 });

/** The doors and the bucket of one large file, before a fake server's own. `holds`: parts whose bytes do not come through. */
class Bucket {
  readonly told = new Map<number, string>();
  readonly asked: string[] = [];
  readonly holds = new Set<number>();
  isWhole = false;
  #bodies = new Map<number, string>();

  #state(): PartedUpload {
    const missing = [1, 2, 3].filter((part) => !this.told.has(part));
    const parts = missing.map((part) => ({
      ...{ part, method: "PUT" as const, url: `https://bucket.example/${part}`, headers: {}, expiresAt: 0 },
    }));
    return { partBytes: LIMITS.partBytes, partCount: 3, there: [...this.told.keys()], parts };
  }

  fetchOf({ options }: Fake): Fetch {
    return async (url, init = {}) => {
      const json = (value: unknown) => new Response(JSON.stringify(value));
      if (url.startsWith("https://bucket.example/")) return this.#put(Number(url.at(-1)), init);
      const [, path = ""] = url.split("/v1/media");
      if (url === `${options.url}/v1/media${path}`) this.asked.push(`${init.method} ${path}`);
      if (path === "" && url.endsWith("/v1/media")) return json({ mediaId: MEDIA, parted: this.#state() });
      if (path === `/${MEDIA}/upload` && init.method === "DELETE") return new Response(null, { status: 204 });
      if (path === `/${MEDIA}/upload`) return json(this.#state());
      if (path === `/${MEDIA}/upload/parts`) {
        for (const { part, etag } of JSON.parse(String(init.body)).parts) this.told.set(part, etag);
        return json(this.#state());
      }
      if (path === `/${MEDIA}/upload/complete`) {
        this.isWhole = [1, 2, 3].every((part) => this.told.get(part) === this.#bodies.get(part));
        return new Response(null, { status: 204 });
      }
      return options.fetch(url, init);
    };
  }

  async #put(part: number, { body, signal }: RequestInit): Promise<Response> {
    this.asked.push(`part ${part}`);
    if (this.holds.has(part))
      await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("aborted"))));
    const etag = createHash("md5")
      .update(new Uint8Array(body as ArrayBuffer))
      .digest("hex");
    this.#bodies.set(part, etag);
    return new Response(null, { headers: { etag } });
  }
}

const become = (upload: MediaUpload, is: MediaUpload["state"]["is"]) => until(() => upload.state.is === is);
const SHOWN = { type: "media", mediaId: MEDIA, contentType: "video/mp4", bytes: BYTES, name: "film.mp4" };

test("[CL-51] a large file goes part by part, and what came before a pause does not go again", async () => {
  const [server, bucket] = [fakeServer(), new Bucket()];
  const alice = await signUp(server, "alice", { fetch: bucket.fetchOf(server), environment: impatient });
  bucket.holds.add(3);
  const upload = await alice.media.upload(CHAT, VIDEO);
  await until(() => bucket.told.size === 2);
  upload.pause();
  expect(upload.state).toMatchObject({ is: "paused", bytes: 2 * LIMITS.partBytes });
  const before = bucket.asked.length;
  bucket.holds.clear();
  upload.resume();
  expect(await upload.done).toEqual(SHOWN);
  expect(upload.state).toEqual({ is: "done", content: SHOWN });
  expect(bucket.asked.slice(before).filter((what) => what.startsWith("part"))).toEqual(["part 3"]);
  expect(bucket.isWhole).toBe(true);
});

test("[CL-51] after a reload the same file goes on where it was, and another one begins anew", async () => {
  const [server, bucket, storage] = [fakeServer(), new Bucket(), memoryStorage()];
  const more = { fetch: bucket.fetchOf(server), environment: impatient, storage };
  const first = await signUp(server, "alice", more);
  bucket.holds.add(2).add(3);
  const cut = await first.media.upload(CHAT, VIDEO);
  await until(() => bucket.told.size === 1);
  cut.pause();
  await first.close();
  bucket.holds.clear();
  const again = await open(server, more);
  bucket.asked.length = 0;
  const renamed = new File([VIDEO], "other.mp4", { type: VIDEO.type, lastModified: 5 });
  const other = await again.media.upload(CHAT, renamed);
  await other.done;
  expect(bucket.asked[0]).toBe("POST ");
  bucket.told.delete(3);
  bucket.asked.length = 0;
  expect(await (await again.media.upload(CHAT, VIDEO)).done).toEqual(SHOWN);
  expect(bucket.asked).toEqual([
    `GET /${MEDIA}/upload`,
    "part 3",
    `POST /${MEDIA}/upload/parts`,
    `POST /${MEDIA}/upload/complete`,
  ]);
  bucket.asked.length = 0;
  await (await again.media.upload(CHAT, VIDEO)).done;
  expect(bucket.asked[0]).toBe("POST "); // it had ended
});

test("[CL-51] what is cancelled is given up at the server, and rejects", async () => {
  const [server, bucket] = [fakeServer(), new Bucket()];
  const alice = await signUp(server, "alice", { fetch: bucket.fetchOf(server), environment: impatient });
  bucket.holds.add(1);
  const upload = await alice.media.upload(CHAT, VIDEO);
  await until(() => bucket.asked.includes("part 1"));
  upload.cancel();
  await expect(upload.done).rejects.toMatchObject({ code: "unavailable" });
  await become(upload, "cancelled");
  expect(bucket.asked.at(-1)).toBe(`DELETE /${MEDIA}/upload`);
});
