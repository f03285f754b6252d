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

export function portsOf(tokens: Lend, signal: AbortSignal): UploadPorts<File> {
  return {
    hash: async (file) => hexOf(await crypto.subtle.digest("SHA-256", await file.arrayBuffer())),
    ask: (wish) => tokens.call("newMedia", { body: wish }),
    put: (upload, file, progress) => put(upload, file, progress, signal),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
  };
}

const hexOf = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** By XMLHttpRequest, because `fetch` tells nothing of how far an upload has come. */
function put({ method, url, headers }: Upload, file: File, progress: (bytes: number) => void, signal: AbortSignal) {
  return new Promise<number>((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => progress(loaded);
    request.onload = () => resolve(request.status);
    request.onerror = () => resolve(0);
    request.onabort = () => reject(new Error("aborted"));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
