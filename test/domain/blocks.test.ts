import * as fc from "fast-check";
import { expect, test } from "vitest";
import { canSee, headFor, isBlocking, isHidden, type Membership, withBlock } from "../../src/domain/membership.ts";
import { planPage } from "../../src/domain/paging.ts";
import { receive } from "../../src/domain/receipts.ts";
import { NO_TRAIL, standing } from "../../src/domain/trail.ts";
import { UserId } from "../../src/protocol/ids.ts";
import { always } from "../property.ts";

const userId = UserId.parse("0".repeat(26));
const START: Membership = { userId, role: "member", spans: [[1, null]] };

test("[BL-1] a member sees what was said while they did not block, whatever asks; and what was hidden stays so", () => {
  always(
    fc.property(
      fc.array(fc.constantFrom("said", "said", "block", "unblock"), { maxLength: 30 }),
      fc.nat(30),
      fc.integer({ min: 1, max: 9 }),
      (acts, at, limit) => {
        let [member, head, blocked] = [START, 0, false];
        const seen: number[] = [];
        for (const act of acts) {
          if (act === "said") {
            head += 1;
            if (!blocked) seen.push(head);
          } else {
            blocked = act === "block";
            member = withBlock(member, blocked, head);
          }
          expect(isBlocking(member)).toBe(blocked);
        }
        const all = Array.from({ length: head }, (_, i) => i + 1);
        expect(all.filter((seq) => canSee(member, seq))).toEqual(seen);
        expect(all.filter((seq) => isHidden(member, seq))).toEqual(all.filter((seq) => !seen.includes(seq)));
        expect(headFor(member, head)).toBe(seen.at(-1) ?? 0);
        const seqs = (wish: { before?: number; after?: number }) =>
          planPage(member, head, { ...wish, limit }).ranges.flatMap(([from, to]) => all.slice(from - 1, to));
        expect(seqs({ before: at + 1 })).toEqual(seen.filter((seq) => seq <= at).slice(-limit));
        expect(seqs({ after: at })).toEqual(seen.filter((seq) => seq > at).slice(0, limit));
      },
    ),
  );
});

test("[BL-4] who blocks reads for themselves alone", () => {
  const marks = { delivered: 5, read: 4 };
  const trail = receive(NO_TRAIL, marks, { shows: "everyone", head: 5, now: 1, keep: 4, silent: true });
  if (!trail.ok) throw new Error(trail.code);
  expect(standing(trail.value, "read")).toBe(4);
  for (const mark of ["delivered", "shownRead", "contactsRead"] as const) expect(standing(trail.value, mark)).toBe(0);
});
