import { ulid } from "ulid";
import { expect, test } from "vitest";
import { fold, NEWEST } from "../../src/domain/searching.ts";
import { ConversationId, UserId } from "../../src/protocol/ids.ts";
import { forgetRows, reshipRows, shipRows } from "../../src/storage/history.ts";
import { searchShard } from "../../src/storage/search.ts";
import { bindings, newDeviceId, newKey, newUserId } from "../objects/support.ts";

const bill = { written: 0 };
/** The shard, and the rows that batches wrote. */
const db = new Proxy(bindings.HISTORY_0, {
  get: (target, name) => {
    if (name !== "batch") return (Reflect.get(target, name) as (...a: unknown[]) => unknown).bind(target);
    return async (statements: D1PreparedStatement[]) => {
      const results = await target.batch(statements);
      bill.written += results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
      return results;
    };
  },
});
const writtenBy = async (act: () => Promise<void>): Promise<number> => {
  bill.written = 0;
  await act();
  return bill.written;
};

const newId = () => ConversationId.parse(`g${ulid()}`);
const row = (conversationId: ConversationId, seq: number, content: object) => {
  const senderId = newUserId();
  const times = { composedAt: seq, sentAt: seq, receivedAt: seq, occurredAt: seq };
  const origin = { deviceId: newDeviceId(), idempotencyKey: newKey(), ...times };
  return {
    seq,
    senderId,
    body: JSON.stringify({ conversationId, seq, eventId: ulid(), senderId, ...origin, kind: "message", content }),
  };
};
const says = (id: ConversationId, seq: number, text: string) => row(id, seq, { type: "text", text });
const GONE = { type: "gone", because: "recalled" };
const added = (conversationId: ConversationId, seq: number) => {
  const [senderId, times] = [UserId.parse(newUserId()), { receivedAt: seq, occurredAt: seq }];
  const body = {
    conversationId,
    seq,
    eventId: ulid(),
    senderId,
    ...times,
    kind: "member",
    userId: senderId,
    change: "added",
  };
  return { seq, senderId, body: JSON.stringify(body) };
};
const seqsOf = async (id: ConversationId, words: string) =>
  (await searchShard(db, [id], fold(words), NEWEST, 50)).hits.map(({ seq }) => seq);
const indexed = async (gram: string) =>
  (await db.prepare("SELECT count(*) AS n FROM texts WHERE texts MATCH ?").bind(`"${gram}"`).first<{ n: number }>())?.n;

const fill = (id: ConversationId, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => says(id, from + i, `hay ${from + i}`));

test("[SE-8] [HI-1] a lone message writes its own row, the 32nd one more; a repeat and what says nothing write none", async () => {
  const id = newId();
  const first = [says(id, 1, "one apple")];
  expect(await writtenBy(() => shipRows(db, id, first))).toBe(1);
  expect(await writtenBy(() => shipRows(db, id, first))).toBe(0);
  const burst = Array.from({ length: 31 }, (_, i) => says(id, i + 2, `apple ${i}`));
  expect(await writtenBy(() => shipRows(db, id, burst))).toBe(32);
  expect(await writtenBy(() => shipRows(db, id, burst))).toBe(0);
  expect(await writtenBy(() => shipRows(db, id, [added(id, 33)]))).toBe(1);
  expect(await seqsOf(id, "apple")).toHaveLength(32);
  expect(await seqsOf(id, "one apple")).toEqual([1]);
});

test("[SE-5] the index holds what the rows hold: another content, none, or no rows at all", async () => {
  const id = newId();
  await shipRows(db, id, [says(id, 1, "zebra crossing"), says(id, 2, "quagga"), ...fill(id, 3, 33)]);
  expect([await indexed("zeb"), await indexed("qua")]).toEqual([1, 1]);
  await reshipRows(db, id, [says(id, 1, "okapi")]);
  expect([await indexed("zeb"), await indexed("oka"), await seqsOf(id, "zebra"), await seqsOf(id, "OKAPI")]).toEqual([
    0,
    1,
    [],
    [1],
  ]);
  await reshipRows(db, id, [row(id, 1, GONE)]);
  expect([await indexed("oka"), await indexed("qua"), await seqsOf(id, "quagga")]).toEqual([0, 1, [2]]);
  const all = Array.from({ length: 32 }, (_, i) => row(id, i + 1, GONE));
  await reshipRows(db, id, all);
  expect([await indexed("qua"), await indexed("hay"), await seqsOf(id, "hay")]).toEqual([0, 0, [33]]);
  await shipRows(db, id, [...fill(id, 34, 63), says(id, 64, "giraffe")]);
  expect(await indexed("gir")).toBe(1);
  await forgetRows(db, id);
  expect([await indexed("gir"), await seqsOf(id, "giraffe")]).toEqual([0, []]);
});

test("[SE-5] rows that come in any order are found", async () => {
  const id = newId();
  await shipRows(db, id, fill(id, 20, 40));
  await shipRows(db, id, [says(id, 7, "lemur")]);
  expect([await indexed("lem"), await seqsOf(id, "lemur")]).toEqual([1, [7]]);
});

test("[SE-5] what was shipped before there was an index is found once it is shipped again; what is gone stays gone", async () => {
  const id = newId();
  const old = [says(id, 1, "walrus"), says(id, 2, "narwhal"), ...fill(id, 3, 33)];
  await shipRows(db, id, old);
  await db.prepare("UPDATE events SET folded = NULL WHERE conversation_id = ?").bind(id).run();
  await db.prepare("DELETE FROM texts WHERE rowid IN (SELECT rowid FROM texts WHERE texts MATCH '\"wal\"')").run();
  await reshipRows(db, id, [row(id, 2, GONE)]);
  expect(await seqsOf(id, "walrus")).toEqual([]);
  await shipRows(db, id, old);
  expect([await seqsOf(id, "walrus"), await seqsOf(id, "narwhal"), await indexed("nar")]).toEqual([[1], [], 0]);
});

test("[SE-2] [SE-4] what one statement does not read is left to the next, by index and without", async () => {
  const ids = Array.from({ length: 300 }, newId);
  const [long] = ids as [ConversationId];
  for (let from = 1; from <= 640; from += 320)
    await shipRows(
      db,
      long,
      Array.from({ length: 320 }, (_, i) => says(long, from + i, (from + i) % 64 === 0 ? "needle ab" : "hay")),
    );
  for (const words of ["needle", "ab"]) {
    const found: number[] = [];
    let before = NEWEST;
    for (let pages = 0; ; pages++) {
      const { hits, through } = await searchShard(db, ids, words, before, 3);
      found.push(...hits.map(({ seq }) => seq));
      if (!through) break;
      before = through;
      expect(pages).toBeLessThan(30);
    }
    expect(found, words).toEqual([640, 576, 512, 448, 384, 320, 256, 192, 128, 64]);
  }
});
