import { isAllowed } from "../domain/group-rules.ts";
import { currentMembers, isBlocking } from "../domain/membership.ts";
import { TYPING_TOLD, whoSeesTyping } from "../domain/typing.ts";
import { CALL_WINDOW, mapWindowed, tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { inboxOf } from "../platform/stubs.ts";
import type { UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { ConversationState } from "./conversation-state.ts";
import { currentMemberOf, isCrowd } from "./conversation-views.ts";
import type { Outcome } from "./rpc.ts";

type Typing = { userId: UserId; active: boolean };

/** Carries word of who is typing to those who look. Nothing of it is kept, nothing is repeated. */
export class Typists {
  private readonly env: Env;
  private readonly isParked: (userId: UserId) => boolean;
  private readonly seenAt = new Map<UserId, number>();

  constructor(env: Env, isParked: (userId: UserId) => boolean) {
    this.env = env;
    this.isParked = isParked;
  }

  /** This member is looking at the conversation. */
  seen(userId: UserId, now: number): void {
    this.seenAt.delete(userId); // the map's order is that of the last looks
    this.seenAt.set(userId, now);
    if (this.seenAt.size > 4 * TYPING_TOLD) this.seenAt.delete(this.seenAt.keys().next().value as UserId);
  }

  /** `isShed`: it is left out just now. */
  hear(state: ConversationState | undefined, { userId, active }: Typing, isShed: boolean, now: number): Outcome<null> {
    const found = currentMemberOf(state, userId);
    if (!found.ok) return found;
    const { member, state: known } = found.value;
    if (!isAllowed(member, known.rules.sending)) return refuse("forbidden", "only admins send here"); // [GR-9]
    const isBlocked = [...known.roster.values()].some(isBlocking); // [BL-5]
    if (!isBlocked && !isShed) this.tell(known, userId, active, now);
    return ok(null);
  }

  private tell(state: ConversationState, userId: UserId, active: boolean, now: number): void {
    this.seen(userId, now);
    const { conversationId, kind } = state.facts;
    const others = currentMembers(state.roster)
      .map((m) => m.userId)
      .filter((id) => id !== userId && !this.isParked(id));
    const told = whoSeesTyping({ kind, others, seenAt: this.seenAt, crowd: isCrowd(state) }, now);
    void mapWindowed(told, CALL_WINDOW, (id) =>
      tryCall(() => inboxOf(this.env, id).hearTyping({ conversationId, userId, active }), 1),
    );
  }
}
