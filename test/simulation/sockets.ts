import type { Clockwork } from "./clockwork.ts";

/** A wire in one direction: in order, each frame after its own delay, until it is cut; what is under way then is lost. */
export class Wire<T> {
  private readonly works: Clockwork;
  private readonly receive: (item: T) => void;
  private readonly delayMs: () => number;
  private freeAt = 0;
  cut = false;

  constructor(works: Clockwork, delayMs: () => number, receive: (item: T) => void) {
    this.works = works;
    this.delayMs = delayMs;
    this.receive = receive;
  }

  send(item: T): void {
    this.freeAt = Math.max(this.freeAt, this.works.now + this.delayMs());
    this.works.after(this.freeAt - this.works.now, () => {
      if (!this.cut) this.receive(item);
    });
  }
}

export type Upward = { text: string } | { ping: true } | { close: true };
export type Downward = { text: string } | { close: number };

/** The server's end, with what the runtime offers there. It does not notice by itself that the other end is gone. */
export class ServerSocket {
  readyState: number = WebSocket.OPEN;
  /** The way to the client; what was said before there was one. */
  down: Wire<Downward> | undefined;
  readonly early: Downward[] = [];
  /** Its signs of life, by true time: accepted, last ping answered by the runtime, last frame. 0: never. */
  readonly signs = { openedAt: 0, pingedAt: 0, frameAt: 0 };
  private attachment: unknown = null;

  accept(): void {}

  send(text: string): void {
    this.say({ text });
  }

  private say(item: Downward): void {
    if (this.down) this.down.send(item);
    else this.early.push(item);
  }

  close(code: number): void {
    if (this.readyState !== WebSocket.OPEN) return;
    this.readyState = WebSocket.CLOSED;
    this.say({ close: code });
  }

  /** The other end is known to be gone. */
  drop(): void {
    this.readyState = WebSocket.CLOSED;
    if (this.down) this.down.cut = true;
  }

  serializeAttachment(value: unknown): void {
    this.attachment = structuredClone(value);
  }

  deserializeAttachment(): unknown {
    return structuredClone(this.attachment);
  }

  /** It has said hello, and is not known to be gone. `looked`: somebody looks at the device. */
  get greeted(): { looked: boolean } | null {
    const { from, background } = this.attachment as { from: number | null; background: boolean };
    return this.readyState === WebSocket.OPEN && from !== null ? { looked: !background } : null;
  }

  /** Whether the person was at this device, whatever became of the socket. */
  get wasLookedAt(): boolean {
    const { from, background } = this.attachment as { from: number | null; background: boolean };
    return from !== null && !background;
  }
}

/** `new WebSocketPair()`: the first end stands for the client and is where the simulation takes hold of the second. */
export class Pair {
  readonly 0: { far: ServerSocket };
  readonly 1: ServerSocket;

  constructor() {
    this[1] = new ServerSocket();
    this[0] = { far: this[1] };
  }
}
