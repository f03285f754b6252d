import * as z from "zod";
import { ErrorCode } from "./errors.ts";
import { ContentType, Event, MediaBytes, Role } from "./events.ts";
import { ConversationId, DeviceId, EpochMs, MediaId, ReportId, Seq, SeqOrZero, UserId } from "./ids.ts";
import { Mine, Privacy } from "./states.ts";

/** A person's export: one JSON object a line, in the order of the union below. */

/** Where an export goes on: past an event, past a conversation that has nothing more, or past media. */
export const ExportAfter = z
  .string()
  .regex(/^(?:[dg][0-9A-HJKMNP-TV-Z]{26}\.\d{1,15}|media\.[0-9A-HJKMNP-TV-Z]{0,26})$/)
  .meta({
    id: "ExportAfter",
    description:
      "A place in an export: `conversationId.seq` of the last `event` line that came whole, `media.mediaId` of the last `media` line, or the " +
      "`after` of a `more` or `error` line.",
  });
export type ExportAfter = z.infer<typeof ExportAfter>;

const person = { userId: UserId, handle: z.string(), displayName: z.string() };

export const ExportCounts = z
  .object({
    device: z.int(),
    contact: z.int(),
    block: z.int(),
    pushSubscription: z.int(),
    report: z.int(),
    conversation: z.int(),
    event: z.int(),
    media: z.int(),
  })
  .meta({ id: "ExportCounts", description: "How many lines of each type this file holds." });
export type ExportCounts = z.infer<typeof ExportCounts>;

export const ExportLine = z
  .discriminatedUnion("type", [
    z
      .object({
        type: z.literal("manifest"),
        format: z.literal("edgewise.export.1"),
        userId: UserId,
        exportedAt: EpochMs,
        after: ExportAfter.optional().meta({ description: "This file goes on after that place in an earlier one." }),
      })
      .meta({ id: "ExportManifest", description: "The first line." }),
    z
      .object({
        type: z.literal("profile"),
        ...person,
        privacy: Privacy,
        createdAt: EpochMs,
        identities: z
          .array(z.object({ issuer: z.string(), subject: z.string() }))
          .meta({ description: "Who an outside issuer says I am." }),
        lastSeenAt: EpochMs.optional(),
        picture: z
          .object({
            mediaId: MediaId,
            contentType: ContentType,
            bytes: MediaBytes,
            sha256: z.string(),
            href: z.string(),
          })
          .optional()
          .meta({ description: "My picture, and where to fetch its bytes, with an access token." }),
      })
      .meta({ id: "ExportProfile" }),
    z
      .object({
        type: z.literal("device"),
        deviceId: DeviceId,
        name: z.string(),
        createdAt: EpochMs,
        lastUsedAt: EpochMs,
        revokedAt: EpochMs.optional(),
      })
      .meta({ id: "ExportDevice" }),
    z
      .object({ type: z.literal("contact"), ...person, state: z.enum(["requested", "incoming", "accepted"]) })
      .meta({ id: "ExportContact" }),
    z.object({ type: z.literal("block"), ...person }).meta({ id: "ExportBlock", description: "Whom I block." }),
    z
      .object({
        type: z.literal("pushSubscription"),
        deviceId: DeviceId,
        provider: z.enum(["web", "fcm"]),
        preview: z.boolean(),
      })
      .meta({ id: "ExportPushSubscription", description: "Without the endpoint and its keys, which are secrets." }),
    z
      .object({
        type: z.literal("report"),
        reportId: ReportId,
        reportedId: UserId.optional(),
        conversationId: ConversationId.optional(),
        reason: z.string(),
        note: z.string().optional(),
        createdAt: EpochMs,
      })
      .meta({ id: "ExportReport", description: "What I have reported." }),
    z
      .object({
        type: z.literal("conversation"),
        conversationId: ConversationId,
        kind: z.enum(["direct", "group"]),
        title: z.string().optional(),
        createdAt: EpochMs,
        role: Role.nullable(),
        floor: Seq,
        head: SeqOrZero,
        delivered: SeqOrZero,
        read: SeqOrZero,
        mine: Mine,
        starred: z.array(Seq).meta({ description: "The messages that I have starred." }),
        members: z.array(
          z.object({
            userId: UserId,
            role: Role,
            handle: z.string().optional(),
            displayName: z.string().optional(),
          }),
        ),
      })
      .meta({ id: "ExportConversation", description: "Its `event` lines follow, oldest first." }),
    z
      .object({ type: z.literal("event"), event: Event })
      .meta({ id: "ExportEvent", description: "An event that I may see." }),
    z
      .object({
        type: z.literal("media"),
        mediaId: MediaId,
        conversationId: ConversationId,
        contentType: ContentType,
        bytes: MediaBytes,
        sha256: z.string(),
        href: z.string().meta({ description: "Where to fetch the bytes, with an access token." }),
      })
      .meta({ id: "ExportMedia", description: "What I have uploaded." }),
    z
      .object({ type: z.literal("end"), counts: ExportCounts })
      .meta({ id: "ExportEnd", description: "The last line of a file that is whole." }),
    z.object({ type: z.literal("more"), after: ExportAfter, counts: ExportCounts }).meta({
      id: "ExportMore",
      description: "The last line where there is more than one answer can hold: ask on with `after`.",
    }),
    z.object({ type: z.literal("error"), code: ErrorCode, after: ExportAfter.optional() }).meta({
      id: "ExportError",
      description:
        "The last line of a file that is not whole: something did not answer, however often it was asked. Ask on with `after`, or anew.",
    }),
  ])
  .meta({ id: "ExportLine" });
export type ExportLine = z.infer<typeof ExportLine>;
