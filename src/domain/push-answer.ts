import { backoffMs } from "./retry.ts";

/** What came of handing a push to its provider. `answer`: the HTTP status, or a word, for the trace; never the provider's own text. */
export type PushAnswer =
  | { is: "accepted"; answer: string }
  /** The endpoint is no more. */
  | { is: "gone"; answer: string }
  /** Not now. `retryAfterMs`: what the provider asks for. */
  | { is: "retry"; answer: string; retryAfterMs?: number }
  /** Not at all: the same again would be refused again. */
  | { is: "refused"; answer: string };

/** A provider's HTTP answer, but for what only its body tells. `now`: epoch ms. */
export function answerTo(status: number, retryAfter: string | null, now: number): PushAnswer {
  const answer = String(status);
  if (status >= 200 && status < 300) return { is: "accepted", answer };
  if (status !== 408 && status !== 429 && status < 500) return { is: "refused", answer }; // [PU-30]
  const retryAfterMs = afterMs(retryAfter, now);
  return { is: "retry", answer, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** `Retry-After` (RFC 9110, 10.2.3): seconds, or a date. Ms from now. */
function afterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const at = header.endsWith("GMT") ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** With the twelve retries of wrangler.toml a provider may be away for an hour or two. */
const BACKOFF = { baseMs: 5_000, capMs: 30 * 60_000 };
/** The longest that a queue keeps a message back. */
const LONGEST_S = 12 * 60 * 60;

/** [PU-29] Seconds until the next try: later and later, and not before the provider wants it. `failures` >= 1, `random` in [0, 1). */
export function retryDelaySeconds(failures: number, retryAfterMs: number | undefined, random: number): number {
  const ms = backoffMs(BACKOFF, failures, random);
  return Math.min(LONGEST_S, Math.ceil(Math.max(ms, retryAfterMs ?? 0) / 1_000));
}
