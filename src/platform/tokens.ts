import { base64url, errors, jwtVerify, SignJWT } from "jose";
import * as z from "zod";
import { ACCESS_LIFE_MS, REFRESH_LIFE_MS } from "../domain/session.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { TokenPair } from "../protocol/http.ts";
import { DeviceId, UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import type { Env } from "./env.ts";
import { isRevoked } from "./revocations.ts";

/** A signed-in device. `expiresAt`: ms, when its access token does. */
export type Caller = { userId: UserId; deviceId: DeviceId; expiresAt: number };
export type RefreshClaims = { userId: UserId; deviceId: DeviceId; generation: number };
/** With the refresh token, wherever it will go. */
export type IssuedTokens = TokenPair & { refreshToken: string };
type Keys = Pick<Env, "TOKEN_KEYS">;
type TokenRefusal = "unauthenticated" | "token_expired";

const ALGORITHM = "HS256";
/** The header's `typ` keeps the two kinds apart (RFC 8725, 3.11): neither passes for the other. */
const ACCESS = "at+jwt"; // [AC-19]
const REFRESH = "rt+jwt";
const AccessClaims = z.object({ sub: UserId, device: DeviceId, exp: z.int() });
const RefreshJwt = z.object({ sub: UserId, device: DeviceId, exp: z.int(), generation: z.int().min(1) });

/** A new pair for a device's refresh generation. `now`: ms. */
export async function issueTokens(env: Keys, claims: RefreshClaims, now: number): Promise<IssuedTokens> {
  const { userId, deviceId, generation } = claims;
  const accessExpiresAt = (Math.floor(now / 1_000) + ACCESS_LIFE_MS / 1_000) * 1_000;
  const sign = async (typ: string, payload: Record<string, unknown>, expiresAt: number) =>
    new SignJWT({ device: deviceId, ...payload })
      .setProtectedHeader({ alg: ALGORITHM, typ })
      .setSubject(userId)
      .setIssuedAt(Math.floor(now / 1_000))
      .setExpirationTime(Math.floor(expiresAt / 1_000))
      .sign((await keysOf(env))[0]); // [AC-4]
  return {
    accessToken: await sign(ACCESS, {}, accessExpiresAt),
    accessExpiresAt,
    refreshToken: await sign(REFRESH, { generation }, now + REFRESH_LIFE_MS),
  };
}

/** Who an access token speaks for, by its signature alone: no database is asked, so that a storm of sockets cannot take one down. */
export async function verifyAccessToken(env: Keys, token: string, now: number): Promise<Result<Caller, TokenRefusal>> {
  const claims = await verify(env, token, ACCESS, AccessClaims, now);
  if (!claims.ok) return claims;
  const { sub, device, exp } = claims.value;
  return ok({ userId: sub, deviceId: device, expiresAt: exp * 1_000 });
}

/** What a refresh token of ours says; whether it is still good is the device's row to say. */
export async function verifyRefreshToken(
  env: Keys,
  token: string,
  now: number,
): Promise<Result<RefreshClaims, TokenRefusal>> {
  const claims = await verify(env, token, REFRESH, RefreshJwt, now);
  if (!claims.ok) return claims;
  const { sub, device, generation } = claims.value;
  return ok({ userId: sub, deviceId: device, generation });
}

/** The device that an `Authorization` header speaks for. A revoked one is refused within `REVOKED_WITHIN_MS`. `now`: ms. */
export async function authenticate(
  env: Env,
  header: string | undefined,
  now: number,
): Promise<Result<Caller, ErrorCode>> {
  const token = bearerOf(header);
  if (token === undefined) return refuse("unauthenticated");
  const caller = await verifyAccessToken(env, token, now);
  if (!caller.ok) return caller;
  const { userId, deviceId } = caller.value;
  return (await isRevoked(env.DIRECTORY, userId, deviceId, now)) ? refuse("device_revoked") : caller; // [AC-10]
}

/** Lets the deployer's operator in. While OPERATOR_TOKEN is unset, the operator's doors are not there. */
export async function authenticateOperator(
  env: Env,
  header: string | undefined,
): Promise<Result<undefined, ErrorCode>> {
  if (!env.OPERATOR_TOKEN) return refuse("not_found");
  const [given, wanted] = await Promise.all([digest(bearerOf(header) ?? ""), digest(env.OPERATOR_TOKEN)]);
  return crypto.subtle.timingSafeEqual(given, wanted) ? ok(undefined) : refuse("unauthenticated"); // [AC-23]
}

export const bearerOf = (header: string | undefined): string | undefined =>
  /^Bearer +([^ ]+)$/i.exec(header ?? "")?.[1];
const digest = (text: string): Promise<ArrayBuffer> => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));

async function verify<S extends z.ZodType>(
  env: Keys,
  token: string,
  typ: string,
  schema: S,
  now: number,
): Promise<Result<z.output<S>, TokenRefusal>> {
  if (token.length > LIMITS.tokenLength) return refuse("unauthenticated");
  for (const key of await keysOf(env)) {
    try {
      const { payload } = await jwtVerify(token, key, { algorithms: [ALGORITHM], typ, currentDate: new Date(now) });
      const claims = schema.safeParse(payload);
      return claims.success ? ok(claims.data) : refuse("unauthenticated");
    } catch (error) {
      if (error instanceof errors.JWTExpired) return refuse("token_expired"); // [AC-3]
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) return refuse("unauthenticated");
    }
  }
  return refuse("unauthenticated");
}

type KeyRing = readonly [CryptoKey, ...CryptoKey[]];
let imported: { from: string; keys: KeyRing } | undefined;

/** The keys of TOKEN_KEYS, imported once an isolate. Throws when there is none, or one is shorter than the digest (RFC 7518, 3.2). */
async function keysOf({ TOKEN_KEYS: from }: Keys): Promise<KeyRing> {
  if (imported?.from === from) return imported.keys;
  const [first, ...others] = await Promise.all((from ?? "").split(",").map((text) => importKey(text.trim())));
  if (!first) throw new Error("TOKEN_KEYS is empty");
  imported = { from, keys: [first, ...others] };
  return imported.keys;
}

async function importKey(text: string): Promise<CryptoKey> {
  const bytes = base64url.decode(text);
  if (bytes.length < 32) throw new Error("TOKEN_KEYS: each key is 32 bytes or more in base64url");
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}
