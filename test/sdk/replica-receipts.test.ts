import { describe, expect, test } from "vitest";
import { heldOf } from "../../src/sdk/state.ts";
import { ReplicaState } from "../../src/sdk/stored.ts";
import { HERE, ME, messages, OTHER, Script, START, summary } from "./support/script.ts";

describe("receipts", () => {
  test("[CL-17] what came and what was read is told once, as one watermark, a moment later", () => {
    const script = new Script().open();
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 2) });
    script.hear({ type: "events", conversationId: HERE, events: messages(3, 3) });
    script.tell({ type: "read", conversationId: HERE, seq: 2 });
    expect(script.all("receipt")).toEqual([]);
    script.pass(250);
    expect(script.all("receipt")).toMatchObject([{ type: "receipt", conversationId: HERE, delivered: 3, read: 2 }]);
    script.pass(60_000);
    expect(script.all("receipt")).toHaveLength(1);
  });

  test("[CL-17] nothing is read that is not here, and one's own messages need no receipt", () => {
    const script = new Script().open().wish(1);
    script.ack(script.newest("send"), 1);
    script.pass(1_000);
    expect(script.all("receipt")).toEqual([]);
    script.tell({ type: "read", conversationId: HERE, seq: 99 });
    expect(heldOf(script.disk, HERE).read).toBe(1);
  });

  test("[CL-18] a receipt counts as told when something asked after it was answered; until then it is told again", () => {
    const script = new Script().open();
    script.hear({ type: "changed", conversations: [summary(0)] });
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 1) });
    script.wish(9).pass(250);
    script.refuse(script.newest("send"), "forbidden"); // it had left before the receipt, so its answer says nothing of that
    const again = new Script(script.disk).open();
    again.pass(250);
    expect(again.all("receipt")).toHaveLength(1);
    again.wish(1);
    again.ack(again.newest("send"), 2);
    expect(heldOf(again.disk, HERE).told).toEqual({ delivered: 1, read: 0 });
    const third = new Script(again.disk).open();
    third.pass(250);
    expect(third.all("receipt")).toEqual([]);
  });

  test("[CL-18] a receipt that is refused is told again, also after what was asked later was answered, and nothing else is", () => {
    const script = new Script().open();
    script.hear({ type: "changed", conversations: [summary(0)] });
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 2) });
    script.pass(250);
    const refused = script.newest("receipt");
    script.wish(1);
    script.ack(script.newest("send"), 3);
    expect(heldOf(script.disk, HERE).told).toEqual({ delivered: 2, read: 0 });
    script.wish(2); // its answer is still to come
    script.refuse(refused, "unavailable");
    script.pass(60_000);
    expect(script.all("receipt").map(({ delivered }) => delivered)).toEqual([2, 2]);
    expect(script.all("send")).toHaveLength(2);
  });

  test("[CL-18] what was read while offline is told on the next socket", () => {
    const script = new Script().open();
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 2) });
    script.tell({ type: "lost" });
    script.tell({ type: "read", conversationId: HERE, seq: 2 });
    script.open().pass(250);
    expect(script.newest("receipt")).toMatchObject({ delivered: 2, read: 2 });
  });

  test("[CL-18] a server that has lost a receipt is told again when it lists the conversation", () => {
    const script = new Script().open().wish(1);
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 1) });
    script.tell({ type: "read", conversationId: HERE, seq: 1 });
    script.pass(250);
    script.hear({ type: "changed", conversations: [summary(1)] });
    script.pass(250);
    expect(script.all("receipt")).toHaveLength(2);
  });

  test("[CL-18] also of what was cleared or deleted since: it was received all the same", () => {
    for (const taken of [{ floor: 3 }, { deleted: [{ from: 2, to: 2 }] }]) {
      const script = new Script().open();
      script.hear({ type: "events", conversationId: HERE, events: messages(1, 2) });
      script.pass(250);
      script.hear({ type: "changed", conversations: [summary(2, taken)] });
      script.pass(250);
      expect(script.newest("receipt")).toMatchObject({ delivered: 2, read: 0 });
      expect(script.all("receipt")).toHaveLength(2);
    }
  });

  test("[CL-19] what another device of mine read is read here, and not told again", () => {
    const script = new Script().open();
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 2) });
    script.hear({ type: "receipts", conversationId: HERE, receipts: [{ userId: ME, delivered: 2, read: 2, at: 1 }] });
    expect(heldOf(script.disk, HERE).read).toBe(2);
    script.pass(250);
    expect(script.all("receipt")).toEqual([]);
  });

  test("[CL-19] [CL-29] what another device of mine read or set is taken over, live or as listed", () => {
    const script = new Script().open();
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 3) });
    const mine = { mutedUntil: START + 1, mentionsPierce: true, pinned: true, archived: false };
    script.hear({ type: "self", conversations: [{ conversationId: HERE, readSeq: 3 }] });
    script.hear({ type: "self", conversations: [{ conversationId: HERE, mine }] });
    expect(heldOf(script.disk, HERE)).toMatchObject({ read: 3, mine });
    script.pass(250);
    expect(script.all("receipt")).toEqual([]);
    script.hear({ type: "changed", conversations: [summary(3, { readSeq: 2, archived: true })] });
    expect(heldOf(script.disk, HERE)).toMatchObject({ read: 3, mine: { pinned: false, archived: true } });
    script.tell({ type: "set", conversationId: HERE, mine });
    expect(heldOf(script.disk, HERE).mine).toEqual(mine);
  });

  test("[CL-29] a state that an older client stored is read, with its outbox", () => {
    const script = new Script().open().wish(1);
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 2) });
    const older = structuredClone(script.disk) as { conversations: Record<string, object> };
    for (const held of Object.values(older.conversations)) {
      for (const name of ["ticks", "mine", "memberCount"]) Reflect.deleteProperty(held, name);
      Object.assign(held, { receipts: { [OTHER]: { delivered: 1, read: 1 } } });
    }
    expect(ReplicaState.parse(older)).toEqual(script.disk);
    expect(script.disk.outbox).toHaveLength(1);
  });

  test("[CL-28] the ticks only rise, live or as listed", () => {
    const script = new Script().open();
    const tick = (delivered: number, read: number) =>
      script.hear({ type: "receipts", conversationId: HERE, receipts: [], ticks: { delivered, read } });
    tick(3, 1);
    tick(2, 2);
    const receipts = [{ userId: OTHER, delivered: 9, read: 9, at: 1 }];
    script.hear({ type: "receipts", conversationId: HERE, receipts });
    expect(heldOf(script.disk, HERE).ticks).toEqual({ delivered: 3, read: 2, except: [] });
    script.hear({ type: "changed", conversations: [summary(0, { ticks: { delivered: 4, read: 0 } })] });
    script.hear({ type: "changed", conversations: [summary(0)] }); // a crowd by now
    expect(heldOf(script.disk, HERE).ticks).toEqual({ delivered: 4, read: 2, except: [] });
  });

  test.each([
    [0, 1],
    [256, 0],
    [257, 1],
  ])("[CL-33] of %i members, what was told on a lost socket is owed again: %i", (memberCount, again) => {
    const script = new Script().open();
    if (memberCount > 0) script.hear({ type: "changed", conversations: [summary(0, { memberCount })] });
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 2) });
    script.pass(250);
    script.wish(1);
    script.ack(script.newest("send"), 3);
    script.pass(60_000);
    expect(script.all("receipt")).toHaveLength(1);
    script.tell({ type: "lost" });
    script.open().pass(250);
    expect(script.all("receipt")).toHaveLength(1 + again);
  });
});
