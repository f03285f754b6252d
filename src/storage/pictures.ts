import { type SQL, sql } from "drizzle-orm";
import { OF_A_PERSON } from "../domain/media.ts";
import { seesPicture } from "../domain/visibility.ts";
import type { Profile } from "../protocol/http.ts";
import type { MediaId, UserId } from "../protocol/ids.ts";
import type { Visibility } from "../protocol/states.ts";
import { users } from "./directory-schema.ts";
import { AVATAR, SWEPT } from "./media.ts";
import { reach } from "./reach.ts";

// --- who sees it ---

/** Whether a row of `users` is a contact of the one who looks, who is `?1`. */
export const IS_CONTACT = `EXISTS (SELECT 1 FROM contacts WHERE asker_id IS NULL AND ended = 0
  AND low_id = min(?1, users.user_id) AND high_id = max(?1, users.user_id))`;
const BLOCKS_ME = "EXISTS (SELECT 1 FROM blocks WHERE blocker_id = users.user_id AND blocked_id = ?1)";

/** What `profileIn` is to be told of a row of `users`, for the one who looks, who is `?1`. */
export const PROFILE = `users.user_id AS userId, handle, display_name AS displayName, avatar_media_id AS avatarMediaId, picture,
  avatar_media_id NOT NULL AND ${IS_CONTACT} AS isContact, avatar_media_id NOT NULL AND ${BLOCKS_ME} AS blocksMe`;

/** The same where drizzle binds what is given. */
const given = (text: string, viewerId: UserId): SQL<number> =>
  sql.join(
    text.split("?1").map((part) => sql.raw(part)),
    sql`${viewerId}`,
  ) as SQL<number>;
export const profileFor = (viewerId: UserId) => ({
  userId: users.userId,
  handle: users.handle,
  displayName: users.displayName,
  avatarMediaId: users.avatarMediaId,
  picture: users.picture,
  isContact: given(`(avatar_media_id NOT NULL AND ${IS_CONTACT})`, viewerId),
  blocksMe: given(`(avatar_media_id NOT NULL AND ${BLOCKS_ME})`, viewerId),
});

export type ProfileRow = Omit<Profile, "avatarMediaId"> & {
  avatarMediaId: MediaId | null;
  picture: Visibility;
  isContact: number;
  blocksMe: number;
};

/** [PF-4] A profile as this viewer sees it. */
export function profileIn(row: ProfileRow, viewerId: UserId): Profile {
  const { userId, handle, displayName, avatarMediaId, picture } = row;
  const facts = { isMe: userId === viewerId, isContact: row.isContact === 1, blocksMe: row.blocksMe === 1 };
  const isSeen = avatarMediaId !== null && seesPicture(picture, facts);
  return { userId, handle, displayName, ...(isSeen ? { avatarMediaId } : {}) };
}

// --- changing it ---

/**
 * [PF-3] One transaction changes what the profile names and what the media is claimed for, so that however changes cross the one is always the
 * other. Repeating it writes nothing. `condemned`: what was a picture and is none any more. Throws `Unavailable`.
 */
export async function changePicture(
  db: D1Database,
  userId: UserId,
  mediaId: MediaId | null,
  now: number,
): Promise<{ isSet: boolean; condemned: MediaId[] }> {
  const of = (query: string, ...more: number[]) => db.prepare(query).bind(userId, mediaId, ...more);
  const own = `media_id = ?2 AND user_id = ?1 AND conversation_id = '${OF_A_PERSON}'`;
  const isClaimed = `(?2 IS NULL OR EXISTS (SELECT 1 FROM media WHERE ${own} AND claim = '${AVATAR}'))`;
  const [, condemned, , looked] = await reach("change picture", () =>
    db.batch<{ mediaId: MediaId }>([
      of(
        `UPDATE media SET claim = '${AVATAR}', touched_at = ?3
           WHERE ${own} AND claim IS NULL AND EXISTS (SELECT 1 FROM users WHERE user_id = ?1)`,
        now,
      ),
      // [PF-6] To the sweep it has waited for long enough, however late that comes to it.
      of(
        `UPDATE media SET claim = '${SWEPT}', kept = 0, touched_at = 0
           WHERE media_id = (SELECT avatar_media_id FROM users WHERE user_id = ?1) AND media_id IS NOT ?2 AND ${isClaimed}
           RETURNING media_id AS mediaId`,
      ),
      of(
        `UPDATE users SET avatar_media_id = ?2, version = version + 1
           WHERE user_id = ?1 AND avatar_media_id IS NOT ?2 AND ${isClaimed}`,
      ),
      of("SELECT avatar_media_id AS mediaId FROM users WHERE user_id = ?1 AND avatar_media_id IS ?2"),
    ]),
  );
  return {
    isSet: looked?.results.length === 1,
    condemned: condemned?.results.map((row) => row.mediaId) ?? [],
  };
}
