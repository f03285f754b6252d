import type { Hono } from "hono";
import type { Env } from "../platform/env.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { dropMedia, isUploaded } from "../platform/media/media.ts";
import { completeUpload, partedOf, wholeOf } from "../platform/media/parts.ts";
import { type Store, storeOf } from "../platform/media/presign.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { DOORS } from "../protocol/http.ts";
import type { MediaId, UserId } from "../protocol/ids.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { giveUpMedia, type MediaRow, mediaById } from "../storage/media.ts";
import { tellEtags, type UploadRow, uploadOfObject } from "../storage/uploads.ts";
import { admits } from "./media.ts";

/** What its maker does with an upload in parts, in this process or a later one. */
export function mountUploads(app: Hono<AppEnv>): void {
  mount(app, DOORS.upload, async ({ env, caller, params }) => {
    const found = await ownUpload(env, caller.userId, params.mediaId);
    return found.ok ? answer(found.value) : found;
  });

  mount(app, DOORS.tellParts, async ({ env, caller, params, body }) => {
    const found = await ownUpload(env, caller.userId, params.mediaId);
    if (!found.ok) return found;
    const { upload } = found.value;
    if (!upload) return answer(found.value);
    const known = body.parts.filter(({ part }) => part <= upload.md5s.length);
    if (known.length < body.parts.length) return refuse("invalid_request", `parts: there are ${upload.md5s.length}`);
    const told = await tellEtags(env.DIRECTORY, upload, new Map(known.map(({ part, etag }) => [part, etag])));
    return told ? answer({ ...found.value, upload: told }) : refuse("not_found"); // given up, or whole, meanwhile
  });

  mount(app, DOORS.completeUpload, complete);

  mount(app, DOORS.dropUpload, async ({ env, caller, params }) => {
    if (!storeOf(env)) return refuse("media_not_offered");
    const { mediaId } = params;
    if (await giveUpMedia(env.DIRECTORY, mediaId, caller.userId)) await dropMedia(env, [mediaId]); // [MD-21]
    return ok({ status: 204, body: null });
  });
}

async function complete({ env, caller, params }: Visit<typeof DOORS.completeUpload>) {
  const found = await ownUpload(env, caller.userId, params.mediaId);
  if (!found.ok) return found;
  const { row, upload } = found.value;
  const done = upload ? await completeUpload(env, upload, row) : ok(null); // [MD-20] repeated, it is done
  return done.ok ? ok({ status: 204 as const, body: null }) : done;
}

/** Without `upload` it is whole. */
type Own = { store: Store; row: MediaRow; upload: UploadRow | undefined };

/** [MD-19] Its maker's alone, while they are a member. Of what is neither under way nor whole there is nothing to tell: `not_found`. */
async function ownUpload(env: Env, userId: UserId, mediaId: MediaId): Promise<Result<Own, ErrorCode>> {
  const store = storeOf(env);
  if (!store) return refuse("media_not_offered");
  const row = await mediaById(env.DIRECTORY, mediaId);
  if (!row || row.userId !== userId) return refuse("not_found");
  const admitted = await admits(env, row.conversationId, userId);
  if (!admitted.ok) return admitted;
  const upload = await uploadOfObject(env.DIRECTORY, row.objectKey);
  return upload || (await isUploaded(env, row)) ? ok({ store, row, upload }) : refuse("not_found");
}

async function answer({ store, row, upload }: Own) {
  const body = upload ? await partedOf(store, upload, row.bytes, Date.now()) : wholeOf(row.bytes);
  return ok({ status: 200 as const, body });
}
