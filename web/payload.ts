import { type Fields, isConversationId, isCount, isFields, isUserId } from "./checks.ts";
import type { OpenConversation, PushPayload } from "./wire.ts";

/** What a push says; null for what is none. Fields that nobody knows here are left out, as the schema does. [AP-3] */
export function readPayload(text: string | undefined): PushPayload | null {
  const value = parsed(text);
  if (!isFields(value)) return null;
  const { type, conversationId, seq, unread } = value;
  if (!isConversationId(conversationId) || !isCount(seq, 1) || !isCount(unread)) return null;
  const place = { conversationId, seq, unread };
  if (type === "read" || type === "gone") return { type, ...place };
  return type === "message" ? withWords(place, value) : null;
}

type Place = Pick<PushPayload, "conversationId" | "seq" | "unread">;

/** The last time that the wire can name. Epoch ms. */
const LAST_MS = 253_402_300_799_999;

function withWords(place: Place, { sender, title, text, expiresAt }: Fields): PushPayload | null {
  if (![title, text].every((words) => words === undefined || typeof words === "string")) return null;
  if (expiresAt !== undefined && !(isCount(expiresAt) && expiresAt <= LAST_MS)) return null;
  const from = isFields(sender) ? senderOf(sender) : undefined;
  if (sender !== undefined && !from) return null;
  return {
    type: "message",
    ...place,
    ...(from ? { sender: from } : {}),
    ...(typeof title === "string" ? { title } : {}),
    ...(typeof text === "string" ? { text } : {}),
    ...(isCount(expiresAt) ? { expiresAt } : {}), // [LM-18]
  };
}

const senderOf = ({ userId, displayName }: Fields) =>
  isUserId(userId) && typeof displayName === "string" ? { userId, displayName } : undefined;

/** What the service worker tells the page when a notification was clicked. */
export const readOpen = (value: unknown): OpenConversation | null =>
  isFields(value) && value.type === "open" && isConversationId(value.conversationId)
    ? { type: "open", conversationId: value.conversationId }
    : null;

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return null;
  }
}
