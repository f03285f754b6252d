import type { Hono } from "hono";
import { ulid } from "ulid";
import { decideSize } from "../domain/media.ts";
import { tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { isUploaded, objectKeyOf, placeOf, uploadOf } from "../platform/media/media.ts";
import { storeOf } from "../platform/media/presign.ts";
import { conversationOf } from "../platform/stubs.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { DOORS } from "../protocol/http.ts";
import { type ConversationId, MediaId, type UserId } from "../protocol/ids.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { insertMedia, mediaById } from "../storage/media.ts";

/** Bytes go between clients and the bucket; these doors say where. */
export function mountMedia(app: Hono<AppEnv>): void {
  mount(app, DOORS.newMedia, newMedia);
  mount(app, DOORS.media, media);
}

async function newMedia({ env, caller, body }: Visit<typeof DOORS.newMedia>) {
  const store = storeOf(env);
  if (!store) return refuse("media_not_offered"); // [MD-1]
  const sized = decideSize(body.contentType, body.bytes);
  if (!sized.ok) return sized;
  const { userId } = caller;
  const admitted = await admits(env, body.conversationId, userId);
  if (!admitted.ok) return admitted;
  const now = Date.now();
  const mediaId = MediaId.parse(ulid(now));
  const row = { mediaId, userId, ...body, objectKey: await objectKeyOf(userId, body), touchedAt: now };
  await insertMedia(env.DIRECTORY, row); // before looking: what is dropped meanwhile is kept for this one's sake
  const ticket = (await isUploaded(env, row)) ? { mediaId } : { mediaId, upload: await uploadOf(store, row, now) }; // [MD-5]
  return ok({ status: 201 as const, body: ticket });
}

/** [MD-6] Until its message is sent, nobody but its maker has it. */
async function media({ env, caller, params, query }: Visit<typeof DOORS.media>) {
  const store = storeOf(env);
  if (!store) return refuse("media_not_offered");
  const row = await mediaById(env.DIRECTORY, params.mediaId);
  if (!row || (row.claim === null && row.userId !== caller.userId)) return refuse("not_found");
  const admitted = await admits(env, row.conversationId, caller.userId);
  if (!admitted.ok) return admitted.code === "not_member" ? refuse("not_found") : admitted;
  if (row.claim === null && !(await isUploaded(env, row))) return refuse("media_not_uploaded");
  const place = await placeOf(store, row, Date.now());
  if (query.as === "url") return ok({ status: 200 as const, body: place });
  return new Response(null, { status: 302, headers: { location: place.url } });
}

async function admits(env: Env, id: ConversationId, userId: UserId): Promise<Result<null, ErrorCode>> {
  const answer = await tryCall(() => conversationOf(env, id).admits(userId));
  return answer.ok ? answer.value : answer;
}
