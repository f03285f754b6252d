import { type Membership, visibleSpans } from "../domain/membership.ts";
import { rankOf } from "../domain/rank.ts";
import type { UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { LogStore } from "../storage/log-store.ts";

/** Seqs that are looked at first; each further step looks at as many as are known already. */
const FIRST_STEP = 256;
/** Events behind the newest that are looked at; and after as many new ones what is known is forgotten, for its memory. */
const DEPTH = 10 * LIMITS.unread;

/**
 * How many messages members have not read. Where messages stand in the log is read once for all members, from its end backwards and only as far
 * as somebody asks: a member's count is then the difference of two ranks, for each span that they see.
 */
export class UnreadCounts {
  private readonly log: LogStore;
  /** The messages in (since, through] by their seqs, ascending: everybody's, and each sender's. */
  private all: number[] = [];
  private own = new Map<UserId, number[]>();
  private since = 0;
  private through = 0;
  private startedAt = 0;

  constructor(log: LogStore, head: number) {
    this.log = log;
    this.startAt(head);
  }

  private startAt(head: number): void {
    this.all = [];
    this.own = new Map();
    this.since = head;
    this.through = head;
    this.startedAt = head;
  }

  /** [UN-1] Messages of others past `read`: the one number that the list, `changed` and pushes tell. */
  of(member: Membership, read: number, head: number): number {
    if (head - this.startedAt > DEPTH) this.startAt(head);
    for (const { seq, senderId } of this.log.messageSeqs(this.through + 1, head)) {
      this.all.push(seq);
      this.ownOf(senderId).push(seq);
    }
    this.through = head;
    for (;;) {
      const count = this.count(member, read);
      if (count >= LIMITS.unread || this.since <= Math.max(read, head - DEPTH)) return Math.min(count, LIMITS.unread);
      this.lookFurther();
    }
  }

  /** [LM-8] The content of this message is gone. */
  gone(seq: number, senderId: UserId): void {
    for (const seqs of [this.all, this.ownOf(senderId)]) {
      const rank = rankOf(seqs, seq);
      if (seqs[rank - 1] === seq) seqs.splice(rank - 1, 1);
    }
  }

  private count(member: Membership, read: number): number {
    const own = this.ownOf(member.userId);
    let count = 0;
    for (const [from, to] of visibleSpans(member)) {
      const [past, last] = [Math.max(from - 1, read, this.since), Math.min(to ?? this.through, this.through)];
      if (last > past)
        count += rankOf(this.all, last) - rankOf(this.all, past) - (rankOf(own, last) - rankOf(own, past));
    }
    return count;
  }

  private lookFurther(): void {
    const from = Math.max(1, this.since + 1 - Math.max(FIRST_STEP, this.through - this.since));
    const older = this.log.messageSeqs(from, this.since);
    this.all = [...older.map(({ seq }) => seq), ...this.all];
    for (const [senderId, theirs] of Map.groupBy(older, (message) => message.senderId))
      this.own.set(senderId, [...theirs.map(({ seq }) => seq), ...this.ownOf(senderId)]);
    this.since = from - 1;
  }

  private ownOf(userId: UserId): number[] {
    const known = this.own.get(userId);
    if (known) return known;
    const seqs: number[] = [];
    this.own.set(userId, seqs);
    return seqs;
  }
}
