import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Connection as Is } from "../connection.ts";
import { useSession } from "./session-context.ts";

const TEXT = {
  connecting: "connecting …",
  catching_up: "catching up …",
  connected: "connected",
  offline: "no network",
  asleep: "resting while nobody looks",
} as const;
const STOPPED = {
  signed_out: "signed out",
  replaced: "open in another browser",
  refused: "this page is too old for the server: reload it",
} as const;

/** Says how the connection is. What is seen counts down; what is said aloud changes only with the state. */
export function Connection() {
  const session = useSession();
  const connection = session.connection.value;
  const second = useSignal(0);
  second.value;
  useEffect(() => {
    if (connection.is !== "waiting") return;
    const timer = setInterval(() => (second.value += 1), 1_000);
    return () => clearInterval(timer);
  }, [connection]);
  const waiting = connection.is === "connected" ? 0 : session.waiting.value;
  return (
    <>
      <p id="connection" data-is={connection.is}>
        <span id="connection-text">{textOf(connection) + (waiting > 0 ? ` · ${waiting} not sent yet` : "")}</span>{" "}
        {connection.is === "waiting" && (
          <button type="button" class="link" onClick={() => session.connect()}>
            Try now
          </button>
        )}
      </p>
      <p id="connection-said" class="unseen" role="status">
        {connection.is === "waiting" ? "reconnecting" : textOf(connection)}
      </p>
    </>
  );
}

/** In the head of a conversation, where nothing of presence is known then; empty: all is well. [AP-32] */
export const lackText = (connection: Is): string =>
  connection.is === "connected" ? "" : connection.is === "waiting" ? "reconnecting …" : textOf(connection);

function textOf(connection: Is): string {
  if (connection.is === "stopped") return STOPPED[connection.why];
  if (connection.is !== "waiting") return TEXT[connection.is];
  return `reconnecting in ${Math.max(1, Math.ceil((connection.until - Date.now()) / 1_000))}\u00a0s`;
}
