import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterClose } from "../../src/sdk/reconnect.ts";

describe("after a close", () => {
  test.each([
    [4000, "protocol_error"],
    [4001, "signed_out"],
    [4002, "replaced"],
  ] as const)("[CL-15] %i is final: %s", (code, why) => {
    expect(afterClose(code, 0, 0.5)).toEqual({ act: "stop", why });
  });

  test("[CL-16] an expired token is refreshed, at once the first time, with back-off when that did not help", () => {
    expect(afterClose(4003, 0, 0.9)).toEqual({ act: "refresh", delayMs: 0 });
    expect(afterClose(4003, 3, 1)).toEqual({ act: "refresh", delayMs: 4_000 });
  });

  test("[CL-16] everything else is tried again with full jitter, ever later up to half a minute", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1000, 1001, 1005, 1006, 1011, 1012, 4008),
        fc.nat(60),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (code, attempt, random) => {
          const after = afterClose(code, attempt, random);
          expect(after.act).toBe("reconnect");
          const delayMs = after.act === "stop" ? -1 : after.delayMs;
          expect(delayMs).toBeGreaterThanOrEqual(250);
          expect(delayMs).toBeLessThanOrEqual(Math.min(30_000, 500 * 2 ** attempt));
        },
      ),
    );
    expect(afterClose(1006, 10, 0)).toEqual({ act: "reconnect", delayMs: 250 });
  });
});
