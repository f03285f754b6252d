import { ERRORS, type ErrorCode } from "../src/protocol/errors.ts";
import { ContentType, type MediaContent } from "../src/protocol/events.ts";
import type { Upload } from "../src/protocol/http.ts";
import type { ConversationId } from "../src/protocol/ids.ts";
import { LIMITS } from "../src/protocol/limits.ts";
import { decideSize, kindOf, type UploadPorts, type UploadToken, uploadMedia } from "../src/sdk/index.ts";
import type { Tokens } from "./accounts.ts";
import { byId, h, setText } from "./dom.ts";
import { measure } from "./picture.ts";

type Send = (conversationId: ConversationId, content: MediaContent) => void;
type Item = {
  element: HTMLElement;
  bar: HTMLProgressElement;
  said: HTMLElement;
  preview: string | null;
  stop: AbortController;
  /** Of a large file's upload, to go on with. */
  token: UploadToken | null;
};

/** [MD-16] Files that are chosen, dropped or pasted: uploaded one after the other, each sent once it is there. */
export class Uploads {
  readonly #tokens: Tokens;
  readonly #send: Send;
  readonly #open: () => ConversationId | null;
  readonly #tray = byId("uploads", HTMLElement);
  #last: Promise<void> = Promise.resolve();

  /** `open`: the conversation that is shown. */
  constructor(tokens: Tokens, send: Send, open: () => ConversationId | null) {
    this.#tokens = tokens;
    this.#send = send;
    this.#open = open;
    const input = byId("attach-files", HTMLInputElement);
    byId("attach", HTMLButtonElement).onclick = () => input.click();
    input.onchange = () => {
      this.#take(input.files);
      input.value = "";
    };
    byId("text", HTMLTextAreaElement).addEventListener("paste", (event) => {
      if (this.#take(event.clipboardData?.files)) event.preventDefault();
    });
    this.#listenForDrops(byId("conversation", HTMLElement));
  }

  #listenForDrops(place: HTMLElement): void {
    const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") === true;
    place.addEventListener("dragover", (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      place.classList.add("dropping");
    });
    place.addEventListener("dragleave", () => place.classList.remove("dropping"));
    place.addEventListener("drop", (event) => {
      place.classList.remove("dropping");
      if (!holdsFiles(event)) return;
      event.preventDefault();
      this.#take(event.dataTransfer?.files);
    });
  }

  /** Whether there were any. */
  #take(files: FileList | null | undefined): boolean {
    const id = this.#open();
    if (!id || !files || files.length === 0) return false;
    for (const file of files) {
      const item = this.#show(file);
      this.#last = this.#last.then(() => this.#bring(id, file, item));
    }
    return true;
  }

  async #bring(id: ConversationId, file: File, item: Item): Promise<void> {
    if (item.stop.signal.aborted) return this.#end(item);
    const contentType = contentTypeOf(file);
    const sized = decideSize(contentType, file.size);
    if (!sized.ok) return this.#fail(id, file, item, sized.code);
    if (file.size === 0) return this.#fail(id, file, item, "invalid_request");
    const picture = kindOf(contentType) === "image" ? await measure(file) : null;
    const told = (bytes: number) => {
      item.bar.value = bytes / file.size;
    };
    const wish = { conversationId: id, contentType, file };
    const begun = (token: UploadToken) => {
      item.token = token;
    };
    const pause = { signal: item.stop.signal, resume: item.token, begun };
    const came = await uploadMedia(portsOf(this.#tokens, item.stop.signal), wish, told, pause).catch(() => null);
    if (item.stop.signal.aborted && item.token)
      await this.#tokens.call("dropUpload", { params: { mediaId: item.token.mediaId } });
    if (item.stop.signal.aborted) return this.#end(item);
    if (!came?.ok) return this.#fail(id, file, item, came?.code ?? "unavailable");
    const name = file.name ? { name: file.name.slice(-LIMITS.fileNameLength) } : {};
    this.#send(id, { type: "media", mediaId: came.value, contentType, bytes: file.size, ...name, ...picture });
    this.#end(item);
  }

  #show(file: File): Item {
    const isPicture = kindOf(contentTypeOf(file)) === "image";
    const preview = isPicture ? URL.createObjectURL(file) : null;
    const bar = h("progress", { max: "1", value: "0", "aria-label": `Uploading ${file.name}` });
    const said = h("span", { class: "problem" });
    const stop = new AbortController();
    const cancel = h("button", { type: "button", class: "link", "aria-label": `Cancel ${file.name}` }, "Cancel");
    const image = preview === null ? [] : [h("img", { src: preview, alt: "" })];
    const element = h("li", {}, ...image, h("span", { class: "name" }, file.name || "File"), bar, said, cancel);
    const item = { element, bar, said, preview, stop, token: null };
    cancel.onclick = () => {
      stop.abort();
      this.#end(item);
    };
    this.#tray.append(element);
    return item;
  }

  #fail(id: ConversationId, file: File, item: Item, code: ErrorCode): void {
    setText(item.said, ERRORS[code].title);
    if (code !== "unavailable" || item.element.querySelector(".again")) return;
    const again = h("button", { type: "button", class: "link again" }, "Try again");
    again.onclick = () => {
      again.remove();
      setText(item.said, "");
      this.#last = this.#last.then(() => this.#bring(id, file, item));
    };
    item.element.append(again);
  }

  #end(item: Item): void {
    item.element.remove();
    if (item.preview !== null) URL.revokeObjectURL(item.preview);
    item.preview = null;
  }
}

/** What the browser takes it for, as the wire wants it; else bytes without a meaning. */
function contentTypeOf(file: File): string {
  const type = file.type.split(";")[0]?.trim().toLowerCase();
  return ContentType.safeParse(type).data ?? "application/octet-stream";
}

function portsOf(tokens: Tokens, signal: AbortSignal): UploadPorts<Blob> {
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
