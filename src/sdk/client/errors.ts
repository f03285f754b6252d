import type { ErrorCode } from "./wire.ts";

/** The codes after which the same call may succeed later; a test holds them against the contract. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["rate_limited", "internal", "unavailable"]);

export const isRetryable = (code: ErrorCode): boolean => RETRYABLE.has(code);

type Told = {
  detail?: string | undefined;
  retryable?: boolean | undefined;
  retryAfterMs?: number | undefined;
  erased?: boolean | undefined;
};

/** The one error that this SDK rejects with. Anything else that is thrown is a bug. */
export class EdgewiseError extends Error {
  override readonly name = "EdgewiseError";
  readonly code: ErrorCode;
  /** For developers, in English. */
  readonly detail: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** No sooner than after this; null: the server did not say. Ms. */
  readonly retryAfterMs: number | null;
  /** Of `device_revoked`: because the person was erased. */
  readonly erased: boolean;

  constructor(
    code: ErrorCode,
    { detail = "", retryable = isRetryable(code), retryAfterMs, erased = false }: Told = {},
  ) {
    super(detail === "" ? code : `${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs ?? null;
    this.erased = erased;
  }
}

/** Whether it says that there is no such thing any more. */
export const isGone = (error: unknown): boolean => error instanceof EdgewiseError && error.code === "not_found";
