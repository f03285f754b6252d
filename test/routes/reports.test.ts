import { runInDurableObject } from "cloudflare:test";
import { encodeTime, ulid } from "ulid";
import { beforeEach, describe, expect, test } from "vitest";
import { reportsKeptMs } from "../../src/domain/reports.ts";
import { sweepReports } from "../../src/platform/chores.ts";
import type { Env } from "../../src/platform/env.ts";
import { DOORS, type Report, ReportReason, type Session } from "../../src/protocol/http.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { bindings, newDeviceId, newKey, TestSocket } from "../objects/support.ts";
import { signUp } from "./support/accounts.ts";
import { CUT } from "./support/wires.ts";
import { ask, groupOf, pairUp, say, settle, wishOf } from "./support/worker.ts";

const DAY_MS = 24 * 60 * 60_000;
const idOf = ({ user }: Session) => user.userId;
const report = (me: Session, wish: object, changed: Partial<Env> = {}) =>
  ask(me, "POST", "/v1/reports", { idempotencyKey: newKey(), reason: "harassment", ...wish }, changed);
const answered = ({ status, json }: { status: number; json: { code?: string } | null }) => json?.code ?? status;
const operator = { accessToken: "operator-token-of-the-tests" } as Session;
const all = async (query = "") => {
  const { status, json } = await ask(operator, "GET", `/v1/operator/reports${query}`);
  expect(status).toBe(200);
  return DOORS.reports.answers[200].parse(json);
};
const newest = async () => (await all()).reports[0] as Report;
const wordsOf = ({ evidence }: Report) =>
  evidence.map(({ isReported, event }) => {
    const content = "content" in event ? event.content : { type: event.kind };
    return `${isReported ? "!" : ""}${"text" in content ? content.text : content.type}`;
  });
const wish = (me: Session, id: ConversationId, event: object) =>
  ask(me, "POST", `/v1/conversations/${id}/events`, wishOf(event));
const rowsOf = async (table: string) =>
  (await bindings.DIRECTORY.prepare(`SELECT count(*) AS n FROM ${table}`).first<{ n: number }>())?.n;

beforeEach(async () => {
  for (const table of ["reports", "report_evidence"]) await bindings.DIRECTORY.prepare(`DELETE FROM ${table}`).run();
});

describe("what is reported", () => {
  test("[RP-2] messages are copied with what stood before them, and a later recall, edit, clearing or block takes nothing away", async () => {
    const { ann, bob, id } = await pairUp();
    const seqs: number[] = [];
    for (const words of ["a", "b", "c", "d", "e", "f"]) seqs.push(await say(ann, id, words));
    const [insult, threat] = [await say(bob, id, "insult"), await say(bob, id, "threat")] as [number, number];
    await wish(bob, id, { kind: "edit", targetSeq: insult, content: { type: "text", text: "compliment" } });
    await say(ann, id, "afterwards");
    const made = await report(ann, { conversationId: id, seqs: [threat, insult, threat], note: " Again.\u0000 " });
    expect([made.status, Object.keys(made.json)]).toEqual([201, ["reportId"]]);
    await settle(id);
    for (const targetSeq of [insult, threat]) await wish(bob, id, { kind: "recall", targetSeq });
    await ask(ann, "DELETE", `/v1/conversations/${id}`);
    await ask(ann, "PUT", `/v1/blocks/${idOf(bob)}`);
    const kept = await newest();
    expect(wordsOf(kept)).toEqual(["b", "c", "d", "e", "f", "!insult", "!threat", "!compliment"]);
    expect(kept).toMatchObject({
      reportId: made.json.reportId,
      reporterId: idOf(ann),
      reportedId: idOf(bob),
      conversationId: id,
      reason: "harassment",
      note: " Again.\u0000 ",
      state: "open",
    });
  });

  test("[RP-3] a person, messages of one or of several, or a conversation as such", async () => {
    const [ann, bob, cat] = [await signUp(), await signUp(), await signUp()];
    const id = await groupOf(bob, ann, cat);
    const [bobs, cats] = [await say(bob, id, "bob's"), await say(cat, id, "cat's")];
    const by = async (body: object) => {
      expect(answered(await report(ann, body))).toBe(201);
      const { reportedId, conversationId, evidence } = await newest();
      return [reportedId, conversationId, evidence.length];
    };
    expect(await by({ userId: idOf(bob) })).toEqual([idOf(bob), undefined, 0]);
    expect(await by({ conversationId: id, seqs: [cats] })).toEqual([idOf(cat), id, 4]);
    expect(await by({ conversationId: id, seqs: [bobs, cats] })).toEqual([undefined, id, 4]);
    expect(await by({ conversationId: id })).toEqual([undefined, id, 4]);
    expect(wordsOf(await newest())).toEqual(["member", "member", "bob's", "cat's"]);
    expect(await by({ userId: idOf(cat), conversationId: id, seqs: [cats] })).toEqual([idOf(cat), id, 4]);
    const own = await say(ann, id, "mine");
    for (const body of [
      { userId: idOf(ann) },
      { conversationId: id, seqs: [own] },
      { userId: idOf(cat), conversationId: id, seqs: [bobs] },
      {},
      { seqs: [1] },
      { conversationId: id, seqs: [] },
      { conversationId: id, seqs: Array.from({ length: 21 }, (_, i) => i + 1) },
      { userId: idOf(bob), reason: "dislike" },
      { userId: idOf(bob), note: "x".repeat(1_001) },
      { userId: idOf(bob), note: "\ud800" },
      { userId: idOf(bob), evidence: [] },
    ])
      expect([answered(await report(ann, body)), body]).toEqual(["invalid_request", body]);
    for (const reason of ReportReason.options) expect(await by({ userId: idOf(bob), reason })).toHaveLength(3);
  });

  test("[RP-1] nobody reports what they do not see: strangers, who was removed, who was blocked, messages of before", async () => {
    const [ann, bob, carol, eve] = [await signUp(), await signUp(), await signUp(), await signUp()];
    const id = await groupOf(ann, bob);
    const before = await say(bob, id, "before carol");
    await ask(ann, "PUT", `/v1/conversations/${id}/members/${idOf(carol)}`, {});
    const seen = await say(bob, id, "seen");
    await ask(ann, "DELETE", `/v1/conversations/${id}/members/${idOf(carol)}`);
    const after = await say(bob, id, "after carol");
    const unknown = `g${ulid()}`;
    for (const body of [
      { conversationId: id, seqs: [seen] },
      { conversationId: id },
      { conversationId: unknown },
      { userId: idOf(bob), conversationId: id },
    ])
      expect(answered(await report(eve, body))).toBe("not_found");
    expect(answered(await report(eve, { userId: ulid() }))).toBe("not_found");
    for (const seqs of [[before], [after], [seen, after], [1], [999]])
      expect(answered(await report(carol, { conversationId: id, seqs }))).toBe("not_found");
    expect([await rowsOf("reports"), await rowsOf("report_evidence")]).toEqual([0, 0]);
    expect(answered(await report(carol, { conversationId: id, seqs: [seen] }))).toBe(201);
    expect(wordsOf(await newest())).toEqual(["member", "!seen"]); // of what stood before, what she could see
    const { ann: dan, bob: fay, id: direct } = await pairUp();
    const heard = await say(fay, direct, "heard");
    await ask(dan, "PUT", `/v1/blocks/${idOf(fay)}`);
    const unheard = await say(fay, direct, "unheard");
    expect(answered(await report(dan, { conversationId: direct, seqs: [unheard] }))).toBe("not_found");
    expect(answered(await report(dan, { conversationId: direct, seqs: [heard] }))).toBe(201);
    expect(answered(await report(fay, { userId: idOf(dan) }))).toBe(201); // who is blocked may report, too
    expect(answered(await report({ ...ann, accessToken: "x" }, { userId: idOf(bob) }))).toBe("unauthenticated");
  });

  test("[RP-2] what is as large as can be is kept, and the operator's pages stay small", async () => {
    const { ann, bob, id } = await pairUp();
    const seqs: number[] = [];
    for (let i = 0; i < 20; i++) seqs.push(await say(bob, id, "\u0001".repeat(16_384)));
    for (let i = 0; i < 4; i++) expect(answered(await report(ann, { conversationId: id, seqs }))).toBe(201);
    const pages: number[] = [];
    for (let query: string | undefined = "?limit=50"; query; ) {
      const { reports, cursor } = await all(query);
      for (const { evidence } of reports) expect(evidence).toHaveLength(20);
      pages.push(reports.length);
      query = cursor && `?limit=50&cursor=${cursor}`;
    }
    expect(pages).toEqual([2, 2]);
  });
});

describe("making a report", () => {
  test("[RP-5] a repeat makes no second one, also when what it shows has changed, and when all are made at once", async () => {
    const { ann, bob, id } = await pairUp();
    const seq = await say(bob, id, "rude");
    const body = { idempotencyKey: newKey(), conversationId: id, seqs: [seq] };
    const first = await Promise.all([1, 2, 3].map(() => report(ann, body)));
    expect(first.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
    await wish(bob, id, { kind: "recall", targetSeq: seq });
    await ask(ann, "DELETE", `/v1/conversations/${id}`);
    const again = await report(ann, body);
    expect([again.status, again.json]).toEqual([200, first[0]?.json]);
    expect([await rowsOf("reports"), wordsOf(await newest())]).toEqual([1, ["!rude"]]);
    expect(answered(await report(ann, { ...body, reason: "spam" }))).toBe("idempotency_conflict");
    expect(
      answered(await report(bob, { ...body, seqs: undefined, conversationId: undefined, userId: idOf(ann) })),
    ).toBe(201);
  });

  test("[RP-6] a user makes at most 50 reports a day", async () => {
    const [ann, bob] = [await signUp(), await signUp()];
    await bindings.DIRECTORY.prepare(
      `INSERT INTO reports (report_id, reporter_id, idempotency_key, fingerprint, reason, created_at)
       SELECT ?1 || value, ?2, 'key' || value, '', 'spam', ?3 - (value = 0) * 2 * ?4 FROM json_each(?5)`,
    )
      .bind(
        encodeTime(Date.now(), 10),
        idOf(ann),
        Date.now(),
        DAY_MS,
        JSON.stringify([...Array(LIMITS.reportsPerDay).keys()]),
      )
      .run();
    expect(answered(await report(ann, { userId: idOf(bob) }))).toBe(201); // one was two days ago
    const refused = await report(ann, { userId: idOf(bob) });
    expect([answered(refused), refused.json.retryable]).toEqual(["rate_limited", true]);
    expect(answered(await report(bob, { userId: idOf(ann) }))).toBe(201);
  });

  test("[RP-1] while the conversation cannot be asked, it is unavailable and nothing is kept", async () => {
    const { ann, id } = await pairUp();
    const CONVERSATIONS = { getByName: () => ({ evidence: () => Promise.reject(CUT) }) };
    const down = { CONVERSATIONS: CONVERSATIONS as unknown as Env["CONVERSATIONS"] };
    expect(answered(await report(ann, { conversationId: id }, down))).toBe("unavailable");
    expect(await rowsOf("reports")).toBe(0);
  });
});

describe("the operator", () => {
  test("[RP-4] sees reports newest first, page by page, and says what became of them", async () => {
    const [ann, bob] = [await signUp(), await signUp()];
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift((await report(ann, { userId: idOf(bob) })).json.reportId);
    const seen: string[] = [];
    for (let query: string | undefined = "?limit=2"; query; ) {
      const { reports, cursor } = await all(query);
      seen.push(...reports.map(({ reportId }) => reportId));
      query = cursor && `?limit=2&cursor=${cursor}`;
    }
    expect(seen).toEqual([...ids].sort().reverse());
    const path = `/v1/operator/reports/${ids[0]}`;
    const changed = await ask(operator, "PATCH", path, { state: "resolved", note: "Warned." });
    expect(DOORS.changeReport.answers[200].parse(changed.json)).toMatchObject({
      reportId: ids[0],
      state: "resolved",
      operatorNote: "Warned.",
    });
    expect((await ask(operator, "PATCH", path, { state: "dismissed" })).json.operatorNote).toBe("Warned.");
    expect((await all("?state=dismissed")).reports.map(({ reportId }) => reportId)).toEqual([ids[0]]);
    expect((await all("?state=open")).reports).toHaveLength(4);
    for (const body of [{}, { state: "gone" }, { reporterId: idOf(bob) }])
      expect(answered(await ask(operator, "PATCH", path, body))).toBe("invalid_request");
    expect(answered(await ask(operator, "PATCH", `/v1/operator/reports/${ulid()}`, { state: "open" }))).toBe(
      "not_found",
    );
  });

  test("[RP-4] nobody else sees a report: not who is reported, not who made it; and the reported one is told nothing", async () => {
    const { ann, bob, id } = await pairUp();
    const seq = await say(bob, id, "rude");
    const socket = await TestSocket.caughtUp(idOf(bob), newDeviceId());
    const heard = socket.frames.length;
    const { reportId } = (await report(ann, { conversationId: id, seqs: [seq] })).json;
    for (const who of [ann, bob, { ...ann, accessToken: "x" }])
      for (const [method, path, body] of [
        ["GET", "/v1/operator/reports", undefined],
        ["PATCH", `/v1/operator/reports/${reportId}`, { state: "dismissed" }],
      ] as const)
        expect(answered(await ask(who, method, path, body))).toBe("unauthenticated");
    await ask(operator, "PATCH", `/v1/operator/reports/${reportId}`, { state: "resolved" });
    await socket.ask({ type: "watch", userIds: [] });
    expect(socket.frames.length).toBe(heard + 1);
    const head = await runInDurableObject(bindings.CONVERSATIONS.getByName(id), (object) => object.describe(idOf(bob)));
    expect(head).toMatchObject({ value: { head: seq } });
    expect(
      answered(
        await ask({ accessToken: "x" } as Session, "GET", "/v1/operator/reports", undefined, { OPERATOR_TOKEN: "" }),
      ),
    ).toBe("not_found");
  });
});

describe("what is kept for how long", () => {
  test("[RP-7] reports go with their evidence when the deployer's days are over; without a word after 90", async () => {
    expect([reportsKeptMs("30"), reportsKeptMs(""), reportsKeptMs(undefined)]).toEqual([
      30 * DAY_MS,
      90 * DAY_MS,
      90 * DAY_MS,
    ]);
    const { ann, bob, id } = await pairUp();
    const seqs = [await say(bob, id, "rude")];
    await report(ann, { conversationId: id, seqs });
    const days = (count: string) => ({ ...bindings, REPORTS_DAYS: count });
    expect(await sweepReports(days("1"), Date.now() + DAY_MS - 60_000)).toBe(0);
    expect([await rowsOf("reports"), await rowsOf("report_evidence")]).toEqual([1, 1]);
    expect(await sweepReports(days(""), Date.now() + 89 * DAY_MS)).toBe(0);
    expect(await sweepReports(days("1"), Date.now() + DAY_MS + 60_000)).toBe(1);
    expect([await rowsOf("reports"), await rowsOf("report_evidence")]).toEqual([0, 0]);
  });
});
