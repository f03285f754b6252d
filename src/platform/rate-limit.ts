import { addressKey, attemptKey } from "../domain/session.ts";
import type { DeviceId, UserId } from "../protocol/ids.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import type { Env } from "./env.ts";
import { log } from "./log.ts";

/** The period of all limiters in wrangler.toml; when in it the count began is not told. Ms. */
const PERIOD_MS = 60_000;

/** Which set of limits is in force. The only place that knows. */
const limitsOf = (env: Env) =>
  env.RATE_LIMITS === "wide"
    ? {
        address: env.WIDE_ADDRESS,
        handle: env.WIDE_HANDLE,
        device: env.WIDE_DEVICE,
        people: env.WIDE_PEOPLE,
        export: env.WIDE_EXPORT,
      }
    : {
        address: env.STRICT_ADDRESS,
        handle: env.STRICT_HANDLE,
        device: env.STRICT_DEVICE,
        people: env.STRICT_PEOPLE,
        export: env.STRICT_EXPORT,
      };

/** Counts a visit of an account door for the address it comes from. */
export async function limitAddress(env: Env, request: Request): Promise<Result<undefined, "rate_limited">> {
  const address = request.headers.get("cf-connecting-ip") ?? "local"; // set by the edge, which drops what a client sends
  return passes(limitsOf(env).address, `address ${addressKey(address)}`); // [AC-17]
}

/** Counts a request of a signed-in device, whatever it asks for. */
export async function limitDevice(env: Env, deviceId: DeviceId): Promise<Result<undefined, "rate_limited">> {
  return passes(limitsOf(env).device, deviceId); // [AC-32]
}

/** Counts a search for people, for all of the user's devices together. */
export async function limitPeopleSearch(env: Env, userId: UserId): Promise<Result<undefined, "rate_limited">> {
  return passes(limitsOf(env).people, userId); // [PE-5]
}

/** Counts an export of this person's, whoever asks for it. */
export async function limitExport(env: Env, userId: UserId): Promise<Result<undefined, "rate_limited">> {
  return passes(limitsOf(env).export, userId); // [EX-6]
}

/**
 * Counts a refresh for its device, once the token's signature is known to be ours. Not for the address: everybody in one office
 * refreshes once an hour, and a forged token costs no more than a signature check.
 */
export async function limitRefresh(env: Env, deviceId: DeviceId): Promise<Result<undefined, "rate_limited">> {
  return passes(limitsOf(env).address, `device ${deviceId}`); // [AC-30]
}

/**
 * Counts an attempt to sign in; false once there were too many since the last that succeeded. The binding counts and asks in one
 * act, so an attempt counts before its outcome is known (guesses at the same moment cannot slip through together), and a success
 * is taken off by counting from it anew: see `attemptKey`.
 */
export async function attemptAllowed(env: Env, handle: string, signedInAt: number | undefined): Promise<boolean> {
  return (await passes(limitsOf(env).handle, attemptKey(handle.toLowerCase(), signedInAt))).ok; // [AC-16]
}

/** A limiter that fails lets everybody in: it guards against abuse, and must not be what keeps people out. */
async function passes(limiter: RateLimit, key: string): Promise<Result<undefined, "rate_limited">> {
  try {
    return (await limiter.limit({ key })).success
      ? ok(undefined)
      : { ...refuse("rate_limited"), retryAfterMs: PERIOD_MS };
  } catch (error) {
    log.warn("rate_limit_not_checked", { error });
    return ok(undefined);
  }
}
