import { eventsText } from "../protocol/frame-text.ts";
import type { ConversationId, DeviceId } from "../protocol/ids.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import type { Burden } from "./burden.ts";
import type { ChangeIndex } from "./change-index.ts";
import type { Holdings } from "./holdings.ts";
import type { OwnReceipts } from "./own-receipts.ts";
import type { Ringer } from "./ringer.ts";
import type { Delivery, DeliveryAnswer, Rung } from "./rpc.ts";
import type { Sockets } from "./sockets.ts";

type Parts = {
  store: InboxStore;
  sockets: Sockets;
  index: ChangeIndex;
  holdings: Holdings;
  receipts: OwnReceipts;
  ringer: Ringer;
  burden: Burden;
};

/** What conversations bring: row first, then the live sockets, then the push; the output gate holds all until the row is durable. */
export class Arrivals {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  async deliver(delivery: Delivery): Promise<DeliveryAnswer> {
    const { store, sockets, index, receipts, ringer, burden } = this.parts;
    const { conversationId, frame, bell, silence, crowd, stage } = delivery;
    const now = Date.now();
    const isNew = store.position(conversationId) === undefined;
    index.note(conversationId);
    const live = sockets.ready(now);
    if (isNew) for (const socket of live) sockets.sumUpLater(socket, [conversationId]); // [UN-3]
    sockets.tell(live, frame);
    index.handOutDue(live, now);
    burden.hear(conversationId, stage, now);
    receipts.hearCrowd(live, conversationId, crowd);
    const held = receipts.waiting(live, conversationId);
    const told = live.length > 0;
    const rung = bell || silence ? await this.ring(delivery, now) : "none";
    const park = ringer.park(conversationId, told, now); // [IX-6]
    return { park, told, rung, subscribed: ringer.isWanted, held };
  }

  private async ring({ userId, conversationId, bell, silence }: Delivery, now: number): Promise<Rung> {
    const { ringer } = this.parts;
    if (silence && !(await ringer.unring(userId, conversationId, silence, now))) return "failed";
    return bell ? ringer.ring({ userId, conversationId, bell, silentMs: null }, Date.now()) : "none";
  }

  /** The reply to an `append` is the delivery for the sender's other devices. */
  reply(conversationId: ConversationId, deviceId: DeviceId, body: string): void {
    const { store, sockets, index, holdings } = this.parts;
    const now = Date.now();
    const mayBeMissed = holdings.isAsked || store.hasDeviceBeside(new Set([deviceId]));
    if (mayBeMissed || store.position(conversationId) === undefined) index.note(conversationId);
    const live = sockets.ready(now);
    sockets.tell(live, eventsText(conversationId, [body]), deviceId);
    index.handOutDue(live, now);
  }

  /** A conversation this user has opened is listed, before anything was said in it. */
  track(conversationId: ConversationId): void {
    const { store, sockets } = this.parts;
    if (store.position(conversationId) !== undefined) return;
    store.touch(conversationId);
    sockets.tellAll({ type: "changed", conversations: [{ conversationId }] }, Date.now());
  }

  /** The conversation has forgotten what it was told lately: devices that look tell it again, the others when they come. */
  tellAgain(conversationId: ConversationId): void {
    const { sockets, index } = this.parts;
    const now = Date.now();
    for (const socket of sockets.ready(now)) sockets.sumUpLater(socket, [conversationId]);
    index.tellLive(conversationId, { type: "changed", conversations: [{ conversationId }] }, now);
  }
}
