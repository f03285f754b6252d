import type { Erasure, Tally } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import { TIMES } from "../protocol/limits.ts";
import { backoffMs } from "./retry.ts";
import { ACCESS_LIFE_MS } from "./session.ts";

/**
 * A person's erasure as a plan: which step is due, where in it, and what came of it. The person's inbox keeps it and carries it out; every
 * step may be repeated, so a crash costs a repeat and nothing else.
 */

/** One round through all stores, in this order. `look` is the re-scan. */
export const ROUND = ["account", "people", "conversations", "media", "look"] as const;
/** `close` empties the inbox, and with it the plan. */
export type Step = (typeof ROUND)[number] | "close";

export type Plan = {
  userId: UserId;
  askedBy: Erasure["askedBy"];
  /** Epoch ms. */
  begunAt: number;
  step: Step;
  /** How far the step has come; empty: it has not begun. */
  cursor: string;
  /** When the step is due. Epoch ms. */
  dueAt: number;
  /** Tries of the step that failed in a row. */
  failures: number;
  /** The round under way began then, or later. Epoch ms. */
  roundBegunAt: number;
  /** Rounds that have come to their end. */
  rounds: number;
  /** What was taken away so far, as far as the directory does not count it itself. */
  counts: Partial<Tally>;
  /** What this round's step has found so far: conversations tell what they took away since their erasure began. */
  sums: Partial<Tally>;
  /** What the re-scan under way has found so far. */
  found: Partial<Tally>;
  rescan: { at: number; remaining: Partial<Tally> } | null;
};

/** What the directory counts itself, in the transactions that delete it. */
export const DIRECTORY_COUNTS = [
  "accounts",
  "identities",
  "devices",
  "contacts",
  "blocks",
  "names",
  "reports",
  "mediaRows",
] as const;
const ownCounts = (tally: Partial<Tally>): Partial<Tally> =>
  Object.fromEntries(
    Object.entries(tally).filter(([key, count]) => count > 0 && !(DIRECTORY_COUNTS as readonly string[]).includes(key)),
  );

/** What came of a piece of a step. `cursor`: where it goes on; null: the step is over. */
export type Piece = {
  cursor: string | null;
  counts?: Partial<Tally>;
  sums?: Partial<Tally>;
  found?: Partial<Tally>;
};

/**
 * [ER-6] Nothing of theirs can be written any more once this has passed: access tokens live an hour, a signed upload half of it. Until then
 * what was found is gone, and what comes all the same is found in the last round.
 */
export const SETTLES_MS = ACCESS_LIFE_MS + 60_000;
/** [ER-6] A signed URL, and the upload that was begun with it in time, are over after this. Ms. */
export const UPLOAD_OVER_MS = 2 * TIMES.uploadMs;
const RETRY = { baseMs: 5_000, capMs: 10 * 60_000 };
/** When a re-scan found something although nothing can come any more: history is late, or an object was away. Ms. */
const AGAIN_MS = 5 * 60_000;

/** `record`: as the directory has it; an erasure that lost its plan after its inbox was emptied goes on from there. `now`: epoch ms. */
export function newPlan({ userId, askedBy, begunAt, rounds, counts }: Erasure, now: number): Plan {
  return {
    ...{ userId, askedBy, begunAt, rounds, counts: ownCounts(counts) },
    ...{ step: ROUND[0], cursor: "", dueAt: now, roundBegunAt: now, failures: 0 },
    ...{ sums: {}, found: {}, rescan: null },
  };
}

/** The plan after a piece of its step. `now`: epoch ms. */
export function advanced(plan: Plan, piece: Piece, now: number): Plan {
  const added = {
    ...plan,
    failures: 0,
    dueAt: now,
    counts: plus(plan.counts, piece.counts),
    sums: plus(plan.sums, piece.sums),
    found: plus(plan.found, piece.found),
  };
  if (piece.cursor !== null) return { ...added, cursor: piece.cursor };
  const done = { ...added, cursor: "", counts: most(added.counts, added.sums), sums: {} };
  if (plan.step === "look") return afterLook(done, now);
  const next = ROUND[ROUND.indexOf(plan.step as (typeof ROUND)[number]) + 1] as Step;
  return { ...done, step: next };
}

/** [ER-7] Done when a whole round in which nothing could come any more ends with a re-scan that finds nothing; else another round. */
function afterLook(plan: Plan, now: number): Plan {
  const isClean = isNothing(plan.found);
  const seen = { ...plan, rounds: plan.rounds + 1, found: {}, rescan: { at: now, remaining: plan.found } };
  if (isClean && isSettled(plan)) return { ...seen, step: "close" };
  const dueAt = isClean ? Math.max(now, plan.begunAt + SETTLES_MS) : now + AGAIN_MS;
  return { ...seen, step: ROUND[0], dueAt, roundBegunAt: dueAt };
}

/** Whether the round under way began when nothing could come any more: what it passed does not come behind its back. */
export const isSettled = ({ begunAt, roundBegunAt }: Plan): boolean => roundBegunAt >= begunAt + SETTLES_MS;

/** Whether all is gone that was found, and it waits for what may still come. */
export const isSettling = ({ step, cursor, rescan, rounds }: Plan): boolean =>
  rounds > 0 &&
  (step === "close" || (step === ROUND[0] && cursor === "" && rescan !== null && isNothing(rescan.remaining)));

/** The plan after a try that failed: the same piece again, later and later. `random`: 0 to 1. */
export function failed(plan: Plan, now: number, random: number): Plan {
  const failures = plan.failures + 1;
  return { ...plan, failures, dueAt: now + backoffMs(RETRY, failures, random) };
}

export const isNothing = (tally: Partial<Tally>): boolean => Object.values(tally).every((count) => !count);

function plus(a: Partial<Tally>, b: Partial<Tally> = {}): Partial<Tally> {
  return combined(a, b, (x, y) => x + y);
}
/** The higher of each: what was counted before a crash is not lost, and not counted twice. */
const most = (a: Partial<Tally>, b: Partial<Tally>): Partial<Tally> => combined(a, b, Math.max);

function combined(a: Partial<Tally>, b: Partial<Tally>, how: (x: number, y: number) => number): Partial<Tally> {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof Tally>;
  return Object.fromEntries([...keys].map((key) => [key, how(a[key] ?? 0, b[key] ?? 0)]));
}
