import { decidePut, decideRemove, isBlocking, type MemberChange } from "../domain/membership.ts";
import type { UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { ConversationState } from "./conversation-state.ts";
import { memberOf } from "./conversation-views.ts";
import type { MemberRequest, Outcome } from "./rpc.ts";

/** What the desks of a conversation are given. */
export type Ports = {
  state: () => ConversationState | undefined;
  /** All of it or nothing, in the store and in memory alike. */
  write: (change: () => void) => void;
  /** Appends members' changes, `also` in the same transaction, and tells everybody. */
  commit: (actorId: UserId, changes: MemberChange[], now: number, also?: () => void) => void;
  /** This member may hold what was recalled while they could not hear of it. */
  missed: (userId: UserId) => void;
  /** Something else was appended. */
  appended: (now: number) => void;
  /** An inbox that will ask by itself. */
  isParked: (userId: UserId) => boolean;
};

/** Who is in a conversation: each act decided by a pure rule, then appended. */
export class MemberDesk {
  private readonly ports: Ports;

  constructor(ports: Ports) {
    this.ports = ports;
  }

  putMember({ actorId, userId, role, declined = false }: MemberRequest): Outcome<{ added: boolean }> {
    const state = this.ports.state();
    if (!state) return refuse("not_found");
    const { facts, roster, rules } = state;
    const removedAt = state.removedAt(userId);
    const decided = decidePut({ kind: facts.kind, roster, actorId, userId, role, rules, removedAt, declined });
    if (!decided.ok) return decided;
    if (decided.value) this.ports.commit(actorId, [decided.value], Date.now());
    return ok({ added: decided.value?.change === "added" });
  }

  removeMember({ actorId, userId }: Pick<MemberRequest, "actorId" | "userId">): Outcome<null> {
    const state = this.ports.state();
    if (!state) return refuse("not_found");
    const { facts, roster } = state;
    const decided = decideRemove({ kind: facts.kind, roster, actorId, userId });
    if (!decided.ok) return decided;
    if (decided.value) this.ports.commit(actorId, [decided.value], Date.now());
    return ok(null);
  }

  /** [BL-1] This member blocks the other one of a direct conversation, or does so no more. */
  setBlock(userId: UserId, blocks: boolean): Outcome<null> {
    const found = memberOf(this.ports.state(), userId);
    if (!found.ok) return found;
    const { state, member } = found.value;
    if (state.facts.kind !== "direct") return refuse("forbidden");
    this.ports.write(() => state.setBlock(member, blocks));
    if (!blocks && isBlocking(member)) this.ports.missed(userId);
    return ok(null);
  }
}
