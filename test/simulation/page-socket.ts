import { PING, PONG } from "../../src/protocol/heartbeat.ts";
import type { UserId } from "../../src/protocol/ids.ts";
import type { SocketLike } from "../../src/sdk/client/api.ts";
import type { Clockwork } from "./clockwork.ts";
import type { Internet } from "./internet.ts";
import type { Server } from "./server.ts";
import { type Downward, type ServerSocket, type Upward, Wire } from "./sockets.ts";

type Listener = (event: never) => void;
export type SocketPorts = {
  readonly works: Clockwork;
  readonly server: Server;
  readonly internet: Internet;
  readonly userId: UserId;
  readonly page: { readonly isAlive: boolean; readonly hasNetwork: boolean };
  /** Told of each text before the page is. */
  readonly hears: (text: string) => void;
  readonly wrong: (what: string) => void;
  /** Told of each that it says. */
  readonly says: (text: string) => void;
};

/** What a socket that went without a word is closed with. */
const WITHOUT_A_WORD = 1006;

/** A page's end of a socket to the real door, over a wire that may die with a word or without one. */
export class PageSocket implements SocketLike {
  /** The server's end, from when it is there until this one knows that it is not, or is gone itself. */
  far: ServerSocket | null = null;
  readonly #ports: SocketPorts;
  readonly #listeners = new Map<string, Listener[]>();
  #up: Wire<Upward> | null = null;
  #isOver = false;
  /** Of the frame that was said last; they are numbered on each socket, and the first one is the hello. [CL-2] */
  #lastId = 0;

  constructor(ports: SocketPorts, protocols: readonly string[]) {
    this.#ports = ports;
    const { works, server, page } = ports;
    const { faults, delayMs } = server.runtime;
    const comes = page.hasNetwork && !works.chance(faults.lostCall);
    works.after(delayMs(), () => (comes ? void this.#dial(protocols) : this.#end(WITHOUT_A_WORD)));
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  #tell(type: string, event: unknown): void {
    if (this.#ports.page.isAlive) for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }

  async #dial(protocols: readonly string[]): Promise<void> {
    const { works, server, internet } = this.#ports;
    const far = await internet.dial(protocols);
    if (!far) {
      works.after(server.runtime.delayMs(), () => this.#end(WITHOUT_A_WORD));
      return;
    }
    this.far = far;
    if (this.#isOver) this.#letGo();
    else works.after(server.runtime.delayMs(), () => this.#open(far));
  }

  #open(far: ServerSocket): void {
    if (this.#isOver) return;
    const { works, server, userId } = this.#ports;
    const { delayMs } = server.runtime;
    const inbox = server.inbox(userId);
    this.#up = new Wire<Upward>(works, delayMs, (item) => {
      inbox.hear(far, item);
      if ("ping" in item && far.readyState === WebSocket.OPEN) far.down?.send({ text: PONG });
    });
    far.down = new Wire<Downward>(works, delayMs, (item) => this.#hear(item));
    this.#tell("open", {});
    for (const item of far.early) far.down.send(item);
  }

  #hear(item: Downward): void {
    const { works, hears } = this.#ports;
    if (this.#isOver) return;
    if ("close" in item) {
      this.#end(item.close);
      return;
    }
    const times = item.text.startsWith('{"type":"events"') && works.chance(0.05) ? 2 : 1; // a server that repeats itself
    for (let time = 0; time < times; time++) {
      hears(item.text);
      this.#tell("message", { data: item.text });
    }
  }

  send(text: string): void {
    this.#ports.says(text);
    if (text !== PING) this.#check(JSON.parse(text) as { id?: number; type: string });
    this.#up?.send(text === PING ? { ping: true } : { text });
  }

  #check({ id, type }: { id?: number; type: string }): void {
    const isFirst = this.#lastId === 0;
    if ((isFirst && type !== "hello") || (id !== undefined && id <= this.#lastId))
      this.#ports.wrong(`[CL-2] says ${type} ${id} after ${this.#lastId} on a socket`);
    this.#lastId = id ?? this.#lastId;
  }

  /** By the page. */
  close(): void {
    if (this.#isOver) return;
    this.#up?.send({ close: true });
    this.#letGo(true);
  }

  /** The other end, and this one with it. */
  #end(code: number): void {
    if (this.#isOver) return;
    this.#letGo();
    if (code === WITHOUT_A_WORD) this.#tell("error", {});
    this.#tell("close", { code });
  }

  /** Nothing comes through any more. `isTold`: the page hears of it. */
  cut(isTold: boolean): void {
    if (isTold) this.#end(WITHOUT_A_WORD);
    else this.#letGo();
  }

  /** The server takes its time to notice. */
  #letGo(inParting = false): void {
    const { works, server, userId } = this.#ports;
    const { far } = this;
    this.#isOver = true;
    if (this.#up) this.#up.cut = !inParting;
    if (far?.down) far.down.cut = true;
    if (!far) return;
    this.far = null;
    const inbox = server.inbox(userId);
    works.after(works.pick(works.chance(0.2) ? 200_000 : 20_000), () => inbox.end(far, false));
  }

  get isWhole(): boolean {
    return !this.#isOver && this.#up !== null && this.far?.readyState === WebSocket.OPEN;
  }
}
