import * as z from "zod";
import { ERRORS } from "./refusals.ts";

export { CLOSE } from "./close.ts";
export { ERRORS } from "./refusals.ts";

export type ErrorCode = keyof typeof ERRORS;
export const ErrorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]).meta({ id: "ErrorCode" });

/** `application/problem+json` (RFC 9457) with our code. */
export const Problem = z
  .object({
    type: z.string().meta({ description: "URI reference that names the code." }),
    title: z.string(),
    status: z.int(),
    code: ErrorCode,
    detail: z.string(),
    retryable: z.boolean(),
    retryAfterMs: z.int().min(0).optional(),
    erased: z
      .literal(true)
      .optional()
      .meta({ description: "Of `device_revoked` when a refresh token was shown: the device's person was erased." }),
  })
  .meta({ id: "Problem" });
export type Problem = z.infer<typeof Problem>;
