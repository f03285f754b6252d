import type { ErrorCode } from "../protocol/errors.ts";
import type { Event } from "../protocol/events.ts";
import type { ConversationId } from "../protocol/ids.ts";
import { ownKeys, settleAs } from "./arrivals.ts";
import { groupBy } from "./group-by.ts";
import type { Happening } from "./happenings.ts";
import type { Asked, Link, Welcome } from "./link.ts";
import { hearEvents } from "./reading.ts";
import type { Entry } from "./state.ts";
import type { Frame, Turn } from "./turn.ts";

type Of<T extends Happening["type"]> = Extract<Happening, { type: T }>;
type Send = Extract<Asked, { type: "send" }>;

/** Refusals that are about the socket or the session, not about the wish: it stays, and is sent again. */
const OF_THE_SESSION: ReadonlySet<ErrorCode> = new Set([
  "unauthenticated",
  "token_expired",
  "device_revoked",
  "hello_required",
  "unsupported_version",
]);

/** [CL-9] Kept before it is sent; a wish that is made twice is one. */
export function makeWish(turn: Turn, { wishId, ...wish }: Of<"wish">): void {
  const { conversationId, idempotencyKey, composedAt, event } = wish;
  const named = { wishId: wishId ?? idempotencyKey, idempotencyKey, conversationId, composedAt, event };
  if (turn.entry(named.wishId)) return;
  turn.change({ type: "entry", entry: { ...named, standing: { is: "waiting", sent: false } } });
}

export function discard(turn: Turn, { wishId }: Of<"discarded">): void {
  if (turn.entry(wishId)?.standing.is === "failed") turn.change({ type: "left", wishId });
}

/** [CL-10] Per conversation in the order of the outbox; conversations do not wait for each other. */
export function sendDue(turn: Turn, link: Welcome): void {
  const waiting = turn.state.outbox.filter(({ standing }) => standing.is === "waiting");
  for (const [id, entries] of groupBy(waiting, ({ conversationId }) => conversationId)) {
    const { send, mint } = link.lanes.plan(id, entries, turn.time);
    for (const entry of send) {
      if (!link.pace.admits(turn.time)) return;
      sendOne(turn, link, entry);
    }
    if (mint.length > 0) askForKeys(turn, link, id, mint);
  }
}

function sendOne(turn: Turn, link: Welcome, entry: Entry): void {
  const { wishId, conversationId, idempotencyKey, composedAt, event, standing } = entry;
  if (standing.is === "waiting" && !standing.sent)
    turn.change({ type: "entry", entry: { ...entry, standing: { is: "waiting", sent: true } } });
  const id = link.ask({ type: "send", conversationId, wishId, sentAt: turn.now });
  link.lanes.sent(entry, id);
  turn.frames.push({ type: "send", id, conversationId, idempotencyKey, composedAt, sentAt: turn.now, event });
}

/** [CL-14] The new keys must pass the newest one that the server can know, or it would call them too old again. */
function askForKeys(turn: Turn, link: Welcome, id: ConversationId, entries: readonly Entry[]): void {
  link.lanes.minting(id);
  const { events, passed } = turn.held(id);
  const logged = [...ownKeys(link, events).keys(), ...(passed ? [passed] : [])];
  const keys = [...logged, ...entries.map(({ idempotencyKey }) => idempotencyKey)].sort();
  turn.mint.push({ conversationId: id, wishIds: entries.map(({ wishId }) => wishId), above: keys.at(-1) ?? null });
}

export function takeKeys(turn: Turn, link: Link | null, { conversationId, keys }: Of<"minted">): void {
  link?.lanes.minted(conversationId);
  for (const { wishId, idempotencyKey } of keys) {
    const entry = turn.entry(wishId);
    if (entry?.standing.is !== "waiting") continue;
    turn.change({ type: "entry", entry: { ...entry, idempotencyKey, standing: { is: "waiting", sent: false } } });
  }
}

export function hearAck(turn: Turn, link: Welcome, asked: Send, ack: Frame<"ack">): void {
  const { conversationId, wishId } = asked;
  link.lanes.acked(asked);
  const entry = turn.entry(wishId);
  if (entry?.standing.is !== "waiting") return; // another attempt was acked, or its event has been seen
  // A repeat's ack is not the whole event: the first attempt left at another time. [CL-9]
  if (ack.duplicate) link.catchUp.heard(conversationId, ack.seq);
  else hearEvents(turn, link, conversationId, [ownEvent(link, entry, ack, asked.sentAt)]);
  if (turn.entry(wishId)) settleAs(turn, link, entry, ack.seq);
}

function ownEvent({ me }: Welcome, entry: Entry, ack: Frame<"ack">, sentAt: number): Event {
  const { conversationId, seq, eventId, receivedAt, occurredAt, expiresAt } = ack;
  const { idempotencyKey, composedAt, event } = entry;
  const origin = { senderId: me.userId, deviceId: me.deviceId, idempotencyKey, composedAt, sentAt };
  const expiring = expiresAt === undefined ? {} : { expiresAt };
  return { conversationId, seq, eventId, receivedAt, occurredAt, ...origin, ...event, ...expiring };
}

export function sendRefused(turn: Turn, link: Welcome, asked: Send, frameId: number, error: Frame<"error">): void {
  if (!link.lanes.isLatest(asked, frameId)) return;
  const { code, retryable } = error;
  const entry = turn.entry(asked.wishId);
  if (retryable || OF_THE_SESSION.has(code)) link.lanes.failed(asked.conversationId, turn.retryAt(error));
  else if (!entry) link.lanes.acked(asked);
  else if (code === "key_out_of_order") link.lanes.outOfOrder(entry, turn.retryAt(error));
  else fail(turn, link, entry, code);
}

/** [CL-12] It stays on the screen as failed, and what comes behind it does not wait for it. */
function fail(turn: Turn, link: Welcome, entry: Entry, code: ErrorCode): void {
  link.lanes.done(entry);
  turn.outcomes.push({ wishId: entry.wishId, code });
  turn.change({ type: "entry", entry: { ...entry, standing: { is: "failed", code } } });
}
