import type { PushPayload } from "../protocol/push.ts";
import type { PushJob } from "./push.ts";

/** A push as any provider can carry it. */
export type Push = {
  payload: PushPayload;
  /** A later push of the same topic replaces this one while it waits for the device. */
  topic: string;
  /** Epoch ms; after it nobody wants the push any more. */
  expiresAt: number;
  ttlSeconds: number;
};

/** How long a push is worth having. Ms. */
const LIFE_MS = { message: 24 * 60 * 60_000, read: 60 * 60_000, gone: 24 * 60 * 60_000 } as const;

/** The deployer's choice for everybody. */
export type Telling = { isFull: boolean; displayName: string | undefined };

/** What a job says now; null when nobody wants it any more. `now`: epoch ms. */
export function pushOf(job: PushJob, telling: Telling, now: number): Push | null {
  const expiresAt = Math.min(job.decidedAt + LIFE_MS[job.kind], job.expiresAt ?? Number.POSITIVE_INFINITY); // [LM-18]
  const ttlSeconds = Math.ceil(Math.min(expiresAt - now, LIFE_MS[job.kind]) / 1_000);
  if (ttlSeconds <= 0) return null; // [PU-31]
  return { payload: payloadOf(job, telling), topic: topicOf(job), expiresAt, ttlSeconds };
}

/**
 * [PU-24] The newest push of a conversation replaces the one that still waits. A `read` that leaves something unread must not: it would
 * replace the message that is yet to ring. A `gone` must: what still waits is the push of the message that was recalled.
 */
const topicOf = ({ kind, unread, conversationId }: PushJob): string =>
  kind === "read" && unread > 0 ? `r${conversationId}` : conversationId;

function payloadOf({ kind, expiresAt, preview, ...job }: PushJob, telling: Telling): PushPayload {
  const { conversationId, seq, unread } = job;
  if (kind !== "message") return { type: kind, conversationId, seq, unread };
  const place = { conversationId, seq, unread, ...(expiresAt === undefined ? {} : { expiresAt }) };
  if (!preview || !telling.isFull) return { type: "message", ...place }; // [PU-27]
  const { senderId: userId, title, text } = preview;
  const { displayName } = telling;
  return {
    type: "message",
    ...place,
    ...(displayName === undefined ? {} : { sender: { userId, displayName } }), // [PU-32]
    ...(title === undefined ? {} : { title }),
    ...(text === undefined ? {} : { text }),
  };
}

/** The same push telling less and less, for where it is too large. */
export function lesserOf(payload: PushPayload): PushPayload[] {
  if (payload.type !== "message") return [payload];
  const { sender: _, title: __, text: ___, ...bare } = payload;
  const { text: ____, ...named } = payload;
  return [payload, named, bare];
}

/** Plaintext of a Web Push. A push service takes 4,096 bytes, but what Firefox hands on to Android holds fewer. Bytes. */
const SIZES = [1_024, 2_820] as const;

/**
 * [PU-23] The payload as JSON of one of two lengths, filled up with spaces: an encrypted push is as long as its text, and who passes it on
 * would learn that.
 */
export function webText(payload: PushPayload): string {
  const texts = lesserOf(payload).map((less) => JSON.stringify(less));
  const text = texts.find((each) => bytesOf(each) <= SIZES[1]) ?? (texts.at(-1) as string);
  const bytes = bytesOf(text);
  return text + " ".repeat(Math.max(0, (SIZES.find((size) => bytes <= size) ?? bytes) - bytes));
}

export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;
