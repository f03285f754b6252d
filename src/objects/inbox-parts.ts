import { DurableObject } from "cloudflare:workers";
import { ulid } from "ulid";
import type { Env } from "../platform/env.ts";
import { PING, PONG } from "../protocol/frames.ts";
import { InboxStore } from "../storage/inbox-store.ts";
import { Acquaintances } from "./acquaintances.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { Arrivals } from "./arrivals.ts";
import { Burden } from "./burden.ts";
import { ChangeIndex } from "./change-index.ts";
import { Choices } from "./choices.ts";
import { Eraser } from "./eraser.ts";
import { FrameDoor } from "./frame-door.ts";
import { FrameGate } from "./frame-gate.ts";
import { Holdings } from "./holdings.ts";
import { Listing } from "./listing.ts";
import { Load } from "./load.ts";
import { OwnReceipts } from "./own-receipts.ts";
import { OwnTyping } from "./own-typing.ts";
import { Presence } from "./presence.ts";
import { Ringer } from "./ringer.ts";
import { Sender } from "./sender.ts";
import { Sockets } from "./sockets.ts";
import { Stars } from "./stars.ts";
import { Watching } from "./watching.ts";

/** What an inbox is made of, put together anew whenever the object wakes. */
export abstract class InboxParts extends DurableObject<Env> {
  protected readonly store: InboxStore;
  protected readonly clock: AlarmClock;
  protected readonly sockets: Sockets;
  protected readonly index: ChangeIndex;
  protected readonly gate: FrameGate;
  protected readonly holdings: Holdings;
  protected readonly ringer: Ringer;
  protected readonly burden: Burden;
  protected readonly receipts: OwnReceipts;
  protected readonly arrivals: Arrivals;
  protected readonly sender: Sender;
  protected readonly presence: Presence;
  protected readonly watching: Watching;
  protected readonly typing: OwnTyping;
  protected readonly listing: Listing;
  protected readonly choices: Choices;
  protected readonly stars: Stars;
  protected readonly acquaintances: Acquaintances;
  protected readonly eraser: Eraser;
  protected readonly door: FrameDoor;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.store = new InboxStore(ctx.storage.sql, ulid);
    this.clock = new AlarmClock(ctx.storage);
    this.sockets = new Sockets(ctx, (socket) => void this.left(socket, this.sockets.heardAt(socket)));
    const { store, clock, sockets } = this;
    this.index = new ChangeIndex(store, sockets);
    const base = { store, clock, sockets, index: this.index };
    this.gate = new FrameGate(env);
    this.holdings = new Holdings(env, base);
    this.ringer = new Ringer(env, store, sockets);
    const load = new Load("inbox", (now) => this.sender.waitMs(now));
    this.burden = new Burden(load, sockets, (now) => void this.receipts.recover(now));
    this.receipts = new OwnReceipts(env, { ...base, ringer: this.ringer, burden: this.burden });
    const { gate, holdings, ringer, burden, receipts } = this;
    this.arrivals = new Arrivals({ ...base, holdings, receipts, ringer, burden });
    this.sender = new Sender(env, { store, holdings, burden, arrivals: this.arrivals });
    this.presence = new Presence(env, base);
    this.watching = new Watching(env, { store, sockets, burden });
    this.typing = new OwnTyping(env);
    this.listing = new Listing(env, { store, receipts });
    this.choices = new Choices(env, { ...base, receipts });
    this.stars = new Stars(env, base);
    this.acquaintances = new Acquaintances(base);
    this.eraser = new Eraser(env, { store, clock, storage: ctx.storage });
    const { sender, presence, watching, typing } = this;
    this.door = new FrameDoor(env, { ...base, gate, holdings, sender, receipts, presence, watching, typing, burden });
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG)); // [SO-5]
    for (const socket of ctx.getWebSockets())
      if (sockets.isInMidGreeting(socket)) ctx.waitUntil(this.door.catchUp(socket));
  }

  /** A socket has gone: whoever kept something for it hears so. `heardAt`: its last sign of life. Epoch ms. */
  protected async left(socket: WebSocket, heardAt: number): Promise<void> {
    if (this.sockets.of(socket).from === null) return; // nothing was said on it, and its device may be there on another
    this.presence.leave(socket, heardAt, Date.now());
    this.index.left(socket);
    this.holdings.left(socket, heardAt);
    this.typing.end(this.sockets.of(socket).deviceId);
    await this.receipts.flush(socket);
  }
}
