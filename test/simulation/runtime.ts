import { type Clockwork, living } from "./clockwork.ts";
import { type Constructor, Host } from "./host.ts";
import { Pair, type ServerSocket } from "./sockets.ts";

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
  class Upgraded extends before.Response {
    override readonly webSocket: WebSocket | null;
    constructor(body: null, init: ResponseInit & { webSocket?: WebSocket } = {}) {
      const { webSocket, status, ...rest } = init;
      super(body, webSocket || status === undefined ? rest : { ...rest, status }); // Node knows no 101
      this.webSocket = webSocket ?? null;
    }
  }
  Object.assign(globalThis, { WebSocketPair: Pair, Response: Upgraded, WebSocketRequestResponsePair: class {} });
  return () => Object.assign(globalThis, before);
}
