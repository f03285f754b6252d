import { expect, test } from "vitest";
import { planOf, simulate } from "./run.ts";
import type { Plan } from "./world.ts";

/** Seeds that once failed, with what they found. */
type Found = [seed: number, what: string, rules: string];
const FOUND: Found[] = [
  [1_062, "frames on a slow wire overtook a failed send whose hold had run out", "[EO-2] [DL-5]"],
  [20_237, "a try that a later one had overtaken was carried out, after the later one was refused", "[EO-2] [DL-5]"],
  [8, "a device that has not been welcomed woke itself without end", "[EO-2] [DL-5]"],
  [142, "a member added again skipped what their inbox had not got before they were removed", "[EO-2] [DL-5]"],
  [13, "a send that was under way while a second device joined counted as seen by it", "[EO-2] [DL-5]"],
  [38, "a mention that came while a call was under way was forgotten when the call's answer parked", "[PU-3] [PU-4]"],
  [10, "a receipt written by itself while the alarm was at work left what that had settled unwritten", "[RC-4] [HI-2]"],
  [3, "receipts that died with a conversation were never told again", "[RC-4] [UN-2]"],
  [27, "a member who had held up the ticks left, and nobody heard of it", "[RC-9]"],
];
/** The same, of lives in which people also edit, recall and react. */
const FOUND_LATE: Found[] = [
  [50_030, "what one device had read another never heard: the inbox crashed between", "[IX-9] [UN-2]"],
];
/** The same, of whole lives. */
const FOUND_WHOLE: Found[] = [
  [5, "who left a device behind that turned out to be dead was offline without a grace", "[PR-2]"],
  [21, "who was alone in a group heard no ticks when somebody came", "[RC-9]"],
  [169, "who was in again heard no ticks; nor one whose network went while they were on their way", "[RC-9] [IX-7]"],
];
const FOUND_FORGETTING: Found[] = [
  [148, "what was cleared since was not told as received any more, when the server had lost it", "[CL-18] [RC-4]"],
];
const runs = Number(process.env.EDGEWISE_RUNS ?? 25);
const first = Number(process.env.EDGEWISE_SEED ?? 1);

const LATE = { late: true };
const WHOLE = { ...LATE, whole: true };
const FORGETTING = { ...WHOLE, forgets: true };
const KINDS: [life: string, more: Partial<Plan>, found: Found[]][] = [
  ["seed", {}, FOUND.map(([seed, what, rules]) => [seed, what, `[EV-1] [DL-2] [IX-1] ${rules}`])],
  ["late life", LATE, FOUND_LATE],
  ["whole life", WHOLE, FOUND_WHOLE],
  ["forgetting life", FORGETTING, FOUND_FORGETTING],
];
for (const [life, more, found] of KINDS)
  for (const [seed, what, rules] of found)
    test(`${rules} ${life} ${seed}: ${what}`, async () => {
      expect((await simulate(seed, { ...planOf(seed), ...more })).events).toBeGreaterThan(0);
    });

test(`[LM-1] [LM-6] [LM-7] [LM-8] [LM-11] [LM-12] [IX-9] ${runs} lives in which people also edit, recall and react, from seed ${first}`, {
  timeout: 3_600_000,
}, async () => {
  let tombstones = 0;
  for (let seed = first; seed < first + runs; seed++)
    tombstones += (await simulate(seed, { ...planOf(seed), ...LATE })).tombstones;
  expect(tombstones).toBeGreaterThan(runs); // every other life is short
});

test(`[LM-11] [LM-12] [LM-15] [LM-16] [LM-17] [LM-19] [LM-26] [LM-27] [BL-1] [BL-2] [RC-11] [UN-1] ${runs} whole lives, in which messages also disappear, are cleared and hidden, and people come and go, from seed ${first}`, {
  timeout: 3_600_000,
}, async () => {
  let tombstones = 0;
  for (let seed = first; seed < first + runs; seed++)
    tombstones += (await simulate(seed, { ...planOf(seed), ...WHOLE })).tombstones;
  expect(tombstones).toBeGreaterThan(runs);
});

test(`[LM-20] [LM-21] [LM-22] ${runs} whole lives in which the server forgets what is delivered, from seed ${first}`, {
  timeout: 3_600_000,
}, async () => {
  let forgotten = 0;
  for (let seed = first; seed < first + runs; seed++)
    forgotten += (await simulate(seed, { ...planOf(seed), ...FORGETTING })).forgotten;
  expect(forgotten).toBeGreaterThan(runs);
});

test(`[EV-1] [EV-2] [EO-2] [EO-5] [SD-2] [DL-2] [DL-4] [DL-5] [IX-1] [IX-3] [IX-7] [HI-2] [RC-1] [RC-2] [RC-4] [RC-5] [RC-7] [RC-9] [RC-12] [UN-1] [UN-2] [PR-1] [PR-2] [PR-4] [PR-7] [PU-1] [PU-2] [PU-3] [PU-4] [PU-7] [PU-8] [OV-3] ${runs} lives of a world that breaks, from seed ${first}`, {
  timeout: 3_600_000,
}, async () => {
  let events = 0;
  for (let seed = first; seed < first + runs; seed++) events += (await simulate(seed)).events;
  expect(events).toBeGreaterThan(runs * 50);
});
