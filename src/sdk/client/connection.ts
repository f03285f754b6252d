import type { ServerFrame } from "../../protocol/frames.ts";
import { PING, PONG } from "../../protocol/heartbeat.ts";
import { BEARER_SUBPROTOCOL, SUBPROTOCOL } from "../../protocol/version.ts";
import { ForwardClock } from "../forward-clock.ts";
import type { ConnectionState, SocketLike, WebSocketClass } from "./api.ts";
import type { Environment } from "./environment.ts";
import { EdgewiseError } from "./errors.ts";
import { type Act, type Event, type How, OFFLINE, type State, step, wakeAt } from "./machine.ts";

type Ports = {
  readonly url: string;
  readonly WebSocket: WebSocketClass;
  readonly environment: Environment;
  readonly tokens: { token(force: boolean): Promise<string>; isTaken(): Promise<boolean> };
  readonly isVisible: () => boolean;
  readonly onOpened: (background: boolean) => void;
  readonly onFrame: (frame: ServerFrame) => void;
  readonly onLost: () => void;
  readonly onChange: () => void;
};

/** The shell of the machine: its socket, its timer and its tokens. */
export class Connection {
  readonly #ports: Ports;
  readonly #clock = new ForwardClock();
  #state: State = OFFLINE;
  #socket: SocketLike | null = null;
  #isOpen = false;
  #token = "";
  /** What was begun before the last hang-up is not waited for any more. */
  #round = 0;
  #cancelTimer = () => {};
  readonly #endNetwork: () => void;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#endNetwork = ports.environment.onNetwork((up) => this.tell({ type: "network", up }));
  }

  get state(): ConnectionState {
    const state = this.#state;
    if (state.is === "readying" || state.is === "dialling") return { is: "connecting" };
    if (state.is === "stopped") return { is: "stopped", why: state.why };
    if (state.is !== "waiting") return { is: state.is };
    const now = this.#ports.environment.now();
    return { is: "waiting", retryAt: now + state.retryAt - this.#clock.timeAt(now) }; // the same whenever it is asked, also once it is past
  }

  tell(event: Event): void {
    const { environment, isVisible } = this.#ports;
    const facts = { now: this.#clock.timeAt(environment.now()), random: environment.random(), visible: isVisible() };
    const before = this.#state;
    const { state, acts } = step(before, event, facts);
    this.#state = state;
    for (const act of acts) this.#do(act);
    this.#cancelTimer();
    const at = wakeAt(state);
    if (Number.isFinite(at)) this.#cancelTimer = environment.after(at - facts.now, () => this.tell({ type: "woke" }));
    if (before.is !== state.is) this.#ports.onChange();
  }

  /** Puts frames on the socket that is open, in this order. */
  send(frames: readonly unknown[]): void {
    if (this.#isOpen) for (const frame of frames) this.#socket?.send(JSON.stringify(frame));
  }

  close(): void {
    this.tell({ type: "disconnect" });
    this.#hangUp();
    this.#cancelTimer();
    this.#endNetwork();
  }

  #do(act: Act): void {
    if (act.do === "get_token") void this.#getToken(act.how);
    else if (act.do === "dial") this.#dial();
    else if (act.do === "ping") this.#socket?.send(PING);
    else this.#hangUp();
  }

  async #getToken(how: How): Promise<void> {
    const round = this.#round;
    const outcome = await this.#tokenFor(how);
    if (round === this.#round) this.tell({ type: "token", outcome });
  }

  async #tokenFor(how: How): Promise<"ready" | "unavailable" | "signed_out"> {
    const { tokens } = this.#ports;
    try {
      const isRefused = how === "check" && !(await tokens.isTaken());
      this.#token = await tokens.token(isRefused || how === "refresh");
      return "ready";
    } catch (error) {
      return error instanceof EdgewiseError && !error.retryable ? "signed_out" : "unavailable";
    }
  }

  #dial(): void {
    const url = `${this.#ports.url.replace(/^http/, "ws")}/v1/socket`;
    const socket = new this.#ports.WebSocket(url, [SUBPROTOCOL, BEARER_SUBPROTOCOL + this.#token]);
    this.#socket = socket;
    const isMine = () => socket === this.#socket;
    socket.addEventListener("open", () => isMine() && this.#opened());
    socket.addEventListener("message", ({ data }) => isMine() && this.#heard(String(data)));
    socket.addEventListener("error", () => {}); // `close` follows and says it
    socket.addEventListener("close", ({ code }) => isMine() && this.tell({ type: "closed", code }));
  }

  #opened(): void {
    this.#isOpen = true;
    this.tell({ type: "opened" });
    this.#ports.onOpened(!this.#ports.isVisible());
  }

  #heard(text: string): void {
    this.tell({ type: "heard" });
    if (text === PONG) return;
    const frame = frameOf(text);
    if (frame) this.#ports.onFrame(frame);
  }

  #hangUp(): void {
    const socket = this.#socket;
    const wasOpen = this.#isOpen;
    this.#round += 1;
    this.#socket = null;
    this.#isOpen = false;
    socket?.close(1000);
    if (wasOpen) this.#ports.onLost();
  }
}

const TYPES: Readonly<Record<ServerFrame["type"], true>> = {
  welcome: true,
  ack: true,
  page: true,
  events: true,
  changed: true,
  caught_up: true,
  receipts: true,
  typing: true,
  presence: true,
  self: true,
  degraded: true,
  error: true,
};

/** A frame of a newer server that is not known here is passed over. The server holds what it says to the schema of its type. */
function frameOf(text: string): ServerFrame | null {
  try {
    const frame = JSON.parse(text) as ServerFrame;
    return Object.hasOwn(TYPES, frame.type) ? frame : null;
  } catch {
    return null;
  }
}
