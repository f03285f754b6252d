import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addressKey,
  attemptKey,
  decideRefresh,
  displayNameFrom,
  handleCandidates,
  liveSince,
  REFRESH_LIFE_MS,
} from "../../src/domain/session.ts";
import { DOORS } from "../../src/protocol/http.ts";

const { handle: Handle, displayName: DisplayName } = DOORS.signUp.body.shape;

describe("what a refresh token does", () => {
  const device = { generation: 5, lastUsedAt: 0, revokedAt: null, renewedBy: null };
  const trade = (generation: number, key?: string) => ({ generation, key });

  test("[AC-6] the device's generation is traded; an older one was used before", () => {
    expect(decideRefresh(device, trade(5))).toBe("rotate");
    expect(decideRefresh(device, trade(4))).toBe("reused");
    expect(decideRefresh(device, trade(1))).toBe("reused");
  });

  test("[AC-33] the last trade, asked for again under its key, is the same trade; nothing else is", () => {
    const traded = { ...device, renewedBy: "k" };
    expect(decideRefresh(traded, trade(4, "k"))).toBe("repeat");
    expect(decideRefresh(traded, trade(4, "other"))).toBe("reused");
    expect(decideRefresh(traded, trade(4))).toBe("reused");
    expect(decideRefresh(traded, trade(3, "k"))).toBe("reused");
    expect(decideRefresh(device, trade(4))).toBe("reused"); // nor is no key the key of a trade without one
    expect(decideRefresh(traded, trade(5, "k"))).toBe("rotate");
  });

  test("[AC-7] one ahead of the row is newer than a database that was put back", () => {
    expect(decideRefresh(device, trade(6))).toBe("rotate");
  });

  test("[AC-8] nothing revives a device that is revoked or gone", async () => {
    await fc.assert(
      fc.property(fc.nat(), fc.nat(), (generation, at) => {
        const revoked = { ...device, revokedAt: at, renewedBy: "k" };
        expect(decideRefresh(revoked, trade(generation, "k"))).toBe("revoked");
        expect(decideRefresh(undefined, trade(generation, "k"))).toBe("revoked");
      }),
    );
  });

  test("[AC-6] [AC-7] once traded, no token of that generation or below is traded again", async () => {
    await fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 60 }), (presented) => {
        let generation = 1;
        const traded: number[] = [];
        for (const token of presented) {
          if (decideRefresh({ ...device, generation }, trade(token)) !== "rotate") continue;
          traded.push(token);
          generation = token + 1;
        }
        expect(traded).toEqual([...new Set(traded)].sort((a, b) => a - b));
      }),
    );
  });
});

test("[AC-26] a device lives for 90 days from its last use", () => {
  expect(REFRESH_LIFE_MS).toBe(90 * 86_400_000);
  expect(liveSince(100 * 86_400_000)).toBe(10 * 86_400_000);
});

test("[AC-16] a success starts another count; an unknown handle has one, too", () => {
  expect(attemptKey("alice", 1_000)).not.toBe(attemptKey("alice", 2_000));
  expect(attemptKey("alice", undefined)).toBe(attemptKey("alice", undefined));
  expect(attemptKey("alice", 1)).not.toBe(attemptKey("bob", 1));
});

describe("[AC-18] what counts as one address", () => {
  test.each([
    ["203.0.113.7", "203.0.113.7"],
    ["local", "local"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:0db8:0001:0002::9", "2001:db8:1:2"],
    ["2001:DB8::1", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["fe80::", "fe80:0:0:0"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
  ])("%s -> %s", (address, key) => expect(addressKey(address)).toBe(key));

  test("[AC-18] the last 64 bits do not matter, the first 64 do", async () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((n) => n.toString(16));
    const half = fc.array(group, { minLength: 4, maxLength: 4 }).map((groups) => groups.join(":"));
    await fc.assert(
      fc.property(half, half, half, (network, a, b) => {
        expect(addressKey(`${network}:${a}`)).toBe(addressKey(`${network}:${b}`));
        expect(addressKey(`${network}:${a}`)).toBe(network);
      }),
    );
  });
});

describe("[AC-21] names for a user whom the outside issuer vouches for", () => {
  const suffixes = ["4F2K9Z", "0A0A0A"];

  test("[AC-21] the preferred handle comes first when it is one", () => {
    expect(handleCandidates("Alice", suffixes)).toEqual(["alice", "alice-4f2k9z", "alice-0a0a0a"]);
    expect(handleCandidates("alice@example.com", suffixes)).toEqual(["alice-4f2k9z", "alice-0a0a0a"]);
    expect(handleCandidates(undefined, suffixes)).toEqual(["user-4f2k9z", "user-0a0a0a"]);
  });

  test("[AC-21] whatever the issuer says, what comes out are valid handles and a valid name", async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.string({ maxLength: 200 }),
      fc.constant(undefined),
    );
    await fc.assert(
      fc.property(text, text, (preferred, name) => {
        const handles = handleCandidates(preferred, suffixes);
        expect(handles.length).toBeGreaterThanOrEqual(suffixes.length);
        for (const handle of handles) expect(Handle.parse(handle)).toBe(handle);
        expect(DisplayName.safeParse(displayNameFrom(name, "user-4f2k9z")).success).toBe(true);
      }),
    );
  });

  test("[AC-21] a name is cut between characters, and the handle stands in for none", () => {
    expect(displayNameFrom("Ada Lovelace", "ada")).toBe("Ada Lovelace");
    expect(displayNameFrom(`${"a".repeat(99)}🌊`, "ada")).toBe("a".repeat(99));
    expect(displayNameFrom("   ", "ada")).toBe("ada");
    expect(displayNameFrom(undefined, "ada")).toBe("ada");
  });
});
