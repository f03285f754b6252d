import { unfitAsAvatar } from "../domain/media.ts";
import type { Env } from "../platform/env.ts";
import { log } from "../platform/log.ts";
import { isUploaded } from "../platform/media/media.ts";
import type { ConversationId, MediaId, UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import { AVATAR, claimMedia, mediaById } from "../storage/media.ts";
import { Unavailable } from "../storage/reach.ts";
import type { Outcome } from "./rpc.ts";

type Wanted = { userId: UserId; conversationId: ConversationId; mediaId: MediaId };

/** [GR-11] Claims media for a group's picture, as a wish claims what its message shows: unset within a day, the sweep takes it. `now`: epoch ms. */
export async function claimAvatar(env: Env, wanted: Wanted, now: number): Promise<Outcome<null>> {
  try {
    const why = await unfit(env, wanted, now);
    return why === null ? ok(null) : refuse("invalid_request", `avatarMediaId: ${why}`);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    log.warn("avatar_not_claimed", { conversationId: wanted.conversationId, error });
    return refuse("unavailable");
  }
}

async function unfit(env: Env, { mediaId, ...wanting }: Wanted, now: number): Promise<string | null> {
  const row = await mediaById(env.DIRECTORY, mediaId);
  const why = unfitAsAvatar(row, wanting);
  if (why !== null || !row) return why ?? "unknown";
  if (!(await isUploaded(env, row))) return "not uploaded";
  return (await claimMedia(env.DIRECTORY, mediaId, AVATAR, null, now)) ? null : "a message has it";
}
