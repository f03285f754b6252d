import * as z from "zod";
import { Event } from "../events.ts";
import { ConversationId, EpochMs, IdempotencyKey, ReportId, Seq, UserId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { door } from "./door.ts";
import { wholeNumber } from "./fields.ts";

export const ReportReason = z
  .enum([
    "spam",
    "scam",
    "harassment",
    "threat",
    "hate",
    "self_harm",
    "sexual",
    "child_safety",
    "impersonation",
    "other",
  ])
  .meta({ id: "ReportReason" });
const ReportState = z.enum(["open", "resolved", "dismissed"]).meta({ id: "ReportState" });

const Note = z
  .string()
  .max(LIMITS.reportNoteLength)
  .refine((note) => note.isWellFormed(), "must be well-formed");

const ReportWish = z
  .strictObject({
    idempotencyKey: IdempotencyKey.meta({ description: "A repeat under it makes no second report." }),
    userId: UserId.optional().meta({ description: "Absent: who wrote the messages, where that is one person." }),
    conversationId: ConversationId.optional(),
    seqs: z
      .array(Seq)
      .min(1)
      .max(LIMITS.reportMessages)
      .optional()
      .meta({ description: "The messages; they, and a few events before them, are copied now." }),
    reason: ReportReason,
    note: Note.optional(),
  })
  .refine((wish) => wish.userId !== undefined || wish.conversationId !== undefined, "nothing is reported")
  .refine((wish) => wish.seqs === undefined || wish.conversationId !== undefined, "seqs are of a conversation");
export type ReportWish = z.infer<typeof ReportWish>;

export const Report = z
  .object({
    reportId: ReportId,
    reporterId: UserId,
    reportedId: UserId.optional(),
    conversationId: ConversationId.optional(),
    reason: ReportReason,
    note: z.string().optional(),
    state: ReportState,
    operatorNote: z.string().optional(),
    createdAt: EpochMs,
    evidence: z.array(z.object({ isReported: z.boolean(), event: Event })).meta({
      description:
        "The reported messages with their edits, and what stood before them, as they were when they were reported.",
    }),
  })
  .meta({ id: "Report" });
export type Report = z.infer<typeof Report>;

/** Reports to the deployer, and what the operator does with them. */
export const reportsDoors = {
  report: door({
    method: "post",
    path: "/v1/reports",
    summary: "Report a person, messages or a conversation to the deployer; who is reported does not learn of it",
    access: "device",
    body: ReportWish,
    answers: { 200: z.object({ reportId: ReportId }), 201: z.object({ reportId: ReportId }) },
    refusals: ["not_found", "idempotency_conflict", "rate_limited"],
  }),
  reports: door({
    method: "get",
    path: "/v1/operator/reports",
    summary: "What was reported, newest first",
    access: "operator",
    query: z.strictObject({
      cursor: ReportId.optional(),
      limit: wholeNumber(1, LIMITS.reportsPage).optional(),
      state: ReportState.optional(),
    }),
    answers: { 200: z.object({ reports: z.array(Report), cursor: ReportId.optional() }).meta({ id: "ReportsPage" }) },
    refusals: [],
  }),
  changeReport: door({
    method: "patch",
    path: "/v1/operator/reports/{reportId}",
    summary: "Say what became of a report",
    access: "operator",
    params: z.strictObject({ reportId: ReportId }),
    body: z
      .strictObject({ state: ReportState.optional(), note: Note.optional() })
      .refine((change) => Object.values(change).some((value) => value !== undefined), "nothing to change"),
    answers: { 200: Report },
    refusals: ["not_found"],
  }),
} as const;
