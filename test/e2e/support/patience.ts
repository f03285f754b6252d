/** For so long is waited for what has to come: a loaded machine takes its time, and what comes sooner costs no more. Ms. */
export const PATIENCE_MS = 90_000;
