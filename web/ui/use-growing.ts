import { useEffect, useState } from "preact/hooks";

/** More than fit on a tall screen. */
const FIRST = 32;
const STEP = 40;

/** How many of so many are to be drawn by now: some at once, and more task by task after what is there is painted, until it is all for good. */
export function useGrowing(length: number): number {
  const [drawn, setDrawn] = useState(FIRST);
  useEffect(() => {
    if (drawn === Number.POSITIVE_INFINITY) return;
    const next = drawn < length ? drawn + STEP : length > 0 ? Number.POSITIVE_INFINITY : drawn;
    if (next === drawn) return;
    const timer = setTimeout(() => setDrawn(next));
    return () => clearTimeout(timer);
  }, [drawn, length]);
  return drawn;
}
