import { base64url, importJWK, SignJWT } from "jose";
import type { Env } from "../env.ts";
import { log } from "../log.ts";

/** The server's key pair for Web Push (RFC 8292). `publicKey`: the point as browsers take it, base64url. */
export type Vapid = { publicKey: string; privateKey: string };

/** The pair of VAPID_KEYS, `public.private` in base64url; null when push by the web is not configured. */
export function vapidOf({ VAPID_KEYS }: Pick<Env, "VAPID_KEYS">): Vapid | null {
  if (!VAPID_KEYS) return null; // [PU-20]
  const [publicKey = "", privateKey = ""] = VAPID_KEYS.trim().split(".");
  if (/^[\w-]{87}$/.test(publicKey) && /^[\w-]{43}$/.test(privateKey)) return { publicKey, privateKey };
  log.error("vapid_keys_malformed");
  return null;
}

/** A token lives 12 hours and is renewed an hour before its end; the standard allows 24. Ms. */
const LIFE_MS = 12 * 60 * 60_000;
const EARLY_MS = 60 * 60_000;
/** Endpoints are of a few origins; a client that makes up others must not fill the memory. */
const KEPT = 100;
const signed = new Map<string, { token: string; until: number }>();

/** The `Authorization` of a push to this URL, signed once an origin and kept by the isolate. `contact`: mailto: or https:. */
export async function vapidAuthorization(vapid: Vapid, contact: string, url: string, now: number): Promise<string> {
  const { origin } = new URL(url);
  const name = `${vapid.publicKey} ${contact} ${origin}`;
  const kept = signed.get(name);
  if (kept && kept.until > now) return `vapid t=${kept.token}, k=${vapid.publicKey}`;
  const token = await sign(vapid, contact, origin, now);
  if (signed.size >= KEPT) signed.clear();
  signed.set(name, { token, until: now + LIFE_MS - EARLY_MS });
  return `vapid t=${token}, k=${vapid.publicKey}`;
}

/** [PU-23] */
async function sign({ publicKey, privateKey }: Vapid, contact: string, origin: string, now: number): Promise<string> {
  const point = base64url.decode(publicKey);
  const [x, y] = [base64url.encode(point.slice(1, 33)), base64url.encode(point.slice(33, 65))];
  const key = await importJWK({ kty: "EC", crv: "P-256", x, y, d: privateKey }, "ES256");
  return new SignJWT()
    .setProtectedHeader({ alg: "ES256", typ: "JWT" })
    .setAudience(origin)
    .setSubject(contact)
    .setExpirationTime(Math.floor((now + LIFE_MS) / 1_000))
    .sign(key);
}
