import type { Event } from "../src/protocol/events.ts";
import type { Mine } from "../src/protocol/states.ts";
import type { Entry, Held, Marks, ReplicaState } from "../src/sdk/index.ts";
import { type Fields, isConversationId, isCount, isFields } from "./checks.ts";

/** Reads back by hand what this page, or an older one, has stored. [AP-3] Null or nothing where it does not fit. */
export type SmallHeld = Omit<Held, "events">;
export type Small = Pick<ReplicaState, "cursor" | "outbox"> & {
  conversations: Record<string, SmallHeld>;
  /** Missing in the first pages: 1. */
  shape?: number;
};

const NO_TICKS: Held["ticks"] = { delivered: 0, read: 0, except: [] };
const NOTHING_SET: Mine = { mentionsPierce: false, pinned: false, archived: false };

export function smallIn(stored: unknown): Small | null {
  if (!isFields(stored) || !isFields(stored.conversations)) return null;
  const { cursor, shape = 1 } = stored;
  const outbox = outboxIn(stored);
  const held = Object.entries(stored.conversations).map(([id, value]) => [id, heldIn(id, value)] as const);
  if (!outbox || !isCount(shape) || held.some(([, each]) => each === null)) return null;
  if (cursor !== null && typeof cursor !== "string") return null;
  return {
    cursor,
    outbox,
    shape,
    conversations: Object.fromEntries(held.flatMap(([id, each]) => (each ? [[id, each]] : []))),
  };
}

/** Fields that came later have a default: a device that stored the older shape reads on. [CL-29] */
function heldIn(id: string, value: unknown): SmallHeld | null {
  if (!isConversationId(id) || !isFields(value)) return null;
  const { covered, from = 1, read, told, mine = NOTHING_SET, memberCount = 0 } = value;
  const ticks = ticksIn(value.ticks ?? NO_TICKS);
  if (!isCount(covered) || !isCount(from, 1) || !isCount(read) || !isMarks(told) || !ticks) return null;
  return isMine(mine) && isCount(memberCount) ? { covered, from, read, told, ticks, mine, memberCount } : null;
}

function ticksIn(value: unknown): Held["ticks"] | null {
  if (!isFields(value) || !isMarks(value)) return null;
  const { delivered, read, except = [] } = value as Fields & Marks;
  return Array.isArray(except) && except.every(isRange) ? { delivered, read, except } : null;
}
const isRange = (value: unknown): value is { from: number; to: number } =>
  isFields(value) && isCount(value.from) && isCount(value.to);

const isMarks = (value: unknown): value is Marks => isFields(value) && isCount(value.delivered) && isCount(value.read);
const isMine = (value: unknown): value is Mine =>
  isFields(value) && [value.mentionsPierce, value.pinned, value.archived].every((each) => typeof each === "boolean");

export function outboxIn(stored: unknown): Entry[] | null {
  const outbox = isFields(stored) ? stored.outbox : null;
  return Array.isArray(outbox) && outbox.every(isEntry) ? outbox : null;
}

const isEntry = (value: unknown): value is Entry =>
  isFields(value) &&
  typeof value.wishId === "string" &&
  typeof value.idempotencyKey === "string" &&
  isConversationId(value.conversationId) &&
  isCount(value.composedAt) &&
  isWish(value.event) &&
  isFields(value.standing) &&
  ["waiting", "acked", "failed"].includes(String(value.standing.is));

const isWish = (event: unknown): boolean =>
  isFields(event) && ["message", "edit", "recall", "reaction"].includes(String(event.kind)) && hasContent(event);
const hasContent = ({ kind, content }: Fields): boolean => (kind !== "message" && kind !== "edit") || isFields(content);

/** Throws where these are no events: the log is pulled anew then. */
export function eventsIn(stored: unknown): Event[] {
  if (!Array.isArray(stored) || !stored.every(isEvent)) throw new Error("these are no events");
  return stored;
}

const isEvent = (value: unknown): value is Event =>
  isFields(value) &&
  isCount(value.seq, 1) &&
  typeof value.kind === "string" &&
  typeof value.senderId === "string" &&
  isCount(value.occurredAt) &&
  hasContent(value);
