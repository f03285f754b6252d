import type { Event } from "../protocol/events.ts";
import type { Report } from "../protocol/http.ts";
import type { ReportId, UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { reach } from "./reach.ts";

/** A report as it is made. `createdAt`: epoch ms, as in the id. */
export type NewReport = Pick<Report, "reportId" | "reporterId" | "reason" | "createdAt"> & {
  idempotencyKey: string;
  /** Of the wish: another one under the same key is another report. */
  fingerprint: string;
  reportedId: UserId | null;
  conversationId: string | null;
  note: string | null;
  evidence: readonly { seq: number; isReported: boolean; body: string }[];
};
type Made = { reportId: ReportId; fingerprint: string };

/** Characters of evidence on one page, but for the one report that is larger. */
const PAGE_LENGTH = 4 * 1024 * 1024;

/** The report that was made under this key. Throws `Unavailable`, as all of these do. */
export async function reportOfWish(db: D1Database, reporterId: UserId, key: string): Promise<Made | undefined> {
  return (await reach("report of wish", () => ofWish(db, reporterId, key).first<Made>())) ?? undefined;
}
const ofWish = (db: D1Database, reporterId: UserId, key: string) =>
  db
    .prepare("SELECT report_id AS reportId, fingerprint FROM reports WHERE reporter_id = ? AND idempotency_key = ?")
    .bind(reporterId, key);

/**
 * Keeps a report with its evidence, in one transaction; answers the one that is kept under its key, which may be an earlier one. Undefined:
 * the reporter has made as many since `dayAgo` (epoch ms) as they may, and nothing is written.
 */
export async function insertReport(db: D1Database, report: NewReport, dayAgo: number): Promise<Made | undefined> {
  const { reportId, reporterId, idempotencyKey } = report;
  const row = db
    .prepare(
      `INSERT INTO reports (report_id, reporter_id, idempotency_key, fingerprint, reported_id, conversation_id, reason, note, created_at)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
       WHERE (SELECT count(*) FROM reports WHERE reporter_id = ?2 AND created_at > ?10) < ?11
       ON CONFLICT (reporter_id, idempotency_key) DO NOTHING`, // [RP-5] [RP-6]
    )
    .bind(
      ...[reportId, reporterId, idempotencyKey, report.fingerprint, report.reportedId, report.conversationId],
      ...[report.reason, report.note, report.createdAt, dayAgo, LIMITS.reportsPerDay],
    );
  const evidence = report.evidence.map(({ seq, isReported, body }) =>
    db
      .prepare(
        "INSERT INTO report_evidence SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM reports WHERE report_id = ?1)",
      )
      .bind(reportId, seq, isReported ? 1 : 0, body),
  );
  const results = await reach("insert report", () =>
    db.batch<Made>([row, ...evidence, ofWish(db, reporterId, idempotencyKey)]),
  );
  return results.at(-1)?.results[0];
}

type Row = {
  reportId: ReportId;
  reporterId: UserId;
  reportedId: UserId | null;
  conversationId: Report["conversationId"] | null;
  reason: Report["reason"];
  note: string | null;
  state: Report["state"];
  operatorNote: string | null;
  createdAt: number;
  size: number;
};
const COLUMNS = `report_id AS reportId, reporter_id AS reporterId, reported_id AS reportedId, conversation_id AS conversationId,
  reason, note, state, operator_note AS operatorNote, created_at AS createdAt,
  (SELECT coalesce(sum(length(body)), 0) FROM report_evidence AS e WHERE e.report_id = reports.report_id) AS size`;

type Wanted = { before: ReportId | undefined; state: Report["state"] | undefined; limit: number };

/** Reports older than `before`, newest first. `next`: the id to go on before; undefined: there are no more. */
export async function reportsPage(
  db: D1Database,
  { before, state, limit }: Wanted,
): Promise<{ reports: Report[]; next: ReportId | undefined }> {
  const statement = db
    .prepare(
      `SELECT ${COLUMNS} FROM reports WHERE report_id < ?1 AND (?2 IS NULL OR state = ?2) ORDER BY report_id DESC LIMIT ?3`,
    )
    .bind(before ?? "~", state ?? null, limit + 1);
  const { results } = await reach("reports", () => statement.all<Row>());
  const rows = results.slice(0, fitting(results.slice(0, limit)));
  const next = rows.length < results.length ? rows.at(-1)?.reportId : undefined;
  return { reports: await withEvidence(db, rows), next };
}

/** How many of these go on one page. */
function fitting(rows: readonly Row[]): number {
  let length = 0;
  const tooLarge = rows.findIndex(({ size }, i) => {
    length += size;
    return i > 0 && length > PAGE_LENGTH;
  });
  return tooLarge < 0 ? rows.length : tooLarge;
}

async function withEvidence(db: D1Database, rows: readonly Row[]): Promise<Report[]> {
  const statement = db
    .prepare(
      `SELECT report_id AS reportId, is_reported AS isReported, body FROM report_evidence
       WHERE report_id IN (SELECT value FROM json_each(?)) ORDER BY report_id, seq`,
    )
    .bind(JSON.stringify(rows.map(({ reportId }) => reportId)));
  const { results } = await reach("evidence", () =>
    statement.all<{ reportId: ReportId; isReported: number; body: string }>(),
  );
  const byReport = Map.groupBy(results, ({ reportId }) => reportId);
  return rows.map((row) => {
    const events = byReport.get(row.reportId) ?? [];
    const evidence = events.map(({ isReported, body }) => ({
      isReported: isReported === 1,
      event: JSON.parse(body) as Event,
    }));
    return { ...viewOf(row), evidence };
  });
}

function viewOf({ reportedId, conversationId, note, operatorNote, size: _, ...row }: Row): Omit<Report, "evidence"> {
  return {
    ...row,
    ...(reportedId === null ? {} : { reportedId }),
    ...(conversationId ? { conversationId } : {}),
    ...(note === null ? {} : { note }),
    ...(operatorNote === null ? {} : { operatorNote }),
  };
}

/** Changes what is given and answers the report; undefined when there is none. */
export async function changeReport(
  db: D1Database,
  reportId: ReportId,
  { state, note }: { state?: Report["state"] | undefined; note?: string | undefined },
): Promise<Report | undefined> {
  const change = db
    .prepare(
      "UPDATE reports SET state = coalesce(?2, state), operator_note = coalesce(?3, operator_note) WHERE report_id = ?1",
    )
    .bind(reportId, state ?? null, note ?? null);
  const look = db.prepare(`SELECT ${COLUMNS} FROM reports WHERE report_id = ?`).bind(reportId);
  const [, looked] = await reach("change report", () => db.batch<Row>([change, look]));
  const [report] = await withEvidence(db, looked?.results ?? []);
  return report;
}

/** [RP-8] What this user has reported, the oldest first; without the evidence, which is others'. */
export async function reportsMadeBy(db: D1Database, userId: UserId) {
  const query = db.prepare(`SELECT ${COLUMNS} FROM reports WHERE reporter_id = ? ORDER BY report_id`).bind(userId);
  const { results } = await reach("reports made", () => query.all<Row>());
  return results.map((row) => {
    const { reporterId: _, state: __, operatorNote: ___, ...told } = viewOf(row);
    return told;
  });
}

/**
 * [RP-8] [ER-15] What goes with a person who is erased, as statements that count themselves: what they reported, what is settled about them, and
 * what they wrote wherever it was copied. An open report about them stays with what it shows until it is settled.
 */
export function reportsGone(
  db: D1Database,
  userId: UserId,
): { evidence: D1PreparedStatement[]; reports: D1PreparedStatement } {
  const of = (query: string) => db.prepare(query).bind(userId);
  const theirs = "reporter_id = ?1 OR (reported_id = ?1 AND state <> 'open')";
  return {
    evidence: [
      of(`DELETE FROM report_evidence WHERE report_id IN (SELECT report_id FROM reports WHERE ${theirs})`),
      of(`DELETE FROM report_evidence WHERE json_extract(body, '$.senderId') = ?1 AND NOT (is_reported = 1
        AND report_id IN (SELECT report_id FROM reports WHERE state = 'open'))`),
    ],
    reports: of(`DELETE FROM reports WHERE ${theirs}`),
  };
}

/** [ER-15] Settled reports about people who are erased: they waited for that. */
export async function deleteSettledOfErased(db: D1Database): Promise<void> {
  const erased = "reported_id IN (SELECT user_id FROM erasures) AND state <> 'open'";
  await reach("settled reports", () =>
    db.batch([
      db.prepare(`DELETE FROM report_evidence WHERE report_id IN (SELECT report_id FROM reports WHERE ${erased})`),
      db.prepare(`DELETE FROM reports WHERE ${erased}`),
    ]),
  );
}

/** [RP-7] Takes away every report with a smaller id. Answers how many there were. */
export async function deleteReportsBefore(db: D1Database, id: string): Promise<number> {
  const from = (table: "report_evidence" | "reports") =>
    db.prepare(`DELETE FROM ${table} WHERE report_id < ?`).bind(id);
  const [, reports] = await reach("sweep reports", () => db.batch([from("report_evidence"), from("reports")]));
  return reports?.meta.changes ?? 0;
}
