import { ok, type Result, refuse } from "../protocol/result.ts";

/** After so many changes in a row under the teller's hands it gives up: the caller may repeat. */
const ROUNDS = 5;

/**
 * Tells an object what a row says, and looks again after the telling, until both are the same. Whoever writes the row does this after
 * it: a telling that was late and told something older is followed by a look that finds the newer, so however writers cross, the last
 * thing told is what the row says. States are plain data.
 */
export async function tellUntilSame<T>(
  written: T,
  tell: (state: T) => Promise<Result<unknown, "unavailable">>,
  read: () => Promise<T>,
): Promise<Result<undefined, "unavailable">> {
  let state = written;
  for (let round = 0; round < ROUNDS; round++) {
    const told = await tell(state);
    if (!told.ok) return told;
    const found = await read();
    if (JSON.stringify(found) === JSON.stringify(state)) return ok(undefined);
    state = found;
  }
  return refuse("unavailable");
}
