import { type Result, refuse } from "../../src/protocol/result.ts";
import { EdgewiseError } from "../../src/sdk/client/index.ts";
import { squareOf } from "../picture.ts";
import type { ConversationId, ErrorCode, MediaId } from "../wire.ts";
import type { Session } from "./session.ts";

/** [GR-11] Gives the group this picture, cut to a square of a few kilobytes; `invalid_request`: it is no picture that the browser can read. */
export async function setPicture(
  session: Session,
  id: ConversationId,
  picture: File,
): Promise<Result<void, ErrorCode>> {
  const file = await squareOf(picture);
  if (!file) return refuse("invalid_request", "no picture");
  try {
    const upload = await session.client.media.upload(id, file);
    const { mediaId } = await upload.done;
    return await changePicture(session, id, mediaId);
  } catch (error) {
    return refuse(error instanceof EdgewiseError ? error.code : "unavailable");
  }
}

/** Null: none. */
export function changePicture(
  session: Session,
  id: ConversationId,
  avatarMediaId: MediaId | null,
): Promise<Result<void, ErrorCode>> {
  return session.answered(session.chat(id).change({ avatarMediaId }));
}
