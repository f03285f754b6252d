import { type Membership, visibleSpans } from "./membership.ts";
import type { Range } from "./spans.ts";

export type PageWish = { before?: number | undefined; after?: number | undefined; limit: number };
/** What to read, in ascending order; and whether the member may see more in the asked direction. */
export type PagePlan = { ranges: readonly Range[]; hasMore: boolean };

/** The log is gapless, so which seqs a page holds is arithmetic over the member's spans; no store is asked. */
export function planPage(m: Membership, head: number, wish: PageWish): PagePlan {
  const visible = visibleSpans(m).map(([from, to]): [number, number] => [from, Math.min(to ?? head, head)]);
  return wish.after === undefined
    ? takeNewest(visible, Math.min(wish.before ?? head + 1, head + 1) - 1, wish.limit)
    : takeOldest(visible, wish.after + 1, wish.limit);
}

function takeOldest(visible: [number, number][], from: number, limit: number): PagePlan {
  const ranges: [number, number][] = [];
  let left = limit;
  for (const [low, high] of visible) {
    const start = Math.max(low, from);
    if (start > high) continue;
    if (left === 0) return { ranges, hasMore: true };
    const end = Math.min(high, start + left - 1);
    ranges.push([start, end]);
    left -= end - start + 1;
    if (end < high) return { ranges, hasMore: true };
  }
  return { ranges, hasMore: false };
}

function takeNewest(visible: [number, number][], until: number, limit: number): PagePlan {
  const ranges: [number, number][] = [];
  let left = limit;
  for (const [low, high] of visible.toReversed()) {
    const end = Math.min(high, until);
    if (low > end) continue;
    if (left === 0) return { ranges, hasMore: true };
    const start = Math.max(low, end - left + 1);
    ranges.unshift([start, end]);
    left -= end - start + 1;
    if (start > low) return { ranges, hasMore: true };
  }
  return { ranges, hasMore: false };
}

/** What a member may see in (after, through], the newest `limit` of it: a device that sees the gap before them pulls. [GR-6] */
export function planDelivery(m: Membership, after: number, through: number, limit: number): Range[] {
  const { ranges } = planPage(m, through, { before: through + 1, limit });
  return ranges.flatMap(([from, to]): Range[] => (to > after ? [[Math.max(from, after + 1), to]] : []));
}

/** Splits a page at the ship cursor: history holds all up to it, the log serves the rest, so there is no gap and no repeat. */
export function splitAtShipped(ranges: PagePlan["ranges"], shipped: number): { history: Range[]; log: Range[] } {
  const history: Range[] = [];
  const log: Range[] = [];
  for (const [from, to] of ranges) {
    if (from <= shipped) history.push([from, Math.min(to, shipped)]); // [HI-2]
    if (to > shipped) log.push([Math.max(from, shipped + 1), to]);
  }
  return { history, log };
}
