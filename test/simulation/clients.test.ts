import { expect, test } from "vitest";
import { planOf, simulate } from "./run.ts";

const runs = Number(process.env.EDGEWISE_RUNS ?? 10);
const first = Number(process.env.EDGEWISE_SEED ?? 1);

test(`[CL-62] ${runs} lives of whole clients, from seed ${first}`, { timeout: 3_600_000 }, async () => {
  let events = 0;
  for (let seed = first; seed < first + runs; seed++)
    events += (await simulate(seed, { ...planOf(seed), clients: true })).events;
  expect(events).toBeGreaterThan(runs * 30);
});
