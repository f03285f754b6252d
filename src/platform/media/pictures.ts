import { unfitAsPicture } from "../../domain/media.ts";
import type { MediaId, UserId } from "../../protocol/ids.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import { AVATAR, mediaById } from "../../storage/media.ts";
import { changePicture } from "../../storage/pictures.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { dropMedia, isUploaded } from "./media.ts";

/** [PF-2] Whether this may become the person's picture, or is it. Throws `Unavailable`, as both of these do. */
export async function fitsAsPicture(
  env: Env,
  userId: UserId,
  mediaId: MediaId,
): Promise<Result<null, "invalid_request">> {
  const row = await mediaById(env.DIRECTORY, mediaId);
  const why = unfitAsPicture(row, userId);
  if (why !== null || !row) return unfit(why ?? "unknown");
  if (row.claim !== null && row.claim !== AVATAR) return unfit("it was a picture before");
  return (await isUploaded(env, row)) ? ok(null) : unfit("not uploaded");
}
const unfit = (why: string) => refuse("invalid_request", `avatarMediaId: ${why}`);

/** Makes what fits the person's picture; null: they have none. Repeating it is harmless. False: it is gone meanwhile. `now`: epoch ms. */
export async function setPicture(env: Env, userId: UserId, mediaId: MediaId | null, now: number): Promise<boolean> {
  const { isSet, condemned } = await changePicture(env.DIRECTORY, userId, mediaId, now);
  await dropMedia(env, condemned).catch((error) => log.warn("picture_not_dropped", { userId, error })); // [PF-6] the sweep does
  return isSet;
}
