import type { ErrorCode } from "../src/protocol/errors.ts";
import type { Wish } from "../src/protocol/events.ts";
import { PONG, type ServerFrame } from "../src/protocol/frames.ts";
import type { ConversationId, IdempotencyKey, UserId } from "../src/protocol/ids.ts";
import type { Mine } from "../src/protocol/states.ts";
import { BEARER_SUBPROTOCOL, SUBPROTOCOL } from "../src/protocol/version.ts";
import { afterClose, type Happening, KeyMint, type Live, Replica, type ReplicaState } from "../src/sdk/index.ts";
import type { Tokens } from "./accounts.ts";
import type { DeviceStore } from "./device-store.ts";
import { readFrame } from "./frames.ts";
import { Pulse } from "./pulse.ts";

/** How the connection is, as it is told to the person. `until`: epoch ms. */
export type Connection =
  | { is: "connecting" | "catching_up" | "connected" }
  | { is: "waiting"; until: number }
  | { is: "asleep" }
  | { is: "stopped"; why: "signed_out" | "replaced" | "refused" };

/** A socket that is not open by then never will be. Ms. */
const OPEN_WITHIN_MS = 15_000;

/** What to do before the next socket: get a new token, or ask whether the one we have is taken at all. */
type First = "refresh" | "check" | null;

/** Gives a replica a socket, a clock, timers and a disk. */
export class Shell {
  readonly #replica: Replica;
  readonly #mint: KeyMint;
  readonly #store: DeviceStore;
  readonly #tokens: Tokens;
  readonly #onChange: () => void;
  readonly #onFrame: (frame: ServerFrame) => void;
  #connection: Connection = { is: "connecting" };
  #socket: WebSocket | null = null;
  #attempt = 0;
  #opening = 0;
  #inBackground = false;
  #next: First = null;
  #retryTimer = 0;
  #wakeTimer = 0;
  #openTimer = 0;
  #pulse: Pulse | null = null;
  #watched: readonly UserId[] = [];
  /** By how much the server's clock is ahead of this browser's. Ms. */
  #aheadMs = 0;

  constructor(store: DeviceStore, tokens: Tokens, onChange: () => void, onFrame: (frame: ServerFrame) => void) {
    this.#store = store;
    this.#tokens = tokens;
    this.#onChange = onChange;
    this.#onFrame = onFrame;
    const state = store.load();
    this.#replica = new Replica(state);
    this.#mint = new KeyMint(state);
  }

  get state(): ReplicaState {
    return this.#replica.state;
  }

  get live(): Live {
    return this.#replica.live;
  }

  /** Epoch ms by the server's clock, as far as it is known. */
  get serverNow(): number {
    return Date.now() + this.#aheadMs;
  }

  get connection(): Connection {
    const { phase } = this.#replica;
    if (phase === "live") return { is: "connected" };
    return phase === "catching_up" ? { is: "catching_up" } : this.#connection;
  }

  // --- what the person does ---

  /** A message, or what is said of one. */
  send(conversationId: ConversationId, event: Wish): void {
    const composedAt = Date.now();
    const idempotencyKey = this.#mint.mint(composedAt, null);
    this.#tell({ type: "wish", conversationId, idempotencyKey, composedAt, event });
  }

  read(conversationId: ConversationId, seq: number): void {
    this.#tell({ type: "read", conversationId, seq });
  }

  discard(wishId: IdempotencyKey): void {
    this.#tell({ type: "discarded", wishId });
  }

  typing(conversationId: ConversationId, active: boolean): void {
    this.#tell({ type: "typing", conversationId, active });
  }

  /** The people whose presence the screen shows. */
  watch(userIds: readonly UserId[]): void {
    if (userIds.join() === this.#watched.join()) return;
    this.#watched = userIds;
    this.#tell({ type: "watching", userIds });
  }

  /** The server took this for the conversation. */
  set(conversationId: ConversationId, mine: Mine): void {
    this.#tell({ type: "set", conversationId, mine });
  }

  // --- the replica ---

  #tell(happening: Happening): void {
    const now = Date.now();
    const { store, frames, mint, refused, wakeAt } = this.#replica.handle(happening, now);
    this.#store.keep(store, this.#replica.state);
    for (const frame of frames) this.#socket?.send(JSON.stringify(frame));
    clearTimeout(this.#wakeTimer);
    if (wakeAt !== null) this.#wakeTimer = setTimeout(() => this.#tell({ type: "woke" }), Math.max(0, wakeAt - now));
    for (const { conversationId, wishIds, above } of mint) {
      const keys = wishIds.map((wishId) => ({ wishId, idempotencyKey: this.#mint.mint(now, above) }));
      this.#tell({ type: "minted", conversationId, keys });
    }
    if (refused !== null) this.#refused(refused);
    this.#onChange();
  }

  #refused(code: ErrorCode): void {
    this.#stop(code === "device_revoked" ? "signed_out" : "refused");
  }

  // --- the socket ---

  /** Opens a socket now, whatever the back-off says. */
  connect(): void {
    if (this.#socket || this.#connection.is === "stopped") return;
    clearTimeout(this.#retryTimer);
    void this.#open(this.#next);
  }

  async #open(first: First): Promise<void> {
    this.#become({ is: "connecting" });
    const opening = ++this.#opening;
    const refused = first === "check" && (await this.#tokens.isTaken()) === false;
    const token = await this.#tokens.fresh(refused || first === "refresh");
    if (this.#opening !== opening || this.#connection.is !== "connecting") return;
    this.#next = null;
    if (token === "signed_out") this.#stop("signed_out");
    else if (token === null) this.#lost(null, CLOSED_ABNORMALLY);
    else this.#dial(token);
  }

  #dial(token: string): void {
    const url = new URL("/v1/socket", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, [SUBPROTOCOL, BEARER_SUBPROTOCOL + token]);
    this.#socket = socket;
    this.#next = "check"; // until it opens: it may be that the server does not take the token
    this.#openTimer = setTimeout(() => this.#lost(socket, CLOSED_ABNORMALLY), OPEN_WITHIN_MS);
    socket.addEventListener("open", () => this.#opened(socket));
    socket.addEventListener("message", ({ data }) => this.#heard(socket, String(data)));
    socket.addEventListener("close", ({ code }) => this.#lost(socket, code));
  }

  #opened(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    this.#next = null;
    clearTimeout(this.#openTimer);
    this.#pulse = new Pulse(socket, () => this.#lost(socket, CLOSED_ABNORMALLY));
    this.#inBackground = document.visibilityState !== "visible";
    this.#tell({ type: "opened", background: this.#inBackground });
  }

  #heard(socket: WebSocket, text: string): void {
    if (socket !== this.#socket) return;
    this.#pulse?.heard();
    if (text === PONG) return;
    const frame = readFrame(text);
    if (!frame) return; // of a newer server: not for this page
    if (frame.type === "welcome") this.#aheadMs = frame.serverTime - Date.now();
    this.#tell({ type: "frame", frame });
    this.#onFrame(frame);
    if (this.#replica.phase === "live") this.#attempt = 0;
  }

  /** Asks at once whether the socket still lives: the network or the machine has just come back, or may have gone. */
  check(): void {
    if (this.#pulse) this.#pulse.ask();
    else if (!this.#socket) this.connect();
  }

  /** [CL-34] Somebody is looking: a socket that was opened while nobody was does not count as being online, so it is opened anew. */
  wake(): void {
    if (this.#pulse && this.#inBackground) this.#hangUp();
    this.check();
  }

  /** [CL-34] Nobody has looked for long: without a socket this device gets pushes. Not while something is to be sent. */
  sleep(): boolean {
    if (this.state.outbox.some(({ standing }) => standing.is === "waiting")) return false;
    if (this.#connection.is === "stopped") return true;
    clearTimeout(this.#retryTimer);
    this.#opening += 1;
    this.#hangUp();
    this.#become({ is: "asleep" });
    return true;
  }

  #lost(socket: WebSocket | null, code: number): void {
    if (socket !== this.#socket) return;
    this.#hangUp();
    const after = afterClose(code, this.#attempt, Math.random());
    if (after.act === "stop") {
      this.#stop(after.why === "protocol_error" ? "refused" : after.why);
      return;
    }
    this.#attempt += 1;
    if (after.act === "refresh") this.#next = "refresh";
    this.#become({ is: "waiting", until: Date.now() + after.delayMs });
    this.#retryTimer = setTimeout(() => void this.#open(this.#next), after.delayMs);
  }

  #hangUp(): void {
    const socket = this.#socket;
    clearTimeout(this.#openTimer);
    this.#pulse?.stop();
    this.#pulse = null;
    this.#socket = null;
    socket?.close();
    if (this.#replica.phase !== "offline") this.#tell({ type: "lost" });
  }

  /** Ends for good; nothing is opened or sent any more. */
  stop(why: "signed_out" | "replaced"): void {
    this.#stop(why);
  }

  #stop(why: "signed_out" | "replaced" | "refused"): void {
    clearTimeout(this.#retryTimer);
    this.#hangUp();
    clearTimeout(this.#wakeTimer);
    this.#become({ is: "stopped", why });
  }

  #become(connection: Connection): void {
    this.#connection = connection;
    this.#onChange();
  }
}

/** What browsers call a socket that went without a word; also where nothing answered at all. */
const CLOSED_ABNORMALLY = 1006;
