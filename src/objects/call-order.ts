import type { UserId } from "../protocol/ids.ts";

/** Numbers the calls of an inbox: they grow with every call, retries included, and from one life of the inbox to the next. */
export class CallNumbers {
  private last = 0;

  next(): number {
    this.last = Math.max(this.last + 1, Date.now() * 1_000); // starts from the clock, so that it is past those of an earlier life
    return this.last;
  }
}

/** The last calls of members' inboxes. [SD-3] One that a later call has overtaken is not carried out: what the later one answered stays true. */
export class LastCalls {
  private readonly numbers = new Map<UserId, number>();

  isOvertaken(userId: UserId, call: number): boolean {
    return call <= (this.numbers.get(userId) ?? 0);
  }

  note(userId: UserId, call: number): void {
    this.numbers.set(userId, call);
  }
}
