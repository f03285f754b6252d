import type { Hono } from "hono";
import type { Endpoint } from "../domain/push.ts";
import { isAllowedEndpoint } from "../domain/push-endpoint.ts";
import { tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { serviceAccountOf } from "../platform/push/service-account.ts";
import { vapidOf } from "../platform/push/vapid.ts";
import { isReceiverKey } from "../platform/push/web.ts";
import { inboxOf } from "../platform/stubs.ts";
import { DOORS } from "../protocol/http.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";

export function mountPush(app: Hono<AppEnv>): void {
  mount(app, DOORS.pushKey, async ({ env }) => {
    const vapid = vapidOf(env);
    return vapid ? ok({ status: 200, body: { publicKey: vapid.publicKey } }) : refuse("push_not_offered");
  });
  mount(app, DOORS.subscribePush, subscribe);
  mount(app, DOORS.unsubscribePush, async ({ env, caller }) => {
    const dropped = await tryCall(() => inboxOf(env, caller.userId).dropSubscription(caller.deviceId));
    return dropped.ok ? ok({ status: 204, body: null }) : dropped;
  });
}

type Asked = Visit<typeof DOORS.subscribePush>;

/** [PU-21] A device has one endpoint: the last one it told. */
async function subscribe({ env, caller, body }: Asked) {
  const endpoint = await endpointOf(env, body);
  if (!endpoint.ok) return endpoint;
  const { userId, deviceId } = caller;
  const subscription = { endpoint: endpoint.value, preview: body.preview };
  const put = await tryCall(() => inboxOf(env, userId).putSubscription(userId, deviceId, subscription));
  if (!put.ok) return put;
  return put.value.ok ? ok({ status: 204 as const, body: null }) : put.value;
}

/** The schema has seen to it that there is either a token, or an endpoint with its keys. */
async function endpointOf(
  env: Env,
  { endpoint: url = "", keys, fcmToken: token }: Asked["body"],
): Promise<Result<Endpoint, "push_not_offered" | "invalid_request">> {
  if (token !== undefined) {
    return serviceAccountOf(env) ? ok({ provider: "fcm", token }) : refuse("push_not_offered"); // [PU-20]
  }
  if (!vapidOf(env)) return refuse("push_not_offered");
  if (!isAllowedEndpoint(url, env.PUSH_HOSTS)) return refuse("invalid_request", "endpoint: not a known push service"); // [PU-22]
  const { p256dh = "", auth = "" } = keys ?? {};
  if (!(await isReceiverKey(p256dh))) return refuse("invalid_request", "keys.p256dh: not a key");
  return ok({ provider: "web", url, p256dh, auth });
}
