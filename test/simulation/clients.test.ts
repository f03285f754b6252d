import { expect, test } from "vitest";
import { planOf, simulate } from "./run.ts";

/** Seeds that once failed, or do where the line is broken that keeps the rule, with what they found. */
const FOUND: [seed: number, what: string, rules: string][] = [
  [5, "what waited for the disk when its socket went must not be said on the next one", "[CL-45]"],
  [8, "flush in a tab that followed waited for nobody", "[CL-63]"],
  [19, "a socket of a page that had gone replaced the next one's", "[SO-9]"],
  [35, "what a tab that had died told came late, and was applied to the state of the next one", "[CL-74]"],
  [57, "a tab was never told how its wish ended when the one that led died over it", "[CL-76]"],
];
const runs = Number(process.env.EDGEWISE_RUNS ?? 5);
const first = Number(process.env.EDGEWISE_SEED ?? 1);
/** In turn people only talk; speak of what was said, too; live whole lives; and do so where the server forgets what is delivered. */
const KINDS = [{}, { late: true }, { late: true, whole: true }, { late: true, whole: true, forgets: true }] as const;
const planWithClients = (seed: number) => ({ ...planOf(seed), ...KINDS[seed % KINDS.length], clients: true });

for (const [seed, what, rules] of FOUND) {
  test(`[CL-62] ${rules} whole clients, seed ${seed}: ${what}`, async () => {
    expect((await simulate(seed, planWithClients(seed))).events).toBeGreaterThan(0);
  });
}

test(`[CL-9] [CL-24] [CL-40] [CL-45] [CL-47] [CL-48] [CL-62] [CL-63] ${runs} lives of whole clients in tabs, on disks and behind doors that fail, from seed ${first}`, {
  timeout: 3_600_000,
}, async () => {
  let events = 0;
  for (let seed = first; seed < first + runs; seed++) events += (await simulate(seed, planWithClients(seed))).events;
  expect(events).toBeGreaterThan(runs * 20);
});
