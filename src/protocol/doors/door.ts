import type * as z from "zod";
import type { ErrorCode } from "../errors.ts";

/** One HTTP door. The Hono routes, the OpenAPI document and the tests are made from these, so a door and its description cannot differ. */
export type Door = {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** With `{name}` for each path parameter. */
  readonly path: string;
  readonly summary: string;
  /** Who may call: anybody, a signed-in device, or the deployer's operator. */
  readonly access: "anyone" | "device" | "operator";
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject | z.ZodUnion<readonly z.ZodObject[]>;
  /** Body by success status; null where there is none. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** Of the success answer, where it is not JSON: one object a line. */
  readonly mediaType?: "application/x-ndjson";
  /** What this door may refuse with, besides what any door may (`invalid_request`, `unauthenticated`, `unavailable` …). */
  readonly refusals: readonly ErrorCode[];
};
export const door = <const D extends Door>(d: D): D => d;
