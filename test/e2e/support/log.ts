import type { Event } from "../../../src/protocol/events.ts";

/** An event as text that does not depend on the order of its fields: two are equal when their texts are. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) =>
    v && typeof v === "object" && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}

/** What one device holds of one conversation: everything from `floor` to `held`, nothing missing. */
export class Log {
  floor = 1;
  readonly events: Event[] = [];
  /** Sights that contradict what was seen before. Must stay empty. */
  readonly faults: string[] = [];

  /** The highest seq held, or the one before the floor. */
  get held(): number {
    return this.floor - 1 + this.events.length;
  }

  /** The server says where what I may see begins. */
  begin(floor: number): void {
    if (floor === this.floor) return;
    if (this.events.length > 0)
      this.faults.push(`floor moved from ${this.floor} to ${floor} over events that are held`);
    else this.floor = floor;
  }

  /** Takes the event that comes next; one that is held must be the same. False: it lies past a gap, so pull. */
  take(event: Event): boolean {
    if (event.seq > this.held + 1) return false;
    const known = this.events[event.seq - this.floor];
    if (event.seq === this.held + 1) this.events.push(event);
    else if (!known) this.faults.push(`seq ${event.seq} lies below the floor ${this.floor}`);
    else if (canonical(known) !== canonical(event))
      this.faults.push(`seq ${event.seq} was ${canonical(known)}, is ${canonical(event)}`);
    return true;
  }
}
