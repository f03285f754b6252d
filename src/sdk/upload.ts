import { backoffMs } from "../domain/retry.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { MediaId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { uploadInParts } from "./upload-parts.ts";
import { type NewUpload, PAUSED, RETRY, TRIES, type UploadPause, type UploadPorts } from "./upload-ports.ts";

/**
 * [MD-15] Brings a file to where a message can show it. `unavailable`: it did not get there, or was paused; trying again is harmless.
 * `progress`: bytes that are there or on their way.
 */
export async function uploadMedia<F extends { size: number }>(
  ports: UploadPorts<F>,
  wanted: NewUpload<F>,
  progress: (bytes: number) => void,
  pause: UploadPause = {},
): Promise<Result<MediaId, ErrorCode>> {
  const isLarge = wanted.file.size > LIMITS.partBytes;
  if (ports.parts && isLarge) return uploadInParts({ ...ports, parts: ports.parts }, wanted, progress, pause);
  return uploadWhole(ports, wanted, progress, pause);
}

async function uploadWhole<F extends { size: number }>(
  ports: UploadPorts<F>,
  { conversationId, contentType, file }: NewUpload<F>,
  progress: (bytes: number) => void,
  { signal }: UploadPause,
): Promise<Result<MediaId, ErrorCode>> {
  const wish = { conversationId, contentType, bytes: file.size, sha256: await ports.hash(file) };
  let ticket = await ports.ask(wish);
  for (let tries = 1; ; tries++) {
    if (!ticket.ok) return ticket;
    const { mediaId, upload } = ticket.value;
    if (signal?.aborted) return PAUSED;
    const after = upload === undefined ? "done" : afterPut(await ports.put(upload, file, progress));
    if (after === "done") return ok(mediaId);
    if (tries === TRIES) return refuse("unavailable", "the upload did not come through");
    await ports.sleep(backoffMs(RETRY, tries, ports.random()));
    if (after === "renew") ticket = await ports.ask(wish);
  }
}

/** 412: the bytes are there, from a try whose answer was lost. 4xx: the URL is good no more. */
function afterPut(status: number): "done" | "again" | "renew" {
  if ((status >= 200 && status < 300) || status === 412) return "done";
  return status >= 400 && status < 500 ? "renew" : "again";
}
