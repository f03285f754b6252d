import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "../test/e2e/support/server.ts";

/** Milliseconds below which the given share of the samples lies; NaN without samples. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);
export const sum = (samples: readonly number[]): number => samples.reduce((a, b) => a + b, 0);
export const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** CPU seconds a server's runtime used while `act` ran; the Node process that started it is idle and not counted. */
export async function cpuDuring(server: Server, act: () => Promise<void>): Promise<number> {
  const before = server.cpuSeconds().workerd;
  await act();
  return server.cpuSeconds().workerd - before;
}

/** Waits until the runtime uses less than 5% of a core for a second: what it put off is done. At most `withinMs`. */
export async function quiet(server: Server, withinMs: number): Promise<void> {
  for (const until = Date.now() + withinMs; Date.now() < until; ) {
    if ((await cpuDuring(server, () => sleep(1_000))) < 0.05) return;
  }
}
