import { beforeEach, describe, expect, test } from "vitest";
import type { Env } from "../../src/platform/env.ts";
import { attemptAllowed, limitAddress } from "../../src/platform/rate-limit.ts";
import { awayFromWindowEdge, env } from "../routes/support/accounts.ts";

beforeEach(awayFromWindowEdge);

const strict: Env = { ...env, RATE_LIMITS: "strict" };
const wide: Env = { ...env, RATE_LIMITS: "wide" };
const visit = async (from: Env, address?: string) =>
  (await limitAddress(from, new Request("http://x/", { headers: address ? { "cf-connecting-ip": address } : {} }))).ok;
const passedOf = async (times: number, act: () => Promise<boolean>) => {
  let passed = 0;
  for (let i = 0; i < times; i++) if (await act()) passed++;
  return passed;
};

describe("the limiters of wrangler.toml, as the runtime has them", () => {
  test("[AC-17] strict: 20 a minute for an address, and no other address pays for it", async () => {
    expect(await passedOf(25, () => visit(strict, "198.51.100.1"))).toBe(20);
    expect(await visit(strict, "198.51.100.2")).toBe(true);
    expect(await visit(wide, "198.51.100.1")).toBe(true);
  });

  test("[AC-17] without an address at all they share one count", async () => {
    expect(await passedOf(25, () => visit(strict))).toBe(20);
  });

  test("[AC-18] moving about within one IPv6 network does not help", async () => {
    let host = 0;
    expect(await passedOf(25, () => visit(strict, `2001:db8:7:7::${++host}`))).toBe(20);
  });

  test("[AC-17] anything but wide is strict", async () => {
    expect(await passedOf(25, () => visit({ ...env, RATE_LIMITS: "" }, "198.51.100.3"))).toBe(20);
    expect(await passedOf(25, () => visit(wide, "198.51.100.4"))).toBe(25);
  });

  test("[AC-16] ten attempts a minute for a handle in any case, anew after a success", async () => {
    expect(await passedOf(7, () => attemptAllowed(strict, "Mallory", 1))).toBe(7);
    expect(await passedOf(7, () => attemptAllowed(strict, "mallory", 1))).toBe(3);
    expect(await passedOf(7, () => attemptAllowed(strict, "mallory", 2))).toBe(7);
    expect(await passedOf(15, () => attemptAllowed(strict, "nobody-of-that-name", undefined))).toBe(10);
  });
});

test("[AC-17] being over the limit says when to come back", async () => {
  await passedOf(20, () => visit(strict, "198.51.100.9"));
  const request = new Request("http://x/", { headers: { "cf-connecting-ip": "198.51.100.9" } });
  expect(await limitAddress(strict, request)).toEqual({ ok: false, code: "rate_limited", retryAfterMs: 60_000 });
});

test("[AC-25] a limiter that fails keeps nobody out", async () => {
  const failing: RateLimit = { limit: () => Promise.reject(new Error("limiter is away")) };
  const broken: Env = { ...env, RATE_LIMITS: "strict", STRICT_ADDRESS: failing, STRICT_HANDLE: failing };
  expect(await visit(broken)).toBe(true);
  expect(await attemptAllowed(broken, "alice", 1)).toBe(true);
});
