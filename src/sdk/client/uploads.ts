import { kindOf } from "../../domain/media.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { Upload } from "../../protocol/http.ts";
import type { ConversationId, MediaId } from "../../protocol/ids.ts";
import { type Result, refuse } from "../../protocol/result.ts";
import { uploadMedia } from "../upload.ts";
import type { MediaWish, PartPorts, UploadPorts, UploadToken } from "../upload-ports.ts";
import type { Asked, Fetch, MediaUpload, Uploadable, UploadState } from "./api.ts";
import { EdgewiseError } from "./errors.ts";
import type { Sessions } from "./sessions.ts";
import type { Store } from "./storage.ts";
import type { DoorName, Doors, MediaContent } from "./wire.ts";

type Ports = {
  readonly sessions: Sessions;
  readonly fetch: Fetch;
  readonly store: Store;
  readonly random: () => number;
};
export type Named = { contentType?: string | undefined; name?: string | undefined };
type Put = { readonly status: number; readonly etag: string | null };

/** In the place of a conversation: for the person, as their own picture. [CL-72] */
const FOR_ME = "";

/** A file on its way to where a message can show it, or, without a conversation, to where the person's profile can. [CL-51] */
export function startUpload(
  ports: Ports,
  conversationId: string | null,
  file: Uploadable,
  named: Named = {},
): MediaUpload {
  return new RunningUpload(ports, (conversationId ?? FOR_ME) as ConversationId, file, named).handle;
}

class RunningUpload {
  readonly #ports: Ports;
  readonly #wish: { conversationId: ConversationId; contentType: string; file: Uploadable };
  readonly #name: string | undefined;
  readonly #listeners = new Set<() => void>();
  #state: UploadState = { is: "running", bytes: 0 };
  #stop = new AbortController();
  #goOn = () => {};
  readonly #done: Promise<MediaContent>;

  constructor(ports: Ports, conversationId: ConversationId, file: Uploadable, named: Named) {
    this.#ports = ports;
    this.#name = named.name ?? file.name;
    this.#wish = { conversationId, contentType: typeOf(named.contentType ?? file.type ?? ""), file };
    this.#done = this.#run();
    this.#done.catch((error: unknown) => {
      const { code, retryable } = error instanceof EdgewiseError ? error : new EdgewiseError("unavailable");
      if (this.#state.is !== "cancelled") this.#become({ is: "failed", code, retryable });
    });
  }

  get handle(): MediaUpload {
    const upload = this;
    return {
      get state() {
        return upload.#state;
      },
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
      },
      pause: () => {
        if (this.#state.is !== "running") return;
        this.#become({ is: "paused", bytes: this.#state.bytes });
        this.#stop.abort();
      },
      resume: () => {
        if (this.#state.is !== "paused") return;
        this.#become({ is: "running", bytes: this.#state.bytes });
        this.#goOn();
      },
      cancel: () => {
        if (this.#state.is !== "running" && this.#state.is !== "paused") return;
        this.#become({ is: "cancelled" });
        this.#stop.abort();
        this.#goOn();
      },
      done: this.#done,
    };
  }

  #become(state: UploadState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }

  /** What is begun is found by this after a reload, when the same file is chosen again. */
  get #key(): string {
    const { conversationId, contentType, file } = this.#wish;
    return `upload/${conversationId}/${contentType}/${file.size}/${file.lastModified ?? 0}/${this.#name ?? ""}`;
  }

  /** Between two pauses it is one upload; what came before the pause is there already. */
  async #run(): Promise<MediaContent> {
    const { store } = this.#ports;
    const [, kept] = (await store.read(this.#key)).find(([key]) => key === this.#key) ?? [];
    let token = (kept as UploadToken | undefined) ?? null;
    const begun = (told: UploadToken) => {
      token = told;
      void store.write([{ key: this.#key, value: told }]).catch(() => {}); // without it a reload begins anew
    };
    for (;;) {
      const { signal } = this.#stop;
      const came = await uploadMedia(this.#uploadPorts(signal), this.#wish, this.#progress, {
        ...{ signal, resume: token, begun },
      });
      if (!signal.aborted || came.ok) {
        if (token && (came.ok || !new EdgewiseError(came.code).retryable)) await this.#forget();
        return this.#ended(came);
      }
      await this.#resumed();
      if (this.#state.is === "cancelled") {
        if (token) await this.#drop(token.mediaId);
        throw new EdgewiseError("unavailable", { detail: "it was cancelled" });
      }
      this.#stop = new AbortController();
    }
  }

  readonly #progress = (bytes: number): void => {
    if (this.#state.is === "running") this.#become({ is: "running", bytes });
  };

  async #resumed(): Promise<void> {
    if (this.#state.is === "paused") await new Promise<void>((resolve) => (this.#goOn = resolve));
  }

  #ended(came: Result<MediaId, ErrorCode>): MediaContent {
    if (!came.ok) throw new EdgewiseError(came.code, came);
    const { contentType, file } = this.#wish;
    const name = this.#name ? { name: this.#name } : {};
    const content: MediaContent = { type: "media", mediaId: came.value, contentType, bytes: file.size, ...name };
    this.#become({ is: "done", content });
    return content;
  }

  #forget = () => this.#ports.store.write([{ key: this.#key, value: undefined }]).catch(() => {});

  /** What came of it is nobody's: the server lets it go at once instead of after a while. */
  async #drop(mediaId: string): Promise<void> {
    await this.#forget();
    await this.#ports.sessions.call("dropUpload", { params: { mediaId } }).catch(() => {});
  }

  #uploadPorts(signal: AbortSignal): UploadPorts<Uploadable> {
    const { fetch, random } = this.#ports;
    const put: PartPorts<Uploadable>["put"] = (upload, piece, told) => requestOf(fetch, upload, piece, told, signal);
    return {
      hash: async (file) => hexOf(await crypto.subtle.digest("SHA-256", await file.arrayBuffer())),
      ask: (wish) => this.#ask("newMedia", { body: bodyOf(wish) }),
      put: async (upload, file, told) => (await put(upload, file, told)).status,
      sleep: (ms) =>
        new Promise((resolve) => {
          setTimeout(resolve, ms);
          signal.addEventListener("abort", () => resolve());
        }),
      random,
      parts: {
        slice: (file, from, to) => file.slice(from, to),
        read: async (piece) => new Uint8Array(await piece.arrayBuffer()),
        digest: async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)),
        put,
        state: (mediaId) => this.#ask("upload", { params: { mediaId } }),
        tell: (mediaId, parts) => this.#ask("tellParts", { params: { mediaId }, body: { parts } }),
        complete: (mediaId) => this.#ask("completeUpload", { params: { mediaId } }),
      },
    };
  }

  async #ask<D extends DoorName>(door: D, sent: Asked<D>): Promise<Result<never, ErrorCode>> {
    try {
      const value = await this.#ports.sessions.call(door, sent);
      return { ok: true, value: value as never }; // the door's own answer; only its ids are branded inside
    } catch (error) {
      return error instanceof EdgewiseError ? refuse(error.code, error.detail) : refuse("unavailable");
    }
  }
}

/** A picture of one's own never comes in parts: one that is so large is refused for its size. */
function bodyOf({ parts, ...wish }: MediaWish): Doors["newMedia"]["body"] {
  const { conversationId, ...file } = wish;
  return conversationId === FOR_ME ? { for: "me", ...file } : { ...wish, parts };
}

/** As the wire wants it; else bytes without a meaning. */
function typeOf(type: string): string {
  const plain = type.split(";")[0]?.trim().toLowerCase() ?? "";
  return plain.includes("/") && kindOf(plain) ? plain : "application/octet-stream";
}

const hexOf = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Browsers tell how far an upload has come to `XMLHttpRequest` alone. */
type Xhr = {
  new (): {
    open(method: string, url: string): void;
    setRequestHeader(name: string, value: string): void;
    getResponseHeader(name: string): string | null;
    send(body: unknown): void;
    abort(): void;
    readonly status: number;
    readonly upload: { onprogress: ((event: { loaded: number }) => void) | null };
    onloadend: (() => void) | null;
  };
};
type Asking = Pick<Upload, "method" | "url" | "headers">;

/** Its HTTP status, and what the store calls the bytes; 0 where there was no answer, or it was broken off. */
function requestOf(
  fetch: Fetch,
  upload: Asking,
  piece: Uploadable,
  progress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Put> {
  const { XMLHttpRequest } = globalThis as unknown as { XMLHttpRequest?: Xhr };
  if (!XMLHttpRequest) return fetched(fetch, upload, piece, progress, signal);
  const request = new XMLHttpRequest();
  return new Promise<Put>((resolve) => {
    request.onloadend = () => resolve({ status: request.status, etag: request.getResponseHeader("etag") });
    request.open(upload.method, upload.url);
    for (const [name, value] of Object.entries(upload.headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => progress(loaded);
    signal.addEventListener("abort", () => request.abort());
    request.send(piece);
  });
}

async function fetched(
  fetch: Fetch,
  { method, url, headers }: Asking,
  piece: Uploadable,
  progress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Put> {
  try {
    const answer = await fetch(url, { method, headers, body: await piece.arrayBuffer(), signal });
    progress(piece.size);
    return { status: answer.status, etag: answer.headers.get("etag") };
  } catch {
    return { status: 0, etag: null };
  }
}
