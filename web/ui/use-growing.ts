import { useEffect, useLayoutEffect, useState } from "preact/hooks";

/** More than fit on a tall screen. */
const FIRST = 32;
const STEP = 40;

/** How many of so many are to be drawn by now: some at once, and more task by task after what is there is painted, until it is all for good. */
export function useGrowing(length: number): number {
  const [drawn, setDrawn] = useState(FIRST);
  const grow = () => {
    if (length === 0 || drawn === Number.POSITIVE_INFINITY) return;
    const timer = setTimeout(() => setDrawn(drawn < length ? drawn + STEP : Number.POSITIVE_INFINITY));
    return () => clearTimeout(timer);
  };
  useEffect(() => (drawn === FIRST ? grow() : undefined), [drawn, length]); // what is in sight is painted first
  useLayoutEffect(() => (drawn === FIRST ? undefined : grow()), [drawn, length]); // nobody sees the others come: no frame need be waited for
  return drawn;
}
