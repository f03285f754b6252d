import { currentMembers } from "../domain/membership.ts";
import { CALL_WINDOW, mapWindowed, tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { inboxOf } from "../platform/stubs.ts";
import type { UserId } from "../protocol/ids.ts";
import type { ConversationState } from "./conversation-state.ts";
import { isCrowd } from "./conversation-views.ts";

/** Who did something in a group within this time is taken to look at it. Ms. */
const LOOKS_MS = 5 * 60_000;
/** People told that somebody types in a group: those who looked last. */
const TOLD = 32;

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
    if (this.seenAt.size > 4 * TOLD) this.seenAt.delete(this.seenAt.keys().next().value as UserId);
  }

  /** [TY-1] In a direct conversation to the other one; in a group to those who looked last; in a crowd to nobody. */
  tell(state: ConversationState, userId: UserId, active: boolean, now: number): void {
    this.seen(userId, now);
    if (isCrowd(state)) return;
    const { conversationId, kind } = state.facts;
    const others = currentMembers(state.roster)
      .map((m) => m.userId)
      .filter((id) => id !== userId && !this.isParked(id));
    const looking = [...this.seenAt]
      .filter(([id, at]) => now - at <= LOOKS_MS && others.includes(id))
      .map(([id]) => id);
    const told = kind === "direct" ? others : looking.slice(-TOLD);
    void mapWindowed(told, CALL_WINDOW, (id) =>
      tryCall(() => inboxOf(this.env, id).hearTyping({ conversationId, userId, active }), 1),
    );
  }
}
