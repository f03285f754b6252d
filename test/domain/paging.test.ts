import * as fc from "fast-check";
import { expect, test } from "vitest";

import { canSee, type Membership } from "../../src/domain/membership.ts";
import { planDelivery, planPage, splitAtShipped } from "../../src/domain/paging.ts";
import type { Span } from "../../src/domain/spans.ts";
import type { UserId } from "../../src/protocol/ids.ts";
import { always } from "../property.ts";

const expand = (ranges: readonly (readonly [number, number | null])[]) =>
  ranges.flatMap(([from, to]) => Array.from({ length: (to as number) - from + 1 }, (_, i) => from + i));

/** A member who came and went, and a head at or past the last change. */
const situations = fc
  .tuple(fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 7 }), fc.nat(20))
  .map(([turns, more]) => {
    const edges = turns.toSorted((a, b) => a - b);
    const spans: Span[] = [];
    for (let i = 0; i < edges.length; i += 2) spans.push([edges[i] as number, edges[i + 1] ?? null]);
    const m: Membership = { userId: "ann" as UserId, role: "member", spans };
    return { m, head: (edges.at(-1) as number) + more };
  });

test("[HI-2] [GR-6] a page is the next `limit` visible seqs, in both directions, and says whether there are more", () => {
  always(
    fc.property(
      situations,
      fc.nat(90),
      fc.integer({ min: 1, max: 30 }),
      fc.boolean(),
      ({ m, head }, from, limit, forward) => {
        const all = Array.from({ length: head }, (_, i) => i + 1).filter((seq) => canSee(m, seq));
        const there = forward ? all.filter((seq) => seq > from) : all.filter((seq) => seq < from);
        const { ranges, hasMore } = planPage(m, head, forward ? { after: from, limit } : { before: from, limit });
        expect(expand(ranges)).toEqual(forward ? there.slice(0, limit) : there.slice(-limit));
        expect(hasMore).toBe(there.length > limit);
      },
    ),
  );
});

test("without a place to start from the page is the newest one", () => {
  const m: Membership = { userId: "ann" as UserId, role: "member", spans: [[1, null]] };
  expect(planPage(m, 10, { limit: 3 })).toEqual({ ranges: [[8, 10]], hasMore: true });
  expect(planPage(m, 0, { limit: 3 })).toEqual({ ranges: [], hasMore: false });
});

test("[HI-2] wherever the ship cursor stands, history and log together are the page: no gap, no repeat", () => {
  always(
    fc.property(situations, fc.nat(80), fc.integer({ min: 1, max: 30 }), ({ m, head }, shipped, limit) => {
      const { ranges } = planPage(m, head, { limit });
      const { history, log } = splitAtShipped(ranges, Math.min(shipped, head));
      expect([...expand(history), ...expand(log)]).toEqual(expand(ranges));
      expect(expand(history).every((seq) => seq <= shipped)).toBe(true);
      expect(expand(log).every((seq) => seq > Math.min(shipped, head))).toBe(true);
    }),
  );
});

test("[GR-6] [DL-1] a delivery holds the newest of what lies past the cursor, and nothing the member may not see", () => {
  always(
    fc.property(situations, fc.nat(40), fc.nat(40), fc.integer({ min: 1, max: 20 }), ({ m }, after, more, limit) => {
      const through = after + more;
      const visible = Array.from({ length: through }, (_, i) => i + 1).filter((seq) => canSee(m, seq));
      expect(expand(planDelivery(m, after, through, limit))).toEqual(
        visible.slice(-limit).filter((seq) => seq > after),
      );
    }),
  );
});
