import { computed, signal } from "@preact/signals";
import { LIMITS } from "../../src/protocol/limits.ts";
import { type Client, EdgewiseError, type MediaUpload } from "../../src/sdk/client/index.ts";
import { fits, kindOf } from "../../src/sdk/drawing.ts";
import { measure } from "../picture.ts";
import { contentTypeOf } from "../uploads.ts";
import type { ConversationId, ErrorCode, MediaContent } from "../wire.ts";

/** A file on its way. `staged`: it waits for the person to send it. */
export type Upload = {
  readonly key: number;
  readonly conversationId: ConversationId;
  readonly file: File;
  readonly contentType: string;
  readonly preview: string | null;
  readonly caption: string;
  readonly replyTo: number | null;
  readonly durationMs: number | null;
  readonly waveform: string | null;
  readonly is: "staged" | "waiting" | "going" | "paused" | "failed";
  readonly progress: number;
  readonly problem: ErrorCode | null;
  readonly stop: AbortController;
};
type Send = (id: ConversationId, content: MediaContent) => void;

/** [MD-16] Files that are chosen, dropped, pasted or recorded: uploaded one after the other, each sent once it is there. */
export class Uploads {
  readonly all = signal<readonly Upload[]>([]);
  readonly #client: Pick<Client, "media">;
  readonly #send: Send;
  /** Those that go just now, by key. */
  readonly #going = new Map<number, MediaUpload>();
  #keys = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(client: Pick<Client, "media">, send: Send) {
    this.#client = client;
    this.#send = send;
  }

  of(id: ConversationId) {
    return computed(() => this.all.value.filter(({ conversationId }) => conversationId === id));
  }

  stage(id: ConversationId, files: Iterable<File>): void {
    for (const file of files) this.all.value = [...this.all.value, this.#upload(id, file, {})];
  }

  /** Sends what is staged; the first says the caption and what it answers. Answers whether there was anything. */
  sendStaged(id: ConversationId, caption: string, replyTo: number | null): boolean {
    const staged = this.all.value.filter((item) => item.conversationId === id && item.is === "staged" && !item.problem);
    staged.forEach(({ key }, i) => {
      this.#change(key, { is: "waiting", ...(i === 0 ? { caption, replyTo } : {}) });
      this.#queue(key);
    });
    return staged.length > 0;
  }

  /** Without being staged: a voice note. */
  sendNow(id: ConversationId, file: File, more: Partial<Pick<Upload, "durationMs" | "waveform" | "replyTo">>): void {
    const upload = { ...this.#upload(id, file, more), is: "waiting" as const };
    this.all.value = [...this.all.value, upload];
    this.#queue(upload.key);
  }

  cancel(key: number): void {
    const item = this.#find(key);
    item?.stop.abort();
    if (item?.preview) URL.revokeObjectURL(item.preview);
    this.all.value = this.all.value.filter((other) => other.key !== key);
  }

  /** [CL-51] What has come of a large file stays. */
  pause(key: number): void {
    this.#going.get(key)?.pause();
  }
  resume(key: number): void {
    this.#going.get(key)?.resume();
  }

  retry(key: number): void {
    this.#change(key, { is: "waiting", problem: null, progress: 0 });
    this.#queue(key);
  }

  #upload(conversationId: ConversationId, file: File, more: Partial<Upload>): Upload {
    const contentType = contentTypeOf(file);
    const isFitting = fits(contentType, file.size);
    const problem = isFitting ? (file.size === 0 ? "invalid_request" : null) : "media_too_large";
    const preview = kindOf(contentType) === "image" ? URL.createObjectURL(file) : null;
    const empty = {
      caption: "",
      replyTo: null,
      durationMs: null,
      waveform: null,
      progress: 0,
      stop: new AbortController(),
    };
    return { key: ++this.#keys, conversationId, file, contentType, preview, is: "staged", problem, ...empty, ...more };
  }

  #find = (key: number): Upload | undefined => this.all.peek().find((item) => item.key === key);
  #change(key: number, change: Partial<Upload>): void {
    this.all.value = this.all.peek().map((item) => (item.key === key ? { ...item, ...change } : item));
  }
  #queue(key: number): void {
    this.#last = this.#last.then(() => this.#bring(key));
  }

  async #bring(key: number): Promise<void> {
    const item = this.#find(key);
    if (!item) return; // it was cancelled
    const { file, contentType, conversationId, caption, replyTo, durationMs, waveform, stop } = item;
    this.#change(key, { is: "going" });
    const picture = kindOf(contentType) === "image" ? await measure(file) : null;
    const came = await this.#come(item);
    if (stop.signal.aborted) return;
    if (typeof came === "string") {
      this.#change(key, { is: "failed", problem: came });
      return;
    }
    this.#send(conversationId, {
      ...came,
      ...picture,
      ...(caption ? { caption } : {}),
      ...(replyTo === null ? {} : { replyTo }),
      ...(durationMs === null ? {} : { durationMs }),
      ...(waveform === null ? {} : { waveform }),
    });
    this.cancel(key);
  }

  /** What a message shows it with; why not, where it did not come through. */
  async #come({ key, conversationId, file, contentType, stop }: Upload): Promise<MediaContent | ErrorCode> {
    try {
      const named = { contentType, ...(file.name ? { name: file.name.slice(-LIMITS.fileNameLength) } : {}) };
      const upload = await this.#client.media.upload(conversationId, file, named);
      this.#going.set(key, upload);
      upload.subscribe(() => {
        const { state } = upload;
        if (state.is === "running") this.#change(key, { is: "going", progress: state.bytes / file.size });
        if (state.is === "paused") this.#change(key, { is: "paused" });
      });
      stop.signal.addEventListener("abort", () => upload.cancel());
      if (stop.signal.aborted) upload.cancel();
      return await upload.done;
    } catch (error) {
      return error instanceof EdgewiseError ? error.code : "unavailable";
    } finally {
      this.#going.delete(key);
    }
  }
}
