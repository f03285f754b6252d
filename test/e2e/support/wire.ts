import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { Problem } from "../../../src/protocol/errors.ts";
import { type ClientFrame, ServerFrame } from "../../../src/protocol/frames.ts";
import { PATIENCE_MS } from "./patience.ts";

export type Closed = { code: number; reason: string };
/** A client frame, its id left to the wire. */
export type Wanted = ClientFrame extends infer F ? (F extends ClientFrame ? Omit<F, "id"> : never) : never;

/** The upgrade was answered with something else than 101. */
export class UpgradeRefused extends Error {
  readonly status: number;
  readonly problem: Problem | null;
  constructor(status: number, text: string) {
    super(`upgrade refused: ${status} ${text.slice(0, 200)}`);
    this.status = status;
    this.problem = Problem.safeParse(parsed(text)).data ?? null;
  }
}
export class WireClosed extends Error {}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** One raw socket. Every text that comes must be `pong` or fit the schema of server frames; what does not is kept in `strange`. */
export class Wire {
  readonly #socket: WebSocket;
  readonly closed: Promise<Closed>;
  readonly frames: ServerFrame[] = [];
  readonly strange: string[] = [];
  pongs = 0;
  /** Called with each frame that is no answer to `ask`. */
  onFrame: (frame: ServerFrame) => void = () => {};
  #asked = new Map<number, { resolve: (frame: ServerFrame) => void; reject: (why: Error) => void }>();
  /** High, so that ids of frames sent raw do not meet them. */
  #ids = 1_000_000_000;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on("message", (data, isBinary) => this.#take(String(data), isBinary));
    socket.on("error", () => {}); // `close` follows and says it
    socket.once("close", (code) => {
      for (const { reject } of this.#asked.values()) reject(new WireClosed(`closed with ${code}`));
      this.#asked.clear();
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  #take(text: string, isBinary: boolean): void {
    if (text === "pong" && !isBinary) {
      this.pongs += 1;
      return;
    }
    const frame = ServerFrame.safeParse(parsed(text));
    if (isBinary || !frame.success) {
      this.strange.push(text.slice(0, 500));
      return;
    }
    this.frames.push(frame.data);
    const id = "id" in frame.data ? frame.data.id : undefined;
    const waiting = id === undefined ? undefined : this.#asked.get(id);
    if (id !== undefined) this.#asked.delete(id);
    if (waiting) waiting.resolve(frame.data);
    else this.onFrame(frame.data);
  }

  /** Sends anything as it is. */
  raw(data: string | Buffer, binary = typeof data !== "string"): void {
    this.#socket.send(data, { binary }, () => {});
  }

  /** Sends a frame without an id. */
  tell(frame: object): void {
    this.raw(JSON.stringify(frame));
  }

  /** Sends a frame with a fresh id and waits for its one answer. Rejects with `WireClosed`, or when nothing came. */
  ask(frame: Wanted, withinMs = PATIENCE_MS): Promise<ServerFrame> {
    const id = ++this.#ids;
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(new WireClosed("closed"));
      const timer = setTimeout(() => reject(new Error(`no answer to ${frame.type} in ${withinMs} ms`)), withinMs);
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          then(value);
        };
      this.#asked.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.tell({ ...frame, id });
    });
  }

  /** The first frame, come or to come, that the test holds for. Rejects after `withinMs`. */
  async until(test: (frame: ServerFrame) => boolean, withinMs = PATIENCE_MS): Promise<ServerFrame> {
    for (const end = Date.now() + withinMs; Date.now() < end; await new Promise((r) => setTimeout(r, 5))) {
      const found = this.frames.find(test);
      if (found) return found;
    }
    throw new Error(`not seen in ${withinMs} ms; had ${this.frames.map((frame) => frame.type).join(" ")}`);
  }

  close(code = 1000): void {
    this.#socket.close(code);
  }

  /** Cuts it without a closing handshake. */
  cut(): void {
    this.#socket.terminate();
  }
}

/** Opens a socket; rejects with `UpgradeRefused` where the door answers with a problem. */
export function openWire(url: string, token: string, protocols = ["edgewise.v1", `bearer.${token}`]): Promise<Wire> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/v1/socket`, protocols, { handshakeTimeout: PATIENCE_MS });
  const wire = new Wire(socket);
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(wire));
    socket.once("error", reject);
    socket.once("unexpected-response", async (_request, response: IncomingMessage) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      reject(new UpgradeRefused(response.statusCode ?? 0, text));
    });
  });
}
