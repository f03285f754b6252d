/** Stretches of seqs, both ends included; an open end is null. Lists of them are in order and do not overlap. */
export type Span = readonly [from: number, to: number | null];
/** One that has an end. */
export type Range = readonly [from: number, to: number];

const INFINITY = Number.POSITIVE_INFINITY;

export const isWithin = (spans: readonly Span[], seq: number): boolean =>
  spans.some(([from, to]) => from <= seq && seq <= (to ?? INFINITY));

/** What these spans leave of others. */
export const without = (spans: readonly Span[], gaps: readonly Span[]): readonly Span[] =>
  gaps.length > 0 ? spans.flatMap((span) => remains(span, gaps)) : spans;

function remains([first, last]: Span, gaps: readonly Span[]): Span[] {
  const left: Span[] = [];
  let from = first;
  for (const [low, high] of gaps) {
    if (low > from) left.push([from, last === null ? low - 1 : Math.min(last, low - 1)]);
    from = Math.max(from, (high ?? INFINITY) + 1);
  }
  left.push([from, last]);
  return left.filter(([low, high]) => low < INFINITY && (high === null || low <= high));
}

/** Both together. What lies next to each other becomes one. */
export function joined(some: readonly Range[], others: readonly Range[]): readonly Range[] {
  const all: [number, number][] = [];
  for (const [from, to] of [...some, ...others].toSorted((a, b) => a[0] - b[0])) {
    const last = all.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else all.push([from, to]);
  }
  return all;
}
