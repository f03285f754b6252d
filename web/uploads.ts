import type { Upload } from "../src/protocol/http.ts";
import type { UploadPorts } from "../src/sdk/index.ts";
import type { Tokens } from "./accounts.ts";

/** What calls doors as this device. */
export type Lend = Pick<Tokens, "call">;

const CONTENT_TYPE = /^[a-z0-9][a-z0-9.+-]{0,62}\/[a-z0-9][a-z0-9.+-]{0,62}$/;

/** What the browser takes it for, as the wire wants it; else bytes without a meaning. */
export function contentTypeOf(file: Blob): string {
  const type = file.type.split(";")[0]?.trim().toLowerCase() ?? "";
  return CONTENT_TYPE.test(type) ? type : "application/octet-stream";
}

export function portsOf(tokens: Lend, signal: AbortSignal): UploadPorts<Blob> {
  return {
    hash: async (file) => hexOf(await crypto.subtle.digest("SHA-256", await file.arrayBuffer())),
    ask: (wish) => tokens.call("newMedia", { body: wish }),
    put: async (upload, file, progress) => (await put(upload, file, progress, signal)).status,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
    parts: {
      slice: (file, from, to) => file.slice(from, to),
      read: async (piece) => new Uint8Array(await piece.arrayBuffer()),
      digest: async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)),
      put: (upload, piece, progress) => put(upload, piece, progress, signal),
      state: (mediaId) => tokens.call("upload", { params: { mediaId } }),
      tell: (mediaId, parts) => tokens.call("tellParts", { params: { mediaId }, body: { parts } }),
      complete: (mediaId) => tokens.call("completeUpload", { params: { mediaId } }),
    },
  };
}

const hexOf = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

type Put = { status: number; etag: string | null };

/** By XMLHttpRequest, because `fetch` tells nothing of how far an upload has come. */
function put({ method, url, headers }: Upload, file: Blob, progress: (bytes: number) => void, signal: AbortSignal) {
  return new Promise<Put>((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => progress(loaded);
    request.onload = () => resolve({ status: request.status, etag: request.getResponseHeader("etag") });
    request.onerror = () => resolve({ status: 0, etag: null });
    request.onabort = () => reject(new Error("aborted"));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
