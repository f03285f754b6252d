import { isWithin, joined, type Range } from "../domain/spans.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { Event } from "../protocol/events.ts";
import type { Changed, Summary } from "../protocol/frames.ts";
import type { ConversationId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { settleArrived } from "./arrivals.ts";
import { buryRecalled, buryUnheard } from "./burying.ts";
import type { Welcome } from "./link.ts";
import { GATHER_MS, recallMarks } from "./receipts.ts";
import { join, turnPage } from "./timeline.ts";
import type { Frame, RetryAt, Turn } from "./turn.ts";
import { skipTo } from "./window.ts";

const OUT_OF_SIGHT: ReadonlySet<ErrorCode> = new Set(["not_found", "not_member"]);

/** Events that came live, or that an ack made. */
export function hearEvents(turn: Turn, link: Welcome, id: ConversationId, events: readonly Event[]): void {
  const { fresh, covered, ahead } = join(turn.covered(id), [...link.catchUp.aheadOf(id), ...events]);
  grow(turn, link, id, fresh, covered);
  link.catchUp.keepAhead(id, ahead);
}

/** The answer to a pull of this conversation. */
export function hearPage(turn: Turn, link: Welcome, frameId: number, page: Frame<"page">): void {
  const id = page.conversationId;
  dropDeleted(turn, id, page.deleted);
  const turned = turnPage(turn.covered(id), page);
  const rest = join(turned.covered, link.catchUp.aheadOf(id));
  link.catchUp.answered(id, frameId, page.head);
  grow(turn, link, id, [...turned.fresh, ...rest.fresh], rest.covered);
  buryUnheard(turn, id, page.recalled);
  letGo(turn, link, id, page.floor); // also where nobody was told that it was cleared
  skipTo(turn, id, page.head);
  link.catchUp.keepAhead(id, rest.ahead);
}

export function hearChanged(turn: Turn, link: Welcome, changed: Changed): void {
  link.catchUp.heard(changed.conversationId, "head" in changed ? changed.head : null);
  if ("head" in changed) skipTo(turn, changed.conversationId, changed.head);
  recallMarks(turn, link, changed);
  if (!("head" in changed)) return;
  letGo(turn, link, changed.conversationId, changed.floor);
  dropDeleted(turn, changed.conversationId, changed.deleted);
}

/** [LM-26] What the person has deleted, here or on another device of theirs, goes off the disk and stays away. */
function dropDeleted(turn: Turn, conversationId: ConversationId, told: Summary["deleted"] = []): void {
  const { deleted: known = [], events } = turn.held(conversationId);
  const fresh = told.flatMap(({ from, to }): Range[] =>
    known.some(([low, high]) => low <= from && to <= high) ? [] : [[from, to]],
  );
  if (fresh.length === 0) return;
  const taken = events.filter(({ seq }) => isWithin(fresh, seq));
  turn.change({ type: "deleted", conversationId, deleted: joined(known, fresh), events: taken });
}

/**
 * [LM-16] What was cleared, here or on another device of mine, lies below the floor. It counts as covered, so that a page which was on its way
 * does not bring it back; what of mine was to be seen there will not be.
 */
function letGo(turn: Turn, link: Welcome, conversationId: ConversationId, floor: number): void {
  const { covered, events } = turn.held(conversationId);
  const [first] = events;
  if (covered >= floor - 1 && !(first && first.seq < floor)) return;
  turn.change({ type: "cleared", conversationId, through: floor - 1 });
  settleArrived(turn, link, conversationId, []);
}

function grow(turn: Turn, link: Welcome, id: ConversationId, events: readonly Event[], covered: number): void {
  if (covered === turn.covered(id)) return;
  turn.change({ type: "grew", conversationId: id, covered, events });
  settleArrived(turn, link, id, events);
  buryRecalled(turn, id, events);
  link.telling.owe(id, turn.time + GATHER_MS);
}

/** Asks for what is behind, from the seq that is covered. */
export function pullDue(turn: Turn, link: Welcome): void {
  for (const conversationId of link.catchUp.due(turn.time, turn.covered)) {
    if (!link.pace.admits(turn.time)) return;
    const id = link.ask({ type: "pull", conversationId });
    link.catchUp.pulled(conversationId, id);
    const after = turn.covered(conversationId);
    turn.frames.push({ type: "pull", id, conversationId, after, limit: LIMITS.pullPage });
  }
}

/** [CL-7] What is not mine to see is let go, with what was waiting to be seen there; anything else is tried again. */
export function pullRefused(
  turn: Turn,
  link: Welcome,
  pull: { id: number; conversationId: ConversationId },
  code: ErrorCode,
  retryAt: RetryAt,
): void {
  const { conversationId } = pull;
  if (!OUT_OF_SIGHT.has(code)) {
    link.catchUp.failed(conversationId, pull.id, retryAt);
    return;
  }
  link.catchUp.drop(conversationId);
  for (const { wishId, standing, ...entry } of turn.state.outbox)
    if (entry.conversationId === conversationId && standing.is === "acked") turn.change({ type: "left", wishId });
}

/** [CL-8] The cursor stands for what is stored, so it is stored after it. */
export function takeCursor(turn: Turn, link: Welcome): void {
  const cursor = link.catchUp.takeCursor(turn.covered);
  if (cursor === null) return;
  link.caughtUp = true;
  turn.change({ type: "cursor", cursor });
  turn.frames.push({ type: "cursor", cursor });
}
