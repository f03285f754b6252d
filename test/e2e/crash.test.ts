import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Event, MessageEvent } from "../../src/protocol/events.ts";
import { checkHistory, type Facts } from "./support/check.ts";
import { type CrashReport, crashRun } from "./support/crash.ts";
import { type Server, startServer } from "./support/server.ts";

describe("kill -9 under load", () => {
  const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
  let server: Server;
  let run: CrashReport;
  beforeAll(async () => {
    server = await startServer();
    run = await crashRun(server, { seed, rounds: 3, loadMs: [400, 1_500] });
  });
  afterAll(() => server?.remove());

  test(`[CR-1] [CR-2] [CR-3] [CR-4] [CR-5] [CR-6] nothing acked is lost, repeated, moved or changed, on any device (seed ${seed})`, () => {
    expect(checkHistory(run.facts)).toEqual([]);
  });

  test(`[CR-7] no client was ever answered outside the contract, and history was shipped (seed ${seed})`, () => {
    expect(run.faults).toEqual([]);
  });

  test("the run was worth something", () => {
    expect(run.acked).toBeGreaterThan(200);
    expect(run.facts.unacked).toEqual([]);
    expect(run.facts.sights.every((sight) => sight.events.length > 0)).toBe(true);
  });
});

describe("the checker finds what it is there to find", () => {
  const id = "g00000000000000000000000001";
  const message = (seq: number, key = `K${seq}`, text = `text ${seq}`) =>
    ({
      ...{
        conversationId: id,
        seq,
        eventId: `E${seq}`,
        senderId: "U",
        deviceId: "D",
        idempotencyKey: key,
        kind: "message",
      },
      ...{ composedAt: 100, sentAt: 110, receivedAt: 200, occurredAt: 190, content: { type: "text", text } },
    }) as unknown as MessageEvent;
  const log = [1, 2, 3].map((seq) => message(seq));
  const sight = (events: Event[], who = "a") => ({ who, conversationId: id, floor: 1, events });
  const wish = (n: number) => ({
    ...{ number: n, conversationId: id, key: `K${n}`, text: `text ${n}`, composedAt: 100, reminted: 0, deviceId: "D" },
    ack: { conversationId: id, seq: n, eventId: `E${n}`, receivedAt: 200, occurredAt: 190, duplicate: false } as never,
  });
  const facts = (events: Event[], others: Partial<Facts> = {}): Facts => ({
    sights: [sight(events), sight(events, "b")],
    heads: new Map([[id, events.length]]),
    acked: [1, 2, 3].map(wish),
    unacked: [],
    ...others,
  });

  test("a whole history has no faults", () => expect(checkHistory(facts(log))).toEqual([]));

  test.each<[string, Facts, RegExp]>([
    ["[CR-1] a lost message", facts(log.slice(0, 2)), /acked text 3 .* is not there/],
    [
      "[CR-1] a message that moved",
      facts([message(1, "K2", "text 2"), message(2, "K1", "text 1"), message(3)]),
      /acked text 1 .* is /,
    ],
    [
      "[CR-1] an eventId that changed",
      facts([message(1), { ...message(2), eventId: "X" } as never, message(3)]),
      /acked text 2 .* is /,
    ],
    ["[CR-2] a gap", facts(log, { sights: [sight([message(1), message(3)]), sight(log, "b")] }), /stands at place 2/],
    [
      "[CR-2] a log that ends early",
      facts(log, { sights: [sight(log.slice(0, 2)), sight(log, "b")] }),
      /holds up to 2, the head is 3/,
    ],
    [
      "[CR-3] two devices that differ",
      facts(log, { sights: [sight(log), sight([...log.slice(0, 2), message(3, "K3", "other")], "b")] }),
      /b .* differs/,
    ],
    ["[CR-4] a message twice", facts([...log, message(4, "K3", "text 3")]), /key D K3: at 3 and at 4/],
    ["[CR-4] a wish twice under two keys", facts([...log, message(4, "K4", "text 3")]), /text 3: at 3 and at 4/],
    ["[CR-4] a message nobody wished for", facts([...log, message(4)]), /nobody wished for text 4/],
    [
      "[CR-5] a sender's order",
      facts([message(1), message(2, "K3", "text 3"), message(3, "K2", "text 2")]),
      /key K2 after K3/,
    ],
    [
      "[CR-6] a time that is wrong",
      facts([{ ...message(1), occurredAt: 200 } as never, ...log.slice(1)]),
      /occurred at 200, not 190/,
    ],
  ])("it finds %s", (_, broken, expected) => {
    expect(checkHistory(broken).join("\n")).toMatch(expected);
  });
});
