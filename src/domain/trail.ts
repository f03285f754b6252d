/** When a cursor passed which seq: `[seq, at]`, ascending in both; the last one is where it stands. Bounded: the oldest are let go. */
export type Steps = readonly (readonly [seq: number, at: number])[];

/**
 * How far one member has come in a conversation, and when. `inbox`: called, or parked; `socket`: put on one; `rung`: pushed; `delivered`:
 * stored on a device; `read`: shown to the person; `shownRead`: of that, what everybody may know, and `contactsRead` what contacts may.
 */
export type Mark = "inbox" | "socket" | "rung" | "delivered" | "read" | "shownRead" | "contactsRead";
export type Trail = { readonly [M in Mark]?: Steps };
export const NO_TRAIL: Trail = {};

/** Steps kept of each cursor of each member: a conversation's checkpoint is one row, written over and over. */
const STEPS_KEPT = 400;
export const stepsKept = (members: number): number =>
  Math.max(1, Math.min(16, Math.floor(STEPS_KEPT / Math.max(1, members))));

export const standing = (trail: Trail, mark: Mark): number => trail[mark]?.at(-1)?.[0] ?? 0;
/** When the cursor last moved. Epoch ms; 0: never. */
export const movedAt = (trail: Trail, mark: Mark): number => trail[mark]?.at(-1)?.[1] ?? 0;

/** [RC-1] Cursors only move forward: the same trail back when this one does not. */
export function advanced(trail: Trail, mark: Mark, seq: number, at: number, keep: number): Trail {
  if (seq <= standing(trail, mark)) return trail;
  return { ...trail, [mark]: [...(trail[mark] ?? []), [seq, at] as const].slice(-keep) };
}

/** When the cursor passed `seq` (epoch ms), exactly where its steps go back that far and otherwise by when; undefined: it has not. */
export const passedAt = (trail: Trail, mark: Mark, seq: number): number | undefined =>
  trail[mark]?.find(([reached]) => reached >= seq)?.[1];
