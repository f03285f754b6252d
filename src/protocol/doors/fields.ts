import * as z from "zod";
import { ConversationId, DeviceId } from "../ids.ts";
import { LIMITS } from "../limits.ts";

/** Letters, digits, `.`, `_`, `-`; compared without case, kept in lower case. */
export const Handle = z
  .string()
  .min(LIMITS.handleMin)
  .max(LIMITS.handleMax)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
  .toLowerCase()
  .meta({ id: "Handle" });
export const Password = z.string().min(LIMITS.passwordMin).max(LIMITS.passwordMax);
export const named = (max: number) =>
  z
    .string()
    .max(max)
    .refine((s) => s.trim().length > 0 && s.isWellFormed(), "must not be blank")
    .transform((s) => s.trim());
export const DisplayName = named(LIMITS.displayNameLength);
export const Title = named(LIMITS.titleLength);
export const DeviceName = named(LIMITS.deviceNameLength);
export const Token = z.string().min(1).max(LIMITS.tokenLength);

export const SignedDevice = z.strictObject({ name: DeviceName, id: DeviceId.optional() });
export const ofConversation = z.strictObject({ id: ConversationId });
export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max));

export const ofEvent = z.strictObject({ id: ConversationId, seq: wholeNumber(1, Number.MAX_SAFE_INTEGER) });
/** Base64url of exactly so many bytes, padded or not. */
export const pushKeyOf = (bytes: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]+={0,2}$/)
    .refine((s) => Math.floor((s.replaceAll("=", "").length * 3) / 4) === bytes, `must be ${bytes} bytes`);
