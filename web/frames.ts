import type { Event } from "../src/protocol/events.ts";
import type { ServerFrame } from "../src/protocol/frames.ts";
import { type Fields, isConversationId, isCount, isFields } from "./checks.ts";

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === "string";
const isBoolean: Check = (value) => typeof value === "boolean";
const each =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const orNone =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

/** Kinds of events that this page can show. One of a newer server makes its frame one of a newer server. */
const KINDS: Record<Event["kind"], true> = {
  ...{ message: true, edit: true, recall: true, reaction: true, member: true, settings: true },
};
const isEvent: Check = (value) =>
  isFields(value) &&
  isCount(value.seq, 1) &&
  isConversationId(value.conversationId) &&
  Object.hasOwn(KINDS, String(value.kind));

const aboutSome = (value: unknown): boolean => isFields(value) && isConversationId(value.conversationId);
const isChanged: Check = (value) => aboutSome(value) && (!isFields(value) || orNone(isCount)(value.head));

/** What each frame must have for the replica to take it; the server's own schemas say the rest. */
const FRAMES: Record<ServerFrame["type"], Record<string, Check>> = {
  welcome: {
    userId: isText,
    deviceId: isText,
    mode: (mode) => mode === "resume" || mode === "reset",
    serverTime: isCount,
  },
  ack: {
    conversationId: isConversationId,
    seq: (seq) => isCount(seq, 1),
    eventId: isText,
    receivedAt: isCount,
    occurredAt: isCount,
    duplicate: isBoolean,
  },
  page: { conversationId: isConversationId, events: each(isEvent), head: isCount, floor: isCount },
  events: { conversationId: isConversationId, events: each(isEvent) },
  changed: { conversations: each(isChanged) },
  caught_up: { cursor: isText },
  receipts: { conversationId: isConversationId, receipts: each(isFields), ticks: orNone(isFields) },
  typing: { conversationId: isConversationId, userId: isText, active: isBoolean },
  presence: { users: each(isFields) },
  self: { conversations: orNone(each(aboutSome)), profile: orNone(isFields) },
  degraded: { shed: each(isText) },
  error: { code: isText, detail: isText, retryable: isBoolean },
};

/** A frame of the server; null for one that this page does not know. [AP-3] */
export function readFrame(text: string): ServerFrame | null {
  const value = parsed(text);
  if (!isFields(value) || !orNone(isCount)(value.id)) return null;
  const type = String(value.type);
  if (!isKnown(type)) return null;
  const fits = Object.entries(FRAMES[type]).every(([name, check]) => check(value[name]));
  return fits ? (value as Fields as ServerFrame) : null;
}

const isKnown = (type: string): type is ServerFrame["type"] => Object.hasOwn(FRAMES, type);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
