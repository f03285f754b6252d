import type { Result } from "../../src/protocol/result.ts";
import type { ErrorCode, Me, MediaId } from "../wire.ts";
import type { Session } from "./session.ts";
import { showSquare } from "./square.ts";

/** [AP-43] Gives the person this picture. */
export const setOwnPicture = (session: Session, picture: File): Promise<Result<Me, ErrorCode>> =>
  showSquare(picture, {
    upload: (square) => session.client.profile.uploadPicture(square),
    show: (mediaId) => changeOwnPicture(session, mediaId),
  });

/** Null: none. */
export const changeOwnPicture = (session: Session, avatarMediaId: MediaId | null): Promise<Result<Me, ErrorCode>> =>
  session.answered(session.client.profile.change({ avatarMediaId }));
