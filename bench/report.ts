import { median, quantile, round, sum } from "./numbers.ts";
import type { Slice, Storm } from "./scenarios.ts";
import type { Target } from "./targets.ts";

/** What a load came to on one server. CPU and memory are workerd's alone. */
export type Figures = {
  messagesPerSecond: number;
  deliveriesPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  ackP50Ms: number;
  ackP99Ms: number;
  /** CPU seconds per 1,000 deliveries while the load ran, the median of the slices: a busy neighbour makes each of them dearer … */
  cpuPer1000: number;
  /** … of the slice that was disturbed least … */
  cpuPer1000Best: number;
  /** … and in all, with what was put off until later: history, checkpoints. */
  cpuPer1000All: number;
  memoryMiB: number;
};

/** `all`: the slices in order; the first, in which the server warmed up, counts only in `cpuPer1000All`. `allCpu`: of them all and after. */
export function figuresOf(all: readonly Slice[], allCpu: number, rssBytes: number): Figures {
  const slices = all.slice(1);
  const latencies = slices.flatMap((slice) => slice.latencies);
  const acks = slices.flatMap((slice) => slice.ackLatencies);
  const costs = slices.map((slice) => (slice.cpu / slice.deliveries) * 1_000);
  return {
    messagesPerSecond: round(median(slices.map((slice) => slice.messages / slice.seconds)), 0),
    deliveriesPerSecond: round(median(slices.map((slice) => slice.deliveries / slice.seconds)), 0),
    p50Ms: round(quantile(latencies, 0.5), 1),
    p99Ms: round(quantile(latencies, 0.99), 1),
    ackP50Ms: round(quantile(acks, 0.5), 1),
    ackP99Ms: round(quantile(acks, 0.99), 1),
    cpuPer1000: round(median(costs), 3),
    cpuPer1000Best: round(Math.min(...costs), 3),
    cpuPer1000All: round((allCpu / sum(all.map((slice) => slice.deliveries))) * 1_000, 3),
    memoryMiB: round(rssBytes / 2 ** 20, 0),
  };
}

type Found = {
  real: Target;
  ceiling: Target;
  pairs: Map<Target, Figures>;
  group: Map<Target, Figures>;
  away: Map<Target, number[]>;
  warm: Map<Target, Storm[]>;
  cold: Map<Target, Storm[]>;
  /** CPU seconds of gathering the cast. */
  signUpCpu: number;
  seconds: number;
};
type Row = Record<string, number>;

/** A table a scenario, and the same as one line of JSON. `ratio` is real / ceiling: below one is better for CPU and time, above for rates. */
export function print(found: Found): void {
  const { real, ceiling } = found;
  const both = <T>(of: Map<Target, T>, row: (value: T) => Row): [Row, Row] =>
    [real, ceiling].map((target) => row(of.get(target) as T)) as [Row, Row];
  const parts = {
    pairs: beside(both(found.pairs, (figures) => figures)),
    group: beside(both(found.group, (figures) => figures)),
    away: beside(both(found.away, awayRow)),
    storm: beside(both(found.warm, stormRow)),
    coldStorm: beside(both(found.cold, stormRow)),
  };
  const titles = { pairs: "50 pairs, closed loop", group: "one group of 100, 10 speakers, closed loop" };
  const others = {
    away: "1,000 messages fetched by a device that was away",
    storm: "1,000 devices reconnecting at once",
    coldStorm: "the same, to objects that were asleep",
  };
  for (const [name, title] of Object.entries({ ...titles, ...others })) {
    console.log(`\n${title}`);
    console.table(parts[name as keyof typeof parts]);
  }
  const signUpMs = round((found.signUpCpu / real.cast.people.length) * 1_000, 0);
  console.log(
    `\n${round(found.seconds, 0)} s in all; signing up cost ${signUpMs} ms of CPU a person, conversations included`,
  );
  console.log(JSON.stringify({ ...parts, signUpCpuMs: signUpMs }));
}

const awayRow = (times: number[]): Row => ({
  p50Ms: round(median(times), 1),
  minMs: round(Math.min(...times), 1),
  maxMs: round(Math.max(...times), 1),
});
const stormRow = (storms: Storm[]): Row => ({
  p50Ms: round(median(storms.map((storm) => storm.ms)), 0),
  minMs: round(Math.min(...storms.map((storm) => storm.ms)), 0),
  maxMs: round(Math.max(...storms.map((storm) => storm.ms)), 0),
  cpuSeconds: round(median(storms.map((storm) => storm.cpu)), 2),
});

function beside([real, ceiling]: [Row, Row]): Record<string, { edgewise: number; ceiling: number; ratio: number }> {
  return Object.fromEntries(
    Object.entries(real).map(([key, value]) => {
      const other = ceiling[key] ?? Number.NaN;
      return [key, { edgewise: value, ceiling: other, ratio: round(value / other, 2) }];
    }),
  );
}
