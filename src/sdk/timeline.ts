import type * as z from "zod";
import type { Event } from "../protocol/events.ts";
import type { Page } from "../protocol/frames.ts";

/** Live events kept in memory while the gap before them is pulled; more would only be pulled again. */
const AHEAD_MAX = 1_000;

/** How a log grows: `fresh` joins on to what is covered, without gap or repeat; `ahead` lies past a gap. */
export type Growth = { readonly fresh: readonly Event[]; readonly covered: number; readonly ahead: readonly Event[] };

/** Events in any order and however often: takes those that follow on without a gap. */
export function join(covered: number, events: readonly Event[]): Growth {
  const bySeq = new Map(events.map((event) => [event.seq, event])); // [CL-5]
  const fresh: Event[] = [];
  for (let next = bySeq.get(covered + 1); next; next = bySeq.get(next.seq + 1)) fresh.push(next);
  const reached = covered + fresh.length;
  const ahead = [...bySeq.values()].filter(({ seq }) => seq > reached).sort((a, b) => a.seq - b.seq); // [CL-4]
  return { fresh, covered: reached, ahead: ahead.slice(0, AHEAD_MAX) };
}

/**
 * A page that answers a pull from at or below `covered`. It is authoritative: a seq that it steps over is one that I may not see (I was
 * out at the time), so it is no gap. [CL-6]
 */
export function turnPage(covered: number, { events, head }: z.infer<typeof Page>): Omit<Growth, "ahead"> {
  const last = events.at(-1)?.seq ?? head;
  const fresh = events.filter(({ seq }) => seq > covered);
  return { fresh, covered: Math.max(covered, last) };
}
