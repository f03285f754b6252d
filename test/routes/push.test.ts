import { describe, expect, test } from "vitest";
import type { Subscription } from "../../src/domain/push.ts";
import type { Env } from "../../src/platform/env.ts";
import { browser, serviceAccount, VAPID_KEYS } from "../platform/push-support.ts";
import { ask, codeOf, downInboxes, signUp } from "./support/accounts.ts";
import { CUT, InboxWire } from "./support/wires.ts";

const configured = async (): Promise<Partial<Env>> => ({
  VAPID_KEYS,
  FCM_SERVICE_ACCOUNT: JSON.stringify((await serviceAccount()).account),
});
const put = (token: string, body: unknown, env: Partial<Env>) =>
  ask("PUT", "/v1/push/subscription", { token, body, env });
const asBrowser = ({ endpoint: { url, p256dh, auth } }: ReturnType<typeof browser>, changed = {}) => ({
  endpoint: url,
  expirationTime: null,
  keys: { p256dh, auth },
  ...changed,
});

describe("the doors of push", () => {
  test("[PU-20] the key is the public half; what is not configured, or not well, is not offered", async () => {
    const { accessToken: token } = await signUp();
    const { json } = await ask("GET", "/v1/push/key", { token, env: { VAPID_KEYS } });
    expect(json).toEqual({ publicKey: VAPID_KEYS.split(".")[0] });
    expect(codeOf(await ask("GET", "/v1/push/key", { env: { VAPID_KEYS } }))).toBe("unauthenticated");
    const all = await configured();
    for (const VAPID_KEYS of ["", "nonsense", "a.b", `${all.VAPID_KEYS}x`]) {
      const env = { ...all, VAPID_KEYS };
      expect(codeOf(await ask("GET", "/v1/push/key", { token, env }))).toBe("push_not_offered");
      expect(codeOf(await put(token, asBrowser(browser()), env))).toBe("push_not_offered");
      expect((await put(token, { fcmToken: "t" }, env)).status).toBe(204);
    }
    for (const FCM_SERVICE_ACCOUNT of ["", "nonsense", "{}"]) {
      const env = { ...all, FCM_SERVICE_ACCOUNT };
      expect(codeOf(await put(token, { fcmToken: "t" }, env))).toBe("push_not_offered");
      expect((await put(token, asBrowser(browser()), env)).status).toBe(204);
    }
  });

  test("[PU-21] what a device tells is kept by its owner's inbox for that device; taking it back is, too", async () => {
    const { user, device, accessToken: token } = await signUp();
    const wire = new InboxWire();
    const env = { ...(await configured()), INBOXES: wire.inboxes };
    const mine = browser();
    expect((await put(token, asBrowser(mine, { preview: false }), env)).status).toBe(204);
    expect((await put(token, { fcmToken: "the-phone" }, env)).status).toBe(204);
    expect((await ask("DELETE", "/v1/push/subscription", { token, env })).status).toBe(204);
    const kept: Subscription[] = [
      { endpoint: mine.endpoint, preview: false },
      { endpoint: { provider: "fcm", token: "the-phone" }, preview: true },
    ];
    expect(wire.passed).toEqual([
      ...kept.map((subscription) => ({
        to: user.userId,
        method: "putSubscription",
        args: [user.userId, device.deviceId, subscription],
      })),
      { to: user.userId, method: "dropSubscription", args: [device.deviceId] },
    ]);
  });

  test("[PU-21] a device that the inbox has signed out gets no push; an inbox that is away is said to be", async () => {
    const { user, device, accessToken: token } = await signUp();
    const all = await configured();
    const away = { ...all, INBOXES: downInboxes() };
    expect(codeOf(await put(token, { fcmToken: "t" }, away))).toBe("unavailable");
    expect(codeOf(await ask("DELETE", "/v1/push/subscription", { token, env: away }))).toBe("unavailable");
    const INBOXES = new InboxWire().inboxes;
    await (INBOXES.getByName(user.userId) as unknown as { revoke: (id: string) => Promise<void> }).revoke(
      device.deviceId,
    );
    expect(codeOf(await put(token, { fcmToken: "t" }, all))).toBe("device_revoked");
  });

  test("[PU-22] an endpoint that is nobody's push service is refused by its field, and nothing is kept", async () => {
    const { accessToken: token } = await signUp();
    const wire = new InboxWire(() => Promise.reject(CUT));
    const env = { ...(await configured()), INBOXES: wire.inboxes };
    for (const endpoint of [
      "https://example.com/push",
      "http://fcm.googleapis.com/fcm/send/x",
      "https://127.0.0.1/x",
      "http://127.0.0.1:8787/v1/me",
      "https://fcm.googleapis.com:444/x",
      "https://me@fcm.googleapis.com/x",
    ]) {
      const refused = await put(token, asBrowser(browser(), { endpoint }), env);
      expect(codeOf(refused)).toBe("invalid_request");
      expect(refused.json.detail).toMatch(/^endpoint: /);
      expect(refused.text).not.toContain(endpoint);
    }
    const offCurve = `${"B".padEnd(86, "A")}A`;
    const { endpoint } = browser();
    const odd = { endpoint: endpoint.url, keys: { p256dh: offCurve, auth: endpoint.auth } };
    expect((await put(token, odd, env)).json.detail).toMatch(/^keys\.p256dh: /);
    for (const body of [{}, { fcmToken: "t", ...asBrowser(browser()) }, { endpoint: endpoint.url }, { fcmToken: "" }])
      expect(codeOf(await put(token, body, env))).toBe("invalid_request");
  });
});
