import type { ClientFrame, ServerFrame } from "../../protocol/frames.ts";
import { PING, PONG } from "../../protocol/heartbeat.ts";
import type { UserId } from "../../protocol/ids.ts";
import type { SocketLike } from "../client/api.ts";
import type { Sender } from "./fake-conversation.ts";

/** What a server does with a socket. */
export type Accepts = {
  /** Whose socket it is; null: it is refused. */
  open(socket: FakeSocket, token: string): Sender | null;
  hear(socket: FakeSocket, frame: ClientFrame): void;
  closed(socket: FakeSocket): void;
};
type Listeners = Record<string, ((event: never) => void)[]>;

/** Both ends of a socket that there is no network between. What is said comes a moment later, in order. */
export class FakeSocket implements SocketLike {
  sender: Sender | null = null;
  isWelcome = false;
  background = false;
  watching: readonly UserId[] = [];
  readonly #server: Accepts;
  readonly #listeners: Listeners = {};
  #queue: (() => void)[] = [];
  #isClosed = false;

  constructor(server: Accepts, protocols: readonly string[]) {
    this.#server = server;
    const token = protocols.find((name) => name.startsWith("bearer."))?.slice("bearer.".length) ?? "";
    this.#later(() => {
      this.sender = server.open(this, token);
      if (this.sender) this.#tell("open", {});
      else this.vanish();
    });
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners[type] = [...(this.#listeners[type] ?? []), listener];
  }

  /** The client's end. */
  send(text: string): void {
    this.#later(() => {
      if (text === PING) this.#tell("message", { data: PONG });
      else this.#server.hear(this, JSON.parse(text));
    });
  }

  close(): void {
    this.vanish(1000);
  }

  /** The server's end. */
  say(frame: ServerFrame): void {
    const text = JSON.stringify(frame);
    this.#later(() => this.#tell("message", { data: text }));
  }

  /** It is gone, with all that was on its way; where a code is given, the other end is told. */
  vanish(code = 1006): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#server.closed(this);
    this.#queue = [];
    setTimeout(() => this.#tell("close", { code }), 0);
  }

  #tell(type: string, event: object): void {
    for (const listener of this.#listeners[type] ?? []) (listener as (event: object) => void)(event);
  }

  #later(act: () => void): void {
    if (this.#isClosed) return;
    this.#queue.push(act);
    if (this.#queue.length === 1) setTimeout(() => this.#run(), 0);
  }

  #run(): void {
    const all = this.#queue;
    for (const act of all) if (!this.#isClosed) act();
    const rest = this.#queue === all ? this.#queue.splice(all.length) : this.#queue;
    this.#queue = [];
    for (const act of rest) this.#later(act);
  }
}
