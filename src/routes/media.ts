import type { Hono } from "hono";
import { ulid } from "ulid";
import type * as z from "zod";
import { decideFile, decidePicture, OF_A_PERSON } from "../domain/media.ts";
import { ask } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { isUploaded, objectKeyOf, placeOf, uploadOf } from "../platform/media/media.ts";
import { beginUpload, partedOf } from "../platform/media/parts.ts";
import { type Store, storeOf } from "../platform/media/presign.ts";
import { conversationOf } from "../platform/stubs.ts";
import type { NewFile, NewPicture, PassedOn } from "../protocol/doors/fields.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { DOORS, type MediaTicket } from "../protocol/http.ts";
import { MediaId, type UserId } from "../protocol/ids.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { profilesOf } from "../storage/directory.ts";
import { insertMedia, type MediaRow, mediaById } from "../storage/media.ts";

/** Bytes go between clients and the bucket; these doors say where. */
export function mountMedia(app: Hono<AppEnv>): void {
  mount(app, DOORS.newMedia, newMedia);
  mount(app, DOORS.media, media);
}

async function newMedia({ env, caller: { userId }, body }: Visit<typeof DOORS.newMedia>) {
  const store = storeOf(env);
  if (!store) return refuse("media_not_offered"); // [MD-1]
  const made = await ("from" in body
    ? passOn(env, userId, body)
    : "for" in body
      ? makePicture(env, store, userId, body)
      : makeFile(env, store, userId, body));
  return made.ok ? ok({ status: 201 as const, body: made.value }) : made;
}

type Made = Promise<Result<MediaTicket, ErrorCode>>;

async function makeFile(env: Env, store: Store, userId: UserId, file: z.infer<typeof NewFile>): Made {
  const decided = decideFile(file);
  if (!decided.ok) return decided;
  const admitted = await admits(env, file.conversationId, userId);
  return admitted.ok ? make(env, store, userId, file) : admitted;
}

/** [PF-1] */
async function makePicture(
  env: Env,
  store: Store,
  userId: UserId,
  { for: _, ...picture }: z.infer<typeof NewPicture>,
): Made {
  const decided = decidePicture(picture);
  return decided.ok ? make(env, store, userId, { ...picture, conversationId: OF_A_PERSON }) : decided;
}

type Bytes = Pick<MediaRow, "conversationId" | "contentType" | "bytes" | "sha256">;

async function make(
  env: Env,
  store: Store,
  userId: UserId,
  { parts, ...file }: Bytes & { parts?: string[] | undefined },
): Made {
  const now = Date.now();
  const mediaId = MediaId.parse(ulid(now));
  const row = { mediaId, userId, ...file, objectKey: await objectKeyOf(userId, { ...file, parts }), touchedAt: now };
  await insertMedia(env.DIRECTORY, row); // before looking: what is dropped meanwhile is kept for this one's sake
  const isThere = () => isUploaded(env, row);
  if (await isThere()) return ok({ mediaId }); // [MD-5]
  if (!parts) return ok({ mediaId, upload: await uploadOf(store, row, now) });
  const upload = await beginUpload(env, row, parts, isThere);
  return ok(upload ? { mediaId, parted: await partedOf(store, upload, row.bytes, now) } : { mediaId });
}

/** [MD-22] The right to show the same bytes elsewhere, for whoever may see them: a row of their own that means the same object. */
async function passOn(env: Env, userId: UserId, { conversationId, from }: z.infer<typeof PassedOn>): Made {
  const admitted = await admits(env, conversationId, userId);
  if (!admitted.ok) return admitted;
  const original = await mediaById(env.DIRECTORY, from);
  if (original?.conversationId === OF_A_PERSON) return refuse("not_found"); // [PF-2]
  const seen = await seenBy(env, userId, original);
  if (!seen.ok) return seen;
  const { contentType, bytes, sha256, objectKey } = seen.value;
  const now = Date.now();
  const mediaId = MediaId.parse(ulid(now));
  const row = { mediaId, userId, conversationId, contentType, bytes, sha256, objectKey, touchedAt: now };
  await insertMedia(env.DIRECTORY, row); // before looking, as above
  return (await isUploaded(env, row)) ? ok({ mediaId }) : refuse("media_not_uploaded");
}

async function media({ env, caller, params, query }: Visit<typeof DOORS.media>) {
  const store = storeOf(env);
  if (!store) return refuse("media_not_offered");
  const seen = await seenBy(env, caller.userId, await mediaById(env.DIRECTORY, params.mediaId));
  if (!seen.ok) return seen;
  const row = seen.value;
  if (row.claim === null && !(await isUploaded(env, row))) return refuse("media_not_uploaded");
  const place = await placeOf(store, row, Date.now());
  if (query.as === "url") return ok({ status: 200 as const, body: place });
  return new Response(null, { status: 302, headers: { location: place.url } });
}

/** [MD-6] Until its message is sent, nobody but its maker has it. */
async function seenBy(env: Env, userId: UserId, row: MediaRow | undefined): Promise<Result<MediaRow, ErrorCode>> {
  if (!row || (row.claim === null && row.userId !== userId)) return refuse("not_found");
  if (row.conversationId === OF_A_PERSON) return (await isShownTo(env, userId, row)) ? ok(row) : refuse("not_found");
  const admitted = await admits(env, row.conversationId, userId);
  if (admitted.ok) return ok(row);
  return admitted.code === "not_member" ? refuse("not_found") : admitted;
}

/** [PF-5] The picture that its owner has and shows to this user, and no earlier one. */
async function isShownTo(env: Env, viewerId: UserId, { mediaId, userId, claim }: MediaRow): Promise<boolean> {
  if (claim === null) return true; // it is the viewer's own, and not set yet
  return (await profilesOf(env.DIRECTORY, viewerId, [userId])).get(userId)?.avatarMediaId === mediaId;
}

/** Whether somebody may upload for it; a picture of their own is nobody else's matter. */
export async function admits(
  env: Env,
  id: MediaRow["conversationId"],
  userId: UserId,
): Promise<Result<null, ErrorCode>> {
  if (id === OF_A_PERSON) return ok(null);
  return ask(() => conversationOf(env, id).admits(userId));
}
