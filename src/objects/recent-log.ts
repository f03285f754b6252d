import { isGone } from "../domain/life.ts";
import type { Event, MessageEvent, RecallEvent } from "../protocol/events.ts";
import type { UserId } from "../protocol/ids.ts";
import type { LogStore } from "../storage/log-store.ts";

/** Events that stay in memory after they were appended. */
const RECENT = 64;

/** The log as most ask for it: what was appended last is at hand, what is older is read. Ranges hold both of their ends. */
export class RecentLog {
  private readonly log: LogStore;
  private readonly recent = new Map<number, { event: Event; body: string }>();

  constructor(log: LogStore) {
    this.log = log;
  }

  /** `event` was appended; `body`: its text. */
  keep(event: Event, body: string): void {
    this.recent.set(event.seq, { event, body });
    this.recent.delete(event.seq - RECENT);
  }

  /** Something else stands in an event's place now. */
  replace(event: Event, body: string): void {
    if (this.recent.has(event.seq)) this.recent.set(event.seq, { event, body });
  }

  /** The texts of these events. */
  bodies(from: number, to: number): string[] {
    const recent = this.range(from, to);
    return recent ? recent.map(({ body }) => body) : Array.from(this.log.rows(from, to), (row) => row.body);
  }

  recalls(from: number, to: number): RecallEvent[] {
    const recent = this.range(from, to);
    if (!recent) return this.log.recalls(from, to);
    return recent.flatMap(({ event }) => (event.kind === "recall" ? [event] : []));
  }

  /** What others than this user said, and is not gone. */
  messagesOfOthers(userId: UserId, from: number, to: number): MessageEvent[] {
    const recent = this.range(from, to);
    if (!recent) return this.log.messagesOfOthers(userId, from, to);
    return recent.flatMap(({ event }) =>
      event.kind === "message" && !isGone(event.content) && event.senderId !== userId ? [event] : [],
    );
  }

  /** These events, if all of them are at hand. */
  private range(from: number, to: number): { event: Event; body: string }[] | null {
    if (!this.recent.has(from) || !this.recent.has(to)) return null; // what is at hand has no gaps
    return Array.from({ length: to - from + 1 }, (_, i) => this.recent.get(from + i) as { event: Event; body: string });
  }
}
