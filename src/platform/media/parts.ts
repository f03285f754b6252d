import { dispositionOf, missingParts, partCountOf, partOf } from "../../domain/media.ts";
import type { PartedUpload } from "../../protocol/http.ts";
import { LIMITS, TIMES } from "../../protocol/limits.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import type { MediaRow } from "../../storage/media.ts";
import { reach, Unavailable } from "../../storage/reach.ts";
import {
  deleteUpload,
  forgetEtags,
  insertUpload,
  type UploadRow,
  uploadOfObject,
  uploadsOfObjects,
} from "../../storage/uploads.ts";
import { mapWindowed } from "../calls.ts";
import type { Env } from "../env.ts";
import { presign, type Store } from "./presign.ts";

/**
 * Uploads in parts: the Worker begins, completes and aborts them by its binding, clients put the parts with signed URLs. Which parts are there
 * clients tell, with the store's own words, because the local store cannot be asked; when they are put together the store checks them.
 */
type Whole = Pick<MediaRow, "objectKey" | "contentType" | "bytes">;

/** The store takes long to put a large file together. Ms. */
const COMPLETE_MS = 25_000;
/** Uploads aborted at a time. */
const ABORT_WINDOW = 6;

/** R2 says why by a number at the end of its message (https://developers.cloudflare.com/r2/api/error-codes/). */
const NO_SUCH_UPLOAD = "(10024)";
const PARTS_UNFIT = ["(10011)", "(10025)", "(10048)"]; // too small, not there, of unequal sizes
const saysOneOf = (error: unknown, codes: readonly string[]): boolean =>
  error instanceof Error && codes.some((code) => error.message.endsWith(code));

/**
 * The upload of this object that is under way, or a new one: one at a time, so that it becomes whole once. Null: it is whole already.
 * `isThere`: asks the store. Throws `Unavailable`.
 */
export async function beginUpload(
  env: Env,
  { objectKey, contentType }: Whole,
  md5s: readonly string[],
  isThere: () => Promise<boolean>,
): Promise<UploadRow | null> {
  const running = await uploadOfObject(env.DIRECTORY, objectKey);
  if (running) return running; // [MD-19] whoever has begun it
  const httpMetadata = { contentType, contentDisposition: dispositionOf(contentType) }; // [MD-7]
  const { uploadId } = await reach("begin upload", () => env.MEDIA.createMultipartUpload(objectKey, { httpMetadata }));
  const upload = { objectKey, uploadId };
  const isNew = await insertUpload(env.DIRECTORY, { ...upload, md5s });
  // The one before may have become whole since its object was looked for; its row goes after that. [MD-4]
  if (isNew && !(await isThere())) return { ...upload, md5s: [...md5s], etags: new Map() };
  await abort(env, upload);
  if (isNew) await deleteUpload(env.DIRECTORY, upload);
  return isNew ? null : await theOther(env, objectKey);
}

async function theOther(env: Env, objectKey: string): Promise<UploadRow> {
  const other = await uploadOfObject(env.DIRECTORY, objectKey);
  if (!other) throw new Unavailable("begin upload", new Error("another one came between"));
  return other;
}

/** [MD-18] [MD-19] What is there, and URLs for the first of the rest. Each is for one part of its size and MD5, and nothing else. */
export async function partedOf(store: Store, upload: UploadRow, bytes: number, now: number): Promise<PartedUpload> {
  const { objectKey: key, uploadId, md5s, etags } = upload;
  const next = missingParts(md5s.length, etags).slice(0, LIMITS.partsAtOnce);
  const parts = next.map(async (part) => {
    const { from, to } = partOf(bytes, part);
    const headers = { "content-md5": md5s[part - 1] ?? "" };
    const signed = { ...headers, "content-length": String(to - from) }; // which every client sends by itself
    const query = { partNumber: String(part), uploadId };
    const wanted = { method: "PUT", key, headers: signed, query, signedAt: now, lifeMs: TIMES.uploadMs } as const;
    const url = await presign(store, wanted);
    return { part, method: "PUT" as const, url, headers, expiresAt: now + TIMES.uploadMs };
  });
  const there = [...etags.keys()].sort((a, b) => a - b);
  return { partBytes: LIMITS.partBytes, partCount: md5s.length, there, parts: await Promise.all(parts) };
}

/** What is told of a file that is whole. */
export function wholeOf(bytes: number): PartedUpload {
  const partCount = partCountOf(bytes);
  return {
    partBytes: LIMITS.partBytes,
    partCount,
    there: Array.from({ length: partCount }, (_, i) => i + 1),
    parts: [],
  };
}

/** [MD-20] Puts the parts together. The store decides whether they are what it said they were. Throws `Unavailable`. */
export async function completeUpload(
  env: Env,
  upload: UploadRow,
  whole: Whole,
): Promise<Result<null, "media_not_uploaded">> {
  const [missing] = missingParts(upload.md5s.length, upload.etags);
  if (missing !== undefined) return refuse("media_not_uploaded", `part ${missing} is missing`);
  const parts = [...upload.etags].sort(([a], [b]) => a - b).map(([partNumber, etag]) => ({ partNumber, etag }));
  if (!(await putTogether(env, upload, parts))) {
    await forgetEtags(env.DIRECTORY, upload);
    return refuse("media_not_uploaded", "these are not the parts that are there");
  }
  const isRight = await isAsAsked(env, whole);
  if (!isRight) await reach("drop object", () => env.MEDIA.delete(whole.objectKey));
  await deleteUpload(env.DIRECTORY, upload);
  return isRight ? ok(null) : refuse("media_not_uploaded", "of another type or size");
}

/** False: a part is not there, or not as told. An upload that is over may have been put together before. */
async function putTogether(env: Env, { objectKey, uploadId }: UploadRow, parts: R2UploadedPart[]): Promise<boolean> {
  const complete = async () => {
    try {
      await env.MEDIA.resumeMultipartUpload(objectKey, uploadId).complete(parts);
    } catch (error) {
      if (saysOneOf(error, PARTS_UNFIT)) return false;
      if (!saysOneOf(error, [NO_SUCH_UPLOAD])) throw error;
    }
    return true;
  };
  return reach("complete upload", complete, COMPLETE_MS);
}

async function isAsAsked(env: Env, { objectKey, contentType, bytes }: Whole): Promise<boolean> {
  const object = await reach("media", () => env.MEDIA.head(objectKey));
  return object?.size === bytes && object.httpMetadata?.contentType === contentType;
}

/** [MD-21] Ends the uploads that are under way for these objects; what of them was there is gone. Throws `Unavailable`. */
export async function abortUploads(env: Env, objectKeys: readonly string[]): Promise<void> {
  if (objectKeys.length === 0) return;
  const running = await uploadsOfObjects(env.DIRECTORY, objectKeys);
  await mapWindowed(running, ABORT_WINDOW, async (upload) => {
    await abort(env, upload);
    await deleteUpload(env.DIRECTORY, upload);
  });
}

/** May be repeated. */
async function abort(env: Env, { objectKey, uploadId }: Pick<UploadRow, "objectKey" | "uploadId">): Promise<void> {
  await reach("abort upload", async () => {
    try {
      await env.MEDIA.resumeMultipartUpload(objectKey, uploadId).abort();
    } catch (error) {
      if (!saysOneOf(error, [NO_SUCH_UPLOAD])) throw error;
    }
  });
}
