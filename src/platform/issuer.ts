import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import * as z from "zod";
import { ok, type Result, refuse } from "../protocol/result.ts";
import type { Env } from "./env.ts";
import { log } from "./log.ts";

/** Whom the outside issuer vouches for. `handle` and `name` are wishes of theirs, not checked. */
export type Vouched = { issuer: string; subject: string; handle: string | undefined; name: string | undefined };
type Settings = Pick<Env, "ISSUER" | "ISSUER_AUDIENCE" | "ISSUER_JWKS_URL">;

/** Signatures with a private key alone: an issuer's public key must never pass for a shared secret (RFC 8725, 2.1). */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
/** How far the issuer's clock may be from ours. Seconds. */
const CLOCK_TOLERANCE_S = 5;
const Claims = z.object({
  sub: z.string().min(1).max(255),
  preferred_username: z.unknown().optional(),
  name: z.unknown().optional(),
});

/**
 * Verifies a token of the configured issuer. `not_found` while none is configured; `unavailable` when its keys cannot be had. `maxAgeS`: how
 * long ago it may have been issued.
 */
export async function verifyVouched(
  env: Settings,
  token: string,
  now: number,
  maxAgeS?: number,
): Promise<Result<Vouched, "not_found" | "invalid_credentials" | "unavailable">> {
  if (!env.ISSUER || !env.ISSUER_JWKS_URL) return refuse("not_found"); // [AC-22]
  const payload = await verified(env, token, now, maxAgeS);
  if (!payload.ok) return payload;
  const claims = Claims.safeParse(payload.value);
  if (!claims.success) return refuse("invalid_credentials");
  const { sub, preferred_username, name } = claims.data;
  return ok({ issuer: env.ISSUER, subject: sub, handle: textOrNone(preferred_username), name: textOrNone(name) });
}

async function verified(
  env: Settings,
  token: string,
  now: number,
  maxAgeS: number | undefined,
): Promise<Result<unknown, "invalid_credentials" | "unavailable">> {
  try {
    const { payload } = await jwtVerify(token, keySetOf(env.ISSUER_JWKS_URL), {
      issuer: env.ISSUER,
      ...(env.ISSUER_AUDIENCE ? { audience: env.ISSUER_AUDIENCE } : {}),
      requiredClaims: ["exp"],
      ...(maxAgeS === undefined ? {} : { maxTokenAge: maxAgeS }),
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(now),
    }); // [AC-20]
    return ok(payload);
  } catch (error) {
    if (isTokensFault(error)) return refuse("invalid_credentials");
    log.error("issuer_keys_unavailable", { error });
    return refuse("unavailable");
  }
}

/** Everything else (no answer, not 200, not a key set) is not the caller's doing. */
const TOKENS_FAULTS = [
  errors.JWTInvalid,
  errors.JWTExpired,
  errors.JWTClaimValidationFailed,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
];
const isTokensFault = (error: unknown): boolean => TOKENS_FAULTS.some((fault) => error instanceof fault);
const textOrNone = (claim: unknown): string | undefined => (typeof claim === "string" ? claim : undefined);

let keySet: { url: string; keys: ReturnType<typeof createRemoteJWKSet> } | undefined;
/** Kept by the isolate, so that the issuer is asked seldom: every ten minutes, or for a key id not seen before. */
function keySetOf(url: string): ReturnType<typeof createRemoteJWKSet> {
  if (keySet?.url !== url) keySet = { url, keys: createRemoteJWKSet(new URL(url)) };
  return keySet.keys;
}
