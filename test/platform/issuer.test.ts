import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { verifyVouched } from "../../src/platform/issuer.ts";

const NOW = Date.now();
const seconds = Math.floor(NOW / 1_000);
const ISSUER = "https://id.example.com";
const good = { iss: ISSUER, sub: "user-7", aud: "edgewise", exp: seconds + 60 };

let jwks: { keys: JWK[] };
let answer: () => Promise<Response>;
let asked: string[];
let run = 0;
let settings: { ISSUER: string; ISSUER_AUDIENCE: string; ISSUER_JWKS_URL: string };

/** The issuer's side of the wire: its key set, over the fetch that the Worker uses. A new address each time, as the key set is kept. */
beforeEach(() => {
  asked = [];
  jwks = { keys: [] };
  answer = async () => Response.json(jwks);
  settings = { ISSUER, ISSUER_AUDIENCE: "", ISSUER_JWKS_URL: `https://id.example.com/keys/${++run}` };
  vi.spyOn(globalThis, "fetch").mockImplementation(async (url) => {
    asked.push(String(url));
    return answer();
  });
});
afterEach(() => void vi.restoreAllMocks());

async function issuerKey(alg = "RS256", kid = "one") {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  jwks.keys.push({ ...(await exportJWK(publicKey)), kid, alg, use: "sig" });
  return {
    publicKey,
    sign: (claims: Record<string, unknown>) => new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(privateKey),
  };
}
const codeOf = async (token: string) => {
  const result = await verifyVouched(settings, token, NOW);
  return result.ok ? "ok" : result.code;
};

describe("a token of the outside issuer", () => {
  test.each(["RS256", "ES256", "EdDSA", "PS384"])("[AC-20] signed with %s by a key of its set", async (alg) => {
    const { sign } = await issuerKey(alg);
    const token = await sign({ ...good, preferred_username: "Ada", name: "Ada Lovelace" });
    const value = { issuer: ISSUER, subject: "user-7", handle: "Ada", name: "Ada Lovelace" };
    expect(await verifyVouched(settings, token, NOW)).toEqual({ ok: true, value });
    expect(asked).toEqual([settings.ISSUER_JWKS_URL]);
  });

  test("[AC-20] issuer, expiry and subject are required, and what they say counts", async () => {
    const { sign } = await issuerKey();
    const { exp: _exp, ...forever } = good;
    const { sub: _sub, ...nobody } = good;
    const { iss: _iss, ...anyone } = good;
    for (const bad of [
      forever,
      nobody,
      anyone,
      { ...good, iss: "https://evil.example.com" },
      { ...good, exp: seconds - 60 },
      { ...good, nbf: seconds + 60 },
      { ...good, sub: "" },
      { ...good, sub: "x".repeat(256) },
    ]) {
      expect(await codeOf(await sign(bad))).toBe("invalid_credentials");
    }
    expect(await codeOf(await sign({ ...good, preferred_username: 7, name: {} }))).toBe("ok");
  });

  test("[AC-20] the audience counts once one is configured", async () => {
    const { sign } = await issuerKey();
    settings = { ...settings, ISSUER_AUDIENCE: "edgewise" };
    expect(await codeOf(await sign(good))).toBe("ok");
    expect(await codeOf(await sign({ ...good, aud: ["other", "edgewise"] }))).toBe("ok");
    expect(await codeOf(await sign({ ...good, aud: "other" }))).toBe("invalid_credentials");
    const { aud: _aud, ...noAudience } = good;
    expect(await codeOf(await sign(noAudience))).toBe("invalid_credentials");
  });

  test("[AC-20] the public key is no shared secret, and no signature is none", async () => {
    const { publicKey } = await issuerKey();
    const [published] = jwks.keys;
    const modulus = new TextEncoder().encode(published?.n ?? JSON.stringify(await exportJWK(publicKey)));
    const confused = await new SignJWT(good).setProtectedHeader({ alg: "HS256", kid: "one" }).sign(modulus);
    const part = (value: unknown) =>
      btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
    for (const token of [confused, `${part({ alg: "none", kid: "one" })}.${part(good)}.`, "x", "a.b.c"]) {
      expect(await codeOf(token)).toBe("invalid_credentials");
    }
  });

  test("[AC-20] a key of somebody else's, under a known or an unknown id", async () => {
    await issuerKey("RS256", "one");
    const published = [...jwks.keys];
    const known = await issuerKey("RS256", "one");
    const unknown = await issuerKey("RS256", "two");
    jwks = { keys: published };
    expect(await codeOf(await known.sign(good))).toBe("invalid_credentials");
    expect(await codeOf(await unknown.sign(good))).toBe("invalid_credentials");
  });
});

test("[AC-22] without an issuer configured there is no such door", async () => {
  const { sign } = await issuerKey();
  const token = await sign(good);
  for (const missing of ["ISSUER", "ISSUER_JWKS_URL"] as const) {
    expect(await verifyVouched({ ...settings, [missing]: "" }, token, NOW)).toMatchObject({ code: "not_found" });
  }
});

test("[AC-22] keys that cannot be had are not the caller's fault, and are asked for again", async () => {
  const { sign } = await issuerKey();
  const token = await sign(good);
  const healthy = answer;
  const failures = [
    () => Promise.reject(new TypeError("Network connection lost")),
    async () => new Response("oops", { status: 500 }),
    async () => new Response("<html>"),
    async () => Response.json({ not: "a key set" }),
    async () => Response.redirect("https://elsewhere.example.com/", 302),
  ];
  for (const failing of failures) {
    answer = failing;
    expect(await codeOf(token)).toBe("unavailable");
  }
  answer = healthy;
  expect(await codeOf(token)).toBe("ok");
});
