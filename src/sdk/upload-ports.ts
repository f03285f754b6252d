import type { ErrorCode } from "../protocol/errors.ts";
import type { MediaTicket, PartedUpload, Upload } from "../protocol/http.ts";
import type { ConversationId, MediaId } from "../protocol/ids.ts";
import { type Result, refuse } from "../protocol/result.ts";

/** What a shell lends an upload. `F`: bytes as the platform holds them. */
export type UploadPorts<F> = {
  /** SHA-256 in hexadecimal. */
  hash: (file: F) => Promise<string>;
  /** `POST /v1/media`. */
  ask: (wish: MediaWish) => Promise<Result<MediaTicket, ErrorCode>>;
  /** One request as it says; its HTTP status, 0 where there was no answer. `progress`: bytes sent so far. */
  put: (upload: Upload, file: F, progress: (bytes: number) => void) => Promise<number>;
  sleep: (ms: number) => Promise<void>;
  random: () => number;
  /** For files of more than `LIMITS.partBytes`; without it they go in one request, up to `LIMITS.putBytes`. */
  parts?: PartPorts<F>;
};
export type MediaWish = {
  conversationId: ConversationId;
  contentType: string;
  bytes: number;
  sha256: string;
  parts?: string[];
};
export type NewUpload<F> = { conversationId: ConversationId; contentType: string; file: F };

/** How an upload is paused, and goes on later: in this process or another one, of which the token is all that is left. */
export type UploadPause = {
  /** Once aborted no further request is begun. One under way the shell's `put` ends. */
  signal?: { readonly aborted: boolean };
  /** What `begun` told when this file was uploaded before. */
  resume?: UploadToken | null;
  /** Called once there is something to go on with. Plain JSON, to be stored until the upload has ended. */
  begun?: (token: UploadToken) => void;
};

/** Uploads that are begun for one file before it is given up. */
export const TRIES = 4;
export const RETRY = { baseMs: 500, capMs: 8_000 };
export const PAUSED = refuse("unavailable", "paused");

/** What a shell lends an upload in parts, besides. A part is held in memory, the file never. */
export type PartPorts<F> = {
  /** The bytes from `from` to `to`, without the last. */
  slice: (file: F, from: number, to: number) => F;
  read: (piece: F) => Promise<Uint8Array<ArrayBuffer>>;
  /** SHA-256. */
  digest: (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>;
  /** One request as it says; its HTTP status, 0 where there was no answer, and its `etag`. */
  put: (
    upload: Upload,
    piece: F,
    progress: (bytes: number) => void,
  ) => Promise<{ status: number; etag: string | null }>;
  /** `GET /v1/media/{mediaId}/upload`. */
  state: (mediaId: MediaId) => Promise<Result<PartedUpload, ErrorCode>>;
  /** `POST /v1/media/{mediaId}/upload/parts`. */
  tell: (mediaId: MediaId, parts: PartTold[]) => Promise<Result<PartedUpload, ErrorCode>>;
  /** `POST /v1/media/{mediaId}/upload/complete`. */
  complete: (mediaId: MediaId) => Promise<Result<null, ErrorCode>>;
};
export type PartTold = { part: number; etag: string };
/** What another process needs to go on with an upload, besides the file. */
export type UploadToken = { mediaId: MediaId; conversationId: ConversationId; contentType: string; bytes: number };
