import { kindOf } from "../../domain/media.ts";
import type { Upload } from "../../protocol/http.ts";
import type { ConversationId } from "../../protocol/ids.ts";
import { refuse } from "../../protocol/result.ts";
import { type UploadPorts, uploadMedia } from "../upload.ts";
import type { Fetch, MediaUpload, Uploadable, UploadState } from "./api.ts";
import { EdgewiseError } from "./errors.ts";
import type { Sessions } from "./sessions.ts";
import type { MediaContent } from "./wire.ts";

type Ports = { readonly sessions: Sessions; readonly fetch: Fetch; readonly random: () => number };
type Named = { contentType?: string | undefined; name?: string | undefined };
type Request = { done: Promise<number>; abort: () => void };

/** A file on its way to where a message can show it. */
export function startUpload(ports: Ports, conversationId: string, file: Uploadable, named: Named = {}): MediaUpload {
  const contentType = typeOf(named.contentType ?? file.type ?? "");
  const name = named.name ?? file.name;
  const listeners = new Set<() => void>();
  let state: UploadState = { is: "running", bytes: 0 };
  let request: Request | null = null;
  let release = () => {};
  const become = (next: UploadState): void => {
    state = next;
    for (const listener of [...listeners]) listener();
  };
  const isOver = () => state.is !== "running" && state.is !== "paused";
  const progress = (bytes: number) => state.is === "running" && become({ is: "running", bytes });
  const resumed = () => new Promise<void>((resolve) => (release = resolve));
  // A pause ends the request, and the upload goes on with another once it is over.
  const put = async (upload: Upload): Promise<number> => {
    for (;;) {
      if (state.is === "paused") await resumed();
      if (state.is === "cancelled") throw new EdgewiseError("unavailable", { detail: "it was cancelled" });
      request = requestOf(ports.fetch, upload, file, progress);
      const status = await request.done;
      if (state.is === "running" || status !== 0) return status;
    }
  };
  const wish = { conversationId: conversationId as ConversationId, contentType, file };
  const done = uploadMedia(uploadPorts(ports, put), wish, progress).then((came): MediaContent => {
    if (!came.ok) throw new EdgewiseError(came.code, came);
    const content: MediaContent = {
      type: "media",
      mediaId: came.value,
      contentType,
      bytes: file.size,
      ...(name ? { name } : {}),
    };
    become({ is: "done", content });
    return content;
  });
  done.catch((error: unknown) => {
    const { code, retryable } = error instanceof EdgewiseError ? error : new EdgewiseError("unavailable");
    if (!isOver()) become({ is: "failed", code, retryable });
  });
  return {
    get state() {
      return state;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    pause() {
      if (state.is !== "running") return;
      become({ is: "paused", bytes: state.bytes });
      request?.abort();
    },
    resume() {
      if (state.is !== "paused") return;
      become({ is: "running", bytes: 0 });
      release();
    },
    cancel() {
      if (isOver()) return;
      become({ is: "cancelled" });
      request?.abort();
      release();
    },
    done,
  };
}

/** As the wire wants it; else bytes without a meaning. */
function typeOf(type: string): string {
  const plain = type.split(";")[0]?.trim().toLowerCase() ?? "";
  return plain.includes("/") && kindOf(plain) ? plain : "application/octet-stream";
}

function uploadPorts({ sessions, random }: Ports, put: UploadPorts<Uploadable>["put"]): UploadPorts<Uploadable> {
  return {
    hash: async (file) => hexOf(await crypto.subtle.digest("SHA-256", await file.arrayBuffer())),
    async ask(body) {
      try {
        const ticket = await sessions.call("newMedia", { body });
        return { ok: true, value: ticket as never }; // the door's own answer; only its ids are branded inside
      } catch (error) {
        return error instanceof EdgewiseError ? refuse(error.code, error.detail) : refuse("unavailable");
      }
    },
    put,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random,
  };
}

const hexOf = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Browsers tell how far an upload has come to `XMLHttpRequest` alone. */
type Xhr = {
  new (): {
    open(method: string, url: string): void;
    setRequestHeader(name: string, value: string): void;
    send(body: unknown): void;
    abort(): void;
    readonly status: number;
    readonly upload: { onprogress: ((event: { loaded: number }) => void) | null };
    onloadend: (() => void) | null;
  };
};

/** Its HTTP status; 0 where there was no answer, or it was broken off. */
function requestOf(
  fetch: Fetch,
  { method, url, headers }: Upload,
  file: Uploadable,
  progress: (bytes: number) => void,
): Request {
  const { XMLHttpRequest } = globalThis as unknown as { XMLHttpRequest?: Xhr };
  if (!XMLHttpRequest) return fetched(fetch, { method, url, headers }, file, progress);
  const request = new XMLHttpRequest();
  const done = new Promise<number>((resolve) => {
    request.onloadend = () => resolve(request.status);
  });
  request.open(method, url);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.upload.onprogress = ({ loaded }) => progress(loaded);
  request.send(file);
  return { done, abort: () => request.abort() };
}

function fetched(
  fetch: Fetch,
  { method, url, headers }: Pick<Upload, "method" | "url" | "headers">,
  file: Uploadable,
  progress: (bytes: number) => void,
): Request {
  const stop = new AbortController();
  const ask = async (): Promise<number> => {
    try {
      const { status } = await fetch(url, { method, headers, body: await file.arrayBuffer(), signal: stop.signal });
      progress(file.size);
      return status;
    } catch {
      return 0;
    }
  };
  return { done: ask(), abort: () => stop.abort() };
}
