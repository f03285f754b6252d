import * as z from "zod";
import { ContentType, MediaBytes } from "../events.ts";
import { ConversationId, DeviceId, MediaId } from "../ids.ts";
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
export const TokenPlace = z.enum(["body", "cookie"]).meta({
  description:
    "`cookie`: the browser keeps the refresh token where no script reads it, if the page is of the same origin as the server; else it is in the body.",
});

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

export const ofMedia = z.strictObject({ mediaId: MediaId });
/** RFC 1864: 16 bytes in base64. */
const Md5 = z
  .string()
  .regex(/^[A-Za-z0-9+/]{21}[AQgw]==$/)
  .meta({ id: "Md5", description: "The MD5 of a part in base64, as `content-md5` tells it." });
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
export const NewFile = z
  .strictObject({
    conversationId: ConversationId,
    contentType: ContentType,
    bytes: MediaBytes,
    sha256: Sha256.meta({
      description:
        "Of the bytes, in hexadecimal. With `parts`: of the parts' SHA-256s, 32 bytes each, one after the other.",
    }),
    parts: z
      .array(Md5)
      .min(2)
      .max(Math.ceil(Math.max(LIMITS.videoBytes, LIMITS.fileBytes) / LIMITS.partBytes))
      .optional()
      .meta({ description: `To upload in parts of ${LIMITS.partBytes} bytes, the last one shorter or not.` }),
  })
  .meta({ id: "NewFile" });
export const NewPicture = z
  .strictObject({
    for: z.literal("me"),
    contentType: ContentType,
    bytes: MediaBytes,
    sha256: Sha256.meta({ description: "Of the bytes, in hexadecimal." }),
  })
  .meta({
    id: "NewPicture",
    description: `A picture of mine, to be set by \`PATCH /v1/me\`: a JPEG, PNG, GIF, WebP or AVIF of at most ${LIMITS.avatarBytes} bytes.`,
  });
export const PassedOn = z
  .strictObject({ conversationId: ConversationId, from: MediaId })
  .meta({ id: "PassedOn", description: "The same bytes as of media that I may see; none are uploaded." });
/** What the store answered to a part, with or without its quotes. */
export const PartTold = z.strictObject({
  part: z.int().min(1).max(10_000),
  etag: z
    .string()
    .regex(/^"?[\x21\x23-\x7e]{1,256}"?$/)
    .transform((etag) => etag.replaceAll('"', ""))
    .meta({ description: "The `etag` of the store's answer." }),
});
