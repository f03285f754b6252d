import type { InviteCode, UserId } from "../protocol/ids.ts";
import { LIMITS, TIMES } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { currentMembers, isCurrent, type MemberChange, type Roster } from "./membership.ts";

/** A way into a group. `madeAt`: the head when it was made; `readmits`: also for those who had been removed before. `expiresAt`: epoch ms. */
export type Invite = {
  code: InviteCode;
  makerId: UserId;
  madeAt: number;
  expiresAt: number;
  maxUses: number | null;
  uses: number;
  readmits: boolean;
};
export type InviteWish = {
  expiresAt?: number | undefined;
  maxUses?: number | undefined;
  readmits?: boolean | undefined;
};

/** [IV-3] */
export const isOver = ({ expiresAt, maxUses, uses }: Invite, now: number): boolean =>
  now >= expiresAt || (maxUses !== null && uses >= maxUses);

/** `open`: invites that are not over. */
export function decideInvite(
  { expiresAt, maxUses, readmits = false }: InviteWish,
  facts: { code: InviteCode; makerId: UserId; madeAt: number; open: number; now: number },
): Result<Invite, "invalid_request" | "too_many_invites"> {
  const { open, now, ...origin } = facts;
  const until = expiresAt ?? now + TIMES.inviteMs;
  if (until <= now || until > now + TIMES.inviteMaxMs)
    return refuse("invalid_request", "expiresAt: past, or too far off"); // [IV-2]
  if (open >= LIMITS.invites) return refuse("too_many_invites"); // [IV-2]
  return ok({ ...origin, expiresAt: until, maxUses: maxUses ?? null, readmits, uses: 0 });
}

/** `removedAt`: the seq of the event by which this person was removed, if that is how they went. Null: they are in already. */
export function decideJoin(facts: {
  roster: Roster;
  userId: UserId;
  invite: Invite | undefined;
  removedAt: number | null;
  now: number;
}): Result<MemberChange | null, "not_found" | "forbidden" | "invite_over" | "group_full"> {
  const { roster, userId, invite, removedAt, now } = facts;
  if (roster.get(userId)?.erased) return refuse("not_found"); // [ER-4]
  if (isCurrent(roster.get(userId))) return ok(null); // [IV-4] also of an invite that is over since, perhaps by this very join
  if (!invite) return refuse("not_found"); // [IV-1]
  if (isOver(invite, now)) return refuse("invite_over"); // [IV-3]
  if (removedAt !== null && !(invite.readmits && invite.madeAt >= removedAt))
    return refuse("forbidden", "an admin has removed you"); // [IV-5]
  if (currentMembers(roster).length >= LIMITS.groupMembers) return refuse("group_full"); // [GR-5]
  return ok({ userId, change: "added", role: "member" });
}
