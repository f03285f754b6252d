import type { Shed } from "../src/protocol/states.ts";
import { byId, setText } from "./dom.ts";
import { shedText } from "./phrases.ts";
import type { Connection } from "./shell.ts";

const TEXT = {
  connecting: "connecting …",
  catching_up: "catching up …",
  connected: "connected",
  asleep: "resting while nobody looks",
} as const;
const STOPPED = {
  signed_out: "signed out",
  replaced: "open in another tab",
  refused: "this page is too old for the server: reload it",
} as const;

/** Says how the connection is. What is seen counts down; what is said aloud changes only with the state. */
export function drawConnection(connection: Connection, waiting: number): void {
  const unsent = waiting === 0 ? "" : ` · ${waiting} not sent yet`;
  setText(byId("connection-text", HTMLElement), textOf(connection) + (connection.is === "connected" ? "" : unsent));
  setText(byId("connection-said", HTMLElement), connection.is === "waiting" ? "reconnecting" : textOf(connection));
  byId("connection", HTMLElement).dataset.is = connection.is;
  const button = byId("try-now", HTMLButtonElement);
  const canSignIn = connection.is === "stopped" && connection.why === "signed_out";
  button.hidden = connection.is !== "waiting" && !canSignIn;
  setText(button, canSignIn ? "Sign in again" : "Try now");
}

function textOf(connection: Connection): string {
  if (connection.is === "stopped") return STOPPED[connection.why];
  if (connection.is !== "waiting") return TEXT[connection.is];
  return `reconnecting in ${Math.max(1, Math.ceil((connection.until - Date.now()) / 1_000))} s`;
}

/** Says what an overloaded server leaves out, as long as it does. */
export function drawShed(shed: readonly Shed[]): void {
  const banner = byId("degraded", HTMLElement);
  setText(banner, shedText(shed));
  banner.hidden = shed.length === 0;
}
