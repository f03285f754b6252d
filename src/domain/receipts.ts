import type { UserId } from "../protocol/ids.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import type { Receipt, Ticks, Visibility } from "../protocol/states.ts";
import { currentMembers, type MemberChange, type Membership, neverReached, type Roster } from "./membership.ts";
import { advanced, movedAt, NO_TRAIL, standing, type Trail } from "./trail.ts";

/** What one device says of a conversation: the highest seq stored there, and the highest shown to its person. */
export type Marks = { delivered?: number | undefined; read?: number | undefined };

/** A receipt with both of its truths: `read` for everybody, `contactsRead` for contacts. Their inbox tells which one holds for a viewer. */
export type RawReceipt = Receipt & { contactsRead: number };

/**
 * The same trail back when nothing moved. `shows`: whom the reader lets know that they read. `silent`: nobody else learns anything, also not
 * later.
 */
export function receive(
  prev: Trail,
  next: Marks,
  { shows, head, now, keep, silent }: { shows: Visibility; head: number; now: number; keep: number; silent?: boolean },
): Result<Trail, "receipt_ahead"> {
  const read = next.read ?? 0;
  if (Math.max(next.delivered ?? 0, read) > head) return refuse("receipt_ahead"); // [RC-3]
  let trail = advanced(prev, "read", read, now, keep);
  if (silent) return ok(trail); // [BL-4]
  trail = advanced(trail, "delivered", Math.max(next.delivered ?? 0, read), now, keep); // [RC-2] read implies delivered
  if (shows === "everyone") trail = advanced(trail, "shownRead", read, now, keep); // [RC-8]
  if (shows !== "nobody") trail = advanced(trail, "contactsRead", read, now, keep);
  return ok(trail);
}

/** Two reports of one member in one: neither can take back the other. */
export const joinMarks = (a: Marks, b: Marks): Marks => ({
  delivered: Math.max(a.delivered ?? 0, b.delivered ?? 0),
  read: Math.max(a.read ?? 0, b.read ?? 0),
});

export function rawReceipt(m: Pick<Membership, "userId">, trail: Trail): RawReceipt {
  const at = Math.max(movedAt(trail, "delivered"), movedAt(trail, "shownRead"));
  const [delivered, read] = [standing(trail, "delivered"), standing(trail, "shownRead")];
  return { userId: m.userId, delivered, read, contactsRead: standing(trail, "contactsRead"), at };
}

/** Somebody who has read more than they show is hiding it, and holds up nobody's ticks. */
const hides = (trail: Trail): boolean => standing(trail, "read") > standing(trail, "shownRead");

/** [RC-9] Whose ticks these changes move without a receipt: who comes back has heard none while they were out, who was alone had none. */
export function untickedBy(changes: readonly MemberChange[], before: Roster): UserId[] {
  const added = changes.filter(({ change }) => change === "added").map(({ userId }) => userId);
  const here = currentMembers(before);
  const alone = here.length === 1 && added.length > 0 ? here.map(({ userId }) => userId) : [];
  return [...added.filter((userId) => before.has(userId)), ...alone];
}

/**
 * [RC-9] Up to where everybody else has received, and has read as far as they show it. What was said before somebody joined was not
 * for them.
 */
export function ticksFor(viewerId: string, roster: Roster, trails: ReadonlyMap<string, Trail>): Ticks {
  const others = currentMembers(roster).filter((m) => m.userId !== viewerId);
  const all = others.map((m) => ({ trail: trails.get(m.userId) ?? NO_TRAIL, before: (m.spans.at(-1)?.[0] ?? 1) - 1 }));
  const lowest = (seqs: number[]) => (seqs.length > 0 ? Math.min(...seqs) : 0);
  const except = others.flatMap(neverReached); // [RC-11]
  return {
    ...(except.length > 0 ? { except } : {}),
    delivered: lowest(all.map(({ trail, before }) => Math.max(before, standing(trail, "delivered")))),
    read: lowest(
      all
        .filter(({ trail }) => !hides(trail))
        .map(({ trail, before }) => Math.max(before, standing(trail, "shownRead"))),
    ),
  };
}
