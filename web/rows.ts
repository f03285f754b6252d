import { TIMES } from "../src/protocol/limits.ts";
import {
  conversationIds,
  type Entry,
  type Held,
  heldOf,
  isReadable,
  type FoldedLine as Line,
  lineOf,
  type ReplicaState,
  timelineOf,
  wordsOf,
} from "../src/sdk/drawing.ts";
import type {
  Content,
  ConversationId,
  ErrorCode,
  GoneContent,
  IdempotencyKey,
  MediaContent,
  Mine,
  UserId,
  Wish,
} from "./wire.ts";

/** How far one's own message has come. */
export type Tick = "queued" | "sent" | "delivered" | "read" | "failed";
export type ReactionShown = { emoji: string; count: number; mine: boolean; who: readonly UserId[] };
/** What the person may do with a message. */
export type May = { react: boolean; edit: boolean; recall: boolean };
export type MessageRow = {
  is: "message";
  key: string;
  seq: number | null;
  senderId: UserId;
  isMine: boolean;
  at: number;
  /** In one line; for media, what stands for it where it is not shown. */
  text: string;
  media: MediaContent | null;
  /** The seq of the message that this one answers. */
  replyTo: number | null;
  mentions: readonly UserId[];
  /** How often it was passed on before it came here. */
  forwards: number;
  /** Why its content is gone; null: it is there. */
  gone: "recalled" | "expired" | "delivered" | null;
  edited: boolean;
  reactions: ReactionShown[];
  may: May;
  tick: Tick | null;
  wishId: IdempotencyKey | null;
  code: ErrorCode | null;
};
type NoteLine = Extract<Line, { is: "note" }>;
/** `also`: who else was brought in in the same go. */
type NoteRow = {
  is: "note";
  key: string;
  seq: number;
  at: number;
  event: NoteLine["event"];
  also?: readonly UserId[];
};
export type Row = MessageRow | NoteRow;

/** Who looks, and when (epoch ms by the server's clock). `isAdmin`: of the group that is looked at. */
export type Looking = { me: UserId; now: number; isAdmin?: boolean };
const NOTHING: May = { react: false, edit: false, recall: false };

/** A conversation as it is shown: its log, then what is on its way. */
export function rowsOf(state: ReplicaState, id: ConversationId, looking: Looking): Row[] {
  const held = heldOf(state, id);
  const entries = state.outbox.filter((entry) => entry.conversationId === id);
  return [
    ...linesOf(held, entries, looking).map((line) => loggedRow(line, held, looking)),
    ...entries.filter(isOwnRow).map((entry) => waitingRow(entry, looking.me)),
  ];
}

/** What is on its way and about a message that is here shows on that one. */
const isOwnRow = ({ event, standing }: Entry): boolean => event.kind === "message" || standing.is === "failed";
const isPending = ({ event, standing }: Entry): boolean => event.kind !== "message" && standing.is !== "failed";

function linesOf({ events }: Pick<Held, "events">, entries: readonly Entry[], { me, now }: Looking): Line[] {
  return timelineOf(events, { me, now, wishes: entries.filter(isPending).map(({ event }) => event) });
}

function loggedRow(line: Line, held: Held, looking: Looking): Row {
  const { seq, senderId, occurredAt: at } = line.event;
  if (line.is === "note") return { is: "note", key: `${seq}`, seq, at, event: line.event };
  const { me } = looking;
  const mine = senderId === me;
  // One's own message keeps its row when it goes from the outbox into the log.
  const key = mine ? line.event.idempotencyKey : `${seq}`;
  const gone = line.content.type === "gone" ? whyGone(line.content) : null;
  return {
    ...{
      is: "message",
      key,
      seq,
      senderId,
      isMine: mine,
      at,
      text: wordsOf(line) ?? "",
      media: mediaOf(line.content),
      ...addressOf(line.content),
      gone,
      edited: line.edited,
    },
    reactions: line.reactions.map(({ emoji, userIds }) => ({
      ...{ emoji, count: userIds.length, mine: userIds.includes(me), who: userIds },
    })),
    may: mayOf(line, looking),
    ...{ tick: mine && !gone ? tickOf(seq, held) : null, wishId: null, code: null },
  };
}

/** [LM-22] What only the server has forgotten is on other devices. */
const whyGone = ({ because, delivered }: GoneContent) => (delivered ? "delivered" : because);

const mediaOf = (content: MediaContent | { type: "text" | "gone" }): MediaContent | null =>
  content.type === "media" ? content : null;

const NO_ADDRESS = { replyTo: null, mentions: [], forwards: 0 };
const addressOf = (content: Content | GoneContent): Pick<MessageRow, "replyTo" | "mentions" | "forwards"> =>
  content.type === "gone"
    ? NO_ADDRESS
    : { replyTo: content.replyTo ?? null, mentions: content.mentions ?? [], forwards: content.forwards ?? 0 };

/** The server's rules, so that nothing is offered that it would refuse. [LM-2] [LM-3] [LM-24] */
function mayOf({ content, event }: Extract<Line, { is: "message" }>, { me, now, isAdmin = false }: Looking): May {
  if (content.type === "gone") return NOTHING;
  const mine = event.senderId === me;
  const age = now - event.receivedAt;
  return {
    react: true,
    edit: mine && content.forwards === undefined && age < TIMES.editMs,
    recall: isAdmin || (mine && age < TIMES.recallMs),
  };
}

/** [CL-25] Delivered and read mean by everybody else. */
function tickOf(seq: number, { ticks }: Held): Tick {
  if (ticks.except.some(({ from, to }) => from <= seq && seq <= to)) return "sent"; // [RC-11]
  if (seq <= ticks.read) return "read";
  return seq <= ticks.delivered ? "delivered" : "sent";
}

function waitingRow({ wishId, idempotencyKey, composedAt: at, event, standing }: Entry, me: UserId): MessageRow {
  const tick = standing.is === "acked" ? "sent" : standing.is === "failed" ? "failed" : "queued";
  const code = standing.is === "failed" ? standing.code : null;
  const nothing = { gone: null, edited: false, reactions: [], may: NOTHING };
  return {
    ...{
      is: "message",
      key: idempotencyKey,
      seq: null,
      senderId: me,
      isMine: true,
      at,
      text: wishText(event),
      media: wishedMedia(event),
      ...(event.kind === "message" ? addressOf(event.content) : NO_ADDRESS),
      ...nothing,
    },
    ...{ tick, wishId, code },
  };
}

/** A wish in words, for a row of its own. */
function wishText(wish: Wish): string {
  if (wish.kind === "recall") return "Delete a message";
  if (wish.kind === "reaction") return `React ${wish.emoji ?? ""}`;
  if (wish.content.type === "caption") return `Edit: ${wish.content.caption ?? ""}`;
  if (wish.content.type === "text") return wish.kind === "edit" ? `Edit: ${wish.content.text}` : wish.content.text;
  return lineOf(wish.content);
}
const wishedMedia = (wish: Wish): MediaContent | null => (wish.kind === "message" ? mediaOf(wish.content) : null);

/** Messages of others past what was read. `now`: epoch ms by the server's clock. */
export function unreadOf({ events, read }: Held, { me, now }: Looking): number {
  let unread = 0;
  for (let i = events.length - 1; i >= 0; i--) {
    const event = events[i];
    if (!event || event.seq <= read) break;
    if (isReadable(event, now) && event.senderId !== me) unread += 1;
  }
  return unread;
}

export type Listed = { id: ConversationId; last: Row | null; unread: number; waiting: number; mine: Mine };

/** [CL-36] One's conversations: what is pinned first, then those with the newest message or wish. */
export function listOf(state: ReplicaState, looking: Looking): Listed[] {
  const withWishes = state.outbox.map(({ conversationId }) => conversationId);
  const ids = [...new Set([...conversationIds(state), ...withWishes])];
  const listed = ids.map((id) => listedOf(state, id, looking));
  return listed.sort((a, b) => Number(b.mine.pinned) - Number(a.mine.pinned) || (b.last?.at ?? 0) - (a.last?.at ?? 0));
}

function listedOf(state: ReplicaState, id: ConversationId, looking: Looking): Listed {
  const held = heldOf(state, id);
  const entries = state.outbox.filter((entry) => entry.conversationId === id);
  const entry = entries.findLast(isOwnRow);
  const line = entry ? undefined : lastLine(held, entries, looking);
  const last = entry ? waitingRow(entry, looking.me) : line ? loggedRow(line, held, looking) : null;
  return {
    id,
    last,
    unread: unreadOf(held, looking),
    waiting: entries.filter(({ standing }) => standing.is === "waiting").length,
    mine: held.mine,
  };
}

/** What was said of it lies behind it, so nothing before it need be looked at. */
function lastLine({ events }: Held, entries: readonly Entry[], looking: Looking): Line | undefined {
  const at = events.findLastIndex(({ kind }) => kind === "message" || kind === "member" || kind === "settings");
  return linesOf({ events: events.slice(Math.max(0, at)) }, entries, looking).at(-1);
}
