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
  try {
    return await within(withinMs, ask());
  } catch (cause) {
    throw new Unavailable(what, cause); // [AC-24]
  }
}

export const late = (ms: number): Error => new Error(`no answer in ${ms} ms`);

/** What the promise comes to; rejects when it takes longer. Ms. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late(ms)), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function innermost(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return error.cause instanceof Error ? innermost(error.cause) : error.message;
}
