import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PushJob } from "../../src/domain/push.ts";
import { answerTo, retryDelaySeconds } from "../../src/domain/push-answer.ts";
import { forbidsSilence, isAllowedEndpoint } from "../../src/domain/push-endpoint.ts";
import { fcmBody } from "../../src/domain/push-fcm.ts";
import { bytesOf, pushOf, webText } from "../../src/domain/push-payload.ts";
import { ConversationId, DeviceId, UserId } from "../../src/protocol/ids.ts";
import { PushPayload } from "../../src/protocol/push.ts";
import { always } from "../property.ts";

const NOW = 1_800_000_000_000;
const HOUR = 60 * 60_000;
const senderId = UserId.parse("01J00000000000000000000002");
const conversationId = ConversationId.parse(`g${"0".repeat(26)}`);
const job: PushJob = {
  userId: UserId.parse("01J00000000000000000000001"),
  deviceId: DeviceId.parse("01J00000000000000000000003"),
  endpoint: { provider: "fcm", token: "t" },
  conversationId,
  decidedAt: NOW,
  kind: "message",
  seq: 7,
  unread: 3,
  preview: { senderId, title: "Hiking", text: "Saturday?" },
};
const read: PushJob = { ...job, kind: "read", unread: 0 };
const FULL = { isFull: true, displayName: "Ada" };
const pushed = (changed: Partial<PushJob> = {}, telling = FULL, now = NOW) => {
  const push = pushOf({ ...job, ...changed }, telling, now);
  if (!push) throw new Error("expired");
  return push;
};
const place = { conversationId, seq: 7, unread: 3 };

describe("what a push says", () => {
  test("[PU-27] names and text, unless the device or the deployer wants none", () => {
    const sender = { userId: senderId, displayName: "Ada" };
    expect(pushed().payload).toEqual({ type: "message", ...place, sender, title: "Hiking", text: "Saturday?" });
    const bare = { type: "message", ...place };
    expect(pushed({}, { ...FULL, isFull: false }).payload).toEqual(bare);
    const { preview: _, ...unnamed } = job;
    expect(pushOf(unnamed, FULL, NOW)?.payload).toEqual(bare);
    expect(pushed(read).payload).toEqual({ type: "read", ...place, unread: 0 });
    for (const body of [
      webText(pushed({}, { ...FULL, isFull: false }).payload),
      fcmBody("t", pushed({}, { ...FULL, isFull: false })),
    ])
      expect(body).not.toMatch(/Ada|Hiking|Saturday|01J0{22}2/);
  });

  test("[PU-32] a sender whose name is not known is not named", () => {
    const { payload } = pushed({}, { isFull: true, displayName: undefined as unknown as string });
    expect(payload).toEqual({ type: "message", ...place, title: "Hiking", text: "Saturday?" });
  });

  test("[PU-31] a push is worth having for a day, a silent one for an hour; what is left is its TTL", () => {
    expect(pushed().ttlSeconds).toBe(24 * 3_600);
    expect(pushed({}, FULL, NOW + 23 * HOUR)).toMatchObject({ ttlSeconds: 3_600, expiresAt: NOW + 24 * HOUR });
    expect(pushed({}, FULL, NOW + 24 * HOUR - 1).ttlSeconds).toBe(1);
    expect(pushOf(job, FULL, NOW + 24 * HOUR)).toBeNull();
    expect(pushed(read).ttlSeconds).toBe(3_600);
    expect(pushOf(read, FULL, NOW + HOUR)).toBeNull();
    expect(pushed({}, FULL, NOW - 5_000).ttlSeconds).toBe(24 * 3_600); // a clock behind the one that decided
  });

  test("[PU-24] the newest of a conversation replaces what still waits, but a read leaves what is yet to ring", () => {
    expect(pushed().topic).toBe(pushed({ seq: 8 }).topic);
    expect(pushed(read).topic).toBe(pushed().topic);
    expect(pushed({ ...read, unread: 1 }).topic).not.toBe(pushed().topic);
    for (const { topic } of [pushed(), pushed({ ...read, unread: 1 })]) expect(topic).toMatch(/^[\w-]{1,32}$/); // RFC 8030, 5.4
  });

  test("[PU-23] whatever people call themselves and write, a Web Push has one of two lengths and parses", () => {
    const anyText = (max: number) => fc.string({ unit: "binary", maxLength: max });
    const arbitrary = fc.record({ text: anyText(160), title: anyText(100), name: anyText(100) });
    always(
      fc.property(arbitrary, ({ text, title, name }) => {
        const { payload } = pushed({ preview: { senderId, text, title } }, { isFull: true, displayName: name });
        const plain = webText(payload);
        expect([1_024, 2_820]).toContain(bytesOf(plain));
        expect(PushPayload.parse(JSON.parse(plain))).toEqual(payload);
      }),
    );
  });

  test("[PU-23] what does not fit is left out: the text first, then the names", () => {
    const long = (text: string, title: string) =>
      JSON.parse(webText(pushed({ preview: { senderId, title, text } }).payload));
    expect(long("€".repeat(900), "Hiking")).toMatchObject({ title: "Hiking", sender: { displayName: "Ada" } });
    expect(long("€".repeat(900), "Hiking").text).toBeUndefined();
    expect(long("x", "€".repeat(900))).toEqual({ type: "message", ...place });
  });
});

describe("a push by FCM", () => {
  const messageOf = (push: ReturnType<typeof pushed>) => JSON.parse(fcmBody("the-token", push)).message;

  test("[PU-25] one that rings is shown by the system, replaced by the next, and says everything to the app in strings", () => {
    expect(messageOf(pushed())).toEqual({
      token: "the-token",
      data: {
        type: "message",
        conversationId,
        seq: "7",
        unread: "3",
        senderId,
        senderName: "Ada",
        title: "Hiking",
        text: "Saturday?",
      },
      notification: { title: "Hiking", body: "Ada: Saturday?" },
      android: {
        priority: "HIGH",
        ttl: "86400s",
        collapse_key: conversationId,
        notification: { tag: conversationId, notification_count: 3 },
      },
      apns: {
        headers: {
          "apns-push-type": "alert",
          "apns-priority": "10",
          "apns-collapse-id": conversationId,
          "apns-expiration": String(NOW / 1_000 + 86_400),
        },
        payload: { aps: { "thread-id": conversationId, "mutable-content": 1, sound: "default" } },
      },
    });
    expect(messageOf(pushed({ preview: { senderId, text: "Hi" } })).notification).toEqual({ title: "Ada", body: "Hi" });
    const untold = messageOf(pushed({}, { ...FULL, isFull: false }));
    expect(untold.notification).toEqual({ body: "New message" });
    expect(untold.data).toEqual({ type: "message", conversationId, seq: "7", unread: "3" });
  });

  test("[PU-25] a read shows nothing: data alone, in the background", () => {
    expect(messageOf(pushed(read))).toEqual({
      token: "the-token",
      data: { type: "read", conversationId, seq: "7", unread: "0" },
      android: { priority: "NORMAL", ttl: "3600s", collapse_key: conversationId },
      apns: {
        headers: {
          "apns-push-type": "background",
          "apns-priority": "5",
          "apns-expiration": String(NOW / 1_000 + 3_600),
        },
        payload: { aps: { "content-available": 1 } },
      },
    });
  });

  test("[PU-25] it is never larger than FCM takes", () => {
    const preview = { senderId, title: "\u0001".repeat(100), text: "\u0001".repeat(161) };
    const body = fcmBody("t", pushed({ preview }, { isFull: true, displayName: "\u0001".repeat(100) }));
    expect(bytesOf(body)).toBeLessThanOrEqual(4_096);
    expect(JSON.parse(body).message.data.senderName).toBe("\u0001".repeat(100));
  });
});

describe("where a push may go", () => {
  const hosts = "fcm.googleapis.com *.push.apple.com http://127.0.0.1:9000";
  test.each([
    ["https://fcm.googleapis.com/fcm/send/x", true],
    ["https://web.push.apple.com/Q", true],
    ["https://FCM.googleapis.com:443/x", true],
    ["http://127.0.0.1:9000/x", true],
    ["http://fcm.googleapis.com/x", false],
    ["https://fcm.googleapis.com.evil.example/x", false],
    ["https://evil.example/fcm.googleapis.com", false],
    ["https://fcm.googleapis.com@evil.example/", false],
    ["https://user:word@fcm.googleapis.com/", false],
    ["https://fcm.googleapis.com:8443/", false],
    ["https://evilpush.apple.com/", false],
    ["https://push.apple.com/", false],
    ["https://web.push.apple.com.evil.example/", false],
    ["http://127.0.0.1:9001/", false],
    ["http://127.0.0.1/", false],
    ["https://127.0.0.1:9000/", false],
    ["http://127.0.0.1:9000@evil.example/", false],
    ["https://169.254.169.254/", false],
    ["ftp://fcm.googleapis.com/", false],
    ["nonsense", false],
  ])("[PU-22] %s: %s", (url, allowed) => {
    expect(isAllowedEndpoint(url, hosts)).toBe(allowed);
    expect(isAllowedEndpoint(url, "")).toBe(false);
  });

  test("[PU-36] Safari alone wants something shown for every push", () => {
    expect(forbidsSilence("https://web.push.apple.com/Q")).toBe(true);
    expect(forbidsSilence("https://fcm.googleapis.com/web.push.apple.com")).toBe(false);
  });
});

describe("what a provider answers", () => {
  test.each([
    [200, "accepted"],
    [201, "accepted"],
    [202, "accepted"],
    [301, "refused"],
    [307, "refused"],
    [400, "refused"],
    [401, "refused"],
    [403, "refused"],
    [413, "refused"],
    [408, "retry"],
    [429, "retry"],
    [500, "retry"],
    [503, "retry"],
  ])("[PU-29] [PU-30] %i: %s", (status, is) => {
    expect(answerTo(status, null, NOW)).toEqual({ is, answer: String(status) });
  });

  test("[PU-29] Retry-After is seconds or a date", () => {
    expect(answerTo(429, "120", NOW)).toMatchObject({ retryAfterMs: 120_000 });
    expect(answerTo(503, new Date(NOW + 60_000).toUTCString(), NOW)).toMatchObject({ retryAfterMs: 60_000 });
    expect(answerTo(503, new Date(NOW - 60_000).toUTCString(), NOW)).toMatchObject({ retryAfterMs: 0 });
    for (const odd of ["soon", "-5", "1.5", "99999999999", ""])
      expect(answerTo(503, odd, NOW)).toEqual({ is: "retry", answer: "503" });
  });

  test("[PU-29] each failure waits longer, with jitter, never less than the provider asks and never longer than a queue can", () => {
    expect(retryDelaySeconds(1, undefined, 0)).toBe(3);
    expect(retryDelaySeconds(1, undefined, 0.999)).toBe(5);
    expect(retryDelaySeconds(5, undefined, 0.999)).toBe(80);
    expect(retryDelaySeconds(30, undefined, 0.999)).toBe(1_799);
    expect(retryDelaySeconds(1, 120_000, 0)).toBe(120);
    expect(retryDelaySeconds(1, 10 ** 12, 0)).toBe(12 * 3_600);
  });
});
