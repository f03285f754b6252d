import { describe, expect, test } from "vitest";
import { heldOf } from "../../src/sdk/state.ts";
import { HERE, ME, message, messages, OTHER, Script, summary } from "./support/script.ts";

describe("receipts", () => {
  test("[CL-17] what came and what was read is told once, as one watermark, a moment later", () => {
    const script = new Script().open();
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 2) });
    script.hear({ type: "events", conversationId: HERE, events: messages(3, 3) });
    script.tell({ type: "read", conversationId: HERE, seq: 2 });
    expect(script.all("receipt")).toEqual([]);
    script.pass(250);
    expect(script.all("receipt")).toEqual([{ type: "receipt", conversationId: HERE, delivered: 3, read: 2 }]);
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

  test("[CL-19] what another device of mine read is read here, and not told again", () => {
    const script = new Script().open();
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 2) });
    script.hear({ type: "receipts", conversationId: HERE, receipts: [{ userId: ME, delivered: 2, read: 2, at: 1 }] });
    expect(heldOf(script.disk, HERE).read).toBe(2);
    script.pass(250);
    expect(script.all("receipt")).toEqual([]);
  });

  test("[CL-19] the ticks of others only rise, live or as listed", () => {
    const script = new Script().open();
    const tick = (delivered: number, read: number) =>
      script.hear({ type: "receipts", conversationId: HERE, receipts: [{ userId: OTHER, delivered, read, at: 1 }] });
    tick(3, 1);
    tick(2, 2);
    expect(heldOf(script.disk, HERE).receipts).toEqual({ [OTHER]: { delivered: 3, read: 2 } });
    const receipts = [{ userId: OTHER, delivered: 4, read: 0, at: 2 }];
    script.hear({ type: "changed", conversations: [summary(0, { receipts })] });
    expect(heldOf(script.disk, HERE).receipts).toEqual({ [OTHER]: { delivered: 4, read: 2 } });
    expect(message(1).senderId).toBe(OTHER);
  });
});
