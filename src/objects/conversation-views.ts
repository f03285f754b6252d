import {
  canSee,
  currentMembers,
  floorFor,
  headFor,
  isBlocking,
  isCurrent,
  type Membership,
  missedSpans,
} from "../domain/membership.ts";
import { type PageWish, planPage, splitAtShipped } from "../domain/paging.ts";
import { rawReceipt, ticksFor } from "../domain/receipts.ts";
import type { Range } from "../domain/spans.ts";
import { standing } from "../domain/trail.ts";
import { Event } from "../protocol/events.ts";
import type { GroupRules } from "../protocol/group-rules.ts";
import type { Conversation as Description } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { ConversationStore } from "../storage/conversation-store.ts";
import type { ConversationState } from "./conversation-state.ts";
import type { HistoryPage, LogPage, Outcome, Standing } from "./rpc.ts";

/** A conversation as one member sees it. Reading writes nothing; who is not and never was a member sees nothing. */

type Found = { state: ConversationState; member: Membership };

/** [GR-1] A conversation that was never opened and one that is not theirs are the same to a stranger. */
export function memberOf(state: ConversationState | undefined, userId: UserId): Outcome<Found> {
  const member = state?.roster.get(userId);
  return state && member && !member.erased ? ok({ state, member }) : refuse("not_found"); // [ER-4]
}

/** [GR-2] Who is one now. */
export function currentMemberOf(state: ConversationState | undefined, userId: UserId): Outcome<Found> {
  const found = memberOf(state, userId);
  return !found.ok || isCurrent(found.value.member) ? found : refuse("not_member");
}

/** What lies past `after`, oldest first. It may end early at the page's byte limit; then the reader asks on from the last one. */
export function pageOf(
  state: ConversationState | undefined,
  userId: UserId,
  after: number,
  limit: number,
): Outcome<LogPage> {
  const found = memberOf(state, userId);
  if (!found.ok) return found;
  const { state: known, member } = found.value;
  const { ranges, hasMore } = planPage(member, known.head, { after, limit });
  const bodies = bodiesOf(known.store, ranges);
  const isCut = hasMore || bodies.length < ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  const through = isCut ? seqAt(ranges, bodies.length) : known.head;
  const recalled = recalledUnheard(found.value, after, through);
  return ok({ bodies, ...endsOf(found.value), recalled, ...deletedBy(found.value) });
}

/** The `count`th seq of these ranges. */
function seqAt(ranges: readonly Range[], count: number): number {
  let left = count;
  for (const [from, to] of ranges) {
    if (left <= to - from + 1) return from + left - 1;
    left -= to - from + 1;
  }
  return 0;
}

/** Recalls that a page tells of at most. */
const RECALLS_TOLD = 1_000;

/** [LM-19] A device that steps over what its person did not get may hold what was recalled there. */
function recalledUnheard({ state, member }: Found, after: number, through: number): number[] {
  const recalled = missedSpans(member, after, through).flatMap(([from, to]) =>
    state.store.log.recalled(from, to, RECALLS_TOLD),
  );
  return recalled.filter((seq) => canSee(member, seq)).slice(0, RECALLS_TOLD);
}

function bodiesOf(store: ConversationStore, ranges: readonly Range[]): string[] {
  const bodies: string[] = [];
  let size = 0;
  for (const [from, to] of ranges) {
    for (const { body } of store.log.rows(from, to)) {
      if (bodies.length > 0 && size + body.length > LIMITS.pageBytes) return bodies;
      size += body.length;
      bodies.push(body);
    }
  }
  return bodies;
}

/** A page of history: what is shipped as a plan, the rest as it lies in the log. `all`: everything from the log. */
export function historyOf(
  state: ConversationState | undefined,
  userId: UserId,
  wish: PageWish,
  all: boolean,
): Outcome<HistoryPage> {
  const found = memberOf(state, userId);
  if (!found.ok) return found;
  const { checkpoint, head, store } = found.value.state;
  const { ranges, hasMore } = planPage(found.value.member, head, wish);
  // [LM-7] History may still have what was taken away: the log answers meanwhile.
  const isStale = ranges.some(([from, to]) => found.value.state.burials.isStale(from, to));
  const { history, log } = splitAtShipped(ranges, all || isStale ? 0 : checkpoint.shipped);
  const bodies = log.flatMap(([from, to]) => Array.from(store.log.rows(from, to), (row) => row.body));
  return ok({ bodies, history, shard: checkpoint.shard, hasMore, ...endsOf(found.value) });
}

const endsOf = ({ state, member }: Found) => ({ head: headFor(member, state.head), floor: floorFor(member) });

/** [LM-26] */
function deletedBy({ member }: Found): Pick<Standing, "deleted"> {
  const deleted = (member.deleted ?? []).map(([from, to]) => ({ from, to }));
  return deleted.length > 0 ? { deleted } : {};
}

/** How it stands, in short. */
export function standingOf(state: ConversationState | undefined, userId: UserId): Outcome<Standing> {
  const found = memberOf(state, userId);
  if (!found.ok) return found;
  const { head, floor } = endsOf(found.value);
  const { role, read: readSeq, unread } = mineOf(found.value);
  const memberCount = role === null ? 0 : found.value.state.memberCount;
  const ends = { role, head, floor, readSeq, unread, memberCount };
  return ok({
    ...namesOf(found.value),
    ...rulesFor(found.value),
    ...waitingFor(found.value),
    ...ends,
    ...peerOf(found.value),
    ...ticksOf(found.value),
    ...deletedBy(found.value),
    ...lastEventOf(found.value),
  });
}

/** How it stands, with everybody in it. */
export function descriptionOf(state: ConversationState | undefined, userId: UserId): Outcome<Description> {
  const found = memberOf(state, userId);
  if (!found.ok) return found;
  const { createdAt, retentionMs = 0 } = found.value.state.facts;
  const mine = mineOf(found.value);
  const keeping = retentionMs > 0 ? { retentionMs } : {};
  return ok({
    ...namesOf(found.value),
    ...rulesFor(found.value),
    createdAt,
    ...keeping,
    ...endsOf(found.value),
    members: membersOf(found.value),
    mine,
  });
}

function namesOf({ state }: Found): Pick<Description, "conversationId" | "kind" | "title"> {
  const { conversationId, kind, title } = state.facts;
  return title === undefined ? { conversationId, kind } : { conversationId, kind, title };
}

/** What its members are told of a group; who is out is not. */
function rulesFor({ state, member }: Found): Partial<GroupRules> & Pick<Description, "avatarMediaId"> {
  if (state.facts.kind !== "group" || !isCurrent(member)) return {};
  const { avatarMediaId } = state.facts;
  return { ...(avatarMediaId ? { avatarMediaId } : {}), ...state.rules };
}

/** [IV-11] */
function waitingFor({ state, member }: Found): Pick<Standing, "requestCount"> {
  const isAdmin = isCurrent(member) && member.role === "admin";
  return isAdmin && state.requests.size > 0 ? { requestCount: state.requests.size } : {};
}

function mineOf({ state, member }: Found): Description["mine"] {
  const trail = state.trail(member.userId);
  const role = isCurrent(member) ? member.role : null;
  const read = state.readBy(member);
  const delivered = Math.max(standing(trail, "delivered"), member.openedThrough ?? 0);
  return { role, delivered, read, unread: state.unread(member) };
}

/** A former member does not see who is there now. */
function membersOf({ state, member }: Found): Description["members"] {
  if (!isCurrent(member)) return [];
  const joined = (m: Membership) => m.spans.at(-1)?.[0] ?? 1;
  return currentMembers(state.roster).map((m) => ({ userId: m.userId, role: m.role, joinedSeq: joined(m) }));
}

/** In a direct conversation the other one, and how far they have received. */
function peerOf({ state, member }: Found): Pick<Standing, "peer" | "receipts"> {
  if (state.facts.kind !== "direct") return {};
  const userId = [...state.roster.keys()].find((id) => id !== member.userId);
  if (!userId) return {};
  if (isBlocking(member)) return { peer: { userId } }; // [BL-4]
  return { peer: { userId }, receipts: [rawReceipt({ userId }, state.trail(userId))] };
}

function ticksOf({ state, member }: Found): Pick<Standing, "ticks"> {
  return state.isCrowd || !isCurrent(member) || isBlocking(member)
    ? {}
    : { ticks: ticksFor(member.userId, state.roster, state.trails) };
}

/** The last that is still there for them. */
function lastEventOf({ state, member }: Found): Pick<Standing, "lastEvent"> {
  const { ranges } = planPage(member, state.head, { limit: 1 });
  const [last] = bodiesOf(state.store, ranges);
  return last === undefined ? {} : { lastEvent: Event.parse(JSON.parse(last)) };
}
