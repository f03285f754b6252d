import type { Changed, Summary } from "../protocol/frames.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import type { Mine, Ticks } from "../protocol/states.ts";
import type { Link, Welcome } from "./link.ts";
import { conversationIds, type Held, isKnownSmall, type Marks, NO_MARKS } from "./state.ts";
import type { Frame, RetryAt, Turn } from "./turn.ts";

/** News within this time goes out as one receipt. Ms. */
export const GATHER_MS = 250;

/** The receipt that the server lacks, or null. Delivered: the last event of somebody else that is stored here. [CL-17] */
export function owedReceipt({ events, read, received = 0 }: Held, told: Marks, me: UserId): Marks | null {
  const last = events.findLast(({ senderId }) => senderId !== me)?.seq ?? 0;
  const owed = { delivered: Math.max(last, read, received), read };
  return owed.delivered > told.delivered || owed.read > told.read ? owed : null;
}

/** Watermarks only rise. */
const raise = (a: Marks | undefined, b: Marks | undefined): Marks => ({
  delivered: Math.max(a?.delivered ?? 0, b?.delivered ?? 0),
  read: Math.max(a?.read ?? 0, b?.read ?? 0),
});

/** [RC-11] What never came stays so: the server tells all of it, or nothing. */
const raiseTicks = (held: Held["ticks"], ticks: Ticks | undefined): Held["ticks"] => ({
  ...raise(held, ticks),
  except: ticks?.except ?? held.except,
});

/** The person has seen everything up to `seq`; of what is not here nothing was seen. */
export function markRead(turn: Turn, link: Link | null, conversationId: ConversationId, seq: number): void {
  const { read, covered } = turn.held(conversationId);
  if (Math.min(seq, covered) <= read) return;
  turn.change({ type: "marked", conversationId, marks: { read: Math.min(seq, covered) } });
  link?.telling.owe(conversationId, turn.time + GATHER_MS);
}

/** Everybody else has received as far as the ticks; or I have, on another device. */
export function hearReceipts(
  turn: Turn,
  { me }: Welcome,
  { conversationId, receipts, ticks }: Frame<"receipts">,
): void {
  const held = turn.held(conversationId);
  // [CL-28] Lower ticks are about a newcomer, for whom what was sent before was not.
  if (ticks) turn.change({ type: "marked", conversationId, marks: { ticks: raiseTicks(held.ticks, ticks) } });
  const mine = receipts.find(({ userId }) => userId === me.userId);
  if (mine) turn.change({ type: "marked", conversationId, marks: readElsewhere(held, mine) });
}

/** What another device of mine has changed. [CL-19] [CL-29] */
export function hearSelf(turn: Turn, { conversations = [] }: Frame<"self">): void {
  for (const { conversationId, readSeq = 0, mine } of conversations) {
    const read = readElsewhere(turn.held(conversationId), { delivered: readSeq, read: readSeq });
    turn.change({ type: "marked", conversationId, marks: { ...read, ...(mine ? { mine } : {}) } });
  }
}

/** [CL-19] What the server knows to be read is read here, and need not be told. */
const readElsewhere = (held: Held, marks: Marks): Pick<Held, "read" | "told"> => ({
  read: Math.max(held.read, marks.read),
  told: raise(held.told, marks),
});

/** [CL-18] The server says how a conversation stands, so that is what it was told, whatever this device thinks. */
export function recallMarks(turn: Turn, link: Welcome, changed: Changed): void {
  const { conversationId } = changed;
  const held = turn.held(conversationId);
  const summary = "head" in changed ? changed : null;
  const readSeq = summary?.readSeq ?? 0;
  const marks = { read: Math.max(held.read, readSeq), told: { delivered: readSeq, read: readSeq } };
  turn.change({ type: "marked", conversationId, marks: { ...marks, ...(summary && settings(held, summary)) } });
  link.telling.again(conversationId, turn.time + GATHER_MS);
}

const settings = (held: Held, summary: Summary): Pick<Held, "ticks" | "mine" | "memberCount"> => ({
  ticks: raiseTicks(held.ticks, summary.ticks),
  mine: mineOf(summary),
  memberCount: summary.memberCount,
});

const mineOf = ({ mutedUntil, mentionsPierce, pinned, archived }: Summary): Mine => {
  const mine = { mentionsPierce, pinned, archived };
  return mutedUntil === undefined ? mine : { mutedUntil, ...mine };
};

/** [CL-18] What no socket could tell, or may have been lost with one. */
export function oweAll(turn: Turn, { me, telling }: Welcome): void {
  for (const id of conversationIds(turn.state)) {
    const held = turn.held(id);
    if (owedReceipt(held, held.told, me.userId)) telling.owe(id, turn.time + GATHER_MS);
  }
}

export function tellDue(turn: Turn, link: Welcome): void {
  for (const conversationId of link.telling.due(turn.time)) {
    const held = turn.held(conversationId);
    const told = raise(link.telling.claimOf(conversationId), held.told);
    const owed = owedReceipt(held, told, link.me.userId);
    if (!owed) continue;
    if (!link.pace.admits(turn.time)) link.telling.owe(conversationId, turn.time + GATHER_MS);
    else sendReceipt(turn, link, conversationId, owed);
  }
}

function sendReceipt(turn: Turn, link: Welcome, conversationId: ConversationId, owed: Marks): void {
  const id = link.ask({ type: "receipt", conversationId });
  link.telling.sent(conversationId, owed, id);
  turn.frames.push({ type: "receipt", id, conversationId, ...owed });
}

/** [CL-18] The conversation did not get it, although later frames were answered: it is told again from the start. */
export function receiptRefused(turn: Turn, link: Welcome, conversationId: ConversationId, retryAt: RetryAt): void {
  turn.change({ type: "marked", conversationId, marks: { told: NO_MARKS } });
  link.telling.again(conversationId, retryAt(1));
}

/** A frame was answered: only now is it kept that the receipts before it have been told. [CL-18] */
export function keepTold(turn: Turn, { telling }: Link, frameId: number): void {
  for (const [conversationId, told] of telling.answered(frameId)) {
    if (isKnownSmall(turn.held(conversationId))) turn.change({ type: "marked", conversationId, marks: { told } });
    else telling.sent(conversationId, told, NEVER); // [CL-33] a server holds back those of a crowd, and a crash loses them
  }
}
const NEVER = Number.POSITIVE_INFINITY;
