import type { ErrorCode, ExportError, ExportLine, ExportMore, MediaContent } from "./wire.ts";

/** What an app sees of files that go up, and of the one that an export is. */

/** Bytes to upload: a `File` or `Blob`, or what is like one. */
export type Uploadable = {
  readonly size: number;
  readonly type?: string;
  readonly name?: string;
  readonly lastModified?: number;
  arrayBuffer(): Promise<ArrayBuffer>;
  slice(from: number, to: number): Uploadable;
};
export type UploadState =
  | { readonly is: "running" | "paused"; readonly bytes: number }
  | { readonly is: "done"; readonly content: MediaContent }
  | { readonly is: "failed"; readonly code: ErrorCode; readonly retryable: boolean }
  | { readonly is: "cancelled" };
export type MediaUpload = {
  readonly state: UploadState;
  subscribe(listener: () => void): () => void;
  /** Breaks off what is on its way. Of a large file the parts that have come stay, also past a reload: upload the same file again. */
  pause(): void;
  resume(): void;
  cancel(): void;
  /** What to `send`, once the bytes are there. */
  readonly done: Promise<MediaContent>;
};

/** A line of an export: as the server writes it, but for where one of its answers ended and the next began. */
export type ExportedLine = Exclude<ExportLine, ExportMore | ExportError>;
/** What has come and is whole so far. */
export type ExportProgress = {
  readonly bytes: number;
  readonly conversations: number;
  readonly events: number;
  readonly media: number;
};
export type ExportOptions = {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ExportProgress) => void;
};
/**
 * All that is the person's, line by line, as a stream of bytes or as one file: each use asks the server anew. What was broken off goes on
 * by itself behind the last line that came. Where the whole cannot be had, each fails with an `EdgewiseError`, and so a part is never taken
 * for the whole; aborted, with the signal's reason.
 */
export type Export = AsyncIterable<ExportedLine> & {
  /** JSON lines in UTF-8. What is not read is not asked for. */
  stream(): ReadableStream<Uint8Array>;
  /** Resolves only when it is whole; where the platform can, the bytes lie on the disk and not in memory. */
  blob(): Promise<Blob>;
};
