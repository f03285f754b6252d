/** `npm run bench`: the real server and the ceiling, side by side in one go, about two minutes (`--built` takes dist/ as it is). Ends with one line of JSON. */
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "../scripts/build.ts";
import { cpuDuring, quiet } from "./numbers.ts";
import { type Figures, figuresOf, print } from "./report.ts";
import { catchUp, group, pairs, type Slice, type Storm, storm } from "./scenarios.ts";
import { startCeiling, startReal, type Target } from "./targets.ts";

const ROUNDS = 5;
const SLICE_MS = 2_500;
const FETCHES = 9;
const COLD_ROUNDS = 2;
/** An object sleeps after ten idle seconds. */
const ASLEEP_MS = 13_000;
/** Longest wait for what a server put off: history is shipped some seconds after the last append. */
const SETTLE_MS = 12_000;

/** Slices of one load, the two servers in turn, so that a noisy machine is noisy for both. The first slice of each warms up. */
async function compare(
  targets: Target[],
  load: (target: Target, ms: number) => Promise<Slice>,
): Promise<Map<Target, Figures>> {
  const runs = targets.map((target) => ({
    target,
    slices: [] as Slice[],
    cpuBefore: target.server.cpuSeconds().workerd,
  }));
  for (let i = 0; i <= ROUNDS; i++) for (const { target, slices } of runs) slices.push(await load(target, SLICE_MS));
  for (const target of targets) await quiet(target.server, SETTLE_MS);
  return new Map(
    runs.map(({ target, slices, cpuBefore }) => {
      const { server } = target;
      return [target, figuresOf(slices, server.cpuSeconds().workerd - cpuBefore, server.rssBytes().workerd)];
    }),
  );
}

async function fetches(targets: Target[]): Promise<Map<Target, number[]>> {
  for (const target of targets) await target.leaveAway();
  const times = new Map(targets.map((target) => [target, [] as number[]]));
  for (let i = 0; i < FETCHES; i++) for (const [target, list] of times) list.push(await catchUp(target));
  return times;
}

/** Warm: the objects are awake, as after a cut of the network. Cold: they have gone to sleep, as after a deploy or a crash. */
async function storms(targets: Target[]): Promise<{ warm: Map<Target, Storm[]>; cold: Map<Target, Storm[]> }> {
  for (const target of targets) await target.gatherCrowd();
  const times = () => new Map(targets.map((target) => [target, [] as Storm[]]));
  const [warm, cold] = [times(), times()];
  for (let i = 0; i < COLD_ROUNDS; i++) {
    await sleep(ASLEEP_MS);
    for (const [target, list] of cold) list.push(await storm(target));
  }
  for (let i = 0; i < ROUNDS; i++) {
    for (const [target, list] of warm) {
      await sleep(1_000);
      list.push(await storm(target));
    }
  }
  return { warm, cold };
}

if (!process.argv.includes("--built")) await build();
const startedAt = Date.now();
const targets = await Promise.all([startReal(), startCeiling()]);
const [real, ceiling] = targets;
try {
  const signUpCpu = await cpuDuring(real.server, () => real.gather());
  await ceiling.gather();
  const pairFigures = await compare(targets, pairs);
  const groupFigures = await compare(targets, group);
  for (const target of targets) target.disperse();
  const away = await fetches(targets);
  const { warm, cold } = await storms(targets);
  print({
    real,
    ceiling,
    pairs: pairFigures,
    group: groupFigures,
    away,
    warm,
    cold,
    signUpCpu,
    seconds: (Date.now() - startedAt) / 1_000,
  });
} finally {
  await Promise.all(targets.map(({ server }) => server.remove()));
}
process.exit();
