import { describe, expect, test } from "vitest";
import { SENDS_IN_FLIGHT } from "../../src/sdk/lanes.ts";
import { PACE } from "../../src/sdk/pace.ts";
import { Replica } from "../../src/sdk/replica.ts";
import { conversationId } from "./support/ids.ts";
import { HERE, key, message, messages, Script } from "./support/script.ts";

const keysOf = (script: Script) => script.all("send").map(({ idempotencyKey }) => idempotencyKey);

describe("the outbox", () => {
  test("[CL-9] a wish is stored before it is sent, and its ack makes the event", () => {
    const script = new Script().open();
    const { store, frames } = script.wish(1).last ?? { store: [], frames: [] };
    expect(store.map(({ type }) => type)).toEqual(["entry", "entry"]);
    expect(frames.map(({ type }) => type)).toEqual(["send"]);
    script.ack(script.newest("send"), 1);
    expect(script.seqs).toEqual([1]);
    expect(script.disk.conversations[HERE]?.events[0]).toMatchObject({ sentAt: script.now, idempotencyKey: key(1) });
    expect(script.outbox).toEqual([]);
    expect(script.outcomes).toEqual([{ wishId: key(1), seq: 1 }]);
  });

  test("[CL-9] an ack that leaves a gap keeps the wish on the screen until its event is pulled", () => {
    const script = new Script().open().wish(1);
    script.ack(script.newest("send"), 3);
    expect(script.outbox).toEqual([`${key(1)} acked`]);
    expect(script.newest("pull").after).toBe(0);
    const { id = 0 } = script.newest("pull");
    script.hear({ type: "page", id, conversationId: HERE, events: messages(1, 2), head: 2, floor: 1 });
    expect(script.seqs).toEqual([1, 2, 3]);
    expect(script.outbox).toEqual([]);
    expect(script.outcomes).toHaveLength(1);
  });

  test("[CL-9] the ack of a repeat is not the whole event: that is pulled", () => {
    const script = new Script().open().wish(1);
    script.ack(script.newest("send"), 1, true);
    expect(script.seqs).toEqual([]);
    expect(script.outbox).toEqual([`${key(1)} acked`]);
    const { id = 0 } = script.newest("pull");
    script.hear({ type: "page", id, conversationId: HERE, events: [message(1, key(1))], head: 1, floor: 1 });
    expect(script.seqs).toEqual([1]);
    expect(script.outbox).toEqual([]);
  });

  test("[CL-9] an acked wish whose event is not mine to see any more leaves the screen", () => {
    const script = new Script().open().wish(1);
    script.ack(script.newest("send"), 3);
    script.refuse(script.newest("pull"), "not_found");
    expect(script.outbox).toEqual([]);
  });

  test("[CL-9] an acked wish survives a crash before its event was pulled", () => {
    const script = new Script().open().wish(1);
    script.ack(script.newest("send"), 3);
    const again = new Script(script.disk).open();
    expect(again.all("send")).toEqual([]);
    expect(again.newest("pull").after).toBe(0);
  });

  test("[CL-9] the event in the log is the ack, where that was lost", () => {
    const script = new Script().open().wish(1);
    script.tell({ type: "lost" });
    script.open();
    const resent = script.newest("send");
    script.hear({ type: "events", conversationId: HERE, events: [message(1, key(1))] });
    expect(script.outbox).toEqual([]);
    expect(script.outcomes).toEqual([{ wishId: key(1), seq: 1 }]);
    script.ack(resent, 1, true);
    expect(script.outcomes).toHaveLength(1);
    expect(script.seqs).toEqual([1]);
  });

  test("[CL-10] sends in order, a window at a time, and again in order after a reconnect", () => {
    const script = new Script();
    const all = Array.from({ length: SENDS_IN_FLIGHT + 3 }, (_, i) => i + 1);
    for (const n of all) script.wish(n);
    script.open();
    expect(keysOf(script)).toEqual(all.slice(0, SENDS_IN_FLIGHT).map(key));
    script.ack(script.all("send")[0] ?? script.newest("send"), 1);
    expect(keysOf(script).at(-1)).toBe(key(SENDS_IN_FLIGHT + 1));
    script.tell({ type: "lost" });
    script.sent.length = 0;
    script.open();
    expect(keysOf(script)).toEqual(all.slice(1, SENDS_IN_FLIGHT + 1).map(key));
  });

  test("[CL-11] after a refusal for now everything open goes out again in order, not before the server said", () => {
    const script = new Script().open().wish(1).wish(2).wish(3);
    const [first, second, third] = script.all("send");
    script.refuse(first ?? {}, "unavailable", 5_000);
    script.refuse(second ?? {}, "unavailable", 5_000);
    script.pass(4_999);
    expect(script.all("send")).toHaveLength(3);
    script.pass(1);
    expect(keysOf(script).slice(3)).toEqual([key(1), key(2), key(3)]);
    script.refuse(third ?? {}, "forbidden"); // an answer to the first attempt says nothing about the second
    expect(script.outbox).toEqual([1, 2, 3].map((n) => `${key(n)} waiting`));
  });

  test("[CL-11] a wish refused for now is repeated though its event was seen meanwhile: the server holds up what is behind it", () => {
    const script = new Script().open().wish(1);
    script.refuse(script.newest("send"), "unavailable", 1_000);
    script.hear({ type: "events", conversationId: HERE, events: [message(1, key(1))] });
    script.wish(2);
    expect(script.outbox).toEqual([`${key(2)} waiting`]);
    script.pass(1_000);
    expect(keysOf(script)).toEqual([key(1), key(1), key(2)]);
    script.refuse(script.all("send")[1] ?? {}, "unavailable", 1_000);
    script.pass(2_000);
    expect(keysOf(script).slice(3)).toEqual([key(1), key(2)]);
    script.ack(script.all("send")[3] ?? script.newest("send"), 1, true);
    expect(script.outcomes).toEqual([{ wishId: key(1), seq: 1 }]);
    script.tell({ type: "woke" });
    expect(script.all("send")).toHaveLength(5);
  });

  test("[CL-11] a refusal of the session is not the wish's fault", () => {
    const script = new Script().open().wish(1);
    script.refuse(script.newest("send"), "token_expired");
    expect(script.outbox).toEqual([`${key(1)} waiting`]);
  });

  test("[CL-12] a wish refused for good stays as failed, holds up nobody, and can be taken away", () => {
    const script = new Script().open().wish(1).wish(2);
    const [first, second] = script.all("send");
    script.refuse(first ?? {}, "not_member");
    script.ack(second ?? script.newest("send"), 1);
    expect(script.outbox).toEqual([`${key(1)} failed`]);
    expect(script.outcomes).toContainEqual({ wishId: key(1), code: "not_member" });
    script.tell({ type: "lost" });
    script.open();
    expect(script.all("send")).toHaveLength(2);
    script.tell({ type: "discarded", wishId: key(1) });
    expect(script.outbox).toEqual([]);
  });

  test("[CL-13] [CL-14] a key that is too old gets a new one, with those behind, once all that may have been appended are answered", () => {
    const script = new Script().open().wish(1).wish(2);
    const [first, second] = script.all("send");
    expect(script.refuse(first ?? {}, "key_out_of_order").mint).toEqual([]);
    script.wish(3);
    expect(script.all("send")).toHaveLength(2);
    const { mint } = script.refuse(second ?? {}, "key_out_of_order");
    expect(mint).toEqual([{ conversationId: HERE, wishIds: [key(1), key(2), key(3)], above: key(3) }]);
    script.wish(4);
    expect(script.all("send")).toHaveLength(2);
    const keys = [1, 2, 3].map((n) => ({ wishId: key(n), idempotencyKey: key(100 + n) }));
    script.tell({ type: "minted", conversationId: HERE, keys });
    expect(keysOf(script).slice(2)).toEqual([key(101), key(102), key(103), key(4)]);
    script.ack(script.all("send")[2] ?? script.newest("send"), 1);
    expect(script.outcomes).toEqual([{ wishId: key(1), seq: 1 }]);
  });

  test("[CL-13] a key that is too old again and again is not minted in a hot loop", () => {
    const script = new Script().open().wish(1);
    expect(script.refuse(script.newest("send"), "key_out_of_order").mint).toHaveLength(1);
    script.tell({ type: "minted", conversationId: HERE, keys: [{ wishId: key(1), idempotencyKey: key(2) }] });
    expect(script.refuse(script.newest("send"), "key_out_of_order").mint).toEqual([]);
    expect(script.pass(2_000).mint).toHaveLength(1);
  });

  test("[CL-20] after a refusal that names no frame everything open is asked again", () => {
    const script = new Script().open().wish(1);
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 1) });
    script.pass(250);
    script.hear({ type: "changed", conversations: [{ conversationId: conversationId(2) }] });
    script.refuse({}, "rate_limited", 1_000);
    script.pass(1_000);
    expect(keysOf(script)).toEqual([key(1), key(1)]);
    expect(script.all("pull")).toHaveLength(2);
    expect(script.all("receipt")).toHaveLength(2);
  });

  test("[CL-21] a clock that is put back does not put off what is due", () => {
    const script = new Script().open().wish(1);
    script.refuse(script.newest("send"), "unavailable", 1_000);
    script.now -= 3_600_000;
    const { wakeAt } = script.tell({ type: "woke" });
    expect(wakeAt).toBe(script.now + 1_000);
    script.pass(1_000);
    expect(script.newest("send").sentAt).toBe(script.now);
    expect(script.all("send")).toHaveLength(2);
  });

  test("[CL-22] a long outbox leaves at the pace that servers admit", () => {
    const script = new Script();
    for (let n = 1; n <= 600; n++) script.wish(n);
    script.open();
    let acked = 0;
    const ackAll = () => {
      for (let send = script.all("send")[acked]; send; send = script.all("send")[acked]) script.ack(send, ++acked);
    };
    ackAll();
    expect(acked).toBe(PACE.burst);
    script.pass(1_000);
    ackAll();
    expect(acked).toBe(PACE.burst + PACE.perSecond);
    while (script.last?.wakeAt && acked < 600) {
      script.pass(Math.max(1, script.last.wakeAt - script.now));
      ackAll();
    }
    expect(acked).toBe(600);
    expect(script.outbox).toEqual([]);
  });

  test("[CL-1] the same happenings lead to the same effects", () => {
    const script = new Script();
    const [one, two] = [new Replica(), new Replica()].map((replica) => replica.handle({ type: "opened" }, script.now));
    expect(one).toEqual(two);
  });
});
