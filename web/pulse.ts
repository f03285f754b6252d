import { PING } from "../src/protocol/frames.ts";
import { TIMES } from "../src/protocol/limits.ts";

/** A socket counts as dead when nothing came in this time after a ping. Ms. */
const PONG_WITHIN_MS = 6_000;

/**
 * [CL-35] Pings at every heartbeat, whatever else comes and goes: the server takes a device that fell silent for gone, and what it told
 * is no sign of life of the device.
 */
export class Pulse {
  readonly #socket: Pick<WebSocket, "send">;
  readonly #onDead: () => void;
  readonly #beat: ReturnType<typeof setInterval>;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: Pick<WebSocket, "send">, onDead: () => void) {
    this.#socket = socket;
    this.#onDead = onDead;
    this.#beat = setInterval(() => this.ask(), TIMES.heartbeatMs);
    this.ask();
  }

  /** Asks at once whether the socket still lives. */
  ask(): void {
    this.#socket.send(PING);
    this.#deadline ??= setTimeout(this.#onDead, PONG_WITHIN_MS);
  }

  /** Something came: it does. */
  heard(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  stop(): void {
    this.heard();
    clearInterval(this.#beat);
  }
}
