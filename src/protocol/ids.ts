import * as z from "zod";

/** ULIDs in Crockford's base32, upper case (https://github.com/ulid/spec). The first digit of a 128-bit value is 0-7. */
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

export const UserId = z.string().regex(ULID).brand("UserId").meta({ id: "UserId", description: "A user. ULID." });
export type UserId = z.infer<typeof UserId>;

export const DeviceId = z.string().regex(ULID).brand("DeviceId").meta({
  id: "DeviceId",
  description: "One installation of an app. ULID.",
});
export type DeviceId = z.infer<typeof DeviceId>;

export const MediaId = z
  .string()
  .regex(ULID)
  .brand("MediaId")
  .meta({ id: "MediaId", description: "A file of one message, or a group's picture. ULID." });
export type MediaId = z.infer<typeof MediaId>;

export const ReportId = z
  .string()
  .regex(ULID)
  .brand("ReportId")
  .meta({ id: "ReportId", description: "A report to the deployer. ULID." });
export type ReportId = z.infer<typeof ReportId>;

export const EventId = z.string().regex(ULID).brand("EventId").meta({ id: "EventId", description: "An event. ULID." });
export type EventId = z.infer<typeof EventId>;

/** Opaque to clients: `d` + hash of the pair for a direct conversation, `g` + random for a group. */
export const ConversationId = z
  .string()
  .regex(/^[dg][0-9A-HJKMNP-TV-Z]{26}$/)
  .brand("ConversationId")
  .meta({ id: "ConversationId", description: "A conversation. Opaque; do not take it apart." });
export type ConversationId = z.infer<typeof ConversationId>;

export const InviteCode = z
  .string()
  .regex(/^[0-9A-HJKMNP-TV-Z]{26}[A-Za-z0-9_-]{22}$/)
  .brand("InviteCode")
  .meta({
    id: "InviteCode",
    description: "Lets its holder into a group. Opaque; keep it from those who are not meant.",
  });
export type InviteCode = z.infer<typeof InviteCode>;

export const IdempotencyKey = z.string().regex(ULID).brand("IdempotencyKey").meta({
  id: "IdempotencyKey",
  description: "ULID the device mints once per wish, monotonic on the device, reused on every retry.",
});
export type IdempotencyKey = z.infer<typeof IdempotencyKey>;

/** Position in a conversation's log: 1, 2, 3 … */
export const Seq = z
  .int()
  .min(1)
  .meta({ id: "Seq", description: "Position in a conversation's log: 1, 2, 3 … gapless." });
/** A seq, or 0 for "before the first". */
export const SeqOrZero = z.int().min(0);

/** Milliseconds since the epoch; the upper bound is the year 9999. */
export const EpochMs = z
  .int()
  .min(0)
  .max(253_402_300_799_999)
  .meta({ id: "EpochMs", description: "Milliseconds since the epoch." });

export const Cursor = z.string().min(1).max(64).meta({
  id: "Cursor",
  description: "A device's place in its user's index of changed conversations. Opaque.",
});
