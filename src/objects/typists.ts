import { isAllowed } from "../domain/group-rules.ts";
import { currentMembers, isBlocking } from "../domain/membership.ts";
import { sheds } from "../domain/shedding.ts";
import { TYPING_TOLD, whoSeesTyping } from "../domain/typing.ts";
import { CALL_WINDOW, mapWindowed, tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { inboxOf } from "../platform/stubs.ts";
import type { UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { ConversationState } from "./conversation-state.ts";
import { currentMemberOf } from "./conversation-views.ts";
import type { Fanout } from "./fanout.ts";
import type { Ledger } from "./ledger.ts";
import type { Load } from "./load.ts";
import type { Outcome } from "./rpc.ts";

type Parts = { ledger: Ledger; fanout: Fanout; load: Load };

/** Carries word of who is typing to those who look. Nothing of it is kept, nothing is repeated. */
export class Typists {
  private readonly env: Env;
  private readonly parts: Parts;
  private readonly seenAt = new Map<UserId, number>();

  constructor(env: Env, parts: Parts) {
    this.env = env;
    this.parts = parts;
  }

  /** This member is looking at the conversation. */
  seen(userId: UserId, now: number): void {
    this.seenAt.delete(userId); // the map's order is that of the last looks
    this.seenAt.set(userId, now);
    if (this.seenAt.size > 4 * TYPING_TOLD) this.seenAt.delete(this.seenAt.keys().next().value as UserId);
  }

  hear(userId: UserId, active: boolean, now: number): Outcome<null> {
    const found = currentMemberOf(this.parts.ledger.state, userId);
    if (!found.ok) return found;
    const { member, state } = found.value;
    if (!isAllowed(member, state.rules.sending)) return refuse("forbidden", "only admins send here"); // [GR-9]
    const isBlocked = [...state.roster.values()].some(isBlocking); // [BL-5]
    const isShed = sheds(this.parts.load.stage(now), "typing"); // [OV-1]
    if (!isBlocked && !isShed) this.tell(state, userId, active, now);
    return ok(null);
  }

  private tell(state: ConversationState, userId: UserId, active: boolean, now: number): void {
    this.seen(userId, now);
    const { conversationId, kind } = state.facts;
    const others = currentMembers(state.roster)
      .map((m) => m.userId)
      .filter((id) => id !== userId && !this.parts.fanout.isAway(id));
    const told = whoSeesTyping({ kind, others, seenAt: this.seenAt, crowd: state.isCrowd }, now);
    void mapWindowed(told, CALL_WINDOW, (id) =>
      tryCall(() => inboxOf(this.env, id).hearTyping({ conversationId, userId, active }), 1),
    );
  }
}
