import { backoffMs } from "../domain/retry.ts";
import { CLOSE } from "../protocol/close.ts";

const BACKOFF = { baseMs: 500, capMs: 30_000 };

/** What to do when a socket has gone. */
export type AfterClose =
  | { readonly act: "stop"; readonly why: "protocol_error" | "signed_out" | "replaced" }
  | { readonly act: "refresh" | "reconnect"; readonly delayMs: number };

const FINAL = (["protocol_error", "signed_out", "replaced"] as const).map((why) => [CLOSE[why].code, why] as const);
const WHY_FINAL: ReadonlyMap<number, "protocol_error" | "signed_out" | "replaced"> = new Map(FINAL);

/**
 * `attempt`: sockets lost in a row that never caught up, 0 for one that had. `random` in [0, 1), for the full jitter that keeps a
 * restarted server from being stormed. A token that has expired is refreshed first, at once the first time.
 */
export function afterClose(code: number, attempt: number, random: number): AfterClose {
  const why = WHY_FINAL.get(code);
  if (why) return { act: "stop", why }; // [CL-15]
  const delayMs = backoffMs(BACKOFF, attempt + 1, random);
  if (code !== CLOSE.token_expired.code) return { act: "reconnect", delayMs };
  return { act: "refresh", delayMs: attempt === 0 ? 0 : delayMs }; // [CL-16]
}
