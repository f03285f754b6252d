/** A value or a refusal. Refusals are values with a code from the closed list (`errors.ts`); a `throw` means a bug. */
export type Result<T, C extends string = string> = Ok<T> | Refusal<C>;
export type Ok<T> = { readonly ok: true; readonly value: T };
export type Refusal<C extends string = string> = {
  readonly ok: false;
  readonly code: C;
  readonly detail?: string;
  /** When to try again, where that is known better than the general advice. */
  readonly retryAfterMs?: number;
  /** Of `device_revoked`: the person was erased. */
  readonly erased?: true;
};

export const ok = <T>(value: T): Ok<T> => ({ ok: true, value });
export const refuse = <C extends string>(code: C, detail?: string): Refusal<C> =>
  detail === undefined ? { ok: false, code } : { ok: false, code, detail };
