import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  type Delivery,
  deliveryAfter,
  isSettled,
  newDelivery,
  type Occurrence,
  settledThrough,
} from "../../src/domain/delivery.ts";
import type { Park } from "../../src/domain/ringing.ts";
import { always } from "../property.ts";

const at = (mode: Delivery["mode"], rest: Partial<Delivery> = {}): Delivery => ({
  ...newDelivery(3, 5),
  mode,
  ...rest,
});
const appended: Occurrence = { type: "appended", target: 6, now: 100, mentions: false };
const mention: Occurrence = { ...appended, mentions: true };
const reached: Occurrence = { type: "reached", through: 5, park: null };
const parkedAnswer: Occurrence = { type: "reached", through: 5, park: { until: null, unlessMentioned: false } };
const failed: Occurrence = { type: "failed", now: 100, retryDelayMs: 50 };
const attended: Occurrence = { type: "attended" };
const alarm: Occurrence = { type: "alarm", now: 100 };
const alone: Occurrence = { type: "answered", seq: 4, confirmed: true };
const unsure: Occurrence = { type: "answered", seq: 6, confirmed: false };

/** Every mode x every occurrence, and what comes of it. */
const TABLE: Record<Delivery["mode"], [Occurrence, Partial<Delivery>][]> = {
  idle: [
    [appended, { mode: "calling", target: 6, delivered: 3 }],
    [alone, { mode: "idle", delivered: 4 }],
    [unsure, { mode: "idle", delivered: 3, target: 6 }],
    [reached, { mode: "idle", delivered: 3 }],
    [failed, { mode: "idle" }],
    [attended, { mode: "idle", delivered: 3 }],
    [alarm, { mode: "calling" }],
  ],
  calling: [
    [appended, { mode: "calling", target: 6 }],
    [alone, { mode: "calling", delivered: 4 }],
    [unsure, { mode: "calling", delivered: 3, target: 6 }],
    [reached, { mode: "idle", delivered: 5 }],
    [parkedAnswer, { mode: "parked", delivered: 5 }],
    [failed, { mode: "lagging", failures: 1, retryAt: 150 }],
    [attended, { mode: "calling", attended: true }],
    [alarm, { mode: "calling" }],
  ],
  lagging: [
    [appended, { mode: "lagging", target: 6 }],
    [alone, { mode: "lagging", delivered: 4 }],
    [unsure, { mode: "lagging", target: 6 }],
    [reached, { mode: "lagging" }],
    [failed, { mode: "lagging" }],
    [attended, { mode: "calling" }],
    [alarm, { mode: "calling" }],
  ],
  parked: [
    [appended, { mode: "parked", target: 6 }],
    [mention, { mode: "parked", target: 6 }],
    [alone, { mode: "parked" }],
    [unsure, { mode: "parked" }],
    [reached, { mode: "parked" }],
    [failed, { mode: "parked" }],
    [attended, { mode: "idle", delivered: 5 }],
    [alarm, { mode: "parked" }],
  ],
};

for (const [mode, rows] of Object.entries(TABLE) as [Delivery["mode"], [Occurrence, Partial<Delivery>][]][]) {
  describe(`a ${mode} inbox`, () => {
    for (const [occurrence, expected] of rows) {
      test(`[DL-1] [DL-2] [DL-3] [DL-4] meets ${JSON.stringify(occurrence)}`, () => {
        expect(deliveryAfter(at(mode), occurrence)).toMatchObject(expected);
      });
    }
  });
}

test("[PU-4] a parked inbox is called again once its mute has run out, or for a mention that it lets through", () => {
  const muted = (park: Park) => at("parked", { park });
  expect(deliveryAfter(muted({ until: 101, unlessMentioned: false }), appended).mode).toBe("parked");
  expect(deliveryAfter(muted({ until: 100, unlessMentioned: false }), appended)).toMatchObject({
    mode: "calling",
    delivered: 3,
  });
  expect(deliveryAfter(muted({ until: null, unlessMentioned: true }), appended).mode).toBe("parked");
  expect(deliveryAfter(muted({ until: null, unlessMentioned: true }), mention).mode).toBe("calling");
  expect(deliveryAfter(muted({ until: null, unlessMentioned: false }), mention).mode).toBe("parked");
});

test("[PU-3] [PU-4] a mention that comes while a call is under way is not parked away", () => {
  const racing = deliveryAfter(at("calling"), mention);
  const piercing: Occurrence = { type: "reached", through: 5, park: { until: null, unlessMentioned: true } };
  expect(deliveryAfter(racing, piercing)).toMatchObject({ mode: "calling", delivered: 5, mentioned: false });
  expect(deliveryAfter(racing, parkedAnswer).mode).toBe("parked");
  expect(deliveryAfter(at("calling"), piercing).mode).toBe("parked");
});

test("[DL-3] an answer `parked` that was overtaken by an attend does not park", () => {
  const racing = deliveryAfter(at("calling"), attended);
  expect(deliveryAfter(racing, parkedAnswer)).toMatchObject({ mode: "idle", attended: true });
});

test("[DL-2] a lagging inbox waits for its time", () => {
  expect(deliveryAfter(at("lagging", { retryAt: 101 }), alarm).mode).toBe("lagging");
});

const PARK: Park = { until: null, unlessMentioned: false };
const occurrences: fc.Arbitrary<Occurrence> = fc.oneof(
  fc.record({
    type: fc.constant("appended" as const),
    target: fc.integer({ min: 1, max: 20 }),
    now: fc.nat(100),
    mentions: fc.boolean(),
  }),
  fc.record({ type: fc.constant("answered" as const), seq: fc.integer({ min: 1, max: 20 }), confirmed: fc.boolean() }),
  fc.record({ type: fc.constant("failed" as const), now: fc.nat(100), retryDelayMs: fc.nat(10) }),
  fc.record({ type: fc.constant("attended" as const) }),
  fc.record({ type: fc.constant("alarm" as const), now: fc.nat(100) }),
);

test("[DL-1] whatever happens, the cursor never goes back, and a calling inbox lacks something", () => {
  always(
    fc.property(fc.array(fc.oneof(occurrences, fc.boolean())), (steps) => {
      let d = newDelivery(0, 0);
      for (const step of steps) {
        const occurrence =
          typeof step === "boolean" ? { type: "reached" as const, through: d.target, park: step ? PARK : null } : step;
        const next = deliveryAfter(d, occurrence);
        expect(next.delivered).toBeGreaterThanOrEqual(d.delivered);
        expect(next.target).toBeGreaterThanOrEqual(d.target);
        expect(settledThrough(next)).toBeLessThanOrEqual(next.target);
        if (next.mode === "calling" && d.mode !== "calling") expect(next.delivered).toBeLessThan(next.target);
        d = next;
      }
      // However it stands, alarms and answers bring it to rest.
      d = deliveryAfter(deliveryAfter(d, attended), { type: "alarm", now: Number.MAX_SAFE_INTEGER });
      if (d.mode === "calling") d = deliveryAfter(d, { type: "reached", through: d.target, park: null });
      expect(isSettled(d)).toBe(true);
    }),
  );
});
