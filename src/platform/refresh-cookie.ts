import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import { serialize } from "hono/utils/cookie";
import { REFRESH_LIFE_MS } from "../domain/session.ts";
import type { TokenPair } from "../protocol/http.ts";
import type { DeviceId } from "../protocol/ids.ts";
import type { AppEnv } from "./http.ts";

/** Each device of a browser has one: several people may be signed in there. It is sent to the doors of sessions alone. */
const nameOf = (deviceId: DeviceId): string => `edgewise-refresh-${deviceId}`;
const PATH = "/v1/auth";

type Cookie = { readonly "set-cookie": string };
type Handed<T> = { body: T; headers?: Cookie };
/** Where an answer's refresh token goes. */
export type Place = "body" | "cookie" | undefined;

/** What browsers say of where a request comes from, and no page can say for them. */
const isOfOurPage = (c: Context<AppEnv>): boolean => c.req.header("sec-fetch-site") === "same-origin";

function cookie(c: Context<AppEnv>, deviceId: DeviceId, token: string, lifeMs: number): Cookie {
  const secure = new URL(c.req.url).protocol === "https:"; // on a developer's machine there is none
  const rules = { path: PATH, httpOnly: true, sameSite: "Strict", secure, maxAge: lifeMs / 1_000 } as const;
  return { "set-cookie": serialize(nameOf(deviceId), token, rules) };
}

/**
 * [AC-34] Where the page is ours and asks for it, the refresh token goes into a cookie that no script reads, and not into the body. To anybody
 * else it is given: a page of another origin has no cookies here, and an old browser does not say whose page it is.
 */
export function handOver<T extends TokenPair>(
  c: Context<AppEnv>,
  deviceId: DeviceId,
  { place, answer }: { place: Place; answer: T },
): Handed<T> {
  const { refreshToken, ...rest } = answer;
  if (place !== "cookie" || refreshToken === undefined || !isOfOurPage(c)) return { body: answer };
  return { body: rest as T, headers: cookie(c, deviceId, refreshToken, REFRESH_LIFE_MS) };
}

/** The refresh token that this browser has of the device; undefined: none, or a page asks that is not ours. */
export const refreshTokenIn = (c: Context<AppEnv>, deviceId: DeviceId): string | undefined =>
  isOfOurPage(c) ? getCookie(c, nameOf(deviceId)) : undefined;

/** [AC-34] The cookie of a device that is signed in no more goes. */
export const takeBack = (c: Context<AppEnv>, deviceId: DeviceId): { headers?: Cookie } =>
  isOfOurPage(c) ? { headers: cookie(c, deviceId, "", 0) } : {};
