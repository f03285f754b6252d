import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Session } from "../../src/protocol/http.ts";
import { type Answered, ask, codeOf, env, freshHandle, PASSWORD, signIn, signUp } from "./support/accounts.ts";

const ISSUER = "https://id.example.com";
const configured = { ISSUER, ISSUER_AUDIENCE: "edgewise", ISSUER_JWKS_URL: "https://id.example.com/keys" };
const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "one", alg: "ES256" }] };
let subjects = 0;

beforeEach(() => void vi.spyOn(globalThis, "fetch").mockImplementation(async () => Response.json(jwks)));
afterEach(() => void vi.restoreAllMocks());

const tokenFor = (claims: Record<string, unknown>) =>
  new SignJWT({ iss: ISSUER, aud: "edgewise", ...claims })
    .setExpirationTime("1m")
    .setProtectedHeader({ alg: "ES256", kid: "one" })
    .sign(privateKey);
const newSubject = () => `subject-${++subjects}`;
const exchange = async (claims: Record<string, unknown>, device: object = { name: "phone" }) =>
  ask("POST", "/v1/auth/exchange", { body: { token: await tokenFor(claims), device }, env: configured });
const sessionIn = (answered: Answered) => Session.parse(answered.json);

describe("a user whom the outside issuer vouches for", () => {
  test("[AC-21] is made on the first exchange, and found again on the next", async () => {
    const [sub, handle] = [newSubject(), freshHandle()];
    const first = await exchange({ sub, preferred_username: handle.toUpperCase(), name: "Ada Lovelace" });
    expect(first.status).toBe(201);
    expect(sessionIn(first).user).toMatchObject({ handle, displayName: "Ada Lovelace" });
    const next = await exchange({ sub, preferred_username: "renamed", name: "Renamed" });
    expect(next.status).toBe(200);
    expect(sessionIn(next).user).toEqual(sessionIn(first).user);
    expect(sessionIn(next).device.deviceId).not.toBe(sessionIn(first).device.deviceId);
    expect((await ask("GET", "/v1/me", { token: sessionIn(next).accessToken })).status).toBe(200);
  });

  test("[AC-21] never takes over a user of ours by claiming their handle", async () => {
    const { user } = await signUp();
    const other = sessionIn(await exchange({ sub: newSubject(), preferred_username: user.handle })).user;
    expect(other.userId).not.toBe(user.userId);
    expect(other.handle).toMatch(new RegExp(`^${user.handle}-[0-9a-z]{6}$`));
    expect((await signIn(user.handle)).status).toBe(200);
  });

  test.each(["one-handle", undefined])(
    "[AC-21] is one user, also when ten first exchanges come at once: %s",
    async (preferred) => {
      const sub = newSubject();
      const name = `Name of ${sub}`;
      const answers = await Promise.all(
        Array.from({ length: 10 }, () =>
          exchange({ sub, name, ...(preferred ? { preferred_username: preferred } : {}) }),
        ),
      );
      expect(answers.map((a) => a.status).sort()).toEqual([...Array(9).fill(200), 201]);
      expect(new Set(answers.map((a) => sessionIn(a).user.userId)).size).toBe(1);
      const { results } = await env.DIRECTORY.prepare("SELECT * FROM users WHERE display_name = ?").bind(name).all();
      expect(results).toHaveLength(1);
    },
  );

  test("[AC-21] and ten who want one handle get ten", async () => {
    const handle = freshHandle();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => exchange({ sub: newSubject(), preferred_username: handle })),
    );
    expect(answers.map((a) => a.status)).toEqual(Array(10).fill(201));
    expect(new Set(answers.map((a) => sessionIn(a).user.handle)).size).toBe(10);
  });

  test("[AC-15] has no password to sign in with", async () => {
    const handle = freshHandle();
    await exchange({ sub: newSubject(), preferred_username: handle });
    for (const password of [PASSWORD, "null", " "])
      expect(codeOf(await signIn(handle, password))).toBe("invalid_credentials");
  });

  test("[AC-12] [AC-13] keeps a device by its id, like any other", async () => {
    const sub = newSubject();
    const first = sessionIn(await exchange({ sub }));
    const again = sessionIn(await exchange({ sub }, { name: "same", id: first.device.deviceId }));
    expect(again.device).toMatchObject({ deviceId: first.device.deviceId, name: "same" });
    const stranger = sessionIn(await exchange({ sub: newSubject() }, { name: "thief", id: first.device.deviceId }));
    expect(stranger.device.deviceId).not.toBe(first.device.deviceId);
  });
});

test("[AC-20] a token that the issuer did not sign, or not for us, makes nobody", async () => {
  const before = await env.DIRECTORY.prepare("SELECT count(*) AS n FROM users").first();
  const stranger = await generateKeyPair("ES256");
  const forged = await new SignJWT({ iss: ISSUER, aud: "edgewise", sub: "x" })
    .setExpirationTime("1m")
    .setProtectedHeader({ alg: "ES256", kid: "one" })
    .sign(stranger.privateKey);
  for (const token of [forged, await tokenFor({ sub: "x", aud: "other" }), (await signUp()).accessToken, "x"]) {
    const answered = await ask("POST", "/v1/auth/exchange", {
      body: { token, device: { name: "x" } },
      env: configured,
    });
    expect(codeOf(answered)).toBe("invalid_credentials");
  }
  const after = await env.DIRECTORY.prepare("SELECT count(*) AS n FROM users").first<{ n: number }>();
  expect(after).toEqual({ n: Number(before?.n) + 1 });
});

test("[AC-22] without an issuer the door is not there; when its keys cannot be had, it is unavailable", async () => {
  const body = { token: await tokenFor({ sub: "x" }), device: { name: "x" } };
  expect(codeOf(await ask("POST", "/v1/auth/exchange", { body }))).toBe("not_found");
  vi.spyOn(globalThis, "fetch").mockImplementation(() => Promise.reject(new TypeError("no route to host")));
  const elsewhere = { ...configured, ISSUER_JWKS_URL: "https://id.example.com/moved" };
  expect(codeOf(await ask("POST", "/v1/auth/exchange", { body, env: elsewhere }))).toBe("unavailable");
});
