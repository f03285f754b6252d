import { partOf } from "../domain/media.ts";
import { backoffMs } from "../domain/retry.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { PartedUpload, Upload } from "../protocol/http.ts";
import type { MediaId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { isRetryable } from "./client/errors.ts";
import { md5 } from "./md5.ts";
import {
  type NewUpload,
  PAUSED,
  type PartPorts,
  type PartTold,
  RETRY,
  TRIES,
  type UploadPause,
  type UploadPorts,
} from "./upload-ports.ts";

type Ports<F> = UploadPorts<F> & { parts: PartPorts<F> };

/** Parts under way at a time. */
const LANES = 3;
/** How often a whole file is put together before it is given up: the store may not have the parts that were told. */
const ROUNDS = 3;

/** [MD-23] Part by part. Each is tried again by itself; what is there already, from whichever process, is not uploaded. */
export async function uploadInParts<F extends { size: number }>(
  ports: Ports<F>,
  wanted: NewUpload<F>,
  progress: (bytes: number) => void,
  pause: UploadPause,
): Promise<Result<MediaId, ErrorCode>> {
  const begun = (await resumed(ports, wanted, pause)) ?? (await begin(ports, wanted, pause));
  if (!begun.ok) return begun;
  const { mediaId, parted } = begun.value;
  if (!parted) return ok(mediaId);
  const { conversationId, contentType, file } = wanted;
  pause.begun?.({ mediaId, conversationId, contentType, bytes: file.size });
  const done = await new PartRun(ports, { mediaId, file, parted }, progress, pause).run();
  return done.ok ? ok(mediaId) : done;
}

type Begun = Result<{ mediaId: MediaId; parted?: PartedUpload | undefined }, ErrorCode>;

/** Null: there is nothing to go on with. The file need not be hashed again: the store refuses a part that is not the one it was to be. */
async function resumed<F extends { size: number }>(
  { parts }: Ports<F>,
  { conversationId, contentType, file }: NewUpload<F>,
  { resume }: UploadPause,
): Promise<Begun | null> {
  if (resume?.conversationId !== conversationId || resume.contentType !== contentType) return null;
  if (resume.bytes !== file.size) return null;
  const { mediaId } = resume;
  const state = await parts.state(mediaId);
  if (!state.ok) return state.code === "not_found" ? null : state;
  return state.value.partBytes === LIMITS.partBytes ? ok({ mediaId, parted: state.value }) : null;
}

async function begin<F extends { size: number }>(
  { ask, parts }: Ports<F>,
  { conversationId, contentType, file }: NewUpload<F>,
  { signal }: UploadPause,
): Promise<Begun> {
  const bytes = file.size;
  const md5s: string[] = [];
  const hashes: Uint8Array[] = [];
  for (let part = 1; part <= Math.ceil(bytes / LIMITS.partBytes); part++) {
    if (signal?.aborted) return PAUSED;
    const { from, to } = partOf(bytes, part);
    const piece = await parts.read(parts.slice(file, from, to));
    md5s.push(base64Of(md5(piece)));
    hashes.push(await parts.digest(piece));
  }
  const sha256 = hexOf(await parts.digest(Uint8Array.from(hashes.flatMap((hash) => [...hash]))));
  return ask({ conversationId, contentType, bytes, sha256, parts: md5s });
}

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const base64Of = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

/** The parts of one file on their way. */
class PartRun<F extends { size: number }> {
  readonly #ports: Ports<F>;
  readonly #mediaId: MediaId;
  readonly #file: F;
  readonly #progress: (bytes: number) => void;
  readonly #signal: UploadPause["signal"];
  #parted: PartedUpload;
  /** Told by us or by whoever was here before: answers may cross, and an older one must not bring a part back. */
  #there: Set<number>;
  /** Bytes sent so far of each part that is under way. */
  readonly #flying = new Map<number, number>();
  #failed: Result<never, ErrorCode> | null = null;

  constructor(
    ports: Ports<F>,
    { mediaId, file, parted }: { mediaId: MediaId; file: F; parted: PartedUpload },
    progress: (bytes: number) => void,
    { signal }: UploadPause,
  ) {
    this.#ports = ports;
    this.#mediaId = mediaId;
    this.#file = file;
    this.#progress = progress;
    this.#signal = signal;
    this.#parted = parted;
    this.#there = new Set(parted.there);
  }

  async run(): Promise<Result<null, ErrorCode>> {
    for (let round = 1; ; round++) {
      const brought = await this.#bringAll();
      if (!brought.ok) return brought;
      const done = await this.#persist(() => this.#ports.parts.complete(this.#mediaId));
      if (done.ok || done.code !== "media_not_uploaded" || round === ROUNDS) return done;
      const fresh = await this.#refresh();
      if (!fresh.ok) return fresh;
      this.#there = new Set(fresh.value.there);
    }
  }

  async #bringAll(): Promise<Result<null, ErrorCode>> {
    this.#tellProgress();
    while (this.#there.size < this.#parted.partCount) {
      await Promise.all(Array.from({ length: LANES }, () => this.#lane()));
      if (this.#failed) return this.#failed;
      if (this.#signal?.aborted) return PAUSED;
      if (this.#there.size === this.#parted.partCount) break;
      const fresh = await this.#refresh(); // the last answer was an older one
      if (!fresh.ok) return fresh;
    }
    return ok(null);
  }

  async #lane(): Promise<void> {
    while (!this.#failed && !this.#signal?.aborted) {
      const next = this.#parted.parts.find(({ part }) => !this.#flying.has(part) && !this.#there.has(part));
      if (!next) return;
      this.#flying.set(next.part, 0);
      const brought = await this.#bring(next);
      this.#flying.delete(next.part);
      if (!brought.ok) this.#failed ??= brought;
      this.#tellProgress();
    }
  }

  async #bring({ part, ...upload }: PartedUpload["parts"][number]): Promise<Result<null, ErrorCode>> {
    const etag = await this.#put(part, upload);
    if (!etag.ok) return etag;
    const told = etag.value === null ? etag : await this.#tell({ part, etag: etag.value });
    if (!told.ok) return told;
    this.#there.add(part);
    return ok(null);
  }

  async #tell(told: PartTold): Promise<Result<PartedUpload, ErrorCode>> {
    const answer = await this.#persist(() => this.#ports.parts.tell(this.#mediaId, [told]));
    if (answer.ok) this.#parted = answer.value;
    return answer;
  }

  /** The store's etag; null: another process has brought this part meanwhile. A URL that failed is asked for anew. */
  async #put(part: number, first: Upload): Promise<Result<string | null, ErrorCode>> {
    const { from, to } = partOf(this.#file.size, part);
    const piece = this.#ports.parts.slice(this.#file, from, to);
    let upload = first;
    for (let tries = 1; ; tries++) {
      const { status, etag } = await this.#ports.parts.put(upload, piece, (bytes) => this.#flew(part, bytes));
      if (status >= 200 && status < 300 && etag) return ok(etag);
      if (this.#signal?.aborted) return PAUSED;
      if (tries === TRIES) return refuse("unavailable", `part ${part} did not come through`);
      await this.#rest(tries);
      const fresh = await this.#refresh();
      if (!fresh.ok) return fresh;
      if (fresh.value.there.includes(part)) return ok(null);
      upload = fresh.value.parts.find((one) => one.part === part) ?? upload;
    }
  }

  async #refresh(): Promise<Result<PartedUpload, ErrorCode>> {
    const fresh = await this.#persist(() => this.#ports.parts.state(this.#mediaId));
    if (fresh.ok) this.#parted = fresh.value;
    return fresh;
  }

  /** What is refused for now is asked again, later and later. */
  async #persist<T>(act: () => Promise<Result<T, ErrorCode>>): Promise<Result<T, ErrorCode>> {
    for (let tries = 1; ; tries++) {
      const answer = await act();
      if (answer.ok || !isRetryable(answer.code) || tries === TRIES || this.#signal?.aborted) return answer;
      await this.#rest(tries);
    }
  }

  #rest(tries: number): Promise<void> {
    return this.#ports.sleep(backoffMs(RETRY, tries, this.#ports.random()));
  }

  #flew(part: number, bytes: number): void {
    this.#flying.set(part, bytes);
    this.#tellProgress();
  }

  #tellProgress(): void {
    const sizes = Array.from(this.#there, (part) => {
      const { from, to } = partOf(this.#file.size, part);
      return to - from;
    });
    this.#progress([...sizes, ...this.#flying.values()].reduce((sum, bytes) => sum + bytes, 0));
  }
}
