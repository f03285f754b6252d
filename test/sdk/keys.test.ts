import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyMint } from "../../src/sdk/keys.ts";
import { NOTHING_STORED } from "../../src/sdk/state.ts";
import { HERE, key, START } from "./support/script.ts";

test("[CL-14] a key passes the one that it has to, on the first mint and with a late clock", () => {
  const above = new KeyMint(NOTHING_STORED).mint(START, null);
  expect(new KeyMint(NOTHING_STORED).mint(START - 60_000, above) > above).toBe(true);
});

test("[CL-14] keys only rise, whatever the clock does, past restarts and past what is asked for", () => {
  const step = fc.record({ now: fc.nat(10_000), restart: fc.boolean(), above: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let mint = new KeyMint(NOTHING_STORED);
      let last = key(1);
      for (const { now, restart, above } of steps) {
        const wish = { conversationId: HERE, composedAt: START, standing: { is: "waiting", sent: false } } as const;
        const event = { kind: "message", content: { type: "text", text: "a" } } as const;
        const entry = { ...wish, event, wishId: last, idempotencyKey: last };
        if (restart) mint = new KeyMint({ ...NOTHING_STORED, outbox: [entry] });
        const next = mint.mint(START + now, above || last === key(1) ? last : null);
        expect(next > last).toBe(true);
        last = next;
      }
    }),
  );
});
