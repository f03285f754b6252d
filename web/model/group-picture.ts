import type { ErrorCode } from "../../src/protocol/errors.ts";
import type { Conversation } from "../../src/protocol/http.ts";
import type { ConversationId, MediaId } from "../../src/protocol/ids.ts";
import { type Result, refuse } from "../../src/protocol/result.ts";
import { EdgewiseError } from "../../src/sdk/client/errors.ts";
import { squareOf } from "../picture.ts";
import type { Session } from "./session.ts";

/** [GR-11] Gives the group this picture, cut to a square of a few kilobytes; `invalid_request`: it is no picture that the browser can read. */
export async function setPicture(
  session: Session,
  id: ConversationId,
  picture: File,
): Promise<Result<Conversation, ErrorCode>> {
  const file = await squareOf(picture);
  if (!file) return refuse("invalid_request", "no picture");
  try {
    const upload = await session.client.media.upload(id, file);
    const { mediaId } = await upload.done;
    return await changePicture(session, id, mediaId as MediaId); // its ids are branded inside only
  } catch (error) {
    return refuse(error instanceof EdgewiseError ? error.code : "unavailable");
  }
}

/** Null: none. */
export async function changePicture(
  session: Session,
  id: ConversationId,
  avatarMediaId: MediaId | null,
): Promise<Result<Conversation, ErrorCode>> {
  const answer = await session.call("changeConversation", { params: { id }, body: { avatarMediaId } });
  if (!answer.ok) return answer;
  session.keep(answer.value.conversation);
  return { ok: true, value: answer.value.conversation };
}
