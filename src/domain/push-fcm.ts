import type { PushPayload } from "../protocol/push.ts";
import { bytesOf, lesserOf, type Push } from "./push-payload.ts";

type Ringing = PushPayload & { type: "message" };

/** FCM and APNs take messages up to this. Bytes. */
const LONGEST = 4_096;
/** What an app shows of a push that tells nothing. */
const UNTOLD = "New message";

/** [PU-25] The body of FCM's `messages:send` (HTTP v1). `token`: the device's registration token. */
export function fcmBody(token: string, push: Push): string {
  const bodies = lesserOf(push.payload).map((payload) =>
    JSON.stringify({ message: { token, ...messageOf(payload, push) } }),
  );
  return bodies.find((body) => bytesOf(body) - token.length <= LONGEST) ?? (bodies.at(-1) as string);
}

const messageOf = (payload: PushPayload, push: Push): object =>
  payload.type === "message" ? ringing(payload, push) : silent(payload, push);

/** The system shows it, also while the app is not running; the app's own code may make more of it. */
function ringing(payload: Ringing, push: Push): object {
  const { conversationId, unread } = payload;
  return {
    data: dataOf(payload),
    notification: shown(payload),
    android: {
      ...onAndroid(push),
      priority: "HIGH",
      notification: { tag: conversationId, notification_count: unread },
    },
    apns: {
      headers: { ...toApns(push), "apns-push-type": "alert", "apns-priority": "10", "apns-collapse-id": push.topic },
      payload: { aps: { "thread-id": conversationId, "mutable-content": 1, sound: "default" } },
    },
  };
}

/** Nothing is shown: the app is woken and takes down what rang. */
const silent = (payload: PushPayload, push: Push): object => ({
  data: dataOf(payload),
  android: { ...onAndroid(push), priority: "NORMAL" },
  apns: {
    headers: { ...toApns(push), "apns-push-type": "background", "apns-priority": "5" },
    payload: { aps: { "content-available": 1 } },
  },
});

const onAndroid = ({ topic, ttlSeconds }: Push) => ({ collapse_key: topic, ttl: `${ttlSeconds}s` });
const toApns = ({ expiresAt }: Push) => ({ "apns-expiration": String(Math.ceil(expiresAt / 1_000)) });

/** A group's notification says which group, and who in it. */
function shown({ sender, title, text = UNTOLD }: Ringing): { title?: string; body: string } {
  const name = sender?.displayName;
  if (title !== undefined) return { title, body: name === undefined ? text : `${name}: ${text}` };
  return name === undefined ? { body: text } : { title: name, body: text };
}

/** FCM carries strings only, and no objects within. */
function dataOf({ type, conversationId, seq, unread, ...told }: PushPayload): Record<string, string> {
  const place = { type, conversationId, seq: String(seq), unread: String(unread) };
  const { sender, title, text, expiresAt }: Partial<Ringing> = told;
  return {
    ...place,
    ...(expiresAt === undefined ? {} : { expiresAt: String(expiresAt) }),
    ...(sender ? { senderId: sender.userId, senderName: sender.displayName } : {}),
    ...(title === undefined ? {} : { title }),
    ...(text === undefined ? {} : { text }),
  };
}
