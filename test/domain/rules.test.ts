import * as fc from "fast-check";
import { expect, test } from "vitest";

import { decideAppend, decideRepeat, isNewKey } from "../../src/domain/append.ts";
import { HOLD_MS, type Holds, holdAt, mayPass, releaseAt } from "../../src/domain/lane.ts";
import type { Membership } from "../../src/domain/membership.ts";
import { receive } from "../../src/domain/receipts.ts";
import { backoffMs } from "../../src/domain/retry.ts";
import { BUCKETS, bucketOf, parseShards } from "../../src/domain/shards.ts";
import { occurredAt } from "../../src/domain/time.ts";
import { fullBucket, take } from "../../src/domain/token-bucket.ts";
import { NO_TRAIL, standing } from "../../src/domain/trail.ts";
import type { DeviceId, IdempotencyKey, UserId } from "../../src/protocol/ids.ts";
import { always } from "../property.ts";

const key = (k: string) => k as IdempotencyKey;
const phone = "phone" as DeviceId;
const text = (words: string) => ({ kind: "message" as const, content: { type: "text" as const, text: words } });

test("[EV-3] occurredAt keeps the device's own delay and drops its clock's error, and is never later than receivedAt", () => {
  always(
    fc.property(fc.nat(1e9), fc.nat(1e6), fc.integer({ min: -1e8, max: 1e8 }), (receivedAt, delay, error) => {
      const sentAt = receivedAt + error;
      const at = occurredAt({ composedAt: sentAt - delay, sentAt, receivedAt });
      expect(at).toBe(Math.max(0, receivedAt - delay));
      expect(occurredAt({ composedAt: sentAt + delay, sentAt, receivedAt })).toBe(receivedAt);
    }),
  );
});

test("[EO-1] [EO-2] [EO-3] [EO-4] what a key says", () => {
  expect(isNewKey(undefined, key("A"))).toBe(true);
  expect(isNewKey(key("A"), key("B"))).toBe(true);
  expect(isNewKey(key("B"), key("B"))).toBe(false);
  expect(isNewKey(key("B"), key("A"))).toBe(false);
  expect(decideRepeat(text("a"), text("a"))).toMatchObject({ ok: true });
  expect(decideRepeat(text("a"), text("b"))).toMatchObject({ code: "idempotency_conflict" });
  expect(decideRepeat(undefined, text("a"))).toMatchObject({ code: "key_out_of_order" });
});

test("[GR-1] [GR-2] [EV-4] who may append what", () => {
  const member: Membership = { userId: "ann" as UserId, role: "member", spans: [[1, null]] };
  expect(decideAppend(undefined, 3, text("x"))).toMatchObject({ code: "not_found" });
  expect(decideAppend({ ...member, spans: [[1, 2]] }, 3, text("x"))).toMatchObject({ code: "not_member" });
  const reply = (replyTo: number) => ({
    kind: "message" as const,
    content: { type: "text" as const, text: "re", replyTo },
  });
  expect(decideAppend(member, 3, reply(3))).toMatchObject({ ok: true });
  expect(decideAppend(member, 3, reply(4))).toMatchObject({ code: "invalid_request" });
});

test("[SD-2] after a failure newer wishes of that device wait until the failed one is repeated, or the hold runs out", () => {
  const wish = (k: string, deviceId = phone) => ({ deviceId, idempotencyKey: key(k) });
  const holds = holdAt(new Map() as Holds, [wish("C"), wish("B")], 0);
  expect(mayPass(holds, wish("D"), 1)).toBe(false);
  expect(mayPass(holds, wish("D", "laptop" as DeviceId), 1)).toBe(true);
  expect(mayPass(holds, wish("B"), 1)).toBe(true);
  expect(mayPass(releaseAt(holds, wish("B")), wish("D"), 1)).toBe(true);
  expect(releaseAt(holds, wish("C"))).toBe(holds);
  expect(mayPass(holds, wish("D"), HOLD_MS)).toBe(true);
});

test("[RC-1] [RC-2] [RC-3] watermarks only rise, read pulls delivered along, and neither passes the head", () => {
  const moves = fc.array(
    fc.record({
      delivered: fc.option(fc.nat(12), { nil: undefined }),
      read: fc.option(fc.nat(12), { nil: undefined }),
    }),
  );
  always(
    fc.property(moves, (steps) => {
      let trail = NO_TRAIL;
      steps.forEach((step, i) => {
        const marks = { delivered: standing(trail, "delivered"), read: standing(trail, "read") };
        const received = receive(trail, step, { shows: "everyone", head: 10, now: i + 1, keep: 4 });
        const next = received.ok
          ? {
              ok: true as const,
              value: { delivered: standing(received.value, "delivered"), read: standing(received.value, "read") },
            }
          : received;
        expect(next.ok).toBe(Math.max(step.delivered ?? 0, step.read ?? 0) <= 10);
        if (!next.ok) return;
        expect(next.value.read).toBe(Math.max(marks.read, step.read ?? 0));
        expect(next.value.delivered).toBe(Math.max(marks.delivered, step.delivered ?? 0, next.value.read));
        if (!received.ok) return;
        const isSame = next.value.read === marks.read && next.value.delivered === marks.delivered;
        expect(received.value === trail).toBe(isSame);
        trail = received.value;
      });
    }),
  );
});

test("[HI-5] every bucket is held by exactly one shard, or the configuration is refused", () => {
  const shards = parseShards("0-99:HISTORY_0 100-255:HISTORY_1");
  expect(shards.ok && [shards.value[99], shards.value[100], shards.value.length]).toEqual([
    "HISTORY_0",
    "HISTORY_1",
    BUCKETS,
  ]);
  for (const bad of ["", "0-254:A", "0-255:A 7-7:B", "0-256:A", "0-255:lower", "255-0:A"])
    expect(parseShards(bad).ok).toBe(false);
});

test("[HI-5] buckets are evenly used", () => {
  const counts = new Array<number>(BUCKETS).fill(0);
  for (let i = 0; i < 25_600; i++) {
    const bucket = bucketOf(`d${i.toString(36).toUpperCase().padStart(26, "0")}`);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(40);
  expect(Math.max(...counts)).toBeLessThan(200);
});

test("backing off: within half the base and the cap, growing", () => {
  always(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (failures, random) => {
        const ms = backoffMs({ baseMs: 40, capMs: 400 }, failures, random);
        expect(ms).toBeGreaterThanOrEqual(20);
        expect(ms).toBeLessThanOrEqual(Math.min(400, 40 * 2 ** (failures - 1)));
      },
    ),
  );
});

test("[SO-6] a bucket lets a burst pass, then its rate", () => {
  const rate = { perSecond: 10, burst: 5 };
  let bucket = fullBucket(rate, 0);
  const allowed = (now: number) => {
    bucket = take(bucket, rate, now);
    return bucket.tokens >= 0;
  };
  expect(Array.from({ length: 7 }, () => allowed(0))).toEqual([true, true, true, true, true, false, false]);
  expect(allowed(500)).toBe(true);
  expect(allowed(0)).toBe(true); // a clock that goes back neither fills nor empties
});
