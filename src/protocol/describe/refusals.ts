import { ERRORS, type ErrorCode } from "../errors.ts";
import type { Door } from "../http.ts";

/** Every code that a door may refuse with: its own, and those that follow from who may call it and what it takes. */
export function refusalsOf(door: Door): ErrorCode[] {
  const found = new Set<ErrorCode>(door.refusals);
  const add = (...codes: ErrorCode[]) => codes.forEach((code) => void found.add(code));
  if (door.params || door.query || door.body) add("invalid_request");
  if (door.body) add("payload_too_large");
  if (door.access === "device") add("unauthenticated", "token_expired", "device_revoked");
  if (door.access === "operator") add("unauthenticated", "not_found");
  add("internal", "unavailable");
  return (Object.keys(ERRORS) as ErrorCode[]).filter((code) => found.has(code));
}

/** The same, by HTTP status in ascending order. */
export function refusalsByStatus(door: Door): Map<number, ErrorCode[]> {
  const codes = refusalsOf(door);
  const statuses = [...new Set(codes.map((code) => ERRORS[code].status))].sort((a, b) => a - b);
  return new Map(statuses.map((status) => [status, codes.filter((code) => ERRORS[code].status === status)]));
}
