import type { Result } from "../../src/protocol/result.ts";
import type { ConversationId, ErrorCode, MediaId } from "../wire.ts";
import type { Session } from "./session.ts";
import { showSquare } from "./square.ts";

/** Gives the group this picture. */
export const setPicture = (session: Session, id: ConversationId, picture: File): Promise<Result<void, ErrorCode>> =>
  showSquare(picture, {
    upload: (square) => session.client.media.upload(id, square),
    show: (mediaId) => changePicture(session, id, mediaId),
  });

/** Null: none. */
export function changePicture(
  session: Session,
  id: ConversationId,
  avatarMediaId: MediaId | null,
): Promise<Result<void, ErrorCode>> {
  return session.answered(session.chat(id).change({ avatarMediaId }));
}
