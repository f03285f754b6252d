import { type Membership, withBlock, withCleared, withDeleted } from "../domain/membership.ts";
import { isWithin } from "../domain/spans.ts";
import type { UserId } from "../protocol/ids.ts";
import type { SightStore } from "../storage/sight-store.ts";

/** What single members see no more because they cleared it, deleted it or blocked the other one: in the roster and in its store alike. */
export class Sights {
  private readonly store: SightStore;
  private readonly roster: Map<UserId, Membership>;

  constructor(store: SightStore, roster: Map<UserId, Membership>) {
    this.store = store;
    this.roster = roster;
  }

  /** [LM-16] What there is up to `head` is this member's no more. */
  clear(member: Membership, head: number): void {
    const cleared = withCleared(member, head);
    if (cleared === member) return;
    this.roster.set(member.userId, cleared);
    this.store.put("clearedThrough", cleared);
    if (cleared.deleted) this.store.put("deleted", cleared);
  }

  /** [LM-26] These events are this member's no more. */
  delete(member: Membership, seqs: readonly number[]): void {
    const without = withDeleted(member, seqs);
    this.roster.set(member.userId, without);
    this.store.put("deleted", without);
  }

  /** [LM-27] Who has deleted a message does not get it back by an edit. */
  keepDeleted(target: number, edit: number): void {
    for (const member of this.roster.values()) if (isWithin(member.deleted ?? [], target)) this.delete(member, [edit]);
  }

  /** [BL-1] From here on the member sees nothing of the other one, or does again. */
  block(member: Membership, blocks: boolean, head: number): void {
    const changed = withBlock(member, blocks, head);
    if (changed === member) return;
    this.roster.set(changed.userId, changed);
    this.store.put("hidden", changed);
  }

  /** [ER-4] Of somebody who is erased nothing of the kind is kept. */
  drop(userId: UserId): void {
    this.store.drop(userId);
  }
}
