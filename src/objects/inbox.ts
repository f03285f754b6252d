import type { SendCommand } from "../domain/append.ts";
import type { Endpoint, Subscription } from "../domain/push.ts";
import type { MineChange, Silence } from "../domain/ringing.ts";
import { log } from "../platform/log.ts";
import { readCaller } from "../platform/socket-caller.ts";
import { CLOSE } from "../protocol/errors.ts";
import type { Summary } from "../protocol/frames.ts";
import type { Erasure, EventReceipts, Trace } from "../protocol/http.ts";
import type { ConversationId, DeviceId, UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { Mine, Presence as PresenceTold, Self } from "../protocol/states.ts";
import { SUBPROTOCOL } from "../protocol/version.ts";
import { InboxParts } from "./inbox-parts.ts";
import type {
  Appended,
  ContactNews,
  Delivery,
  DeliveryAnswer,
  Kept,
  Outcome,
  ReceiptNews,
  ReceiptRequest,
  RingRequest,
  Rung,
  WatchRequest,
} from "./rpc.ts";
import type { StarsPage } from "./stars.ts";

/**
 * One user: the sockets of all their devices, and the index of which conversations changed. Keeps no copy of a message. What devices say
 * comes in by the frame door, what conversations say by `deliver` and its like, and what the user does over HTTP by the rest.
 */
export class Inbox extends InboxParts {
  // --- sockets ---

  /** The upgrade; the Worker has verified the token and says whose it is. */
  override fetch(request: Request): Response {
    const caller = readCaller(request);
    const { 0: theirs, 1: ours } = new WebSocketPair();
    const headers = { "sec-websocket-protocol": SUBPROTOCOL };
    const answer = new Response(null, { status: 101, webSocket: theirs, headers: caller.subprotocol ? headers : {} });
    if (this.store.isRevoked(caller.deviceId)) {
      ours.accept();
      ours.close(CLOSE.signed_out.code, "signed_out"); // [SO-3]
      return answer;
    }
    this.sockets.accept(ours, caller, Date.now());
    return answer;
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    return this.door.take(socket, message);
  }

  override async webSocketClose(socket: WebSocket, code: number, _reason: string, wasClean: boolean): Promise<void> {
    if (wasClean) this.sockets.answerClose(socket, code); // [SO-8]
    await this.left(socket, wasClean ? Date.now() : this.sockets.heardAt(socket));
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.left(socket, this.sockets.heardAt(socket));
  }

  /** Never throws: after six throws the platform would never ring again. */
  override async alarm(): Promise<void> {
    this.clock.rang(undefined);
    try {
      this.presence.settle(Date.now());
      await this.choices.goOn();
    } catch (error) {
      log.error("settle_failed", { error });
    }
    await this.eraser.run();
  }

  // --- sending ---

  /** A wish that came over HTTP goes the same way as one from a socket. */
  async send(conversationId: ConversationId, command: SendCommand): Promise<Outcome<Appended["ack"]>> {
    if (this.store.isRevoked(command.deviceId)) return refuse("device_revoked");
    if (this.gate.count(command.deviceId, Date.now()) !== "pass") return this.sender.turnAway(conversationId, command);
    const outcome = await this.sender.send(conversationId, command);
    return outcome.ok ? ok(outcome.value.ack) : outcome;
  }

  // --- what conversations tell ---

  deliver(delivery: Delivery): Promise<DeliveryAnswer> {
    return this.arrivals.deliver(delivery);
  }

  ring(request: RingRequest): Promise<Rung> {
    return this.ringer.ring(request, Date.now());
  }

  /** What rang for a message that is gone is taken down. False: try again. */
  hush(userId: UserId, conversationId: ConversationId, silence: Silence): Promise<boolean> {
    return this.ringer.unring(userId, conversationId, silence, Date.now());
  }

  /** The conversation leaves nothing out any more. */
  eased(conversationId: ConversationId): void {
    this.burden.eased(conversationId, Date.now());
  }

  track(conversationId: ConversationId): void {
    this.arrivals.track(conversationId);
  }

  tellAgain(conversationId: ConversationId): void {
    this.arrivals.tellAgain(conversationId);
  }

  /** What this user has received of a conversation, where it waits for a call. */
  heldReceipts(conversationId: ConversationId): ReceiptRequest | null {
    return this.receipts.heldFor(conversationId);
  }

  /** What others have received of this user's messages. */
  hearReceipts(news: ReceiptNews): void {
    this.receipts.hear(news);
  }

  /** Somebody is writing. */
  hearTyping(told: { conversationId: ConversationId; userId: UserId; active: boolean }): void {
    this.sockets.tellAll({ type: "typing", ...told }, Date.now());
  }

  /** [LM-21] Whether all of the user's devices have what was delivered here of a conversation; and how many devices there have been. */
  async haveAll(conversationId: ConversationId): Promise<{ all: boolean; devices: number }> {
    const devices = this.store.deviceCount();
    return { all: await this.holdings.haveAll(conversationId, Date.now()), devices };
  }

  // --- what the user asks ---

  /** My conversations, those that changed last first; `below` is the position to go on from. */
  list(userId: UserId, below: number, limit: number): Promise<{ conversations: Summary[]; next: number | null }> {
    return this.listing.page(userId, below, limit);
  }

  conversationIds(): ConversationId[] {
    return this.listing.ids();
  }

  /** Who has received an event of this user's. */
  eventReceipts(userId: UserId, conversationId: ConversationId, seq: number): Promise<Outcome<EventReceipts>> {
    return this.receipts.receiptsOf(userId, conversationId, seq);
  }

  /** How an event of this user's has come to each member. */
  traceEvent(userId: UserId, conversationId: ConversationId, seq: number): Promise<Outcome<Trace>> {
    return this.receipts.trace(userId, conversationId, seq);
  }

  starred(userId: UserId, below: number, limit: number): Promise<StarsPage> {
    return this.stars.list(userId, below, limit);
  }

  /** How these people are, as far as they show it to this user. */
  look(userId: UserId, userIds: UserId[]): Promise<PresenceTold[]> {
    return this.watching.ask(userId, userIds, null);
  }

  /** What is kept here of the user, for their export. */
  kept(): Kept {
    return this.listing.kept();
  }

  // --- what the user has set ---

  setMine(userId: UserId, conversationId: ConversationId, change: MineChange): Promise<Outcome<Mine>> {
    return this.choices.setMine(userId, conversationId, change);
  }

  clear(userId: UserId, conversationId: ConversationId): Promise<Outcome<null>> {
    return this.choices.clear(userId, conversationId);
  }

  deleteFor(userId: UserId, conversationId: ConversationId, seq: number): Promise<Outcome<null>> {
    return this.choices.deleteFor(userId, conversationId, seq);
  }

  star(userId: UserId, conversationId: ConversationId, seq: number): Promise<Outcome<null>> {
    return this.stars.put(userId, conversationId, seq);
  }

  unstar(userId: UserId, conversationId: ConversationId, seq: number): Promise<Outcome<null>> {
    return this.stars.drop(userId, conversationId, seq);
  }

  putSubscription(userId: UserId, deviceId: DeviceId, subscription: Subscription): Promise<Outcome<null>> {
    return this.choices.subscribe(userId, deviceId, subscription);
  }

  dropSubscription(deviceId: DeviceId): void {
    this.choices.unsubscribe(deviceId);
  }

  endpointGone(deviceId: DeviceId, endpoint: Endpoint): void {
    this.choices.endpointGone(deviceId, endpoint);
  }

  /** The profile, as it is kept in the directory, too. */
  setProfile(profile: Self, byDeviceId: DeviceId, version: number): void {
    if (!this.store.setProfile(profile, version)) return; // [CT-10] told late: newer is known
    this.sockets.tellAll({ type: "self", profile }, Date.now(), byDeviceId);
  }

  // --- other people ---

  /** Somebody wants to know how this user is. */
  watched(request: WatchRequest): Omit<PresenceTold, "userId"> {
    return this.presence.watched(request, Date.now());
  }

  /** Somebody whom this user watches has come or gone. */
  hearPresence(presence: PresenceTold): void {
    this.watching.hear(presence, Date.now());
  }

  setContact(otherId: UserId, accepted: boolean, version: number, news: ContactNews): void {
    this.acquaintances.setContact(otherId, accepted, version, news);
  }

  /** The directory has ended something between this user and somebody who is erased. */
  hearContacts(version: number): void {
    this.acquaintances.changed(version);
  }

  admits(callerId: UserId, conversationId: ConversationId | null): boolean {
    return this.acquaintances.admits(callerId, conversationId);
  }

  setBlocked(otherId: UserId, blocked: boolean): void {
    this.store.people.setBlocked(otherId, blocked);
  }

  /** Somebody is erased with whom there was something. */
  forget(otherId: UserId): void {
    this.store.people.forget(otherId);
  }

  // --- the end ---

  /** Signs a device out, at once and for ever: its sockets close, and its tokens open nothing here any more. */
  revoke(deviceId: DeviceId): void {
    this.store.revokeDevice(deviceId, Date.now());
    this.sockets.closeDevice(deviceId, "signed_out"); // [SO-3]
  }

  /** [ER-4] From here on none of the user's devices does anything; the rest the alarm sees to. Repeating it winds a stuck one up. */
  erase(record: Erasure): void {
    this.eraser.begin(record, Date.now());
    this.sockets.closeAll("signed_out");
  }
}
