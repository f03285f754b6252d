import { describe, expect, test } from "vitest";
import { NOTHING_STORED } from "../../src/sdk/state.ts";
import { HERE, message, messages, Script, summary } from "./support/script.ts";

const ORDINARY = 1_700;

describe("opening", () => {
  test("[CL-2] says hello with the stored cursor and nothing else until it is welcomed", () => {
    const script = new Script({ ...NOTHING_STORED, cursor: "E.7" }).wish(1);
    script.tell({ type: "opened" });
    expect(script.sent).toEqual([{ type: "hello", id: 1, version: 1, cursor: "E.7" }]);
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 1) });
    expect(script.seqs).toEqual([]);
    expect(script.replica.phase).toBe("greeting");
  });

  test("[CL-2] a hello that is refused for now is said again; one refused for good is told", () => {
    const script = new Script();
    script.tell({ type: "opened" });
    script.refuse(script.newest("hello"), "unavailable", 3_000);
    expect(script.last?.wakeAt).toBe(script.now + 3_000);
    script.pass(3_000);
    expect(script.all("hello")).toHaveLength(2);
    expect(script.refuse(script.newest("hello"), "unsupported_version").refused).toBe("unsupported_version");
  });

  test("[CL-3] reset: forgets cursor and logs, keeps the outbox, and syncs everything anew", () => {
    const script = new Script().open();
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 3) });
    script.hear({ type: "caught_up", cursor: "E.1" });
    script.tell({ type: "lost" });
    script.wish(1).open("reset");
    expect(script.disk).toMatchObject({ cursor: null, conversations: {} });
    expect(script.newest("send").idempotencyKey).toBe(script.disk.outbox[0]?.idempotencyKey);
    script.hear({ type: "changed", conversations: [summary(3)] });
    expect(script.newest("pull").after).toBe(0);
    script.page(1, 3);
    expect(script.seqs).toEqual([1, 2, 3]);
  });

  test("[CL-5] a welcome that comes twice does not reset twice", () => {
    const script = new Script().open("reset");
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 2) });
    script.hear({
      type: "welcome",
      id: 1,
      userId: message(1).senderId,
      deviceId: message(1).deviceId,
      mode: "reset",
      serverTime: ORDINARY,
    });
    expect(script.seqs).toEqual([1, 2]);
  });
});

describe("reading", () => {
  test("[CL-4] events past a gap wait until it is pulled, and are not pulled again", () => {
    const script = new Script().open();
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 2) });
    script.hear({ type: "events", conversationId: HERE, events: messages(5, 6) });
    expect(script.seqs).toEqual([1, 2]);
    expect(script.newest("pull")).toMatchObject({ conversationId: HERE, after: 2 });
    script.hear({ type: "events", conversationId: HERE, events: messages(7, 7) });
    script.page(3, 6);
    expect(script.seqs).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(script.all("pull")).toHaveLength(1);
  });

  test("[CL-5] what comes twice is taken once", () => {
    const script = new Script().open();
    const frame = { type: "events", conversationId: HERE, events: messages(1, 3) } as const;
    script.hear(frame);
    expect(script.hear(frame).store).toEqual([]);
    script.hear({ type: "events", conversationId: HERE, events: messages(2, 4) });
    expect(script.seqs).toEqual([1, 2, 3, 4]);
    expect(script.all("pull")).toEqual([]);
  });

  test("[CL-6] what a page steps over is not mine to see, so it is no gap; pulls go on until the head is reached", () => {
    const script = new Script().open();
    script.hear({ type: "changed", conversations: [summary(9)] });
    script.page(1, 2, 9);
    expect(script.newest("pull").after).toBe(2);
    script.page(6, 8, 9); // I was out from 3 to 5
    expect(script.covered).toBe(8);
    script.page(10, 9, 9); // and 9 is not mine either
    expect(script.covered).toBe(9);
    expect(script.all("pull")).toHaveLength(3);
    expect(script.seqs).toEqual([1, 2, 6, 7, 8]);
  });

  test("[CL-6] a head that a page does not confirm is let go", () => {
    const script = new Script().open();
    script.hear({ type: "changed", conversations: [summary(9)] });
    script.hear({ type: "caught_up", cursor: "E.1" });
    script.page(1, 2, 2);
    expect(script.all("pull")).toHaveLength(1);
    expect(script.disk.cursor).toBe("E.1");
  });

  test("[CL-6] a head that was heard of while the pull was under way is pulled next", () => {
    const script = new Script().open();
    script.hear({ type: "changed", conversations: [summary(2)] });
    script.hear({ type: "changed", conversations: [summary(4)] });
    script.page(1, 2, 2);
    expect(script.newest("pull").after).toBe(2);
    script.page(3, 4);
    expect(script.seqs).toEqual([1, 2, 3, 4]);
  });

  test("[CL-7] a conversation named by its id alone is pulled, and again when it is named meanwhile", () => {
    const script = new Script().open();
    script.hear({ type: "changed", conversations: [{ conversationId: HERE }] });
    script.hear({ type: "changed", conversations: [{ conversationId: HERE }] });
    script.page(1, 2);
    expect(script.all("pull")).toHaveLength(2);
    script.page(3, 2, 2);
    expect(script.all("pull")).toHaveLength(2);
  });

  test("[CL-7] a pull refused for now is tried again, ever later; not found lets the conversation go", () => {
    const script = new Script().open();
    script.hear({ type: "changed", conversations: [summary(2)] });
    script.hear({ type: "caught_up", cursor: "E.1" });
    script.refuse(script.newest("pull"), "unavailable", 1_000);
    expect(script.last?.wakeAt).toBe(script.now + 250); // the receipt comes first
    script.pass(999);
    expect(script.all("pull")).toHaveLength(1);
    script.pass(1);
    expect(script.all("pull")).toHaveLength(2);
    script.refuse(script.newest("pull"), "internal", 1_000);
    expect(script.last?.wakeAt).toBe(script.now + 2_000);
    expect(script.disk.cursor).toBeNull();
    script.pass(2_000);
    script.refuse(script.newest("pull"), "not_found");
    script.pass(60_000);
    expect(script.all("pull")).toHaveLength(3);
    expect(script.disk.cursor).toBe("E.1");
  });

  test("[CL-7] at most eight pulls are under way at a time", () => {
    const script = new Script().open();
    const many = Array.from({ length: 20 }, (_, i) => `g${`${i}`.padStart(26, "0")}` as typeof HERE);
    script.hear({ type: "changed", conversations: many.map((conversationId) => ({ conversationId })) });
    expect(script.all("pull")).toHaveLength(8);
    for (let i = 0; i < 20; i++) {
      const { id = 0, conversationId } = script.all("pull")[i] ?? script.newest("pull");
      script.hear({ type: "page", id, conversationId, events: [], head: 0, floor: 1 });
    }
    expect(new Set(script.all("pull").map(({ conversationId }) => conversationId)).size).toBe(20);
  });
});

describe("the cursor", () => {
  test("[CL-8] is taken once everything sent before it is stored, in the same step, and told", () => {
    const script = new Script().open();
    script.hear({ type: "changed", conversations: [summary(4)] });
    expect(script.hear({ type: "caught_up", cursor: "E.3" }).store).toEqual([]);
    expect(script.replica.phase).toBe("catching_up");
    script.page(1, 2, 4);
    expect(script.disk.cursor).toBeNull();
    const { store, frames } = script.page(3, 4);
    expect(store.map(({ type }) => type)).toEqual(["grew", "cursor"]);
    expect(frames).toContainEqual({ type: "cursor", cursor: "E.3" });
    expect(script.replica.phase).toBe("live");
  });

  test("[CL-8] does not wait for what comes after it", () => {
    const script = new Script().open();
    script.hear({ type: "changed", conversations: [summary(2)] });
    script.hear({ type: "caught_up", cursor: "E.3" });
    script.hear({ type: "events", conversationId: HERE, events: messages(9, 9) });
    script.page(1, 2, 9);
    expect(script.disk.cursor).toBe("E.3");
    expect(script.covered).toBe(2);
  });

  test("[CL-8] dies with its socket", () => {
    const script = new Script().open();
    script.hear({ type: "changed", conversations: [summary(2)] });
    script.hear({ type: "caught_up", cursor: "E.3" });
    script.tell({ type: "lost" });
    script.open();
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 2) });
    expect(script.newest("hello").cursor).toBeNull();
    expect(script.disk.cursor).toBeNull();
  });
});
