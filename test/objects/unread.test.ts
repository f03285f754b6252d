import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { SendCommand } from "../../src/domain/append.ts";
import type { Conversation } from "../../src/objects/conversation.ts";
import { UnreadCounts } from "../../src/objects/unread-counts.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { LogStore } from "../../src/storage/log-store.ts";
import { watchRows } from "./meters.ts";
import { bindings, command, conversation, newDeviceId, nextCall, openGroup, read, text, VISIT } from "./support.ts";

const stubOf = (id: ConversationId): DurableObjectStub<Conversation> => bindings.CONVERSATIONS.getByName(id);

const say = (id: ConversationId, userId: UserId) =>
  conversation(id).append(userId, {
    commands: [command(userId, newDeviceId(), "once more")],
    aloneAs: 1,
    confirmed: [],
    call: nextCall(),
  });

/** That many messages of one member; then the object forgets what it knew. */
async function fill(id: ConversationId, senderId: UserId, count: number): Promise<void> {
  await say(id, senderId);
  await runInDurableObject(stubOf(id), (_, { storage: { sql } }) => {
    const { head } = sql.exec<{ head: number }>("SELECT max(seq) AS head FROM log").one();
    const rows = `WITH RECURSIVE n(i) AS (SELECT ?1 + 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 + ?2 - 1)
      INSERT INTO log (seq, sender_id, kind, body) SELECT i, sender_id, kind, body FROM n JOIN log ON seq = ?1`;
    sql.exec(rows, head, count);
  });
  await evictDurableObject(stubOf(id));
}

/** A meter of the rows that the object reads from now on. */
async function rowsReadOf(id: ConversationId): Promise<() => number> {
  const cursors: SqlStorageCursor<never>[] = [];
  await runInDurableObject(stubOf(id), (object) => watchRows(object as never, (cursor) => cursors.push(cursor)));
  return () => cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0);
}

const unreadOf = async (id: ConversationId, userId: UserId): Promise<number> => {
  const standing = await conversation(id).attend(userId, VISIT);
  if (!standing.ok) throw new Error(standing.code);
  return standing.value.unread;
};

test("[CO-8] a conversation that wakes reads its log once for what all members have not read", async () => {
  const { maker, members, id } = await openGroup(40);
  await fill(id, maker, 3_000);
  const meter = await rowsReadOf(id);
  for (const userId of members) expect(await unreadOf(id, userId)).toBe(userId === maker ? 0 : 3_000);
  expect(meter()).toBeGreaterThan(2_999); // the meter runs
  expect(meter()).toBeLessThan(2 * 3_000);
});

test("[UN-1] [CO-8] of very many unread messages so many are counted, and no more of the log is read than that takes", async () => {
  const { maker, members, id } = await openGroup(3);
  const [, bob, cat] = members as [UserId, UserId, UserId];
  await fill(id, maker, 5 * LIMITS.unread);
  const head = 5 * LIMITS.unread + 3; // and three members were added
  const meter = await rowsReadOf(id);
  expect(await unreadOf(id, bob)).toBe(LIMITS.unread);
  expect(meter()).toBeLessThan(2 * LIMITS.unread);
  await conversation(id).receipt(bob, read(head - LIMITS.unread + 10));
  expect(await unreadOf(id, bob)).toBe(LIMITS.unread - 10);
  expect(await unreadOf(id, cat)).toBe(LIMITS.unread);
  await say(id, maker);
  expect(await unreadOf(id, bob)).toBe(LIMITS.unread - 9);
  expect(await unreadOf(id, cat)).toBe(LIMITS.unread);
});

test("[CO-9] a receipt reads what it passes, however much is unread", async () => {
  const { maker, members, id } = await openGroup(3);
  const [, bob] = members as [UserId, UserId];
  await fill(id, maker, 3_000);
  await conversation(id).attend(maker, VISIT);
  const took = async (marks: { delivered?: number; read?: number }) => {
    const meter = await rowsReadOf(id);
    expect(await conversation(id).receipt(bob, { marks, shows: "everyone" })).toMatchObject({ ok: true });
    return meter();
  };
  expect(await took({ delivered: 3_000 })).toBeGreaterThan(2_900); // the meter runs
  expect(await took({ delivered: 3_001 })).toBeLessThan(20);
  expect(await took({ delivered: 3_002, read: 10 })).toBeLessThan(40);
  expect(await took({ read: 11 })).toBeLessThan(20);
});

test("[CO-9] a page reads what it carries, however much its reader has missed, and tells of the recalls in it", async () => {
  const { maker, members, id } = await openGroup(3);
  const [, bob] = members as [UserId, UserId];
  const phone = newDeviceId();
  const wish = async (userId: UserId, event: SendCommand["event"]) =>
    conversation(id).append(userId, {
      commands: [{ ...command(userId, phone, "x"), event }],
      aloneAs: 1,
      confirmed: [],
      call: nextCall(),
    });
  const [first] = await wish(maker, text("first"));
  if (!first?.ok) throw new Error("refused");
  await conversation(id).removeMember({ actorId: maker, userId: bob });
  await fill(id, maker, 3_000);
  await wish(maker, { kind: "recall", targetSeq: first.value.ack.seq });
  await conversation(id).putMember({ actorId: maker, userId: bob, role: "member" });
  const meter = await rowsReadOf(id);
  const page = await conversation(id).pull(bob, VISIT, first.value.ack.seq, 10);
  expect(page).toMatchObject({ ok: true, value: { recalled: [first.value.ack.seq] } });
  expect(meter()).toBeLessThan(30);
});

/** Whatever was asked before, and in whatever order: counted by SQL, which knows nothing of ranks. */
test("[UN-1] [LM-8] what is counted is what there is, whoever asked before, whatever has gone since", async () => {
  const { members, id } = await openGroup(3);
  const some = fc.array(fc.record({ by: fc.nat(2), run: fc.integer({ min: 1, max: 400 }) }), {
    minLength: 1,
    maxLength: 4,
  });
  const step = fc.oneof(
    fc.record({ is: fc.constant("ask" as const), by: fc.nat(2), at: fc.nat(100) }),
    fc.record({ is: fc.constant("say" as const), by: fc.nat(2), at: fc.nat(100) }),
    fc.record({ is: fc.constant("take away" as const), by: fc.nat(2), at: fc.nat(100) }),
  );
  const spans = fc.constantFrom(
    [[1, null]] as const,
    [[50, null]] as const,
    [
      [1, 30],
      [200, null],
    ] as const,
    [
      [1, 30],
      [90, 300],
      [302, 302],
    ] as const,
  );
  await runInDurableObject(stubOf(id), (_, { storage: { sql } }) => {
    const put = (seq: number, by: number) =>
      sql.exec("INSERT INTO log (seq, sender_id, kind, body) VALUES (?, ?, 'message', '{}')", seq, members[by]);
    fc.assert(
      fc.property(some, fc.array(step, { maxLength: 30 }), spans, (runs, steps, visible) => {
        sql.exec("DELETE FROM log");
        let head = 0;
        for (const { by, run } of runs) for (let i = 0; i < run; i++) put(++head, by);
        const counts = new UnreadCounts(new LogStore(sql), head);
        for (const { is, by, at } of steps) {
          const userId = members[by] as UserId;
          const seq = Math.ceil((head * at) / 100);
          if (is === "say") put(++head, by);
          if (is === "take away") {
            const [taken] = sql
              .exec<{ sender_id: UserId }>("UPDATE log SET kind = 'gone' WHERE seq = ? RETURNING sender_id", seq)
              .toArray();
            if (taken) counts.gone(seq, taken.sender_id);
          }
          if (is !== "ask") continue;
          const query =
            "SELECT count(*) AS n FROM log WHERE kind = 'message' AND sender_id <> ? AND seq > ? AND seq BETWEEN ? AND ?";
          const expected = visible.reduce(
            (sum, [from, to]) => sum + sql.exec<{ n: number }>(query, userId, seq, from, to ?? head).one().n,
            0,
          );
          expect(counts.of({ userId, role: "member", spans: visible }, seq, head)).toBe(expected);
        }
      }),
      { numRuns: 60 },
    );
  });
});
