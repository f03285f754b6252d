import { heldThrough, nextTryAt } from "../domain/forgetting.ts";
import { currentMembers, type Membership } from "../domain/membership.ts";
import { CALL_WINDOW, mapWindowed, tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { inboxOf } from "../platform/stubs.ts";
import type { UserId } from "../protocol/ids.ts";
import type { ConversationState } from "./conversation-state.ts";
import type { Fanout } from "./fanout.ts";
import type { Ledger } from "./ledger.ts";

/** Events whose words are forgotten in one transaction. */
const FORGET_AT_ONCE = 500;
/** Somebody has come whose device may have been waited for: it is given this time to catch up. Ms. */
const CATCH_UP_MS = 10_000;

type Parts = { ledger: Ledger; fanout: Fanout };

/** [LM-21] Forgets the words that every device has, where the deployer wants that; a crowd's are kept for RETENTION_DAYS. */
export class Forgetter {
  private readonly env: Env;
  private readonly parts: Parts;
  private readonly isAsked: boolean;

  constructor(env: Env, parts: Parts) {
    this.env = env;
    this.parts = parts;
    this.isAsked = env.FORGET_DELIVERED === "1";
  }

  /** When to try again (epoch ms); null: there is nothing to forget. */
  nextAt(state: ConversationState): number | null {
    return this.isAsked && !state.isCrowd && state.burials.hasWords() ? nextTryAt(state.checkpoint.tries) : null;
  }

  /** A member's device looks: what it was waited for with may soon be there. Answers when to try; null: as planned. */
  attended(state: ConversationState, now: number): number | null {
    const { tries } = state.checkpoint;
    if (tries.count === 0 || this.nextAt(state) === null) return null;
    state.checkpoint.tries = { ...tries, count: 0 };
    return Math.max(nextTryAt(state.checkpoint.tries), now + CATCH_UP_MS);
  }

  /** True when it has tried, so that this is to be written down. */
  async tryNow(state: ConversationState, now: number): Promise<boolean> {
    const at = this.nextAt(state);
    if (at === null || at > now) return false;
    await this.ask(state);
    const held = currentMembers(state.roster).map((member) => heldBy(state, member));
    const through = held.length > 0 ? Math.min(...held) : 0;
    while (!this.parts.ledger.write(() => state.burials.forget(through, FORGET_AT_ONCE)));
    state.checkpoint.tries = { count: state.burials.hasWords() ? state.checkpoint.tries.count + 1 : 0, at: now };
    return true;
  }

  /** What an inbox had before it was asked is what its answer is about: what is on its way meanwhile is not. */
  private async ask(state: ConversationState): Promise<void> {
    const known = new Map(state.checkpoint.held);
    const asked = currentMembers(state.roster).flatMap((member) => {
      const seq = this.deliveredTo(member, state.head);
      return seq > heldBy(state, member) ? [{ userId: member.userId, seq }] : [];
    });
    await mapWindowed(asked, CALL_WINDOW, async ({ userId, seq }) => {
      const answer = await this.askOne(state, userId);
      if (answer?.all) known.set(userId, { seq, devices: answer.devices });
    });
    const isHere = new Set(currentMembers(state.roster).map(({ userId }) => userId));
    state.checkpoint.held = [...known].filter(([userId]) => isHere.has(userId));
  }

  private async askOne({ facts }: ConversationState, userId: UserId) {
    const answer = await tryCall(() => inboxOf(this.env, userId).haveAll(facts.conversationId), 1);
    return answer.ok ? answer.value : null;
  }

  /** A member who needs nothing more holds up nothing: what is hidden from them is not for them. */
  private deliveredTo({ userId }: Membership, head: number): number {
    const delivery = this.parts.fanout.stateOf(userId);
    if (!delivery) return 0;
    return this.parts.fanout.isSettled(userId) ? head : delivery.delivered;
  }
}

/** Through which seq all of this member's devices have everything. */
function heldBy(state: ConversationState, { userId }: Membership): number {
  const known = state.checkpoint.held.find(([id]) => id === userId)?.[1];
  return heldThrough(known, state.devicesOf(userId));
}
