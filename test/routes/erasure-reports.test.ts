import { afterEach, expect, test } from "vitest";
import { sweepReports } from "../../src/platform/chores.ts";
import { ExportLine } from "../../src/protocol/export.ts";
import type { Report, Session } from "../../src/protocol/http.ts";
import worker from "../../src/worker.ts";
import { bindings, newKey, TestSocket } from "../objects/support.ts";
import { signUp } from "./support/accounts.ts";
import { backToNow, buildWorld, eraseMe, finish, OPERATOR, operate, recordOf, scan, WORDS } from "./support/erasure.ts";
import { ask, openPair, say } from "./support/worker.ts";

afterEach(backToNow);

const report = async (who: Session, wish: object): Promise<string> => {
  const answer = await ask(who, "POST", "/v1/reports", { idempotencyKey: newKey(), reason: "spam", ...wish });
  expect(answer.status).toBe(201);
  return answer.json.reportId;
};
/** What the person's own export tells of the reports that they have made. */
const exportedReports = async (who: Session): Promise<string[]> => {
  const headers = { authorization: `Bearer ${who.accessToken}` };
  const answer = await worker.fetch(new Request("https://edgewise.test/v1/me/export", { headers }), bindings);
  const lines = new TextDecoder()
    .decode(await answer.arrayBuffer())
    .split("\n")
    .filter(Boolean);
  return lines
    .map((line) => ExportLine.parse(JSON.parse(line)))
    .flatMap((line) => (line.type === "report" ? [line.reportId] : []));
};
const settled = async (reportId: string) =>
  expect((await operate("PATCH", `/v1/operator/reports/${reportId}`, OPERATOR, { state: "resolved" })).status).toBe(
    200,
  );
const reports = async (): Promise<string[]> => {
  const { results } = await bindings.DIRECTORY.prepare("SELECT report_id AS id FROM reports").all<{ id: string }>();
  return results.map(({ id }) => id).toSorted();
};

test("[ER-15] what they reported goes, and what is settled about them; an open report keeps its evidence until it is settled", async () => {
  const world = await buildWorld();
  const { ann, bob, cara, direct, group } = world;
  const hers = { conversationId: direct, seqs: [1] };
  await report(ann, { userId: bob.user.userId, note: `${WORDS[0]} is what I say of him` });
  await settled(await report(bob, { ...hers, note: "she" }));
  const open = await report(bob, hers);
  const { results } = await bindings.DIRECTORY.prepare("SELECT max(seq) AS seq FROM report_evidence").all();
  expect(results).toHaveLength(1);
  const page = (await ask(cara, "GET", `/v1/conversations/${group}/events?limit=200`)).json;
  const caras = page.events.findLast((event: { senderId: string }) => event.senderId === cara.user.userId).seq;
  const ofCara = await report(bob, { conversationId: group, seqs: [caras] }); // what Ann said before it was copied, too
  await eraseMe(ann);
  await finish(world);
  expect(await reports()).toEqual([open, ofCara].toSorted());
  expect((await recordOf(ann.user.userId)).counts).toMatchObject({ reports: 2 });
  const kept = await bindings.DIRECTORY.prepare(
    "SELECT report_id AS id, is_reported AS isReported FROM report_evidence WHERE json_extract(body, '$.senderId') = ?",
  )
    .bind(ann.user.userId)
    .all<{ id: string; isReported: number }>();
  expect(new Set(kept.results.map(({ id, isReported }) => `${id} ${isReported}`))).toEqual(new Set([`${open} 1`]));

  await settled(open);
  await sweepReports(bindings, Date.now());
  expect(await reports()).toEqual([ofCara]);
  expect(await scan([...WORDS.slice(0, 2)])).toEqual([]);
});

test("[RP-8] what a person has reported, and what is reported of them, is listed; an erasure takes the one at once, the other when it is settled", async () => {
  const [ann, bob, cat] = [await signUp(), await signUp(), await signUp()];
  const conversationId = await openPair(bob, ann);
  const ofBob = await report(ann, { conversationId, seqs: [await say(bob, conversationId, "rude")] });
  const ofCat = await report(bob, { userId: cat.user.userId });
  const left = async () => (await reports()).filter((id) => id === ofBob || id === ofCat);
  expect(await exportedReports(bob)).toEqual([ofCat]);
  const listed = JSON.parse((await operate("GET", "/v1/operator/reports")).text).reports as Report[];
  expect(listed.filter(({ reportedId }) => reportedId === bob.user.userId).map(({ reportId }) => reportId)).toEqual([
    ofBob,
  ]);

  await eraseMe(bob);
  await expect.poll(left).toEqual([ofBob]);
  await sweepReports(bindings, Date.now());
  expect(await left()).toEqual([ofBob]); // nobody has decided on it yet
  await settled(ofBob);
  for (let i = 0; i < 2; i++) await sweepReports(bindings, Date.now()); // repeating it is harmless
  expect(await left()).toEqual([]);
  const { results } = await bindings.DIRECTORY.prepare("SELECT * FROM report_evidence WHERE report_id IN (?, ?)")
    .bind(ofBob, ofCat)
    .all();
  expect(results).toEqual([]);
});

test("[ER-10] [CT-14] whose contact they were is told that it has ended, live and when they ask for what changed", async () => {
  const [ann, bob] = [await signUp(), await signUp()];
  await ask(ann, "PUT", `/v1/contacts/${bob.user.userId}`);
  await ask(bob, "PUT", `/v1/contacts/${ann.user.userId}`);
  const { version } = (await ask(bob, "GET", "/v1/contacts")).json;
  const socket = await TestSocket.caughtUp(bob.user.userId, bob.device.deviceId);
  await eraseMe(ann);
  await expect.poll(async () => (await recordOf(ann.user.userId)).counts.contacts).toBe(1);
  await expect.poll(() => JSON.stringify(socket.frames)).toContain("contactsVersion");
  const changes = (await ask(bob, "GET", `/v1/contacts?since=${version}`)).json;
  expect(changes).toMatchObject({ contacts: [], removed: [ann.user.userId] });
});

test("[ER-8] names go out of the index of people", async () => {
  const [ann, bob] = [await signUp(), await signUp()];
  await ask(ann, "PATCH", "/v1/me", { displayName: "Wilhelmina Quagga" });
  const found = async () => (await ask(bob, "GET", "/v1/users/search?q=wilhelmina")).json.users.length;
  expect(await found()).toBe(1);
  await eraseMe(ann);
  await expect.poll(async () => (await recordOf(ann.user.userId)).counts.names).toBe(2);
  expect(await found()).toBe(0);
});
