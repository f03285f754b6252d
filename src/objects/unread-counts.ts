import type { Membership } from "../domain/membership.ts";
import type { UserId } from "../protocol/ids.ts";
import type { LogStore } from "../storage/log-store.ts";

/** `count`: unread past `read`, counted up to `through`. */
type Counted = { member: Membership; read: number; through: number; count: number };

/** How many messages members have not read. What was counted once is not counted again: only what has come since. */
export class UnreadCounts {
  private readonly log: LogStore;
  private readonly counted = new Map<UserId, Counted>();

  constructor(log: LogStore) {
    this.log = log;
  }

  /** [UN-1] Messages of others past `read`: the one number that the list, `changed` and pushes tell. */
  of(member: Membership, read: number, head: number): number {
    const known = this.counted.get(member.userId);
    const isSame = known !== undefined && known.member === member && known.read === read;
    const count = isSame ? known.count + this.log.unread(member, known.through) : this.log.unread(member, read);
    this.counted.set(member.userId, { member, read, through: Math.max(read, head), count });
    return count;
  }

  /** [LM-8] Something that counted is gone. */
  forget(): void {
    this.counted.clear();
  }
}
