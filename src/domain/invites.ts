import type { GroupRules } from "../protocol/group-rules.ts";
import type { InviteCode, UserId } from "../protocol/ids.ts";
import { LIMITS, TIMES } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { isAllowed } from "./group-rules.ts";
import type { JoinRequest } from "./join-requests.ts";
import {
  type ConversationKind,
  currentMembers,
  isCurrent,
  type Membership,
  mayAct,
  type Roster,
} from "./membership.ts";

/**
 * A way into a group. `madeAt`: the head when it was made; `readmits`: also for those who had been removed before. `expiresAt`: epoch ms.
 * `byMember`: made by the right that members had, and good for as long as they have it.
 */
export type Invite = {
  code: InviteCode;
  makerId: UserId;
  madeAt: number;
  expiresAt: number;
  maxUses: number | null;
  uses: number;
  readmits: boolean;
  byMember?: boolean;
};
export type InviteWish = {
  expiresAt?: number | undefined;
  maxUses?: number | undefined;
  readmits?: boolean | undefined;
};

/** [IV-2] [IV-6] Who may make invites, and see and revoke their own; admins all of them. */
export function mayInvite(
  facts: { kind: ConversationKind; roster: Roster; actorId: UserId },
  { adding }: GroupRules,
): Result<Membership, "not_found" | "not_member" | "forbidden"> {
  const actor = mayAct(facts);
  if (!actor.ok) return actor;
  return isAllowed(actor.value, adding) ? actor : refuse("forbidden", "admins only");
}

/** [IV-6] Whether this member may see and revoke it. */
export const isTheirs = ({ makerId }: Invite, { userId, role }: Membership): boolean =>
  role === "admin" || makerId === userId;

/** [IV-6] What a member made by a right of members ends with that right, or with their membership. */
export function isInForce({ byMember, makerId }: Invite, roster: Roster, { adding }: GroupRules): boolean {
  const maker = roster.get(makerId);
  return byMember !== true || (isCurrent(maker) && isAllowed(maker, adding));
}

/** [IV-3] */
export const isOver = ({ expiresAt, maxUses, uses }: Invite, now: number): boolean =>
  now >= expiresAt || (maxUses !== null && uses >= maxUses);

/** `open`: invites that are not over. */
export function decideInvite(
  { expiresAt, maxUses, readmits = false }: InviteWish,
  facts: { code: InviteCode; maker: Membership; madeAt: number; open: number; now: number },
): Result<Invite, "invalid_request" | "too_many_invites" | "forbidden"> {
  const { code, maker, madeAt, open, now } = facts;
  const until = expiresAt ?? now + TIMES.inviteMs;
  if (until <= now || until > now + TIMES.inviteMaxMs)
    return refuse("invalid_request", "expiresAt: past, or too far off"); // [IV-2]
  if (readmits && maker.role !== "admin") return refuse("forbidden", "readmits: admins only"); // [IV-5]
  if (open >= LIMITS.invites) return refuse("too_many_invites"); // [IV-2]
  const origin = { code, makerId: maker.userId, madeAt, ...(maker.role === "admin" ? {} : { byMember: true }) };
  return ok({ ...origin, expiresAt: until, maxUses: maxUses ?? null, readmits, uses: 0 });
}

/** `in`: they are a member. `adds`: let them in. `waits`: they have asked before. `asks`: an admin is to let them in. */
export type Joining = "in" | "adds" | "waits" | "asks";

/**
 * `removedAt`: the seq of the event by which this person was removed, if that is how they went. `request`: they have asked before;
 * `waiting`: how many have.
 */
export function decideJoin(facts: {
  roster: Roster;
  rules: GroupRules;
  userId: UserId;
  invite: Invite | undefined;
  request: JoinRequest | undefined;
  waiting: number;
  removedAt: number | null;
  now: number;
}): Result<Joining, "not_found" | "forbidden" | "invite_over" | "group_full" | "too_many_waiting"> {
  const { roster, rules, userId, invite, request, waiting, removedAt, now } = facts;
  if (roster.get(userId)?.erased) return refuse("not_found"); // [ER-4]
  if (isCurrent(roster.get(userId))) return ok("in"); // [IV-4] also of an invite that is over since, perhaps by this very join
  if (request && rules.approval) return ok("waits"); // [IV-4]
  if (!invite) return refuse("not_found"); // [IV-1]
  const uses = invite.uses - (request?.code === invite.code ? 1 : 0); // [IV-9] it has been counted
  if (isOver({ ...invite, uses }, now) || !isInForce(invite, roster, rules)) return refuse("invite_over"); // [IV-3] [IV-6]
  if (removedAt !== null && !(invite.readmits && invite.madeAt >= removedAt))
    return refuse("forbidden", "an admin has removed you"); // [IV-5]
  if (currentMembers(roster).length >= LIMITS.groupMembers) return refuse("group_full"); // [GR-5]
  if (!rules.approval) return ok("adds"); // [IV-7]
  return waiting >= LIMITS.joinRequests ? refuse("too_many_waiting") : ok("asks"); // [IV-10]
}
