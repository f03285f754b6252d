/** A seeded stream of numbers in [0, 1): mulberry32 (https://gist.github.com/tommyettinger/46a874533244883189143505d203312c). */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const between = (random: Random, min: number, max: number): number =>
  min + Math.floor(random() * (max - min + 1));

export function pick<T>(random: Random, from: readonly T[]): T {
  const one = from[between(random, 0, from.length - 1)];
  if (one === undefined) throw new Error("nothing to pick from");
  return one;
}
