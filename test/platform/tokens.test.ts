import * as fc from "fast-check";
import { base64url, decodeJwt, decodeProtectedHeader, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import {
  authenticate,
  authenticateOperator,
  issueTokens,
  verifyAccessToken,
  verifyRefreshToken,
} from "../../src/platform/tokens.ts";
import { DeviceId, UserId } from "../../src/protocol/ids.ts";
import { env } from "../routes/support/accounts.ts";

const NOW = 1_790_000_000_500;
const HOUR = 3_600_000;
const userId = UserId.parse("01JAAAAAAAAAAAAAAAAAAAAAAA");
const deviceId = DeviceId.parse("01JBBBBBBBBBBBBBBBBBBBBBBB");
const claims = { userId, deviceId, generation: 7 };
const key = (letter: string) => base64url.encode(letter.repeat(32));
const withKeys = (...letters: string[]) => ({ TOKEN_KEYS: letters.map(key).join(", ") });
const sign = (typ: string | undefined, payload: Record<string, unknown>, letter = "a") =>
  new SignJWT(payload)
    .setProtectedHeader({ alg: "HS256", ...(typ ? { typ } : {}) })
    .sign(new TextEncoder().encode(letter.repeat(32)));
const seconds = Math.floor(NOW / 1_000);
const good = { sub: userId, device: deviceId, iat: seconds, exp: seconds + 60 };

describe("access tokens", () => {
  test("[AC-26] say who, which device, and until when: one hour", async () => {
    const { accessToken, accessExpiresAt } = await issueTokens(withKeys("a"), claims, NOW);
    expect(decodeProtectedHeader(accessToken)).toEqual({ alg: "HS256", typ: "at+jwt" });
    expect(decodeJwt(accessToken)).toEqual({ sub: userId, device: deviceId, iat: seconds, exp: seconds + 3_600 });
    expect(accessExpiresAt).toBe((seconds + 3_600) * 1_000);
    const verified = await verifyAccessToken(withKeys("a"), accessToken, NOW);
    expect(verified).toEqual({ ok: true, value: { userId, deviceId, expiresAt: accessExpiresAt } });
  });

  test("[AC-3] to the millisecond: expired is told apart from never valid", async () => {
    const { accessToken, accessExpiresAt } = await issueTokens(withKeys("a"), claims, NOW);
    expect(await verifyAccessToken(withKeys("a"), accessToken, accessExpiresAt - 1)).toMatchObject({ ok: true });
    expect(await verifyAccessToken(withKeys("a"), accessToken, accessExpiresAt)).toMatchObject({
      code: "token_expired",
    });
    expect(await verifyAccessToken(withKeys("b"), accessToken, accessExpiresAt)).toMatchObject({
      code: "unauthenticated",
    });
  });

  test("[AC-4] keys rotate: the first signs, every one verifies, a dropped one does not", async () => {
    const old = await issueTokens(withKeys("a"), claims, NOW);
    const young = await issueTokens(withKeys("b", "a"), claims, NOW);
    expect(await verifyAccessToken(withKeys("b", "a"), old.accessToken, NOW)).toMatchObject({ ok: true });
    expect(await verifyAccessToken(withKeys("b"), young.accessToken, NOW)).toMatchObject({ ok: true });
    expect(await verifyAccessToken(withKeys("a"), young.accessToken, NOW)).toMatchObject({ code: "unauthenticated" });
    expect(await verifyAccessToken(withKeys("b"), old.accessToken, NOW)).toMatchObject({ code: "unauthenticated" });
    expect(await verifyAccessToken(withKeys("b", "a"), old.accessToken, NOW + HOUR)).toMatchObject({
      code: "token_expired",
    });
    expect(await verifyRefreshToken(withKeys("b", "a"), old.refreshToken, NOW)).toMatchObject({ ok: true });
  });

  test.each(["", "c2hvcnQ", `${key("a")},`, "not base64url!"])(
    "[AC-4] a key ring with a bad key signs nothing: %j",
    async (ring) => {
      await expect(issueTokens({ TOKEN_KEYS: ring }, claims, NOW)).rejects.toThrow();
    },
  );

  test("[AC-19] neither kind of token passes for the other, expired or not", async () => {
    const { accessToken, refreshToken } = await issueTokens(withKeys("a"), claims, NOW);
    for (const at of [NOW, NOW + 100 * 24 * HOUR]) {
      expect(await verifyAccessToken(withKeys("a"), refreshToken, at)).toMatchObject({ code: "unauthenticated" });
      expect(await verifyRefreshToken(withKeys("a"), accessToken, at)).toMatchObject({ code: "unauthenticated" });
    }
  });

  test("[AC-3] our signature alone is not enough: the claims must be there", async () => {
    expect(await verifyAccessToken(withKeys("a"), await sign("at+jwt", good), NOW)).toMatchObject({ ok: true });
    const { sub: _sub, ...nobody } = good;
    const { exp: _exp, ...forever } = good;
    for (const payload of [
      nobody,
      forever,
      { ...good, sub: "alice" },
      { ...good, device: 7 },
      { ...good, exp: "never" },
    ]) {
      expect(await verifyAccessToken(withKeys("a"), await sign("at+jwt", payload), NOW)).toMatchObject({
        code: "unauthenticated",
      });
    }
    for (const typ of [undefined, "JWT", "rt+jwt"]) {
      expect(await verifyAccessToken(withKeys("a"), await sign(typ, good), NOW)).toMatchObject({
        code: "unauthenticated",
      });
    }
  });

  test("[AC-3] an unsigned token, or one signed by another algorithm, is none", async () => {
    const part = (value: unknown) => base64url.encode(JSON.stringify(value));
    const unsigned = `${part({ alg: "none", typ: "at+jwt" })}.${part(good)}.`;
    const hs512 = await new SignJWT(good)
      .setProtectedHeader({ alg: "HS512", typ: "at+jwt" })
      .sign(new TextEncoder().encode("a".repeat(64)));
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
    if (!("privateKey" in pair)) throw new Error("no pair");
    const es256 = await new SignJWT(good).setProtectedHeader({ alg: "ES256", typ: "at+jwt" }).sign(pair.privateKey);
    for (const token of [unsigned, hs512, es256, `${"a".repeat(5_000)}.b.c`, "", "a.b", "a.b.c"]) {
      expect(await verifyAccessToken(withKeys("a"), token, NOW)).toMatchObject({ code: "unauthenticated" });
    }
  });

  test("[AC-3] no byte of a token may be changed", async () => {
    const { accessToken } = await issueTokens(withKeys("a"), claims, NOW);
    const lastOfSignature = accessToken.length - 1; // its low bits are not part of the signature
    await fc.assert(
      fc.asyncProperty(fc.nat(lastOfSignature - 1), fc.constantFrom(..."Aa0-_.=é"), async (at, letter) => {
        fc.pre(accessToken[at] !== letter);
        const changed = accessToken.slice(0, at) + letter + accessToken.slice(at + 1);
        expect(await verifyAccessToken(withKeys("a"), changed, NOW)).toMatchObject({ code: "unauthenticated" });
      }),
      { numRuns: 300 },
    );
  });
});

test("[AC-26] a refresh token carries its generation and lives 90 days", async () => {
  const { refreshToken } = await issueTokens(withKeys("a"), claims, NOW);
  expect(decodeProtectedHeader(refreshToken).typ).toBe("rt+jwt");
  expect(await verifyRefreshToken(withKeys("a"), refreshToken, NOW + 90 * 24 * HOUR - 1_000)).toEqual({
    ok: true,
    value: claims,
  });
  expect(await verifyRefreshToken(withKeys("a"), refreshToken, NOW + 90 * 24 * HOUR)).toMatchObject({
    code: "token_expired",
  });
});

describe("the Authorization header", () => {
  test.each([undefined, "", "Bearer", "Bearer ", "Basic YTpi", "bearer a b", "Bearer x.y.z"])(
    "[AC-3] %j is nobody",
    async (header) => {
      expect(await authenticate(env, header, NOW)).toMatchObject({ code: "unauthenticated" });
    },
  );

  test("[AC-23] only the operator's own token opens the operator's doors", async () => {
    const operator = { ...env, OPERATOR_TOKEN: "the-operator" };
    expect(await authenticateOperator(operator, "Bearer the-operator")).toEqual({ ok: true, value: undefined });
    for (const header of [
      "Bearer the-operatoR",
      "Bearer the-operator2",
      "Bearer the",
      "the-operator",
      "Bearer ",
      undefined,
    ]) {
      expect(await authenticateOperator(operator, header)).toMatchObject({ code: "unauthenticated" });
    }
  });

  test("[AC-23] without an operator token the operator's doors are not there", async () => {
    const { OPERATOR_TOKEN: _, ...closed } = env;
    for (const header of ["Bearer undefined", "Bearer ", undefined]) {
      expect(await authenticateOperator(closed, header)).toMatchObject({ code: "not_found" });
      expect(await authenticateOperator({ ...env, OPERATOR_TOKEN: "" }, header)).toMatchObject({ code: "not_found" });
    }
  });
});
