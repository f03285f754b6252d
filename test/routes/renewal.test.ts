import { expect, test } from "vitest";
import type { Session } from "../../src/protocol/http.ts";
import { deviceOf } from "../../src/storage/devices.ts";
import { newKey } from "../objects/support.ts";
import {
  type Answered,
  ask,
  codeOf,
  env,
  freshHandle,
  PASSWORD,
  signIn,
  signUp,
  WholePair,
} from "./support/accounts.ts";

const renew = (refreshToken: string, idempotencyKey?: string): Promise<Answered> =>
  ask("POST", "/v1/auth/refresh", { body: { refreshToken, ...(idempotencyKey ? { idempotencyKey } : {}) } });
const rowOf = ({ user, device }: Session) => deviceOf(env.DIRECTORY, user.userId, device.deviceId);
const isTaken = async (token: string) => (await ask("GET", "/v1/me", { token })).status === 200;

test("[AC-33] a trade whose answer was lost has the same outcome under the same key, however often and whenever it is asked for", async () => {
  const session = await signUp();
  const key = newKey();
  await renew(session.refreshToken, key); // its answer is lost
  for (let i = 0; i < 3; i++) {
    const pair = WholePair.parse((await renew(session.refreshToken, key)).json);
    expect((await rowOf(session))?.generation).toBe(2);
    expect(await isTaken(pair.accessToken)).toBe(true);
  }
  const { refreshToken } = WholePair.parse((await renew(session.refreshToken, key)).json);
  const next = WholePair.parse((await renew(refreshToken, newKey())).json);
  expect((await rowOf(session))?.generation).toBe(3);
  expect(await isTaken(next.accessToken)).toBe(true);
});

test("[AC-33] many at the same moment under one key are one trade, and the device stays", async () => {
  for (let round = 0; round < 5; round++) {
    const session = await signUp();
    const key = newKey();
    const answers = await Promise.all(Array.from({ length: 10 }, () => renew(session.refreshToken, key)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(await rowOf(session)).toMatchObject({ generation: 2, revokedAt: null });
  }
});

test("[AC-33] [AC-6] a copy of the token without the key, or with another one, signs the device out as ever", async () => {
  for (const thief of [undefined, newKey()]) {
    const session = await signUp();
    await renew(session.refreshToken, newKey());
    expect(codeOf(await renew(session.refreshToken, thief))).toBe("refresh_reused");
    expect((await rowOf(session))?.revokedAt).not.toBeNull();
  }
  const session = await signUp();
  const key = newKey();
  const { refreshToken } = WholePair.parse((await renew(session.refreshToken, key)).json);
  await renew(refreshToken, newKey());
  expect(codeOf(await renew(session.refreshToken, key))).toBe("refresh_reused"); // the last trade was another
});

test("[AC-33] [AC-12] signing the device in again ends what was being traded", async () => {
  const session = await signUp();
  const key = newKey();
  await renew(session.refreshToken, key);
  expect((await signIn(session.user.handle, PASSWORD, session.device.deviceId)).status).toBe(200);
  expect((await rowOf(session))?.renewedBy).toBeNull();
  expect(codeOf(await renew(session.refreshToken, key))).toBe("refresh_reused");
});

test("[AC-33] what is no key is refused, and trades nothing", async () => {
  const session = await signUp();
  for (const key of ["", "x", "0".repeat(27), "8ZZZZZZZZZZZZZZZZZZZZZZZZZ"])
    expect(
      codeOf(
        await ask("POST", "/v1/auth/refresh", { body: { refreshToken: session.refreshToken, idempotencyKey: key } }),
      ),
    ).toBe("invalid_request");
  expect((await rowOf(session))?.generation).toBe(1);
});

const ours = { "sec-fetch-site": "same-origin" };
/** What a browser keeps of an answer, and sends with what the cookie is for. */
function cookieOf({ headers }: Answered) {
  const [text = ""] = headers.getSetCookie();
  const [pair = "", ...rules] = text.split("; ");
  const [name = "", value = ""] = pair.split("=");
  return { pair, name, value, rules };
}
const enter = (handle: string, headers: Record<string, string> = ours) =>
  ask("POST", "/v1/auth/sign-in", {
    body: { handle, password: PASSWORD, device: { name: "page" }, refreshTokenIn: "cookie" },
    headers,
  });

test("[AC-34] for a page of ours the refresh token is in a cookie that no script reads, one a device, and not in the answer", async () => {
  const { user } = await signUp();
  const answered = await enter(user.handle);
  expect(answered.json).not.toHaveProperty("refreshToken");
  const { name, value, rules } = cookieOf(answered);
  expect(name).toBe(`edgewise-refresh-${answered.json.device.deviceId}`);
  expect(value.split(".")).toHaveLength(3);
  expect(rules).toEqual(["Max-Age=7776000", "Path=/v1/auth", "HttpOnly", "SameSite=Strict"]);
  const body = { handle: freshHandle(), password: PASSWORD, displayName: "x", device: { name: "page" } };
  const made = await ask("POST", "/v1/auth/sign-up", { body: { ...body, refreshTokenIn: "cookie" }, headers: ours });
  expect(made.status).toBe(201);
  expect(made.json).not.toHaveProperty("refreshToken");
  expect(cookieOf(made).name).toBe(`edgewise-refresh-${made.json.device.deviceId}`);
});

test("[AC-34] over https the cookie is never sent in the clear", async () => {
  const { user } = await signUp();
  const body = { handle: user.handle, password: PASSWORD, device: { name: "page" }, refreshTokenIn: "cookie" };
  const answered = await ask("POST", "https://chat.example/v1/auth/sign-in", { body, headers: ours });
  expect(cookieOf(answered).rules).toContain("Secure");
});

test("[AC-34] it is traded for the next one, by its device alone, and goes into the cookie again", async () => {
  const { user } = await signUp();
  const entered = await enter(user.handle);
  const { pair } = cookieOf(entered);
  const { deviceId } = entered.json.device;
  const trade = (headers: Record<string, string>, id = deviceId) =>
    ask("POST", "/v1/auth/refresh", { body: { deviceId: id, idempotencyKey: newKey() }, headers });
  const traded = await trade({ ...ours, cookie: `other=1; ${pair}` });
  expect(traded.status).toBe(200);
  expect(traded.json).not.toHaveProperty("refreshToken");
  expect(await isTaken(traded.json.accessToken)).toBe(true);
  const next = cookieOf(traded);
  expect(next.pair).not.toBe(pair);
  const { device } = await signUp();
  for (const answered of [
    await trade(ours), // no cookie
    await trade({ ...ours, cookie: next.pair }, device.deviceId), // the cookie of another device
    await trade({ ...ours, cookie: next.pair.replace(deviceId, device.deviceId) }, deviceId),
  ])
    expect(codeOf(answered)).toBe("unauthenticated");
  expect((await trade({ ...ours, cookie: next.pair })).status).toBe(200);
});

test("[AC-34] no page but ours gets or uses a cookie: there the token is in the answer, and the cookie counts for nothing", async () => {
  const { user } = await signUp();
  const mine = await enter(user.handle);
  const { pair } = cookieOf(mine);
  for (const site of ["cross-site", "same-site", "none", undefined]) {
    const headers: Record<string, string> = site ? { "sec-fetch-site": site } : {};
    const answered = await enter(user.handle, headers);
    expect(answered.headers.getSetCookie()).toEqual([]);
    expect(WholePair.parse(answered.json).refreshToken).toMatch(/\./);
    const used = await ask("POST", "/v1/auth/refresh", {
      body: { deviceId: mine.json.device.deviceId },
      headers: { ...headers, cookie: pair },
    });
    expect(codeOf(used)).toBe("unauthenticated");
    expect(used.headers.getSetCookie()).toEqual([]);
  }
});

test("[AC-34] a device that has its token in its store moves it into the cookie when it is traded", async () => {
  const session = await signUp();
  const body = { refreshToken: session.refreshToken, refreshTokenIn: "cookie" };
  const answered = await ask("POST", "/v1/auth/refresh", { body, headers: ours });
  expect(answered.json).not.toHaveProperty("refreshToken");
  expect(cookieOf(answered).name).toBe(`edgewise-refresh-${session.device.deviceId}`);
});

test("[AC-34] the cookie goes with the session: when it is signed out, and when it turns out to have ended", async () => {
  const { user } = await signUp();
  const [one, two] = [await enter(user.handle), await enter(user.handle)];
  const out = await ask("POST", "/v1/auth/sign-out", { token: one.json.accessToken, headers: ours });
  expect(out.status).toBe(204);
  expect(cookieOf(out)).toMatchObject({ name: cookieOf(one).name, value: "" });
  expect(cookieOf(out).rules).toContain("Max-Age=0");

  await ask("DELETE", `/v1/me/devices/${two.json.device.deviceId}`, { token: two.json.accessToken });
  const body = { deviceId: two.json.device.deviceId };
  const told = { ...ours, cookie: cookieOf(two).pair };
  const away = await ask("POST", "/v1/auth/refresh", { body, headers: told, env: { DIRECTORY: undefined as never } });
  expect(away.status).toBeGreaterThanOrEqual(500);
  expect(away.headers.getSetCookie()).toEqual([]); // it may be good yet
  const ended = await ask("POST", "/v1/auth/refresh", { body, headers: told });
  expect(codeOf(ended)).toBe("device_revoked");
  expect(cookieOf(ended)).toMatchObject({ name: cookieOf(two).name, value: "" });
});
