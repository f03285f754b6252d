import { backoffMs } from "../domain/retry.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { MediaTicket, Upload } from "../protocol/http.ts";
import type { ConversationId, MediaId } from "../protocol/ids.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";

/** What a shell lends an upload. `F`: bytes as the platform holds them. */
export type UploadPorts<F> = {
  /** SHA-256 in hexadecimal. */
  hash: (file: F) => Promise<string>;
  /** `POST /v1/media`. */
  ask: (wish: {
    conversationId: ConversationId;
    contentType: string;
    bytes: number;
    sha256: string;
  }) => Promise<Result<MediaTicket, ErrorCode>>;
  /** One request as it says; its HTTP status, 0 where there was no answer. `progress`: bytes sent so far. */
  put: (upload: Upload, file: F, progress: (bytes: number) => void) => Promise<number>;
  sleep: (ms: number) => Promise<void>;
  random: () => number;
};

/** Uploads that are begun for one file before it is given up. */
const TRIES = 4;
const RETRY = { baseMs: 500, capMs: 8_000 };

/** [MD-15] Brings a file to where a message can show it. `unavailable`: it did not get there; trying again is harmless. */
export async function uploadMedia<F extends { size: number }>(
  ports: UploadPorts<F>,
  { conversationId, contentType, file }: { conversationId: ConversationId; contentType: string; file: F },
  progress: (bytes: number) => void,
): Promise<Result<MediaId, ErrorCode>> {
  const wish = { conversationId, contentType, bytes: file.size, sha256: await ports.hash(file) };
  let ticket = await ports.ask(wish);
  for (let tries = 1; ; tries++) {
    if (!ticket.ok) return ticket;
    const { mediaId, upload } = ticket.value;
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
