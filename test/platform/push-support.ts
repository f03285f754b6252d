import { exportPKCS8, generateKeyPair } from "jose";
import { ulid } from "ulid";
import { onTestFinished, vi } from "vitest";
import type { Endpoint, PushJob } from "../../src/domain/push.ts";
import type { Push } from "../../src/domain/push-payload.ts";
import { ConversationId, DeviceId, UserId } from "../../src/protocol/ids.ts";
import { PushReceiver } from "../push-receiver.ts";

/** A pair as the set-up makes it; of no server. */
export const VAPID_KEYS =
  "BFbHEMy0vnyLtiqcDD5ekm0wb_xgeJjpTKgZ0x5AG1s3dQvPITLg3RyVz4oPfbyqxewRoD-JYuOKeDY_0tCXKxA.9LWaMti9oVBcf2x_Dgi33vZywvp4hi8Au1zWka3_0H4";
export const PUSH_HOST = "https://updates.push.services.mozilla.com";

export type Asked = { url: string; headers: Headers; body: Uint8Array; redirect: string | undefined };
export type Answer = (asked: Asked, init: RequestInit) => Response | Promise<Response>;

/** The providers' side of the wire, over the fetch that the Worker uses: what was asked, in order, and what is answered. */
export function providers(answer: Answer): Asked[] {
  const asked: Asked[] = [];
  const wire = vi.spyOn(globalThis, "fetch").mockImplementation(async (url, init = {}) => {
    const body = new Uint8Array(await new Response(init.body ?? null).arrayBuffer());
    const request = { url: String(url), headers: new Headers(init.headers), body, redirect: init.redirect };
    asked.push(request);
    return answer(request, init);
  });
  onTestFinished(() => wire.mockRestore());
  return asked;
}

/** One that never answers, but ends when it is given up, as the runtime's does. */
export const silence: Answer = (_, { signal }) =>
  new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));

/** A browser's subscription, and what only that browser can do. */
export function browser(path: string = ulid()): { endpoint: Endpoint & { provider: "web" }; receiver: PushReceiver } {
  const receiver = new PushReceiver();
  return { endpoint: { provider: "web", url: `${PUSH_HOST}/wpush/${path}`, ...receiver.keys }, receiver };
}

/** The key file of a service account that no Google knows; a new one each time, for tokens are kept by the isolate. */
export async function serviceAccount() {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const account = {
    type: "service_account",
    project_id: "edgewise-test",
    private_key_id: "key-1",
    private_key: await exportPKCS8(privateKey),
    client_email: "push@edgewise-test.iam.gserviceaccount.com",
    token_uri: "https://oauth2.googleapis.com/token",
  };
  return { account, publicKey };
}

export const newUserId = () => UserId.parse(ulid());
export const newConversationId = () => ConversationId.parse(`g${ulid()}`);

export const jobFor = (endpoint: Endpoint, changed: Partial<PushJob> = {}): PushJob => ({
  userId: newUserId(),
  deviceId: DeviceId.parse(ulid()),
  endpoint,
  conversationId: newConversationId(),
  decidedAt: Date.now(),
  kind: "message",
  seq: 1,
  unread: 1,
  ...changed,
});

export const pushTo = (conversationId = newConversationId()): Push => ({
  payload: { type: "message", conversationId, seq: 1, unread: 1, title: "Hiking", text: "Saturday?" },
  topic: conversationId,
  expiresAt: Date.now() + 60_000,
  ttlSeconds: 60,
});
