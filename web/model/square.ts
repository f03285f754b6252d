import { type Result, refuse } from "../../src/protocol/result.ts";
import { EdgewiseError, type MediaUpload } from "../../src/sdk/client/index.ts";
import { squareOf } from "../picture.ts";
import type { ErrorCode, MediaId } from "../wire.ts";

type Ways<T> = {
  upload: (square: Blob) => Promise<MediaUpload>;
  show: (mediaId: MediaId) => Promise<Result<T, ErrorCode>>;
};

/** [GR-11] [PF-1] Cuts a picture to a square of a few kilobytes, uploads that and shows it; `invalid_request`: the browser cannot read it. */
export async function showSquare<T>(picture: File, { upload, show }: Ways<T>): Promise<Result<T, ErrorCode>> {
  const square = await squareOf(picture);
  if (!square) return refuse("invalid_request", "no picture");
  try {
    const { mediaId } = await (await upload(square)).done;
    return await show(mediaId);
  } catch (error) {
    return refuse(error instanceof EdgewiseError ? error.code : "unavailable");
  }
}
