import { setTimeout as sleep } from "node:timers/promises";
import type { Event } from "../../../src/protocol/events.ts";
import type { Ack, Changed, ServerFrame } from "../../../src/protocol/frames.ts";
import type { Session } from "../../../src/protocol/http.ts";
import { ConversationId } from "../../../src/protocol/ids.ts";
import { must } from "./door.ts";
import { Log } from "./log.ts";
import { bodyOf, Outbox, type Wish } from "./outbox.ts";
import { PATIENCE_MS } from "./patience.ts";
import { openWire, type Wire } from "./wire.ts";

type PageFrame = ServerFrame & { type: "page" };
export const PASSWORD = "correct horse battery";

/** Makes a person and their first device. */
export async function signUp(url: string, handle: string): Promise<Device> {
  const body = { handle, password: PASSWORD, displayName: handle, device: { name: "first" } };
  return new Device(url, `${handle}/first`, await must(url, "signUp", { body }));
}

/** Makes another device of the person. */
export async function signIn(url: string, handle: string, name: string): Promise<Device> {
  const body = { handle, password: PASSWORD, device: { name } };
  return new Device(url, `${handle}/${name}`, await must(url, "signIn", { body }));
}

/**
 * A device as the contract describes it, written from the contract alone: one cursor, one log a conversation, an outbox in order. It
 * pulls what the server lists and what a gap shows, and nothing else; so a log that lacks something is the server's fault.
 */
export class Device {
  readonly url: string;
  readonly name: string;
  session: Session;
  cursor: string | null = null;
  wire: Wire | null = null;
  readonly logs = new Map<string, Log>();
  readonly outbox = new Outbox(this);
  /** Answers that the contract does not allow. Must stay empty. */
  readonly faults: string[] = [];
  /** Newest watermarks by `conversationId userId`. */
  readonly receipts = new Map<string, { delivered: number; read: number }>();
  /** Cursors adopted since the last `connect`. */
  adopted = 0;
  #heads = new Map<string, number>();
  #pulls = new Map<string, Promise<void>>();

  constructor(url: string, name: string, session: Session) {
    this.url = url;
    this.name = name;
    this.session = session;
  }

  get userId(): string {
    return this.session.user.userId;
  }
  get deviceId(): string {
    return this.session.device.deviceId;
  }
  get token(): string {
    return this.session.accessToken;
  }

  log(conversationId: string): Log {
    const log = this.logs.get(conversationId) ?? new Log();
    this.logs.set(conversationId, log);
    return log;
  }

  fault(what: string): Error {
    this.faults.push(what);
    return new Error(`${this.name}: ${what}`);
  }

  /** Opens the socket, says hello with the cursor, and sends again what was not acked. Answers the welcome. */
  async connect(): Promise<ServerFrame & { type: "welcome" }> {
    const wire = await openWire(this.url, this.token);
    this.wire = wire;
    this.adopted = 0;
    this.#pulls.clear();
    wire.onFrame = (frame) => this.#take(wire, frame);
    const welcome = await wire.ask({ type: "hello", version: 1, cursor: this.cursor });
    if (welcome.type !== "welcome") throw this.fault(`hello was answered with ${JSON.stringify(welcome)}`);
    this.outbox.resend();
    return welcome;
  }

  /** Waits until the server said `caught_up` and all that it listed before is stored. Rejects after `withinMs`. */
  async caughtUp(withinMs = PATIENCE_MS): Promise<void> {
    for (const end = Date.now() + withinMs; this.adopted === 0; await sleep(5)) {
      if (Date.now() > end) throw new Error(`${this.name} is not caught up after ${withinMs} ms`);
    }
  }

  /** Drops the socket without a word. */
  cut(): void {
    this.wire?.cut();
    this.wire = null;
  }

  #take(wire: Wire, frame: ServerFrame): void {
    if (wire !== this.wire) return;
    if (frame.type === "events") for (const event of frame.events) this.#see(event, frame.conversationId);
    if (frame.type === "changed") for (const entry of frame.conversations) this.#listed(entry);
    if (frame.type === "caught_up") void this.#adopt(wire, frame.cursor);
    if (frame.type === "receipts")
      for (const r of frame.receipts) {
        const key = `${frame.conversationId} ${r.userId}`;
        const { delivered = 0, read = 0 } = this.receipts.get(key) ?? {};
        // A call that was tried again may come late: watermarks only rise.
        this.receipts.set(key, { delivered: Math.max(delivered, r.delivered), read: Math.max(read, r.read) });
      }
    if (frame.type === "error") this.fault(`an error nobody asked for: ${frame.code}: ${frame.detail}`);
  }

  #see(event: Event, conversationId: string): void {
    if (event.conversationId !== conversationId)
      this.fault(`an event of ${event.conversationId} came for ${conversationId}`);
    if (!this.log(conversationId).take(event)) this.#want(conversationId, event.seq);
  }

  /** An entry without a head means: pull and see. */
  #listed(entry: Changed): void {
    this.#want(entry.conversationId, "head" in entry ? entry.head : 0, !("head" in entry));
  }

  /** Pulls until `head` is held. */
  #want(conversationId: string, head: number, always = false): void {
    this.#heads.set(conversationId, Math.max(head, this.#heads.get(conversationId) ?? 0));
    const lacks = always || this.log(conversationId).held < head;
    if (!lacks || !this.wire || this.#pulls.has(conversationId)) return;
    const pull = this.#pull(this.wire, ConversationId.parse(conversationId));
    this.#pulls.set(conversationId, pull);
    pull.catch(() => {}); // the socket went: the next hello lists it again; or a fault, which is noted
  }

  async #pull(wire: Wire, conversationId: ConversationId): Promise<void> {
    const log = this.log(conversationId);
    let answered = false;
    while (!answered || log.held < (this.#heads.get(conversationId) ?? 0)) {
      const page = await wire.ask({ type: "pull", conversationId, after: log.held, limit: 100 });
      if (page.type === "page") this.#takePage(page, log);
      else if (page.type === "error" && page.retryable) await sleep(page.retryAfterMs ?? 100);
      else throw this.fault(`pull was answered with ${JSON.stringify(page)}`);
      answered ||= page.type === "page";
    }
    this.#pulls.delete(conversationId);
  }

  #takePage(page: PageFrame, log: Log): void {
    if (log.held < page.floor - 1) log.begin(page.floor);
    const before = log.held;
    for (const event of page.events) if (!log.take(event)) this.fault(`a page jumps from ${log.held} to ${event.seq}`);
    this.#heads.set(page.conversationId, Math.max(page.head, this.#heads.get(page.conversationId) ?? 0));
    if (page.head < before) this.fault(`head ${page.head} lies below ${before}, which is held`);
    if (page.head > before && log.held === before)
      throw this.fault(`nothing after ${before} though head is ${page.head}`);
  }

  /** A cursor is adopted only when everything sent before it on this socket is stored. */
  async #adopt(wire: Wire, cursor: string): Promise<void> {
    const stored = await Promise.all(this.#pulls.values()).then(
      () => true,
      () => false,
    );
    if (!stored || wire !== this.wire || !wire.isOpen) return;
    this.cursor = cursor;
    this.adopted += 1;
    wire.tell({ type: "cursor", cursor });
  }

  /** An ack is a sight of the event; a repeat's is not whole (the first attempt was sent at another time), so that one is pulled. */
  onAck(wish: Wish, ack: Ack, sentAt: number): void {
    if (ack.duplicate) this.#want(wish.conversationId, ack.seq);
    else this.#see(this.#ownEvent(wish, ack, sentAt), wish.conversationId);
  }

  #ownEvent(wish: Wish, { duplicate: _, ...envelope }: Ack, sentAt: number): Event {
    const { event, ...times } = bodyOf(wish, sentAt);
    const { user, device } = this.session;
    return { ...envelope, ...times, ...event, senderId: user.userId, deviceId: device.deviceId };
  }
}
