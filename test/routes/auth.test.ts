import Argon2 from "@phi-ag/argon2";
import { decodeJwt } from "jose";
import { ulid } from "ulid";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Env } from "../../src/platform/env.ts";
import { issueTokens } from "../../src/platform/tokens.ts";
import type { Session } from "../../src/protocol/http.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { deviceOf } from "../../src/storage/devices.ts";
import { OPEN } from "../objects/support.ts";
import {
  type Answered,
  ask,
  awayFromWindowEdge,
  codeOf,
  downDatabase,
  downInboxes,
  env,
  freshHandle,
  PASSWORD,
  refresh,
  signIn,
  signUp,
  WholePair,
  WholeSession,
} from "./support/accounts.ts";

afterEach(() => void vi.restoreAllMocks());

const DAY = 86_400_000;
const rowOf = ({ user, device }: Session) => deviceOf(env.DIRECTORY, user.userId, device.deviceId);
const sessionIn = (answered: Answered): WholeSession => {
  if (answered.status !== 200 && answered.status !== 201) throw new Error(answered.text);
  return WholeSession.parse(answered.json);
};
/** Tokens of this device as they were issued at another time, or for another generation. */
const tokensOf = ({ user, device }: Session, generation: number, now = Date.now()) =>
  issueTokens(env, { userId: user.userId, deviceId: device.deviceId, generation }, now);
const count = async (table: "users" | "devices") =>
  (await env.DIRECTORY.prepare(`SELECT count(*) AS n FROM ${table}`).first<{ n: number }>())?.n;

describe("signing up", () => {
  test("[AC-1] makes an account and its first device; the handle is kept in lower case", async () => {
    const session = await signUp("Ada.Lovelace");
    expect(session.user).toMatchObject({ handle: "ada.lovelace", displayName: "ADA.LOVELACE" });
    expect(session.user.privacy).toEqual(OPEN);
    expect(session.device).toMatchObject({ name: "phone", current: true });
    expect(decodeJwt(session.accessToken)).toMatchObject({ sub: session.user.userId, device: session.device.deviceId });
    expect((await ask("GET", "/v1/me", { token: session.accessToken })).json).toEqual(session.user);
  });

  test("[AC-2] of ten at the same moment one gets the handle, and nothing is left of the others", async () => {
    const handle = freshHandle();
    const [users, devices] = [await count("users"), await count("devices")];
    const body = (i: number) => ({
      handle: i % 2 ? handle : handle.toUpperCase(),
      password: PASSWORD,
      displayName: "x",
      device: { name: "x" },
    });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => ask("POST", "/v1/auth/sign-up", { body: body(i) })),
    );
    expect(answers.filter((a) => a.status === 201)).toHaveLength(1);
    expect(answers.filter((a) => a.status === 409).map(codeOf)).toEqual(Array(9).fill("handle_taken"));
    expect([await count("users"), await count("devices")]).toEqual([(users ?? 0) + 1, (devices ?? 0) + 1]);
  });

  test("[AC-14] the password is kept as argon2id only, and told nobody", async () => {
    const { user } = await signUp(freshHandle(), "a very private password");
    const row = await env.DIRECTORY.prepare("SELECT * FROM users WHERE user_id = ?").bind(user.userId).first();
    expect(row?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(JSON.stringify(row)).not.toContain("private password");
    const answered = await signIn(user.handle, "a very private password");
    expect(answered.text).not.toMatch(/argon2|private password/);
  });
});

describe("signing in", () => {
  test("[AC-1] the handle counts in any case, and each sign-in without an id is a new device", async () => {
    const { user, device } = await signUp();
    const [one, two] = [sessionIn(await signIn(user.handle.toUpperCase())), sessionIn(await signIn(user.handle))];
    expect(one.user).toEqual(user);
    expect(new Set([device.deviceId, one.device.deviceId, two.device.deviceId]).size).toBe(3);
  });

  test("[AC-12] with its id a device stays the one it was, and its earlier refresh tokens are used up", async () => {
    const first = await signUp();
    const again = sessionIn(await signIn(first.user.handle, PASSWORD, first.device.deviceId));
    expect(again.device).toMatchObject({
      deviceId: first.device.deviceId,
      name: "laptop",
      createdAt: first.device.createdAt,
    });
    expect((await rowOf(first))?.generation).toBe(2);
    expect((await refresh(again.refreshToken)).status).toBe(200);
    expect(codeOf(await refresh(first.refreshToken))).toBe("refresh_reused");
  });

  test("[AC-13] with an id that is revoked, another's, or nobody's it is a new device", async () => {
    const [mine, other] = [await signUp(), await signUp()];
    await ask("POST", "/v1/auth/sign-out", { token: mine.accessToken });
    for (const id of [mine.device.deviceId, other.device.deviceId, ulid()]) {
      const session = sessionIn(await signIn(mine.user.handle, PASSWORD, id));
      expect(session.device.deviceId).not.toBe(id);
      expect(session.user.userId).toBe(mine.user.userId);
    }
    expect(await rowOf(other)).toMatchObject({ generation: 1, name: "phone", revokedAt: null });
    expect((await rowOf(mine))?.revokedAt).not.toBeNull();
  });

  test("[AC-15] wrong password, unknown handle and no password at all: the same answer after the same work", async () => {
    const { user } = await signUp();
    const vouched = await signUp();
    await env.DIRECTORY.prepare("UPDATE users SET password_hash = NULL WHERE user_id = ?")
      .bind(vouched.user.userId)
      .run();
    const hashes = vi.spyOn(Argon2.prototype, "tryHash");
    const checks = vi.spyOn(Argon2.prototype, "tryVerify");
    const answers = [];
    for (const handle of [user.handle, vouched.user.handle, "nobody-has-this", "../../etc", "Ünïcödé"]) {
      answers.push(await signIn(handle, "wrong password"));
      expect(checks).toHaveBeenCalledTimes(answers.length);
    }
    expect(hashes).not.toHaveBeenCalled();
    expect(new Set(answers.map((a) => `${a.status} ${a.text} ${JSON.stringify([...a.headers])}`)).size).toBe(1);
    expect(answers.map(codeOf)).toEqual(Array(5).fill("invalid_credentials"));
    const costs = checks.mock.calls.map(([phc]) => phc.split("$").slice(0, 4).join("$"));
    expect(new Set(costs).size).toBe(1);
  });

  test("[AC-11] a user has 32 devices at most, also when all sign in at once", async () => {
    const { user, accessToken } = await signUp();
    await env.DIRECTORY.prepare(
      `INSERT INTO devices SELECT device_id || value, user_id, name, 1, created_at, last_used_at, NULL, NULL
       FROM devices, json_each(?2) WHERE user_id = ?1`,
    )
      .bind(user.userId, JSON.stringify(Array.from({ length: LIMITS.devices - 4 }, (_, i) => i)))
      .run();
    const answers = await Promise.all(Array.from({ length: 6 }, () => signIn(user.handle)));
    expect(answers.filter((a) => a.status === 200)).toHaveLength(3);
    expect(answers.filter((a) => a.status === 409).map(codeOf)).toEqual(Array(3).fill("too_many_devices"));
    const { devices } = (await ask("GET", "/v1/me/devices", { token: accessToken })).json;
    expect(devices).toHaveLength(LIMITS.devices);
    await ask("POST", "/v1/auth/sign-out", { token: accessToken });
    expect((await signIn(user.handle)).status).toBe(200);
  });

  test("[AC-11] devices out of use for 90 days take no room; one that comes back needs it again", async () => {
    const first = await signUp();
    const since = Date.now() - 90 * DAY;
    const fill = (n: number, from: number, at: number) =>
      env.DIRECTORY.prepare(
        `INSERT INTO devices SELECT substr(device_id, 1, 20) || value, user_id, name, 1, created_at, ?3, NULL, NULL
         FROM devices, json_each(?2) WHERE device_id = ?1`,
      )
        .bind(first.device.deviceId, JSON.stringify(Array.from({ length: n }, (_, i) => i + from)), at)
        .run();
    await fill(LIMITS.devices, 100_000, since - 1_000);
    const stale = first.device.deviceId.slice(0, 20) + 100_000;
    const revived = sessionIn(await signIn(first.user.handle, PASSWORD, stale));
    expect(revived.device.deviceId).toBe(stale);
    await fill(LIMITS.devices - 2, 200_000, Date.now());
    expect(codeOf(await signIn(first.user.handle, PASSWORD, first.device.deviceId.slice(0, 20) + 100_001))).toBe(
      "too_many_devices",
    );
    expect((await signIn(first.user.handle, PASSWORD, first.device.deviceId)).status).toBe(200);
  });
});

describe("too many attempts", () => {
  const strict = { RATE_LIMITS: "strict", STRICT_ADDRESS: env.WIDE_ADDRESS } satisfies Partial<Env>;

  test("[AC-16] after ten wrong passwords a minute the right one is refused alike, after the same work", async () => {
    await awayFromWindowEdge();
    const { user } = await signUp();
    const checks = vi.spyOn(Argon2.prototype, "tryVerify");
    const wrong = [];
    for (let i = 0; i < 12; i++) wrong.push(await signIn(user.handle, "wrong password", undefined, strict));
    const right = await signIn(user.handle, PASSWORD, undefined, strict);
    expect(new Set([...wrong, right].map((a) => `${a.status} ${a.text} ${JSON.stringify([...a.headers])}`)).size).toBe(
      1,
    );
    expect(codeOf(right)).toBe("invalid_credentials");
    expect(checks).toHaveBeenCalledTimes(13);
    expect((await signIn((await signUp()).user.handle, PASSWORD, undefined, strict)).status).toBe(200);
  });

  test("[AC-16] successes never add up to a lock-out, and start the count anew", async () => {
    await awayFromWindowEdge();
    const { user } = await signUp();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 9; i++) expect((await signIn(user.handle, "wrong", undefined, strict)).status).toBe(401);
      expect((await signIn(user.handle, PASSWORD, undefined, strict)).status).toBe(200);
    }
    for (let i = 0; i < 15; i++) expect((await signIn(user.handle, PASSWORD, undefined, strict)).status).toBe(200);
  });

  test("[AC-16] a guess counts before its outcome is known, so that many at once are not more than one after the other", async () => {
    await awayFromWindowEdge();
    const { user } = await signUp();
    let counted = 0;
    const watched: RateLimit = {
      limit: async (options) => {
        const outcome = await env.STRICT_HANDLE.limit(options);
        counted++;
        return outcome;
      },
    };
    const seen = { ...strict, STRICT_HANDLE: watched };
    const guesses = Array.from({ length: 10 }, () => signIn(user.handle, "wrong", undefined, seen));
    await vi.waitUntil(() => counted === 10, { timeout: 60_000, interval: 1 });
    expect(codeOf(await signIn(user.handle, PASSWORD, undefined, seen))).toBe("invalid_credentials");
    await Promise.all(guesses);
  });

  test("[AC-17] an address over its limit is told so, at every door that makes a session, before any work", async () => {
    await awayFromWindowEdge();
    const body = { handle: "nobody-at-all", password: "wrong password", device: { name: "x" } };
    const from = { address: "192.0.2.1", env: { RATE_LIMITS: "strict" } };
    const answers = [];
    for (let i = 0; i < 21; i++) answers.push(await ask("POST", "/v1/auth/sign-in", { body, ...from }));
    expect(answers.slice(0, 20).map(codeOf)).toEqual(Array(20).fill("invalid_credentials"));
    const work = [vi.spyOn(Argon2.prototype, "tryHash"), vi.spyOn(Argon2.prototype, "tryVerify")];
    const signUpBody = { ...body, displayName: "x" };
    const over = [
      answers.at(-1),
      await ask("POST", "/v1/auth/sign-up", { body: signUpBody, ...from }),
      await ask("POST", "/v1/auth/exchange", { body: { token: "x", device: { name: "x" } }, ...from }),
    ];
    for (const answered of over) {
      expect(answered?.json).toMatchObject({
        code: "rate_limited",
        status: 429,
        retryable: true,
        retryAfterMs: 60_000,
      });
      expect(answered?.headers.get("retry-after")).toBe("60");
    }
    for (const spy of work) expect(spy).not.toHaveBeenCalled();
    const elsewhere = await ask("POST", "/v1/auth/sign-in", { body, ...from, address: "192.0.2.2" });
    expect(codeOf(elsewhere)).toBe("invalid_credentials");
  });
});

describe("refreshing", () => {
  test("[AC-7] each refresh token works once, and the new pair works", async () => {
    const session = await signUp();
    let token = session.refreshToken;
    for (let generation = 2; generation <= 5; generation++) {
      const answered = await refresh(token);
      expect(answered.status).toBe(200);
      const pair = WholePair.parse(answered.json);
      expect((await rowOf(session))?.generation).toBe(generation);
      expect((await ask("GET", "/v1/me", { token: pair.accessToken })).status).toBe(200);
      expect(pair.refreshToken).not.toBe(token);
      token = pair.refreshToken;
    }
  });

  test("[AC-6] one that was used before signs the device out: also the newest pair ends", async () => {
    const session = await signUp();
    const pair = WholePair.parse((await refresh(session.refreshToken)).json);
    expect(codeOf(await refresh(session.refreshToken))).toBe("refresh_reused");
    expect((await rowOf(session))?.revokedAt).not.toBeNull();
    expect(codeOf(await refresh(pair.refreshToken))).toBe("device_revoked");
    expect(codeOf(await ask("GET", "/v1/me", { token: pair.accessToken }))).toBe("device_revoked");
    expect((await signIn(session.user.handle)).status).toBe(200);
  });

  test("[AC-7] of ten at the same moment one is answered; then the device is signed out", async () => {
    for (let round = 0; round < 5; round++) {
      const session = await signUp();
      const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(session.refreshToken)));
      expect(answers.filter((a) => a.status === 200)).toHaveLength(1);
      const others = answers.filter((a) => a.status !== 200).map(codeOf);
      expect(others).toContain("refresh_reused");
      for (const code of others) expect(["refresh_reused", "device_revoked"]).toContain(code);
      expect((await rowOf(session))?.revokedAt).not.toBeNull();
    }
  });

  test("[AC-5] what we did not sign names a real device in vain", async () => {
    const session = await signUp();
    await refresh(session.refreshToken);
    const before = await rowOf(session);
    const { userId } = session.user;
    const claims = { userId, deviceId: session.device.deviceId, generation: 1 };
    const foreign = await issueTokens(
      { TOKEN_KEYS: "Zm9yZWlnbi1rZXktb2YtdGhpcnR5LXR3by1ieXRlcy0w" },
      claims,
      Date.now(),
    );
    const [head, body, signature] = session.refreshToken.split(".");
    for (const forged of [
      foreign.refreshToken,
      session.accessToken,
      `${head}.${body}.`,
      `${head}.${body}.${signature?.slice(0, -4)}AAAA`,
      `${btoa(JSON.stringify({ alg: "none", typ: "rt+jwt" })).replaceAll("=", "")}.${body}.`,
      session.device.deviceId,
      "garbage",
    ]) {
      expect(codeOf(await refresh(forged))).toBe("unauthenticated");
    }
    expect(await rowOf(session)).toEqual(before);
    expect(before?.revokedAt).toBeNull();
  });

  test("[AC-8] a device that signed out gets no new pair, and is not reused either", async () => {
    const session = await signUp();
    expect((await ask("POST", "/v1/auth/sign-out", { token: session.accessToken })).status).toBe(204);
    expect(codeOf(await refresh(session.refreshToken))).toBe("device_revoked");
  });

  test("[AC-26] after 90 days without use the refresh token has expired; each use starts them anew", async () => {
    const session = await signUp();
    const old = await tokensOf(session, 1, Date.now() - 90 * DAY);
    expect(codeOf(await refresh(old.refreshToken))).toBe("token_expired");
    expect((await rowOf(session))?.revokedAt).toBeNull();
    const nearly = await tokensOf(session, 1, Date.now() - 90 * DAY + 60_000);
    const pair = WholePair.parse((await refresh(nearly.refreshToken)).json);
    expect(decodeJwt(pair.refreshToken).exp).toBeGreaterThan((Date.now() + 89 * DAY) / 1_000);
  });

  test("[AC-3] an expired access token is told apart from a bad one", async () => {
    const session = await signUp();
    const old = await tokensOf(session, 1, Date.now() - 3_600_001);
    const expired = await ask("GET", "/v1/me", { token: old.accessToken });
    expect(codeOf(expired)).toBe("token_expired");
    expect(expired.headers.get("www-authenticate")).toBe("Bearer");
    expect(codeOf(await ask("GET", "/v1/me", { token: `${old.accessToken}x` }))).toBe("unauthenticated");
    expect(codeOf(await ask("GET", "/v1/me", { token: session.refreshToken }))).toBe("unauthenticated");
    expect(codeOf(await ask("GET", "/v1/me"))).toBe("unauthenticated");
  });

  test("[AC-30] one device that refreshes without end is slowed down, whatever its address, and no other is", async () => {
    await awayFromWindowEdge();
    const session = await signUp();
    let token = session.refreshToken;
    for (let i = 0; i < 20; i++)
      token = WholePair.parse((await refresh(token, { RATE_LIMITS: "strict" })).json).refreshToken;
    expect(codeOf(await refresh(token, { RATE_LIMITS: "strict" }))).toBe("rate_limited");
    const other = await signUp();
    expect((await refresh(other.refreshToken, { RATE_LIMITS: "strict" })).status).toBe(200);
    expect((await refresh(token)).status).toBe(200);
  });
});

describe("when something is away", () => {
  test("[AC-24] every door says so when D1 is, and nothing of the statement gets out", async () => {
    const session = await signUp();
    const down = { DIRECTORY: downDatabase() };
    const { accessToken: token, refreshToken } = session;
    const device = { name: "x" };
    const answers = [
      await ask("POST", "/v1/auth/sign-up", {
        body: { handle: freshHandle(), password: PASSWORD, displayName: "x", device },
        env: down,
      }),
      await signIn(session.user.handle, PASSWORD, undefined, down),
      await refresh(refreshToken, down),
      await ask("POST", "/v1/auth/sign-out", { token, env: down }),
      await ask("GET", "/v1/me", { token, env: down }),
      await ask("PATCH", "/v1/me", { token, body: { displayName: "x" }, env: down }),
      await ask("GET", "/v1/me/devices", { token, env: down }),
      await ask("DELETE", `/v1/me/devices/${session.device.deviceId}`, { token, env: down }),
      await ask("GET", `/v1/users?handle=${session.user.handle}`, { token, env: down }),
      await ask("GET", `/v1/users/${session.user.userId}`, { token, env: down }),
    ];
    for (const answered of answers) {
      expect(codeOf(answered)).toBe("unavailable");
      expect(answered.json).toMatchObject({ retryable: true });
      expect(answered.text).not.toMatch(/D1|SELECT|SQL|secret/);
    }
  });

  test("[AC-24] tables that are not there are no stack and no SQL, either", async () => {
    const broken = { DIRECTORY: env.HISTORY_0 };
    const answered = await signIn("alice", PASSWORD, undefined, broken);
    expect(codeOf(answered)).toBe("unavailable");
    expect(answered.text).not.toMatch(/users|table|SQL|alice/);
  });

  test("[AC-9] a reuse that cannot close the sockets is not half done, and works later", async () => {
    const session = await signUp();
    await refresh(session.refreshToken);
    expect(codeOf(await refresh(session.refreshToken, { INBOXES: downInboxes() }))).toBe("unavailable");
    expect((await rowOf(session))?.revokedAt).toBeNull();
    expect(codeOf(await refresh(session.refreshToken))).toBe("refresh_reused");
    expect((await rowOf(session))?.revokedAt).not.toBeNull();
  });

  test("[AC-24] a broken token key is our fault, not the caller's, and says nothing", async () => {
    const session = await signUp();
    const answered = await ask("GET", "/v1/me", { token: session.accessToken, env: { TOKEN_KEYS: "too-short" } });
    expect(codeOf(answered)).toBe("internal");
    expect(answered.text).not.toMatch(/TOKEN_KEYS|too-short/);
  });
});
