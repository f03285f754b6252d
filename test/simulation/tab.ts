import type { Wish } from "../../src/protocol/events.ts";
import type { ConversationId, IdempotencyKey, UserId } from "../../src/protocol/ids.ts";
import type { Client, ClientEvents, Line, MessageState, Sending, WebSocketClass } from "../../src/sdk/client/api.ts";
import { createClientIn } from "../../src/sdk/client/client.ts";
import type { Environment } from "../../src/sdk/client/environment.ts";
import type { Browser } from "./browser.ts";
import type { Clockwork } from "./clockwork.ts";
import type { DeviceDisk } from "./device-disk.ts";
import type { Internet } from "./internet.ts";
import { PageSocket } from "./page-socket.ts";
import type { Server } from "./server.ts";
import "../../src/sdk/client/leader.ts"; // what a page imports when it needs it is here: the real time that takes would not be the seed's

/** What one tab has to do with its device and the world. */
export type TabPorts = {
  readonly works: Clockwork;
  readonly server: Server;
  readonly internet: Internet;
  readonly disk: DeviceDisk;
  /** Null: a program that is alone with its store. */
  readonly browser: Browser | null;
  readonly userId: UserId;
  readonly now: () => number;
  readonly hasNetwork: () => boolean;
  /** Told of each text that its socket hears. */
  readonly hears: (tab: Tab, text: string) => void;
  readonly says: (tab: Tab, text: string) => void;
  /** One of them leads now that did not before. */
  readonly leads: () => void;
  readonly told: <E extends "sent" | "failed">(event: E, what: ClientEvents[E]) => void;
  readonly wrong: (what: string) => void;
};

/** How far a message's state has come; it only goes forward. */
const RANK: Readonly<Record<MessageState["is"], number>> = { queued: 0, failed: 1, sent: 2, delivered: 3, read: 4 };

/** One tab of an app: the whole client, in an environment of which everything belongs to the world. */
export class Tab {
  /** Names it among all tabs that its device ever had. */
  readonly place: number;
  isAlive = true;
  client: Client | null = null;
  /** What was sent from here, until it is known how it ended. */
  readonly open = new Map<string, Sending>();
  socket: PageSocket | null = null;
  readonly #ports: TabPorts;
  readonly #onVisible = new Set<(visible: boolean) => void>();
  readonly #onNetwork = new Set<(up: boolean) => void>();
  /** What was shown and told here: it does not go back, and nothing is told twice. */
  readonly #ranks = new Map<string, number>();
  readonly #came = new Set<string>();
  readonly #ended = new Set<string>();
  #visible: boolean;

  constructor(ports: TabPorts, place: number, visible: boolean) {
    this.#ports = ports;
    this.place = place;
    this.#visible = visible;
  }

  get hasNetwork(): boolean {
    return this.#ports.hasNetwork();
  }

  async start(): Promise<void> {
    const { internet, disk, userId } = this.#ports;
    const { hears, says, leads } = this.#ports;
    const ports = {
      ...{ ...this.#ports, page: this },
      hears: (text: string) => hears(this, text),
      says: (text: string) => says(this, text),
    };
    const tab = this;
    class Socket extends PageSocket {
      constructor(_: string, protocols: string[]) {
        super(ports, protocols);
        if (!tab.socket) leads();
        tab.socket = this;
      }
    }
    const client = await createClientIn(this.#environment(), {
      url: internet.url,
      storage: { open: async () => disk.storeOf(this) },
      fetch: ((url: string, init?: RequestInit) => internet.ask(this, url, init)) as never,
      WebSocket: Socket as WebSocketClass,
    });
    if (!this.isAlive) return;
    this.client = client;
    if (client.session.is !== "signed_in") this.#ports.wrong(`[CL-44] ${userId.slice(-4)} is not signed in`);
    this.#listen(client);
  }

  #environment(): Environment {
    const { works, browser, now } = this.#ports;
    const listen = <T>(all: Set<T>, one: T) => {
      all.add(one);
      return () => void all.delete(one);
    };
    return {
      now,
      random: works.random,
      after: (ms, act) => works.after(ms, () => this.isAlive && act()),
      isVisible: () => (browser ? this.#visible : null),
      onVisible: (told) => listen(this.#onVisible, told),
      onNetwork: (told) => listen(this.#onNetwork, told),
      locks: browser ? browser.locksOf(this) : null,
      channel: browser ? (name) => browser.channelOf(this, name) : null,
    };
  }

  // --- what happens to it ---

  set visible(visible: boolean) {
    if (visible === this.#visible) return;
    this.#visible = visible;
    for (const told of this.#onVisible) told(visible);
  }
  get visible(): boolean {
    return this.#visible;
  }

  network(up: boolean): void {
    for (const told of this.#onNetwork) told(up);
  }

  /** From one moment to the next. */
  die(): void {
    const { works, browser, disk } = this.#ports;
    this.isAlive = false;
    if (works.chance(0.5)) this.socket?.close();
    else this.socket?.cut(false);
    browser?.died(this);
    disk.crashed(this);
  }

  async close(): Promise<void> {
    const { client } = this;
    this.client = null;
    await client?.close();
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#ports.browser?.died(this);
  }

  // --- what its person does ---

  wish(conversationId: ConversationId, event: Wish, client: Client): IdempotencyKey {
    const conversation = client.conversations.get(conversationId);
    const sending = conversation.wish(event as never);
    this.open.set(sending.id, sending);
    const done = () => void this.open.delete(sending.id);
    sending.sent.then(done, done);
    return sending.id as IdempotencyKey;
  }

  // --- what it tells and shows ---

  #listen(client: Client): void {
    client.on("message", ({ conversationId, message }) => {
      const one = `${conversationId} ${message.seq}`;
      if (this.#came.has(one)) this.#wrong(`is told of message ${one} twice`);
      this.#came.add(one);
    });
    client.on("sent", (told) => this.#end("sent", told));
    client.on("failed", (told) => this.#end("failed", told));
    client.on("conversation", ({ id }) => this.#look(id, client));
    client.on("connection", (state) => {
      // [SO-9] There is one page with a socket at a time: no other one of this device has spoken.
      if (state.is === "stopped" && state.why === "replaced") this.#wrong("is told that it was replaced");
    });
    client.on("session", ({ is }) => is === "signed_in" || this.#wrong("was signed out"));
  }

  #end<E extends "sent" | "failed">(event: E, told: ClientEvents[E]): void {
    const one = `${event} ${told.id}`;
    if (this.#ended.has(one)) this.#wrong(`is told twice: ${one}`);
    this.#ended.add(one);
    this.#ports.told(event, told);
  }

  #look(id: string, client: Client): void {
    const lines = client.conversations.get(id).messages();
    const bug = wrongIn(lines);
    if (bug) this.#wrong(`shows in ${id.slice(0, 5)} ${bug}`);
    for (const line of lines) {
      if (line.is !== "message" || !line.state) continue;
      const [was, is] = [this.#ranks.get(line.id) ?? 0, RANK[line.state.is]];
      if (is < was) this.#wrong(`shows ${line.id} of ${id.slice(0, 5)} go back to ${line.state.is}`);
      this.#ranks.set(line.id, is);
    }
  }

  /** The tab that led has died, and another one leads: what it had told and not stored is not known any more. */
  forget(): void {
    this.#ranks.clear();
    this.#came.clear();
    this.#ended.clear();
  }

  #wrong(what: string): void {
    this.#ports.wrong(`tab ${this.place} ${what}`);
  }
}

/** [CL-9] [CL-47] What may never be on a screen: the same twice, or in another order than that of the log. */
function wrongIn(lines: readonly Line[]): string | null {
  let last = 0;
  const seen = new Set<string>();
  for (const line of lines) {
    const { id, seq } = line;
    if (seq !== null && seq <= last) return `${seq} after ${last}`;
    if (seq === null && line.is === "note") return "a note without a seq";
    last = seq ?? last;
    const words = line.is === "message" ? line.text : "";
    for (const one of words === "" ? [id] : [id, words]) {
      if (seen.has(one)) return `${one} twice`;
      seen.add(one);
    }
  }
  return null;
}
