import type { WebSocketClass } from "../../../../src/sdk/client/api.ts";
import type { Channel, Environment } from "../../../../src/sdk/client/environment.ts";
import { memoryStorage } from "../../../../src/sdk/client/memory-storage.ts";
import type { Storage } from "../../../../src/sdk/client/storage.ts";

/** What a tab that has died began comes to nothing. */
function gated(storage: Storage, isGone: () => boolean): Storage {
  const unless = <T>(act: () => Promise<T>): Promise<T> => (isGone() ? new Promise<T>(() => {}) : act());
  return {
    open: async (name) => {
      const store = await storage.open(name);
      return {
        read: (prefix) => unless(() => store.read(prefix)),
        write: (batch) => unless(() => store.write(batch)),
        clear: () => unless(() => store.clear()),
        close: () => store.close(),
      };
    },
  };
}

/** A browser without one: the tabs that are opened in it share locks and channels, as those of a browser do. */
export class FakeBrowser {
  readonly #channels = new Map<string, Set<FakeChannel>>();
  readonly #locks = new Map<string, Promise<unknown>>();

  readonly #storage = memoryStorage();
  /** How many sockets were dialled in all its tabs. */
  sockets = 0;

  /** A tab; `crash` ends it without a word: its locks are free, and its timers, messages, writes and sockets are no more. */
  openTab(Socket: WebSocketClass): {
    environment: Environment;
    storage: Storage;
    WebSocket: WebSocketClass;
    crash: () => void;
    /** How wrong its clock is from now on. Ms. */
    skew: (ms: number) => void;
  } {
    const ends: (() => void)[] = [];
    let isGone = false;
    let skewMs = 0;
    const skew = (ms: number) => {
      skewMs = ms;
    };
    const crashed = new Promise<void>((resolve) => ends.push(resolve));
    const environment: Environment = {
      now: () => Date.now() + skewMs,
      random: Math.random,
      after: (ms, act) => {
        const timer = setTimeout(() => !isGone && act(), ms);
        return () => clearTimeout(timer);
      },
      isVisible: () => true,
      onVisible: () => () => {},
      onNetwork: () => () => {},
      locks: { hold: (name, act) => this.#hold(name, act, crashed, () => isGone) },
      channel: (name) => {
        const channel = new FakeChannel(this.#channels, name);
        ends.push(() => channel.close());
        return channel;
      },
    };
    const browser = this;
    class WebSocket extends Socket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        browser.sockets += 1;
        ends.push(() => this.close());
      }
      override send(text: string): void {
        if (!isGone) super.send(text);
      }
    }
    const crash = () => {
      isGone = true;
      for (const end of ends) end();
    };
    return { environment, storage: gated(this.#storage, () => isGone), WebSocket, crash, skew };
  }

  #hold<T>(name: string, act: () => Promise<T>, crashed: Promise<void>, isGone: () => boolean): Promise<T> {
    const before = this.#locks.get(name) ?? Promise.resolve();
    // Whoever has gone meanwhile never gets it.
    const held = before.then(() => (isGone() ? new Promise<T>(() => {}) : act()));
    this.#locks.set(
      name,
      before.then(() => Promise.race([held, crashed])).catch(() => {}),
    );
    return held;
  }
}

class FakeChannel implements Channel {
  readonly #all: Set<FakeChannel>;
  #listener: (message: unknown) => void = () => {};

  constructor(channels: Map<string, Set<FakeChannel>>, name: string) {
    this.#all = channels.get(name) ?? new Set();
    channels.set(name, this.#all.add(this));
  }

  post(message: unknown): void {
    const text = JSON.stringify(message, (_, value) => (value === Number.POSITIVE_INFINITY ? "never" : value));
    const others = this.#all.has(this) ? [...this.#all].filter((other) => other !== this) : [];
    for (const other of others)
      setTimeout(() => {
        const copy = JSON.parse(text, (_, value) => (value === "never" ? Number.POSITIVE_INFINITY : value));
        if (this.#all.has(other)) other.#listener(copy);
      }, 0);
  }

  listen(listener: (message: unknown) => void): void {
    this.#listener = listener;
  }

  close(): void {
    this.#all.delete(this);
  }
}
