import type { ConnectionState } from "../src/sdk/client/index.ts";

/** How the connection is, as it is told to the person. `until`: epoch ms. */
export type Connection =
  | { is: "connecting" | "catching_up" | "connected" | "offline" }
  | { is: "waiting"; until: number }
  | { is: "asleep" }
  | { is: "stopped"; why: "signed_out" | "replaced" | "refused" };

/** `rests`: it has hung up because nobody looks. */
export function connectionOf(state: ConnectionState, rests: boolean): Connection {
  switch (state.is) {
    case "live":
      return { is: "connected" };
    case "waiting":
      return { is: "waiting", until: state.retryAt };
    case "offline":
      return { is: rests ? "asleep" : "offline" };
    case "stopped":
      return { is: "stopped", why: state.why };
    default:
      return { is: state.is };
  }
}
