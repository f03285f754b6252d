import {
  type Delivery,
  deliveryAfter,
  isSettled,
  newDelivery,
  type Occurrence,
  settledThrough,
} from "../domain/delivery.ts";
import { floorFor, headFor, type Membership } from "../domain/membership.ts";
import { backoffMs } from "../domain/retry.ts";
import type { Park } from "../domain/ringing.ts";
import { CALL_WINDOW } from "../platform/calls.ts";
import type { UserId } from "../protocol/ids.ts";

/** A lagging inbox is tried again after this long, doubling. Ms. */
const RETRY = { baseMs: 5_000, capMs: 10 * 60_000 };

/** Carries what lies in (after, through] to one inbox, and answers whether it wants no more. Rejects when it may not have arrived. */
type Deliver = (userId: UserId, after: number, through: number) => Promise<Park | null>;

/** The members' inboxes as cursors on the log: pumps each until it has everything, a window of calls at a time. */
export class Fanout {
  private readonly deliveries = new Map<UserId, Delivery>();
  private readonly queue: { userId: UserId; since: number }[] = [];
  private readonly deliver: Deliver;
  private running = 0;
  private whenIdle: (() => void)[] = [];

  constructor(deliver: Deliver) {
    this.deliver = deliver;
  }

  /** Takes a member up where the checkpoint says their inbox is. The past that was opened to them is pulled, not delivered. [GR-14] */
  restore(m: Membership, delivered: number, head: number): void {
    const from = Math.max(delivered, floorFor(m) - 1, m.openedThrough ?? 0);
    this.deliveries.set(m.userId, newDelivery(from, headFor(m, head)));
  }

  /** Takes up somebody who has been added; one who was here before keeps the place where their inbox is. */
  join(m: Membership, head: number): void {
    if (!this.deliveries.has(m.userId)) this.restore(m, 0, head);
  }

  /** Nobody is to be told there any more. */
  drop(userId: UserId): void {
    this.deliveries.delete(userId);
  }

  note(userId: UserId, occurrence: Occurrence): void {
    const before = this.deliveries.get(userId);
    if (!before) return;
    const after = deliveryAfter(before, occurrence);
    this.deliveries.set(userId, after);
    if (after.mode === "calling" && before.mode !== "calling") this.enqueue(userId);
  }

  noteAll(occurrence: Occurrence): void {
    for (const userId of this.deliveries.keys()) this.note(userId, occurrence);
  }

  /** The seq up to which every inbox needs nothing any more; `head` when there is nobody. */
  settledThrough(head: number): number {
    let lowest = head;
    for (const d of this.deliveries.values()) if (!isSettled(d)) lowest = Math.min(lowest, settledThrough(d));
    return lowest;
  }

  /** Whether a member's inbox needs nothing more of what there is. */
  isSettled(userId: UserId): boolean {
    const delivery = this.deliveries.get(userId);
    return delivery !== undefined && isSettled(delivery);
  }

  stateOf(userId: UserId): Delivery | undefined {
    return this.deliveries.get(userId);
  }

  /** Whether this member's inbox is not to be called: it has nobody to tell, or its person is erased. Who comes back asks. */
  isAway(userId: UserId): boolean {
    const delivery = this.deliveries.get(userId);
    return delivery === undefined || delivery.mode === "parked";
  }

  /** How long the inbox that waits longest for its turn has waited. Ms. */
  waitMs(now: number): number {
    const [first] = this.queue;
    return first ? now - first.since : 0;
  }

  /** When the first lagging inbox may be tried again. Epoch ms; null when none lags. */
  nextRetryAt(): number | null {
    const times = [...this.deliveries.values()].filter((d) => d.mode === "lagging").map((d) => d.retryAt);
    return times.length > 0 ? Math.min(...times) : null;
  }

  /** Resolves once no call is waiting or under way. */
  idle(): Promise<void> {
    return this.running === 0 ? Promise.resolve() : new Promise((resolve) => this.whenIdle.push(resolve));
  }

  private enqueue(userId: UserId): void {
    this.queue.push({ userId, since: Date.now() });
    if (this.running < CALL_WINDOW) void this.lane();
  }

  private async lane(): Promise<void> {
    this.running++;
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) await this.pump(next.userId);
    this.running--;
    if (this.running === 0) for (const resolve of this.whenIdle.splice(0)) resolve();
  }

  /** One call at a time to one inbox, so that events reach it in order. */
  private async pump(userId: UserId): Promise<void> {
    for (let d = this.deliveries.get(userId); d?.mode === "calling"; d = this.deliveries.get(userId)) {
      const through = d.target;
      try {
        const park = await this.deliver(userId, d.delivered, through);
        this.note(userId, { type: "reached", through, park });
      } catch {
        const retryDelayMs = backoffMs(RETRY, d.failures + 1, Math.random());
        this.note(userId, { type: "failed", now: Date.now(), retryDelayMs });
      }
    }
  }
}
