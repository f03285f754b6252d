import type { InviteCode, UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import {
  type ConversationKind,
  currentMembers,
  isCurrent,
  type MemberChange,
  mayAdminister,
  type Roster,
} from "./membership.ts";

/** Somebody who waits to be let into a group. `code`: the invite by which they asked. `askedAt`: epoch ms. */
export type JoinRequest = { userId: UserId; askedAt: number; code: InviteCode };

type Facts = { kind: ConversationKind; roster: Roster; actorId: UserId; userId: UserId };
type Refused = "not_found" | "not_member" | "forbidden";

/** Lets in who waits; null: they are in already. Who was let in and then removed waits no more. */
export function decideAccept(
  facts: Facts & { request: JoinRequest | undefined },
): Result<MemberChange | null, Refused | "group_full"> {
  const admin = mayAdminister(facts); // [IV-7]
  if (!admin.ok) return admin;
  if (isCurrent(facts.roster.get(facts.userId))) return ok(null); // [IV-8]
  if (!facts.request) return refuse("not_found", "userId: does not wait to be let in"); // [IV-8]
  if (currentMembers(facts.roster).length >= LIMITS.groupMembers) return refuse("group_full"); // [GR-5]
  return ok({ userId: facts.userId, change: "added", role: "member" });
}

/** Declining is the admins'; withdrawing one's own is anybody's, and tells a stranger nothing. [GR-1] */
export function decideDrop(facts: Facts): Result<null, Refused> {
  if (facts.actorId === facts.userId) return ok(null); // [IV-8]
  const admin = mayAdminister(facts); // [IV-7]
  return admin.ok ? ok(null) : admin;
}
