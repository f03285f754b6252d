import { importPKCS8, SignJWT } from "jose";
import * as z from "zod";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { post } from "./post.ts";

/** Google's JSON key file of a service account, as far as it is needed. */
const ServiceAccount = z.object({
  project_id: z.string().regex(/^[\w.:-]+$/),
  client_email: z.string(),
  private_key: z.string(),
  private_key_id: z.string().optional(),
  token_uri: z.url(),
});
export type ServiceAccount = z.infer<typeof ServiceAccount>;

/** The account of FCM_SERVICE_ACCOUNT; null when push by FCM is not configured. */
export function serviceAccountOf({ FCM_SERVICE_ACCOUNT }: Pick<Env, "FCM_SERVICE_ACCOUNT">): ServiceAccount | null {
  if (!FCM_SERVICE_ACCOUNT) return null; // [PU-20]
  try {
    return ServiceAccount.parse(JSON.parse(FCM_SERVICE_ACCOUNT));
  } catch {
    log.error("fcm_service_account_malformed");
    return null;
  }
}

const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ASSERTION_LIFE_S = 3_600;
/** A token is not used for the last minutes of its life. Ms. */
const EARLY_MS = 5 * 60_000;
const Granted = z.object({ access_token: z.string(), expires_in: z.number() });

type Token = { of: string; text: string; until: number };
let kept: Token | undefined;
/** [PU-26] One trade at a time, however many pushes wait for it. */
let trading: { of: string; token: Promise<Result<string>> } | undefined;

/** An OAuth token for FCM (RFC 7523), kept by the isolate until shortly before its end. Refused with a word for the trace. */
export async function accessTokenOf(account: ServiceAccount, now: number): Promise<Result<string>> {
  const of = account.private_key;
  if (kept?.of === of && kept.until > now) return ok(kept.text); // [PU-26]
  if (trading?.of !== of) {
    const token = trade(account, now).finally(() => {
      trading = undefined;
    });
    trading = { of, token };
  }
  return trading.token;
}

/** A token that FCM did not take is not used again. */
export function forgetAccessToken(text: string): void {
  if (kept?.text === text) kept = undefined;
}

async function trade(account: ServiceAccount, now: number): Promise<Result<string>> {
  const body = new URLSearchParams({ grant_type: GRANT, assertion: await assertionOf(account, now) });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const posted = await post(account.token_uri, headers, body.toString());
  if ("failed" in posted) return refuse(`oauth_${posted.failed}`);
  const granted = posted.status === 200 ? Granted.safeParse(parsed(posted.text)).data : undefined;
  if (!granted) {
    log.error("fcm_token_refused", { status: posted.status });
    return refuse(`oauth_${posted.status}`);
  }
  kept = { of: account.private_key, text: granted.access_token, until: now + granted.expires_in * 1_000 - EARLY_MS };
  return ok(granted.access_token);
}

async function assertionOf(account: ServiceAccount, now: number): Promise<string> {
  const key = await importPKCS8(account.private_key, "RS256");
  const seconds = Math.floor(now / 1_000);
  const kid = account.private_key_id === undefined ? {} : { kid: account.private_key_id };
  return new SignJWT({ scope: SCOPE })
    .setProtectedHeader({ alg: "RS256", typ: "JWT", ...kid })
    .setIssuer(account.client_email)
    .setAudience(account.token_uri)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + ASSERTION_LIFE_S)
    .sign(key);
}

/** What is not JSON is undefined. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
