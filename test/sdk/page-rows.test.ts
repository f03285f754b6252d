import { describe, expect, test } from "vitest";
import { Content } from "../../src/protocol/events.ts";
import { applyChange, heldOf, NOTHING_STORED, type ReplicaState } from "../../src/sdk/index.ts";
import { listOf, rowsOf, unreadOf } from "../../web/rows.ts";
import { HERE, key, ME, message, messages, Script, START } from "./support/script.ts";

const MINE = { mentionsPierce: false, pinned: false, archived: false };
const ticks = (state: ReplicaState) =>
  rowsOf(state, HERE, { me: ME, now: START }).map((row) => (row.is === "message" ? row.tick : row.is));

/** Two messages of mine in the log, and what everybody else has received. */
const withTicks = (...told: [number, number][]) => {
  const script = new Script().open();
  script.hear({ type: "events", conversationId: HERE, events: [message(1, key(1)), message(2, key(2))] });
  for (const [delivered, read] of told)
    script.hear({ type: "receipts", conversationId: HERE, receipts: [], ticks: { delivered, read } });
  return script.disk;
};

describe("rows", () => {
  test("[CL-25] [CL-28] the ticks are the server's word on everybody else, and no message's goes back", () => {
    expect(ticks(withTicks())).toEqual(["sent", "sent"]);
    expect(ticks(withTicks([1, 0]))).toEqual(["delivered", "sent"]);
    expect(ticks(withTicks([2, 1]))).toEqual(["read", "delivered"]);
    expect(ticks(withTicks([2, 1], [0, 0]))).toEqual(["read", "delivered"]);
  });

  test("a message keeps its row on its way from the outbox into the log", () => {
    const script = new Script().wish(1).open();
    const rowKeys = () => rowsOf(script.disk, HERE, { me: ME, now: START }).map((row) => row.key);
    const before = rowKeys();
    expect(ticks(script.disk)).toEqual(["queued"]);
    script.ack(script.newest("send"), 2);
    expect(ticks(script.disk)).toEqual(["sent"]);
    expect(rowKeys()).toEqual(before);
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 1) });
    expect(rowKeys()).toEqual(["1", ...before]);
  });

  test("a refused message says why; others' messages have no tick; unread are others' past what was read", () => {
    const script = new Script().open().wish(1);
    script.refuse(script.newest("send"), "not_member");
    script.hear({
      type: "events",
      conversationId: HERE,
      events: [...messages(1, 2), message(3, key(9)), ...messages(4, 4)],
    });
    expect(ticks(script.disk)).toEqual([null, null, "sent", null, "failed"]);
    expect(rowsOf(script.disk, HERE, { me: ME, now: START }).at(-1)).toMatchObject({
      code: "not_member",
      wishId: key(1),
    });
    expect(unreadOf(heldOf(script.disk, HERE), { me: ME, now: START })).toBe(3);
    script.tell({ type: "read", conversationId: HERE, seq: 1 });
    expect(unreadOf(heldOf(script.disk, HERE), { me: ME, now: START })).toBe(2);
  });

  test("the newest conversation is first, whether it was heard from or written to", () => {
    const older = new Script().open();
    older.hear({ type: "events", conversationId: HERE, events: messages(1, 1) });
    const there = "g00000000000000000000000002" as typeof HERE;
    const event = { ...message(1), conversationId: there, occurredAt: message(1).occurredAt + 10 };
    const both = applyChange(older.disk, { type: "grew", conversationId: there, covered: 1, events: [event] });
    expect(listOf(both, { me: ME, now: START }).map(({ id, unread }) => [id, unread])).toEqual([
      [there, 1],
      [HERE, 1],
    ]);
    const script = new Script(both);
    script.now += 60_000;
    expect(listOf(script.wish(1).disk, { me: ME, now: START })[0]).toMatchObject({ id: HERE, waiting: 1 });
    expect(listOf(NOTHING_STORED, { me: ME, now: START })).toEqual([]);
  });

  test("[AP-25] [LM-23] [LM-24] a caption may be changed as a text may, but not what was passed on", () => {
    const picture = {
      type: "media",
      mediaId: "01J00000000000000000000003",
      contentType: "image/png",
      bytes: 9,
    } as const;
    const contents = [
      { type: "text", text: "mine" },
      { type: "text", text: "somebody's", forwards: 2 },
      picture,
      { ...picture, caption: "somebody's", forwards: 1 },
    ].map((content) => Content.parse(content));
    const events = contents.map((content, i) => ({ ...message(i + 1, key(i + 1)), content }));
    const script = new Script().open();
    script.hear({ type: "events", conversationId: HERE, events });
    const rows = rowsOf(script.disk, HERE, { me: ME, now: START });
    expect(rows.map((row) => row.is === "message" && [row.may.edit, row.forwards])).toEqual([
      ...[
        [true, 0],
        [false, 2],
        [true, 0],
        [false, 1],
      ],
    ]);
  });

  test("[LM-22] a message that this device never held says that others hold it", () => {
    const script = new Script().open();
    const content = { type: "gone", because: "expired", delivered: true } as const;
    script.hear({ type: "events", conversationId: HERE, events: [{ ...message(1), content }] });
    expect(rowsOf(script.disk, HERE, { me: ME, now: START })).toMatchObject([{ gone: "delivered" }]);
  });

  test("[CL-36] what is pinned is first, however old", () => {
    const script = new Script().open();
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 1) });
    const there = "g00000000000000000000000002" as typeof HERE;
    const event = { ...message(1), conversationId: there, occurredAt: message(1).occurredAt + 10 };
    script.hear({ type: "events", conversationId: there, events: [event] });
    const ids = () => listOf(script.disk, { me: ME, now: START }).map(({ id }) => id);
    expect(ids()).toEqual([there, HERE]);
    script.hear({ type: "self", conversations: [{ conversationId: HERE, mine: { ...MINE, pinned: true } }] });
    expect(ids()).toEqual([HERE, there]);
  });
});
