import { type Clockwork, type Life, living } from "./clockwork.ts";
import { Pair, type ServerSocket, type Upward } from "./sockets.ts";
import { Disk, sqlOf } from "./sqlite.ts";

/** How often things go wrong, each in [0, 1]; all zero once the world is healed. */
export type Faults = {
  lostCall: number;
  lostReply: number;
  repeated: number;
  slow: number;
  database: number;
  queue: number;
};
export const NO_FAULTS: Faults = { lostCall: 0, lostReply: 0, repeated: 0, slow: 0, database: 0, queue: 0 };

type Instance = {
  alarm?: () => Promise<void>;
  webSocketMessage?: (s: ServerSocket, m: string) => Promise<void>;
  webSocketClose?: (s: ServerSocket, code: number, reason: string, wasClean: boolean) => Promise<void>;
  webSocketError?: (s: ServerSocket) => Promise<void>;
} & Record<string, unknown>;
type Constructor = new (ctx: never, env: never) => unknown;
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
    this.runtime.works.after(at - this.runtime.works.now, () => void this.ring(mine));
  }

  /** At least once: an alarm whose handler did not come to its end rings again. */
  private async ring(mine: number): Promise<void> {
    if (mine !== this.alarmSet) return;
    this.disk.alarmAt = null;
    const life = this.wake().life;
    const again = this.runtime.works.after(120_000, () => {
      if (!life.alive && this.disk.alarmAt === null) this.setAlarm(this.runtime.works.now);
    });
    await this.enter((object) => object.alarm?.());
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

/** Told of what happens inside the server, so that it can be compared with what is said about it. */
export type RuntimeWitness = {
  woke: (host: Host) => void;
  crashed: (host: Host) => void;
  ended: (host: Host, socket: ServerSocket, wasClean: boolean) => void;
  /** An object makes a call; one begins to be carried out; it has been. */
  called: (to: string, method: string, args: unknown[]) => void;
  entered: (host: Host, method: string, args: unknown[]) => void;
  answered: (host: Host, method: string, args: unknown[], value: unknown) => void;
  /** It wrote to its storage, or read with values. */
  wrote: (host: Host, query: string, bindings: unknown[]) => void;
};
const nobody = () => {};

/** Objects that call each other over a wire that holds, loses, repeats and reorders. */
export class Runtime {
  readonly works: Clockwork;
  readonly env: Record<string, unknown> = {};
  readonly hosts = new Map<string, Host>();
  faults: Faults;
  /** Told when a server socket has gone with its object. */
  lose: (socket: ServerSocket) => void = nobody;
  witness: RuntimeWitness = {
    ...{ woke: nobody, crashed: nobody, ended: nobody },
    ...{ called: nobody, entered: nobody, answered: nobody, wrote: nobody },
  };

  constructor(works: Clockwork, faults: Faults) {
    this.works = works;
    this.faults = faults;
  }

  delayMs = (): number => (this.works.chance(this.faults.slow) ? this.works.pick(8_000) : 1 + this.works.pick(30));

  namespace(kind: string, make: Constructor) {
    const hostOf = (name: string): Host => {
      const key = `${kind}/${name}`;
      const host = this.hosts.get(key) ?? new Host(this, key, make);
      this.hosts.set(key, host);
      return host;
    };
    const getByName = (name: string) =>
      new Proxy(
        {},
        {
          get: (_, method: string) =>
            method === "then" ? undefined : (...args: unknown[]) => this.call(hostOf(name), method, args),
        },
      );
    return { getByName, hostOf };
  }

  /** One call between objects. The caller hears of a failure, or of nothing at all when it has crashed itself. */
  private call(host: Host, method: string, args: unknown[]): Promise<unknown> {
    const caller = living.getStore();
    if (caller) caller.busy++;
    this.witness.called(host.name, method, args);
    const sent = method === "fetch" ? args : structuredClone(args);
    return new Promise((resolve, reject) => {
      let answered = false;
      const answer = (settle: () => void) => {
        if (answered) return;
        answered = true;
        this.works.after(this.delayMs(), () => {
          if (caller) caller.busy--;
          if (caller?.alive !== false) settle();
        });
      };
      const lost = () =>
        answer(() => reject(Object.assign(new Error("Network connection lost."), { retryable: true })));
      if (this.works.chance(this.faults.lostCall)) return lost();
      const run = () => this.execute(host, method, sent);
      if (this.works.chance(this.faults.repeated) && method !== "fetch")
        this.works.after(this.delayMs(), () => void run().catch(() => {}));
      this.works.after(this.delayMs(), () => {
        const done = run();
        done.catch(() => {}); // when nobody hears of it
        if (this.works.chance(this.faults.lostReply)) return lost();
        this.lostIfCrashed(host, lost, done);
        done.then(
          (value) => answer(() => resolve(method === "fetch" ? value : structuredClone(value))),
          (error) => answer(() => reject(Object.assign(error as Error, { remote: true }))),
        );
      });
    });
  }

  private async execute(host: Host, method: string, args: unknown[]): Promise<unknown> {
    const value = await host.enter(async (object) => {
      this.witness.entered(host, method, args);
      try {
        return await (object[method] as (...a: unknown[]) => unknown)(...args);
      } catch (error) {
        if (living.getStore()?.alive) this.works.note(`BUG ${method} throws ${error}`); // a refusal is a value
        throw error;
      }
    });
    this.witness.answered(host, method, args, value);
    this.works.tell(
      () =>
        `${host.name.slice(0, 18)} ${method}(${JSON.stringify(args).slice(0, 300)}) = ${JSON.stringify(value)?.slice(0, 200)}`,
    );
    return value;
  }

  /** A callee that crashes under the call: the caller is told so after a while. */
  private lostIfCrashed(host: Host, lost: () => void, done: Promise<unknown>): void {
    const life = host.running?.life;
    let settled = false;
    const settle = () => {
      settled = true;
    };
    done.then(settle, settle);
    const look = () => {
      if (settled) return;
      if (life?.alive === false) lost();
      else this.works.after(500, look);
    };
    this.works.after(500, look);
  }
}

/** The globals of the runtime that Node lacks or refuses; answers how to give them back. */
export function installGlobals(): () => void {
  const before = { WebSocketPair: Reflect.get(globalThis, "WebSocketPair"), Response: globalThis.Response };
  class Upgraded {
    readonly webSocket: unknown;
    constructor(_: null, init: { webSocket: unknown }) {
      this.webSocket = init.webSocket;
    }
  }
  Object.assign(globalThis, { WebSocketPair: Pair, Response: Upgraded, WebSocketRequestResponsePair: class {} });
  return () => Object.assign(globalThis, before);
}
