import { jwtVerify } from "jose";
import { describe, expect, test, vi } from "vitest";
import { fcmProvider } from "../../src/platform/push/fcm.ts";
import type { ServiceAccount } from "../../src/platform/push/service-account.ts";
import { vapidOf } from "../../src/platform/push/vapid.ts";
import { webProvider } from "../../src/platform/push/web.ts";
import { verifyVapid } from "../push-receiver.ts";
import {
  type Answer,
  browser,
  newConversationId,
  PUSH_HOST,
  providers,
  pushTo,
  serviceAccount,
  silence,
  VAPID_KEYS,
} from "./push-support.ts";

const env = {
  PUSH_HOSTS: "*.push.services.mozilla.com *.push.apple.com",
  PUSH_CONTACT: "mailto:us@example.com",
  FCM_URL: "https://fcm.googleapis.com",
};
const vapid = vapidOf({ VAPID_KEYS }) ?? { publicKey: "", privateKey: "" };
const web = (timeoutMs?: number) => webProvider(env, vapid, timeoutMs);
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  () =>
    new Response("somebody's text", { status: code, headers });

describe("Web Push", () => {
  test("[PU-23] only the device can read it, the server signs for the push service's origin, and the form is that of RFC 8030", async () => {
    const asked = providers(status(201));
    const { endpoint, receiver } = browser();
    const push = pushTo();
    expect(await web().send(endpoint, push)).toEqual({ is: "accepted", answer: "201" });
    const [request] = asked;
    if (!request) throw new Error("nothing was sent");
    expect(JSON.parse(receiver.open(request.body))).toEqual(push.payload);
    expect(() => browser().receiver.open(request.body)).toThrow();
    expect(request.body.length).toBeLessThanOrEqual(4_096);
    const told = await verifyVapid(request.headers.get("authorization") ?? "", PUSH_HOST);
    expect(told).toEqual({ key: VAPID_KEYS.split(".")[0], contact: "mailto:us@example.com" });
    expect(Object.fromEntries(request.headers)).toMatchObject({
      ttl: "60",
      urgency: "high",
      topic: push.topic,
      "content-encoding": "aes128gcm",
    });
    expect(request.url).toBe(endpoint.url);
  });

  test("[PU-23] a signature is made once an origin; each push has a key of its own", async () => {
    const asked = providers(status(201));
    const { endpoint } = browser();
    const push = pushTo();
    for (let i = 0; i < 2; i++) await web().send(endpoint, push);
    const [one, two] = asked;
    expect(one?.headers.get("authorization")).toBe(two?.headers.get("authorization"));
    expect(one?.body).not.toEqual(two?.body);
  });

  test("[PU-28] 404 and 410 say that the endpoint is gone", async () => {
    for (const code of [404, 410]) {
      providers(status(code));
      expect(await web().send(browser().endpoint, pushTo())).toEqual({ is: "gone", answer: String(code) });
      vi.restoreAllMocks();
    }
  });

  test("[PU-29] what may pass is to be tried again: too many, broken, unreachable, silent", async () => {
    const failing: [Answer, object][] = [
      [status(429, { "retry-after": "90" }), { is: "retry", answer: "429", retryAfterMs: 90_000 }],
      [status(500), { is: "retry", answer: "500" }],
      [() => Promise.reject(new TypeError("network")), { is: "retry", answer: "unreachable" }],
      [silence, { is: "retry", answer: "timeout" }],
    ];
    for (const [answer, expected] of failing) {
      providers(answer);
      expect(await web(50).send(browser().endpoint, pushTo())).toEqual(expected);
      vi.restoreAllMocks();
    }
  });

  test("[PU-22] nothing is posted to a host off the list, and a redirect is not followed", async () => {
    const asked = providers(status(307, { location: "https://elsewhere.example/" }));
    const { endpoint } = browser();
    const off = { ...endpoint, url: "https://elsewhere.example/push" };
    expect(await web().send(off, pushTo())).toEqual({ is: "refused", answer: "host" });
    expect(asked).toEqual([]);
    expect(await web().send(endpoint, pushTo())).toEqual({ is: "refused", answer: "307" });
    expect(asked.map(({ redirect }) => redirect)).toEqual(["manual"]);
  });

  test("[PU-36] a silent push is not sent to Safari; one that rings is", async () => {
    const asked = providers(status(201));
    const endpoint = { ...browser().endpoint, url: "https://web.push.apple.com/Q" };
    const push = pushTo();
    const { conversationId, seq, unread } = push.payload;
    const silent = { ...push, payload: { type: "read" as const, conversationId, seq, unread } };
    expect(await web().send(endpoint, silent)).toEqual({ is: "refused", answer: "not_silent" });
    expect(asked).toEqual([]);
    expect(await web().send(endpoint, push)).toMatchObject({ is: "accepted" });
    expect(await web().send(browser().endpoint, silent)).toMatchObject({ is: "accepted" });
    expect(asked[1]?.headers.get("urgency")).toBe("normal");
  });
});

/** Google: grants tokens, and takes messages with the newest one. */
function google(answer: Answer, granted: Answer = () => Response.json({ access_token: "granted", expires_in: 3_599 })) {
  return providers((asked, init) => (asked.url.includes("oauth2") ? granted(asked, init) : answer(asked, init)));
}
const failure =
  (code: number, errorCode?: string, headers: Record<string, string> = {}): Answer =>
  () => {
    const details = errorCode ? [{ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", errorCode }] : [];
    return Response.json({ error: { code, message: "for you", status: "ERROR", details } }, { status: code, headers });
  };
const toPhone = { provider: "fcm", token: "the-phone" } as const;
const fcm = (account: ServiceAccount, timeoutMs?: number) => fcmProvider(env, account, timeoutMs);
const text = ({ body }: { body: Uint8Array }) => new TextDecoder().decode(body);

describe("Firebase Cloud Messaging", () => {
  test("[PU-26] the service account's signature is traded for a token, once for many pushes", async () => {
    const { account, publicKey } = await serviceAccount();
    const asked = google(() => Response.json({ name: "projects/edgewise-test/messages/1" }));
    const push = pushTo();
    const sent = await Promise.all([1, 2].map(() => fcm(account).send(toPhone, push)));
    sent.push(await fcm(account).send(toPhone, push)); // together, and later
    expect(sent).toEqual(Array(3).fill({ is: "accepted", answer: "200" }));
    expect(asked.map(({ url }) => url)).toEqual([
      "https://oauth2.googleapis.com/token",
      ...Array(3).fill("https://fcm.googleapis.com/v1/projects/edgewise-test/messages:send"),
    ]);
    const [trade, message] = asked;
    if (!trade || !message) throw new Error("nothing was sent");
    const form = new URLSearchParams(text(trade));
    expect(form.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    const { payload, protectedHeader } = await jwtVerify(form.get("assertion") ?? "", publicKey, {
      issuer: account.client_email,
      audience: account.token_uri,
    });
    expect(payload.scope).toBe("https://www.googleapis.com/auth/firebase.messaging");
    expect(protectedHeader).toMatchObject({ alg: "RS256", kid: "key-1" });
    expect(message.headers.get("authorization")).toBe("Bearer granted");
    expect(JSON.parse(text(message)).message).toMatchObject({ token: "the-phone", data: { text: "Saturday?" } });
  });

  test("[PU-26] a token that is about to end, or that FCM does not take any more, is traded anew", async () => {
    const { account } = await serviceAccount();
    let granted = 0;
    let taken = "short-1";
    const asked = google(
      ({ headers }, init) =>
        headers.get("authorization") === `Bearer ${taken}` ? Response.json({}) : failure(401)({} as never, init),
      () => Response.json({ access_token: `short-${++granted}`, expires_in: granted === 1 ? 60 : 3_599 }),
    );
    expect(await fcm(account).send(toPhone, pushTo())).toMatchObject({ is: "accepted" });
    taken = "short-3";
    expect(await fcm(account).send(toPhone, pushTo())).toEqual({ is: "retry", answer: "401" });
    expect(granted).toBe(2); // the first was in its last minutes
    expect(await fcm(account).send(toPhone, pushTo())).toMatchObject({ is: "accepted" });
    expect(asked.length).toBe(6);
  });

  test("[PU-28] only an answer that names the token says it is gone: a missing project takes no device's endpoint away", async () => {
    const { account } = await serviceAccount();
    google(failure(404, "UNREGISTERED"));
    expect(await fcm(account).send(toPhone, pushTo())).toEqual({ is: "gone", answer: "404" });
    vi.restoreAllMocks();
    google(failure(404));
    expect(await fcm(account).send(toPhone, pushTo())).toEqual({ is: "refused", answer: "404" });
  });

  test("[PU-29] [PU-30] quota, trouble and silence are tried again, what is wrong is not", async () => {
    const { account } = await serviceAccount();
    const cases: [Answer, object][] = [
      [failure(429, "QUOTA_EXCEEDED", { "retry-after": "60" }), { is: "retry", answer: "429", retryAfterMs: 60_000 }],
      [failure(503, "UNAVAILABLE"), { is: "retry", answer: "503" }],
      [silence, { is: "retry", answer: "timeout" }],
      [failure(400, "INVALID_ARGUMENT"), { is: "refused", answer: "400" }],
      [failure(403, "SENDER_ID_MISMATCH"), { is: "refused", answer: "403" }],
      [status(502), { is: "retry", answer: "502" }],
    ];
    for (const [answer, expected] of cases) {
      google(answer);
      expect(await fcm(account, 50).send(toPhone, pushTo())).toEqual(expected);
      vi.restoreAllMocks();
    }
  });

  test("[PU-29] while no token can be had, pushes wait; the next one asks again", async () => {
    const { account } = await serviceAccount();
    const asked = google(status(200), status(400));
    for (let i = 0; i < 2; i++)
      expect(await fcm(account).send(toPhone, pushTo(newConversationId()))).toEqual({
        is: "retry",
        answer: "oauth_400",
      });
    expect(asked.length).toBe(2);
  });
});
