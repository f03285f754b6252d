import { createECDH, randomBytes } from "node:crypto";
import { decrypt } from "http_ece";
import { base64url, importJWK, jwtVerify } from "jose";

/** A browser's end of Web Push, by an implementation that is not ours. */
export class PushReceiver {
  readonly #key = createECDH("prime256v1");
  readonly keys: { p256dh: string; auth: string };

  constructor() {
    const p256dh = this.#key.generateKeys("base64url", "uncompressed");
    this.keys = { p256dh, auth: randomBytes(16).toString("base64url") };
  }

  /** The plaintext of a request's body; throws where it is not for these keys. */
  open(body: Uint8Array): string {
    const params = { version: "aes128gcm", privateKey: this.#key, authSecret: this.keys.auth } as const;
    return new TextDecoder().decode(decrypt(Buffer.from(body), params));
  }
}

/** Checks a request's `Authorization` as a push service does (RFC 8292): its own origin, the key named, a day at most. Who signed. */
export async function verifyVapid(authorization: string, origin: string) {
  const [, token = "", key = ""] = /^vapid t=([^,]+), k=(.+)$/.exec(authorization) ?? [];
  const point = base64url.decode(key);
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: base64url.encode(point.slice(1, 33)),
    y: base64url.encode(point.slice(33)),
  };
  const options = { algorithms: ["ES256"], audience: origin, requiredClaims: ["exp", "sub"] };
  const { payload } = await jwtVerify(token, await importJWK(jwk, "ES256"), options);
  if ((payload.exp ?? 0) > Date.now() / 1_000 + 86_400) throw new Error("a token lives a day at most");
  return { key, contact: payload.sub };
}
