import { type Life, living } from "./clockwork.ts";
import type { Runtime } from "./runtime.ts";
import type { ServerSocket, Upward } from "./sockets.ts";
import { Disk, sqlOf } from "./sqlite.ts";

type Instance = {
  alarm?: (info: { scheduledTime: number }) => Promise<void>;
  webSocketMessage?: (s: ServerSocket, m: string) => Promise<void>;
  webSocketClose?: (s: ServerSocket, code: number, reason: string, wasClean: boolean) => Promise<void>;
  webSocketError?: (s: ServerSocket) => Promise<void>;
} & Record<string, unknown>;
export type Constructor = new (ctx: never, env: never) => unknown;
type Running = { life: Life; object: Instance; ready: Promise<unknown> };

/** Where one object lives: its disk and its sockets stay, its instances come and go. */
export class Host {
  readonly disk = new Disk();
  sockets: { socket: ServerSocket; tags: string[] }[] = [];
  running: Running | undefined;
  /** How many instances there have been. */
  lives = 0;
  readonly name: string;
  private readonly runtime: Runtime;
  private readonly make: Constructor;
  readonly skewMs: number;
  private alarmSet = 0;

  constructor(runtime: Runtime, name: string, make: Constructor) {
    this.runtime = runtime;
    this.name = name;
    this.make = make;
    this.skewMs = runtime.works.pick(4_000) - 2_000;
    this.disk.wrote = (query, bindings) => runtime.witness.wrote(this, query, bindings);
  }

  private wake(): Running {
    if (this.running) return this.running;
    this.lives++;
    this.runtime.witness.woke(this);
    const life: Life = { alive: true, skewMs: this.skewMs, busy: 0 };
    let ready: Promise<unknown> = Promise.resolve();
    const ctx = this.contextOf(life, (until) => {
      ready = until;
    });
    const object = living.run(life, () => new this.make(ctx as never, this.runtime.env as never)) as Instance;
    this.running = { life, object, ready };
    return this.running;
  }

  private contextOf(life: Life, block: (until: Promise<unknown>) => void) {
    const storage = {
      sql: sqlOf(this.disk, () => life.alive),
      transactionSync: <T>(work: () => T) => this.disk.transaction(work),
      getAlarm: async () => (this.disk.alarmAt === null ? null : this.disk.alarmAt + life.skewMs),
      setAlarm: async (at: number) => this.setAlarm(at - life.skewMs),
    };
    return {
      storage,
      blockConcurrencyWhile: (work: () => Promise<unknown>) => {
        const until = work();
        block(until);
        return until;
      },
      waitUntil: () => {},
      setWebSocketAutoResponse: () => {},
      acceptWebSocket: (socket: ServerSocket, tags: string[]) => {
        socket.signs.openedAt = this.runtime.works.now;
        this.sockets.push({ socket, tags });
      },
      getWebSocketAutoResponseTimestamp: ({ signs }: ServerSocket) =>
        signs.pingedAt === 0 ? null : new Date(signs.pingedAt + life.skewMs),
      getWebSockets: (tag?: string) => this.openSockets(tag),
    };
  }

  private openSockets(tag?: string): ServerSocket[] {
    return this.sockets
      .filter((s) => s.socket.readyState === WebSocket.OPEN && (!tag || s.tags.includes(tag)))
      .map((s) => s.socket);
  }

  /** What came over a wire. A ping is answered by the runtime, while the object sleeps. */
  hear(socket: ServerSocket, item: Upward): void {
    const { works } = this.runtime;
    if (socket.readyState !== WebSocket.OPEN) return;
    if ("ping" in item) socket.signs.pingedAt = works.now;
    else if ("close" in item) this.end(socket, true);
    else {
      socket.signs.frameAt = works.now;
      this.tell((object) => object.webSocketMessage?.(socket, item.text));
    }
  }

  /** The runtime notices that the other end has gone. A socket that went with a crash is nobody's any more. */
  end(socket: ServerSocket, wasClean: boolean): void {
    const isHere = this.sockets.some((s) => s.socket === socket);
    if (isHere) this.runtime.witness.ended(this, socket, wasClean);
    this.runtime.works.tell(
      () => `${this.name} socket ends, ${wasClean ? "clean" : "broken"}, ${isHere ? "here" : "gone"}`,
    );
    socket.drop();
    this.sockets = this.sockets.filter((s) => s.socket !== socket);
    if (!isHere) return;
    if (wasClean || this.runtime.works.chance(0.7))
      this.tell((object) => object.webSocketClose?.(socket, wasClean ? 1000 : 1006, "", wasClean));
    else this.tell((object) => object.webSocketError?.(socket));
  }

  private tell(act: (object: Instance) => Promise<void> | undefined): void {
    void this.enter(act).catch((error) => this.runtime.works.note(`BUG ${error}`));
  }

  /** Runs `act` inside the object. Never settles when the object crashes meanwhile: nobody is there to answer. */
  async enter<T>(act: (object: Instance) => T | Promise<T>): Promise<T> {
    const { life, object, ready } = this.wake();
    life.busy++;
    try {
      return await living.run(life, async () => {
        await ready;
        return act(object);
      });
    } finally {
      life.busy--;
    }
  }

  private setAlarm(at: number): void {
    this.disk.alarmAt = at;
    const mine = ++this.alarmSet;
    this.runtime.works.after(at - this.runtime.works.now, () => void this.ring(mine, at + this.skewMs));
  }

  /** The time for which it was set stays that of the first try. */
  private ringAgain(at: number): Promise<void> {
    return this.ring(++this.alarmSet, at);
  }

  /** At least once: an alarm whose handler did not come to its end rings again. */
  private async ring(mine: number, at: number): Promise<void> {
    if (mine !== this.alarmSet) return;
    this.disk.alarmAt = null;
    const life = this.wake().life;
    const again = this.runtime.works.after(120_000, () => {
      if (!life.alive && this.disk.alarmAt === null) void this.ringAgain(at);
    });
    await this.enter((object) => object.alarm?.({ scheduledTime: at }));
    again();
  }

  /** The process is gone: memory, sockets and whatever was under way. */
  crash(): void {
    if (!this.running) return;
    this.runtime.works.note(`crash ${this.name}`);
    this.runtime.witness.crashed(this);
    this.running.life.alive = false;
    this.running = undefined;
    for (const { socket } of this.sockets) this.runtime.lose(socket);
    this.sockets = [];
  }

  /** Asleep: memory is gone, sockets stay. Only when nothing is under way. */
  evict(): void {
    if (!this.running || this.running.life.busy > 0) return;
    this.runtime.works.note(`evict ${this.name}`);
    this.running.life.alive = false;
    this.running = undefined;
  }
}
