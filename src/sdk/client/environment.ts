/** What the platform lends the SDK: browsers, Node and workers have different parts of it. */

export type Channel = {
  post(message: unknown): void;
  listen(listener: (message: unknown) => void): void;
  close(): void;
};
/** Waits for the lock, and holds it until what `act` answers has settled. */
export type Locks = { hold<T>(name: string, act: () => Promise<T>): Promise<T> };

export type Environment = {
  /** Epoch ms by the device's clock. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Answers how to call it off. */
  readonly after: (ms: number, act: () => void) => () => void;
  /** Null where there is no page that somebody could look at. */
  readonly isVisible: () => boolean | null;
  /** Each answers how to end it. */
  readonly onVisible: (told: (visible: boolean) => void) => () => void;
  readonly onNetwork: (told: (up: boolean) => void) => () => void;
  /** Null where this program is the only one that can have the store. */
  readonly locks: Locks | null;
  readonly channel: ((name: string) => Channel) | null;
};

type Listens = {
  addEventListener(type: string, act: () => void): void;
  removeEventListener(type: string, act: () => void): void;
};
type Globals = Partial<Listens> & {
  document?: Listens & { visibilityState: string };
  navigator?: { locks?: { request(name: string, act: () => Promise<unknown>): Promise<unknown> } };
  BroadcastChannel?: new (name: string) => { postMessage(message: unknown): void; onmessage: unknown; close(): void };
};

function listen(place: Partial<Listens> | undefined, type: string, act: () => void): () => void {
  place?.addEventListener?.(type, act);
  return () => place?.removeEventListener?.(type, act);
}

export function environmentOf(globals = globalThis as unknown as Globals): Environment {
  const { document, navigator, BroadcastChannel } = globals;
  // Node has these, too; but there nobody shares a store.
  const isBrowser =
    document !== undefined || typeof (globals as { importScripts?: unknown }).importScripts === "function";
  const locks = isBrowser ? navigator?.locks : undefined;
  return {
    now: Date.now,
    random: Math.random,
    after(ms, act) {
      const timer = setTimeout(act, Math.min(Math.max(0, ms), 2 ** 31 - 1));
      return () => clearTimeout(timer);
    },
    isVisible: () => (document ? document.visibilityState === "visible" : null),
    onVisible: (told) => listen(document, "visibilitychange", () => told(document?.visibilityState === "visible")),
    onNetwork(told) {
      const ends = [listen(globals, "online", () => told(true)), listen(globals, "offline", () => told(false))];
      return () => {
        for (const end of ends) end();
      };
    },
    locks: locks ? { hold: <T>(name: string, act: () => Promise<T>) => locks.request(name, act) as Promise<T> } : null,
    channel: locks && BroadcastChannel ? (name) => channelOf(new BroadcastChannel(name)) : null,
  };
}

function channelOf(channel: { postMessage(message: unknown): void; onmessage: unknown; close(): void }): Channel {
  return {
    post: (message) => channel.postMessage(message),
    listen(listener) {
      channel.onmessage = ({ data }: { data: unknown }) => listener(data);
    },
    close: () => channel.close(),
  };
}
