import { ERRORS, type ErrorCode, type Problem } from "../protocol/errors.ts";
import type { Refusal } from "../protocol/result.ts";

/** When to try a retryable refusal again, unless it says so itself. Ms. */
const RETRY_AFTER_MS = 1_000;

/** A refusal as the wire tells it, on HTTP and in the socket's `error` frame alike. */
export function describeRefusal(refusal: Refusal<ErrorCode>): Problem {
  const { status, title, retryable } = ERRORS[refusal.code];
  const named = { type: `/docs#${refusal.code}`, title, status, code: refusal.code, detail: refusal.detail ?? title };
  const told = refusal.erased ? { ...named, erased: refusal.erased } : named;
  return retryable
    ? { ...told, retryable, retryAfterMs: refusal.retryAfterMs ?? RETRY_AFTER_MS }
    : { ...told, retryable };
}

/** The refusal as an HTTP answer (RFC 9457). */
export function problem(refusal: Refusal<ErrorCode>): Response {
  const body = describeRefusal(refusal);
  const headers = new Headers({ "content-type": "application/problem+json" });
  if (body.retryAfterMs !== undefined) headers.set("retry-after", String(Math.ceil(body.retryAfterMs / 1_000)));
  if (body.status === 401) headers.set("www-authenticate", "Bearer");
  return new Response(JSON.stringify(body), { status: body.status, headers });
}
