import type { ErrorCode } from "../src/protocol/errors.ts";
import type { Event } from "../src/protocol/events.ts";
import type { ConversationId, IdempotencyKey, UserId } from "../src/protocol/ids.ts";
import type { Mine } from "../src/protocol/states.ts";
import { conversationIds, type Entry, type Held, heldOf, type ReplicaState } from "../src/sdk/index.ts";

/** How far one's own message has come. */
export type Tick = "queued" | "sent" | "delivered" | "read" | "failed";
export type Row =
  | {
      is: "message";
      key: string;
      seq: number | null;
      senderId: UserId;
      at: number;
      text: string;
      tick: Tick | null;
      wishId: IdempotencyKey | null;
      code: ErrorCode | null;
    }
  | { is: "note"; key: string; seq: number; at: number; event: Exclude<Event, { kind: "message" }> };

/** A conversation as it is shown: its log, then what is on its way. */
export function rowsOf(state: ReplicaState, id: ConversationId, me: UserId): Row[] {
  const held = heldOf(state, id);
  const logged = held.events.map((event) => loggedRow(event, held, me));
  return [
    ...logged,
    ...state.outbox.filter((entry) => entry.conversationId === id).map((entry) => waitingRow(entry, me)),
  ];
}

function loggedRow(event: Event, held: Held, me: UserId): Row {
  const { seq, senderId, occurredAt: at } = event;
  if (event.kind !== "message") return { is: "note", key: `${seq}`, seq, at, event };
  const mine = senderId === me;
  // One's own message keeps its row when it goes from the outbox into the log.
  const key = mine ? event.idempotencyKey : `${seq}`;
  const tick = mine ? tickOf(seq, held) : null;
  return { is: "message", key, seq, senderId, at, text: event.content.text, tick, wishId: null, code: null };
}

/** [CL-25] Delivered and read mean by everybody else. */
function tickOf(seq: number, { ticks }: Held): Tick {
  if (seq <= ticks.read) return "read";
  return seq <= ticks.delivered ? "delivered" : "sent";
}

function waitingRow({ wishId, idempotencyKey, composedAt: at, event, standing }: Entry, me: UserId): Row {
  const tick = standing.is === "acked" ? "sent" : standing.is === "failed" ? "failed" : "queued";
  const code = standing.is === "failed" ? standing.code : null;
  return {
    is: "message",
    key: idempotencyKey,
    seq: null,
    senderId: me,
    at,
    text: event.content.text,
    tick,
    wishId,
    code,
  };
}

/** Messages of others past what was read. */
export function unreadOf({ events, read }: Held, me: UserId): number {
  let unread = 0;
  for (let i = events.length - 1; i >= 0; i--) {
    const event = events[i];
    if (!event || event.seq <= read) break;
    if (event.kind === "message" && event.senderId !== me) unread += 1;
  }
  return unread;
}

export type Listed = { id: ConversationId; last: Row | null; unread: number; waiting: number; mine: Mine };

/** [CL-36] One's conversations: what is pinned first, then those with the newest message or wish. */
export function listOf(state: ReplicaState, me: UserId): Listed[] {
  const withWishes = state.outbox.map(({ conversationId }) => conversationId);
  const ids = [...new Set([...conversationIds(state), ...withWishes])];
  const listed = ids.map((id) => listedOf(state, id, me));
  return listed.sort((a, b) => Number(b.mine.pinned) - Number(a.mine.pinned) || (b.last?.at ?? 0) - (a.last?.at ?? 0));
}

function listedOf(state: ReplicaState, id: ConversationId, me: UserId): Listed {
  const held = heldOf(state, id);
  const entries = state.outbox.filter((entry) => entry.conversationId === id);
  const event = held.events.at(-1);
  const entry = entries.at(-1);
  const last = entry ? waitingRow(entry, me) : event ? loggedRow(event, held, me) : null;
  return {
    id,
    last,
    unread: unreadOf(held, me),
    waiting: entries.filter(({ standing }) => standing.is === "waiting").length,
    mine: held.mine,
  };
}
