import type { Role } from "../protocol/events.ts";
import type { GroupRules } from "../protocol/group-rules.ts";
import type { UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, type Refusal, type Result, refuse } from "../protocol/result.ts";
import { FIRST_RULES, isAllowed } from "./group-rules.ts";
import { isWithin, joined, type Range, type Span, without } from "./spans.ts";

/** `spans`: what a member may see; leaving and joining again makes a second one. */
export type Membership = {
  readonly userId: UserId;
  readonly role: Role;
  readonly spans: readonly Span[];
  /** Seqs in their spans that are none of theirs, for the other one of the direct conversation was blocked then. */
  readonly hidden?: readonly Span[];
  /** Up to this seq the member has cleared the conversation, for themselves alone. */
  readonly clearedThrough?: number;
  /** Messages that the member has deleted, for themselves alone, with their edits. */
  readonly deleted?: readonly Range[];
  /** Up to this seq the past was opened to them when they first came: theirs to see, and nobody waits for them there. */
  readonly openedThrough?: number;
  /** The person is being erased, or is: a member no more, and never again. */
  readonly erased?: true;
};
export type Roster = ReadonlyMap<UserId, Membership>;
export type ConversationKind = "direct" | "group";

export const isCurrent = (m: Membership | undefined): m is Membership =>
  m !== undefined && !m.erased && m.spans.at(-1)?.[1] === null; // [ER-4]
export const currentMembers = (roster: Roster): Membership[] => [...roster.values()].filter(isCurrent);
/** Whether this member blocks the other one of the direct conversation now. */
export const isBlocking = (m: Membership | undefined): boolean => m?.hidden?.at(-1)?.[1] === null;

export const isHidden = ({ hidden = [] }: Membership, seq: number): boolean => isWithin(hidden, seq);

/** [BL-1] What the member may see: the one rule for whatever reads or brings events. */
export function visibleSpans(m: Membership): readonly Span[] {
  const { clearedThrough = 0, deleted = [] } = m;
  const left = clearedThrough > 0 ? without(shownSpans(m), [[1, clearedThrough]]) : shownSpans(m); // [LM-16]
  return without(left, deleted); // [LM-26]
}

/** The same, and what they have cleared or deleted. */
const shownSpans = ({ spans, hidden = [] }: Membership): readonly Span[] => without(spans, hidden);

/** [LM-16] All that there is by now is theirs no more. */
export function withCleared(m: Membership, head: number): Membership {
  const clearedThrough = Math.max(headFor(m, head), m.clearedThrough ?? 0);
  if (clearedThrough === (m.clearedThrough ?? 0)) return m;
  const deleted = (m.deleted ?? []).filter(([, to]) => to > clearedThrough);
  return { ...m, clearedThrough, ...(m.deleted ? { deleted } : {}) };
}

/** [LM-26] These seqs are theirs no more. */
export function withDeleted(m: Membership, seqs: readonly number[]): Membership {
  const { deleted = [] } = m;
  const added = seqs.filter((seq) => !isWithin(deleted, seq));
  if (added.length === 0) return m;
  return {
    ...m,
    deleted: joined(
      deleted,
      added.map((seq) => [seq, seq]),
    ),
  };
}

/** [LM-26] A message that this member wants to see no more; true: they do not see it as it is. */
export function decideDelete(m: Membership, seq: number, isMessage: boolean): Result<boolean, DeleteRefusal> {
  if (!isWithin(shownSpans(m), seq) || !isMessage) return refuse("not_found", "no such message");
  if (!canSee(m, seq)) return ok(true);
  const isFull = (withDeleted(m, [seq]).deleted ?? []).length > LIMITS.deletions;
  return isFull ? refuse("too_many_deletions") : ok(false); // [LM-28]
}
type DeleteRefusal = "not_found" | "too_many_deletions";

/** [BL-1] What comes after `head` is hidden from this member, or is so no more; what was hidden stays so. */
export function withBlock(m: Membership, blocks: boolean, head: number): Membership {
  if (isBlocking(m) === blocks) return m;
  const hidden = m.hidden ?? [];
  if (blocks) return { ...m, hidden: [...hidden, [head + 1, null]] };
  const [from] = hidden.at(-1) ?? [head + 1];
  return { ...m, hidden: [...hidden.slice(0, -1), ...(from <= head ? [[from, head] as const] : [])] };
}

/** The highest seq that this member may see, or could before they cleared or deleted it; 0: none. */
export function headFor(m: Membership, head: number): number {
  const last = shownSpans(m).findLast(([from]) => from <= head);
  return last ? Math.min(last[1] ?? head, head) : 0;
}
/** The lowest seq that this member may see. */
export const floorFor = ({ spans, clearedThrough = 0 }: Membership): number =>
  Math.max(spans[0]?.[0] ?? 1, clearedThrough + 1);
/** [GR-14] Said before they first came, and open to them all the same. */
export const isOpened = ({ openedThrough = 0 }: Membership, seq: number): boolean => seq <= openedThrough;
export const canSee = (m: Membership, seq: number): boolean => isWithin(visibleSpans(m), seq); // [GR-6]

/**
 * [LM-19] Seqs in (after, through] that are kept from this member: they were out, or what was said was hidden. Not while a block holds: what
 * is hidden is not told of before that ends.
 */
export function missedSpans(m: Membership, after: number, through: number): Range[] {
  const last = Math.min(through, isBlocking(m) ? (m.hidden?.at(-1)?.[0] ?? 1) - 1 : through);
  const first = Math.max(after + 1, m.spans[0]?.[0] ?? 1);
  return without([[first, last]], shownSpans(m)).filter((span): span is Range => span[1] !== null);
}

/** [RC-11] Hidden from this member for good: seqs that never reach them, whatever watermark passes them. The last ones, if there are many. */
export const neverReached = ({ hidden = [] }: Membership): { from: number; to: number }[] =>
  hidden.flatMap(([from, to]) => (to === null ? [] : { from, to })).slice(-EXCEPT_TOLD);
const EXCEPT_TOLD = 64;

/** A decided change of the roster; the appender gives it its seq. */
export type MemberChange = {
  userId: UserId;
  change: "added" | "removed" | "left" | "role";
  role?: Role | undefined;
  erased?: true | undefined;
};

type Facts = { kind: ConversationKind; roster: Roster; actorId: UserId; userId: UserId };

/** Who may act on a group: a stranger learns nothing, a former member that they are out, a direct conversation has no such acts. */
export function mayAct(facts: Omit<Facts, "userId">): Result<Membership, "not_found" | "not_member" | "forbidden"> {
  const actor = facts.roster.get(facts.actorId);
  if (!actor) return refuse("not_found"); // [GR-1] a stranger cannot tell it from one that does not exist
  if (!isCurrent(actor)) return refuse("not_member"); // [GR-2]
  if (facts.kind === "direct") return refuse("forbidden", "a direct conversation has just its two members"); // [GR-3]
  return ok(actor);
}

export function mayAdminister(
  facts: Omit<Facts, "userId">,
): Result<Membership, "not_found" | "not_member" | "forbidden"> {
  const actor = mayAct(facts);
  if (!actor.ok) return actor;
  return actor.value.role === "admin" ? actor : refuse("forbidden", "admins only"); // [GR-4]
}

/**
 * `removedAt`: the seq of the event by which this person was removed, if that is how they went. `declined`: the one who is added does not
 * let the actor do it.
 */
type Adding = Facts & { role: Role; rules?: GroupRules; removedAt?: number | null; declined?: boolean };

/** [GR-10] Members bring in members, where they are let, and nobody whom an admin has put out. */
function mayAdd(actor: Membership, { role, rules = FIRST_RULES, removedAt = null }: Adding): Result<null, "forbidden"> {
  if (actor.role === "admin") return ok(null);
  if (!isAllowed(actor, rules.adding) || role === "admin") return refuse("forbidden", "admins only");
  if (rules.approval) return refuse("forbidden", "admins let people in: invite them");
  return removedAt === null ? ok(null) : refuse("forbidden", "an admin has removed them");
}

/** Adds a member or sets a role; null when it is so already. */
export function decidePut(facts: Adding): Result<MemberChange | null, PutRefusal> {
  const target = facts.roster.get(facts.userId);
  if (target?.erased) return refuse("not_found"); // [ER-4]
  const actor = isCurrent(target) ? mayAdminister(facts) : mayAct(facts);
  if (!actor.ok) return actor;
  if (!isCurrent(target)) {
    const may = mayAdd(actor.value, facts);
    if (!may.ok) return may;
    if (currentMembers(facts.roster).length >= LIMITS.groupMembers) return refuse("group_full"); // [GR-5]
    if (facts.declined) return refuse("forbidden", NOT_ADMITTED); // [CT-18]
    return ok({ userId: facts.userId, change: "added", role: facts.role });
  }
  if (target.role === facts.role) return ok(null);
  if (target.role === "admin" && isLastAdmin(facts.roster, target)) return refuse("last_admin"); // [GR-7]
  return ok({ userId: facts.userId, change: "role", role: facts.role });
}
const NOT_ADMITTED = "they may be sent an invite instead";
type PutRefusal = "not_found" | "not_member" | "forbidden" | "group_full" | "last_admin";

/** Removes somebody (admins) or oneself (anybody); null when they are out already. */
export function decideRemove(facts: Facts): Result<MemberChange | null, Exclude<PutRefusal, "group_full">> {
  const leaving = facts.actorId === facts.userId;
  const actor = leaving ? mayAct(facts) : mayAdminister(facts);
  if (!actor.ok) return leaving && (actor as Refusal).code === "not_member" ? ok(null) : actor;
  const target = facts.roster.get(facts.userId);
  if (!isCurrent(target)) return target ? ok(null) : refuse("not_found");
  if (isLastAdmin(facts.roster, target) && currentMembers(facts.roster).length > 1) {
    return refuse("last_admin", "make somebody else an admin first"); // [GR-7]
  }
  return ok({ userId: facts.userId, change: leaving ? "left" : "removed" });
}

const isLastAdmin = (roster: Roster, m: Membership): boolean =>
  m.role === "admin" && currentMembers(roster).filter((other) => other.role === "admin").length === 1;

/** The member as the change at `seq` leaves them: they see the change itself, and nothing after it once they are out. */
export function applyChange(
  before: Membership | undefined,
  change: MemberChange,
  seq: number,
  history: GroupRules["history"] = FIRST_RULES.history,
): Membership {
  const spans = before?.spans ?? [];
  const role = change.role ?? before?.role ?? "member";
  const member = { ...before, userId: change.userId, role };
  if (change.change === "role") return { ...member, spans };
  const isOpen = history === "all" && spans.length === 0 && seq > 1; // [GR-13] who was in before keeps the gap
  if (change.change === "added" && isOpen)
    return { ...member, spans: [[1, seq - 1] as const, [seq, null] as const], openedThrough: seq - 1 };
  if (change.change === "added") return { ...member, spans: [...spans, [seq, null]] };
  const [from, to] = spans.at(-1) ?? [seq, null];
  return { ...member, spans: [...spans.slice(0, -1), [from, to ?? seq]] }; // [GR-6]
}

/** [ER-11] Who becomes admin of a group that has none any more: who has been in it longest. */
export function heirOf(roster: Roster): Membership | undefined {
  const members = currentMembers(roster);
  if (members.some(({ role }) => role === "admin")) return undefined;
  return members.toSorted((a, b) => joinedAt(a) - joinedAt(b))[0];
}
const joinedAt = (m: Membership): number => m.spans.at(-1)?.[0] ?? 0;
