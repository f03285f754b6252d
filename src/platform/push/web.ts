import { encryptNotification } from "@block65/webcrypto-web-push";
import { base64url } from "jose";
import { answerTo, type PushAnswer } from "../../domain/push-answer.ts";
import { forbidsSilence, isAllowedEndpoint } from "../../domain/push-endpoint.ts";
import { type Push, webText } from "../../domain/push-payload.ts";
import type { Env } from "../env.ts";
import { post } from "./post.ts";
import type { EndpointOf, PushProvider } from "./provider.ts";
import { type Vapid, vapidAuthorization } from "./vapid.ts";

type WebEndpoint = EndpointOf<"web">;

/** Whether a browser's key is a point of the curve, so that something can be encrypted for it. */
export async function isReceiverKey(p256dh: string): Promise<boolean> {
  const curve = { name: "ECDH", namedCurve: "P-256" };
  return crypto.subtle.importKey("raw", base64url.decode(p256dh), curve, false, []).then(
    () => true,
    () => false,
  );
}

/** Web Push (RFC 8030), encrypted for the device (RFC 8291), signed by the server (RFC 8292). */
export const webProvider = (
  env: Pick<Env, "PUSH_HOSTS" | "PUSH_CONTACT">,
  vapid: Vapid,
  timeoutMs?: number,
): PushProvider<"web"> => ({
  async send(endpoint, push) {
    const { url } = endpoint;
    if (!isAllowedEndpoint(url, env.PUSH_HOSTS)) return { is: "refused", answer: "host" }; // [PU-22] hosts may be taken off the list
    if (push.payload.type !== "message" && forbidsSilence(url)) return { is: "refused", answer: "not_silent" }; // [PU-36]
    const headers = {
      ...headersOf(push),
      authorization: await vapidAuthorization(vapid, env.PUSH_CONTACT, url, Date.now()),
    };
    return heard(await post(url, headers, await encrypted(endpoint, push), timeoutMs));
  },
});

const headersOf = ({ payload, topic, ttlSeconds }: Push): Record<string, string> => ({
  ttl: String(ttlSeconds),
  urgency: payload.type === "message" ? "high" : "normal",
  topic, // [PU-24]
  "content-encoding": "aes128gcm",
  "content-type": "application/octet-stream",
});

function encrypted({ url, p256dh, auth }: WebEndpoint, { payload }: Push): Promise<Uint8Array<ArrayBuffer>> {
  const subscription = { endpoint: url, expirationTime: null, keys: { p256dh, auth } };
  return encryptNotification(subscription, new TextEncoder().encode(webText(payload)), { pad: false });
}

function heard(posted: Awaited<ReturnType<typeof post>>): PushAnswer {
  if ("failed" in posted) return { is: "retry", answer: posted.failed };
  const { status, headers } = posted;
  if (status === 404 || status === 410) return { is: "gone", answer: String(status) }; // [PU-28]
  return answerTo(status, headers.get("retry-after"), Date.now());
}
