/** A statement or call that has no answer by then is given up; it may still have acted. Ms. */
const REACH_MS = 8_000;

/**
 * Something outside this isolate did not answer: every door answers `unavailable`. The message names what was asked and the
 * innermost cause; drizzle's own message, which holds the statement and its values, is left out.
 */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
  constructor(what: string, cause: unknown) {
    super(`${what}: ${innermost(cause)}`);
  }
}

/** Awaits D1 or another object. Throws `Unavailable` when it fails or is late. */
export async function reach<T>(what: string, ask: () => Promise<T>, withinMs = REACH_MS): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${withinMs} ms`)), withinMs);
  });
  try {
    return await Promise.race([ask(), late]);
  } catch (cause) {
    throw new Unavailable(what, cause); // [AC-24]
  } finally {
    clearTimeout(timer);
  }
}

function innermost(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return error.cause instanceof Error ? innermost(error.cause) : error.message;
}
