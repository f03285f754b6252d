import type { ConversationId, DeviceId, UserId } from "../protocol/ids.ts";

/** Where a provider takes pushes for one device. */
export type Endpoint =
  | { provider: "web"; url: string; p256dh: string; auth: string }
  | { provider: "fcm"; token: string };

/** What a device has asked for. `preview`: its pushes may carry the sender's name and the text. */
export type Subscription = { endpoint: Endpoint; preview: boolean };

/** One push to one device, as it lies in the queue. It is decided; whoever takes it out only carries it out. */
export type PushJob = {
  userId: UserId;
  deviceId: DeviceId;
  endpoint: Endpoint;
  conversationId: ConversationId;
  /** Epoch ms. */
  decidedAt: number;
  /** `message` rings; `read` is silent and takes down what rang up to `seq`, `gone` what rang for `seq` alone. */
  kind: "message" | "read" | "gone";
  seq: number;
  /** The conversation's unread messages: the same number that the list tells. */
  unread: number;
  /** When the message disappears. Epoch ms. */
  expiresAt?: number;
  /** Only where the push may tell: who wrote (the consumer looks the name up), the group's title, and the beginning of the text. */
  preview?: { senderId: UserId; title?: string; text?: string };
};

/** What became of a push. `answer`: the provider's HTTP status, or a word. */
export type PushReport = {
  userId: UserId;
  seq: number;
  at: number;
  provider: Endpoint["provider"];
  answer: string;
};

/** UTF-16 units of a message that a push tells; the payload of a Web Push is 4,096 bytes at most. */
const PREVIEW_LENGTH = 160;

/** The beginning of a text, never half a character. */
export function previewOf(text: string): string {
  if (text.length <= PREVIEW_LENGTH) return text;
  return `${text.slice(0, PREVIEW_LENGTH).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
