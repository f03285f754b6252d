import { expect, test } from "vitest";
import { keepReceipts, nextSettleAt, SETTLE_AFTER_MS, SETTLE_RETRY_MS } from "../../src/domain/settling.ts";

test("[DL-2] [HI-3] what is left is settled soon, after a failure later, and a lagging inbox alone when its time has come", () => {
  const now = 1_000_000;
  const left = { failed: false, shipped: true, retryAt: null };
  expect(nextSettleAt(left, now)).toBe(now + SETTLE_AFTER_MS);
  expect(nextSettleAt({ ...left, failed: true, shipped: false }, now)).toBe(now + SETTLE_RETRY_MS);
  expect(nextSettleAt({ ...left, retryAt: now + 60_000 }, now)).toBe(now + 60_000);
  expect(nextSettleAt({ ...left, retryAt: now + 1 }, now)).toBe(now + SETTLE_AFTER_MS);
  expect(nextSettleAt({ ...left, shipped: false, retryAt: now + 60_000 }, now)).toBe(now + SETTLE_AFTER_MS);
});

test("[RC-4] watermarks wait for a checkpoint that is due, are written after quiet, and otherwise ring", () => {
  expect(keepReceipts(true, 0, 1_000_000)).toBe("wait");
  expect(keepReceipts(false, 0, 1_000_000)).toBe("write");
  expect(keepReceipts(false, 999_000, 1_000_000)).toBe("ring");
});
