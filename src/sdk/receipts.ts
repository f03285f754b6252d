import type { Receipt } from "../protocol/frames.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import type { Link, Welcome } from "./link.ts";
import { conversationIds, type Held, type Marks } from "./state.ts";
import type { Frame, Turn } from "./turn.ts";

/** News within this time goes out as one receipt. Ms. */
export const GATHER_MS = 250;

/** The receipt that the server lacks, or null. Delivered: the last event of somebody else that is stored here. [CL-17] */
export function owedReceipt({ events, read }: Held, told: Marks, me: UserId): Marks | null {
  const last = events.findLast(({ senderId }) => senderId !== me)?.seq ?? 0;
  const owed = { delivered: Math.max(last, read), read };
  return owed.delivered > told.delivered || owed.read > told.read ? owed : null;
}

/** Watermarks only rise. */
const raise = (a: Marks | undefined, b: Marks): Marks => ({
  delivered: Math.max(a?.delivered ?? 0, b.delivered),
  read: Math.max(a?.read ?? 0, b.read),
});

/** The person has seen everything up to `seq`; of what is not here nothing was seen. */
export function markRead(turn: Turn, link: Link | null, conversationId: ConversationId, seq: number): void {
  const { read, covered } = turn.held(conversationId);
  if (Math.min(seq, covered) <= read) return;
  turn.change({ type: "marked", conversationId, marks: { read: Math.min(seq, covered) } });
  link?.telling.owe(conversationId, turn.time + GATHER_MS);
}

/** How far somebody has received: others for the ticks, myself because another device of mine read. [CL-19] */
export function hearReceipts(turn: Turn, { me }: Welcome, { conversationId, receipts }: Frame<"receipts">): void {
  for (const { userId, delivered, read } of receipts) {
    const held = turn.held(conversationId);
    const marks =
      userId === me.userId
        ? { read: Math.max(held.read, read), told: raise(held.told, { delivered, read }) }
        : { receipts: { ...held.receipts, [userId]: raise(held.receipts[userId], { delivered, read }) } };
    turn.change({ type: "marked", conversationId, marks });
  }
}

/** [CL-18] The server says how a conversation stands, so that is what it was told, whatever this device thinks. */
export function recallMarks(
  turn: Turn,
  link: Welcome,
  conversationId: ConversationId,
  readSeq: number,
  named: Receipt[],
): void {
  const { read, receipts } = turn.held(conversationId);
  const raised = Object.fromEntries(named.map((r) => [r.userId, raise(receipts[r.userId], r)]));
  const told = { delivered: readSeq, read: readSeq };
  const marks = { read: Math.max(read, readSeq), told, receipts: { ...receipts, ...raised } };
  turn.change({ type: "marked", conversationId, marks });
  link.telling.forget(conversationId);
  link.telling.owe(conversationId, turn.time + GATHER_MS);
}

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
  link.telling.sent(conversationId, owed, link.lastId);
  turn.frames.push({ type: "receipt", conversationId, ...owed });
}

/** A frame was answered: only now is it kept that the receipts before it have been told. [CL-18] */
export function keepTold(turn: Turn, { telling }: Link, frameId: number): void {
  for (const [conversationId, told] of telling.answered(frameId))
    turn.change({ type: "marked", conversationId, marks: { told } });
}
