export type Backoff = { baseMs: number; capMs: number };

/** Full jitter (AWS architecture blog, "Exponential Backoff and Jitter"). `failures` >= 1, `random` in [0, 1). Ms, at least half the base. */
export function backoffMs({ baseMs, capMs }: Backoff, failures: number, random: number): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(baseMs / 2 + random * Math.max(0, ceiling - baseMs / 2));
}
