import type { Hono } from "hono";
import { ulid } from "ulid";
import { reportedBy } from "../domain/reports.ts";
import type { Evidence, Outcome } from "../objects/rpc.ts";
import { ask } from "../platform/calls.ts";
import { fingerprintOf } from "../platform/conversation-ids.ts";
import type { Env } from "../platform/env.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { conversationOf } from "../platform/stubs.ts";
import { DOORS, type ReportWish } from "../protocol/http.ts";
import { ReportId, type UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import { existingUsers } from "../storage/directory.ts";
import { changeReport, insertReport, reportOfWish, reportsPage } from "../storage/reports.ts";

const PAGE = 20;
/** Ms. */
const DAY_MS = 24 * 60 * 60_000;
const NO_EVIDENCE: Evidence = { authors: [], events: [] };

/** Reports to the deployer. What was said is copied when it is reported, by the conversation's own account of what the reporter may see. */
export function mountReports(app: Hono<AppEnv>): void {
  mount(app, DOORS.report, report);
  mount(app, DOORS.reports, async ({ env, query: { cursor, limit = PAGE, state } }) => {
    const { reports, next } = await reportsPage(env.DIRECTORY, { before: cursor, state, limit });
    return ok({ status: 200, body: { reports, ...(next ? { cursor: next } : {}) } });
  });
  mount(app, DOORS.changeReport, async ({ env, params, body }) => {
    const changed = await changeReport(env.DIRECTORY, params.reportId, body);
    return changed ? ok({ status: 200, body: changed }) : refuse("not_found");
  });
}

async function report({ env, caller: { userId: reporterId }, body: wish }: Visit<typeof DOORS.report>) {
  const fingerprint = await fingerprintOf(wish);
  const before = await reportOfWish(env.DIRECTORY, reporterId, wish.idempotencyKey); // [RP-5] whatever became of it since
  if (before) return answer(before, fingerprint, 200);
  const evidence = await evidenceFor(env, reporterId, wish);
  if (!evidence.ok) return evidence;
  const reported = reportedBy(reporterId, wish, evidence.value.authors);
  if (!reported.ok) return reported;
  const now = Date.now();
  const { idempotencyKey, conversationId = null, reason, note = null } = wish;
  const named = { reportedId: reported.value, conversationId, reason, note, evidence: evidence.value.events };
  const reportId = ReportId.parse(ulid(now));
  const row = { reportId, reporterId, idempotencyKey, fingerprint, createdAt: now, ...named };
  const kept = await insertReport(env.DIRECTORY, row, now - DAY_MS);
  if (!kept) return { ...refuse("rate_limited"), retryAfterMs: DAY_MS }; // [RP-6]
  return answer(kept, fingerprint, kept.reportId === reportId ? 201 : 200);
}

function answer(kept: { reportId: ReportId; fingerprint: string }, fingerprint: string, status: 200 | 201) {
  if (kept.fingerprint !== fingerprint) return refuse("idempotency_conflict");
  return ok({ status, body: { reportId: kept.reportId } });
}

/** [RP-1] Nobody reports what they do not see. */
async function evidenceFor(
  env: Env,
  reporterId: UserId,
  { userId, conversationId, seqs }: ReportWish,
): Promise<Outcome<Evidence>> {
  if (userId !== undefined && !(await existingUsers(env.DIRECTORY, [userId])).has(userId)) return refuse("not_found");
  if (conversationId === undefined) return ok(NO_EVIDENCE);
  return ask(() => conversationOf(env, conversationId).evidence(reporterId, [...new Set(seqs)]));
}
