import { dispositionOf } from "../../domain/media.ts";
import type { MediaPlace, Upload } from "../../protocol/http.ts";
import type { MediaId, UserId } from "../../protocol/ids.ts";
import { TIMES } from "../../protocol/limits.ts";
import { deleteMedia, type MediaRow, objectsOf, objectsOfOthers } from "../../storage/media.ts";
import { reach } from "../../storage/reach.ts";
import type { Env } from "../env.ts";
import { abortUploads } from "./parts.ts";
import { presign, type Store } from "./presign.ts";

type Bytes = Pick<MediaRow, "sha256" | "contentType" | "bytes">;

/**
 * [MD-5] One place for the same bytes of one user, and never the same for two: nobody learns what others have uploaded. What is uploaded in
 * parts is named by what its parts are to be.
 */
export async function objectKeyOf(
  userId: UserId,
  { sha256, contentType, bytes, parts = [] }: Bytes & { parts?: readonly string[] | undefined },
): Promise<string> {
  const text = new TextEncoder().encode([userId, sha256, contentType, bytes, ...parts].join(" "));
  return hexOf(await crypto.subtle.digest("SHA-256", text));
}

/** [MD-3] [MD-4] [MD-7] Where to put these bytes, once, and nothing else. */
export async function uploadOf(store: Store, row: Bytes & { objectKey: string }, now: number): Promise<Upload> {
  const headers = {
    "content-type": row.contentType,
    "content-disposition": dispositionOf(row.contentType), // kept with the bytes
    "if-none-match": "*",
    "x-amz-checksum-sha256": base64OfHex(row.sha256),
  };
  const signed = { ...headers, "content-length": String(row.bytes) }; // which every client sends by itself
  const wanted = { method: "PUT", key: row.objectKey, headers: signed, signedAt: now, lifeMs: TIMES.uploadMs } as const;
  return { method: "PUT", url: await presign(store, wanted), headers, expiresAt: now + TIMES.uploadMs };
}

/** The same URL for a while, so that browsers find what they hold already. */
export async function placeOf(store: Store, row: MediaRow, now: number): Promise<MediaPlace> {
  const signedAt = now - (now % TIMES.downloadMs);
  const lifeMs = 2 * TIMES.downloadMs;
  const query = { "response-content-disposition": dispositionOf(row.contentType) }; // [MD-7]
  const url = await presign(store, { method: "GET", key: row.objectKey, query, signedAt, lifeMs });
  return { url, expiresAt: signedAt + lifeMs };
}

/** Whether the bytes are there. The store has checked their hash, where it says so. Throws `Unavailable`. */
export async function isUploaded(env: Env, row: Bytes & { objectKey: string }): Promise<boolean> {
  const object = await reach("media", () => env.MEDIA.head(row.objectKey));
  if (!object || object.size !== row.bytes) return false;
  const { sha256 } = object.checksums;
  return sha256 === undefined || hexOf(sha256) === row.sha256;
}

const hexOf = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
const base64OfHex = (hex: string): string =>
  btoa(hex.replaceAll(/../g, (byte) => String.fromCharCode(Number.parseInt(byte, 16))));

/**
 * Deletes media, and the bytes that no other media means. It may be repeated, and has to be where it throws (`Unavailable`): the rows go
 * last, so that nothing is forgotten that is still in the bucket. At most 1,000 at a time.
 */
export async function dropMedia(env: Env, mediaIds: readonly MediaId[]): Promise<void> {
  if (mediaIds.length === 0) return;
  const objects = await objectsOf(env.DIRECTORY, mediaIds);
  const shared = await objectsOfOthers(env.DIRECTORY, objects, mediaIds); // [MD-12]
  const alone = objects.filter((key) => !shared.has(key));
  await abortUploads(env, alone); // [MD-21]
  if (alone.length > 0) await reach("drop media", () => env.MEDIA.delete(alone));
  await deleteMedia(env.DIRECTORY, mediaIds);
}
