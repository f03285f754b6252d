import { DurableObject } from "cloudflare:workers";
import { ulid } from "ulid";
import type { SendCommand } from "../domain/append.ts";
import type { Endpoint, Subscription } from "../domain/push.ts";
import type { MineChange, Silence } from "../domain/ringing.ts";
import { receiptsSeen, traceSeen } from "../domain/tracing.ts";
import { mayBegin } from "../domain/visibility.ts";
import { CALL_WINDOW, mapWindowed, tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { log } from "../platform/log.ts";
import { readCaller } from "../platform/socket-caller.ts";
import { conversationOf, inboxOf } from "../platform/stubs.ts";
import { CLOSE } from "../protocol/errors.ts";
import { eventsText } from "../protocol/frame-text.ts";
import { PING, PONG, type Summary } from "../protocol/frames.ts";
import type { Erasure, EventReceipts, Trace } from "../protocol/http.ts";
import type { ConversationId, DeviceId, UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { Mine, Presence as PresenceTold, Self, Shed } from "../protocol/states.ts";
import { SUBPROTOCOL } from "../protocol/version.ts";
import { InboxStore } from "../storage/inbox-store.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { Burden } from "./burden.ts";
import { ChangeIndex } from "./change-index.ts";
import { Choices } from "./choices.ts";
import { Eraser } from "./eraser.ts";
import { FrameDoor } from "./frame-door.ts";
import { FrameGate } from "./frame-gate.ts";
import { Holdings } from "./holdings.ts";
import { Load } from "./load.ts";
import { MediaDesk } from "./media-desk.ts";
import { OwnReceipts } from "./own-receipts.ts";
import { OwnTyping } from "./own-typing.ts";
import { Presence } from "./presence.ts";
import { Ringer } from "./ringer.ts";
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
import { Sender } from "./sender.ts";
import { Sockets } from "./sockets.ts";
import { Stars, type StarsPage } from "./stars.ts";
import { Watching } from "./watching.ts";

/** One user: the sockets of all their devices, and the index of which conversations changed. Keeps no copy of a message. */
export class Inbox extends DurableObject<Env> {
  private readonly store: InboxStore;
  private readonly clock: AlarmClock;
  private readonly sockets: Sockets;
  private readonly index: ChangeIndex;
  private readonly holdings: Holdings;
  private readonly sender: Sender;
  private readonly media: MediaDesk;
  private readonly ringer: Ringer;
  private readonly receipts: OwnReceipts;
  private readonly presence: Presence;
  private readonly watching: Watching;
  private readonly typing: OwnTyping;
  private readonly burden: Burden;
  private readonly gate: FrameGate;
  private readonly choices: Choices;
  private readonly stars: Stars;
  private readonly door: FrameDoor;
  private readonly eraser: Eraser;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.store = new InboxStore(ctx.storage.sql, ulid);
    this.clock = new AlarmClock(ctx.storage);
    this.sockets = new Sockets(ctx, (socket) => void this.left(socket, this.sockets.heardAt(socket)));
    this.gate = new FrameGate(env);
    this.index = new ChangeIndex(this.store, this.sockets);
    this.holdings = new Holdings(env, { store: this.store, sockets: this.sockets, index: this.index });
    this.media = new MediaDesk(env);
    this.sender = new Sender({
      append: (conversationId, request) =>
        conversationOf(this.env, conversationId).append(this.userId(request.commands), request),
      aloneAs: (conversationId, deviceIds) => this.aloneAs(conversationId, deviceIds),
      vet: (conversationId, commands) => this.media.vet(conversationId, commands, Date.now()),
      drained: () => this.burden.stage(Date.now()),
      appended: (conversationId, command, appended) => this.ownAppended(conversationId, command, appended),
    });
    const load = new Load("inbox", (now) => this.sender.waitMs(now));
    const tellShed = (shed: Shed[]) => this.sockets.tellAll({ type: "degraded", shed }, Date.now());
    this.burden = new Burden(load, tellShed, () => void this.receipts.recover(Date.now()));
    this.ringer = new Ringer(env, this.store, this.sockets);
    const { store, sockets, index, ringer, burden } = this;
    this.receipts = new OwnReceipts(env, { store, sockets, index, ringer, stage: (now) => burden.stage(now) });
    this.choices = new Choices(env, { store, index, receipts: this.receipts, clock: this.clock });
    this.stars = new Stars(env, { store, index });
    this.watching = new Watching(env, store, sockets, (now) => burden.stage(now));
    this.presence = new Presence(store, sockets, this.clock, (watcherId, presence) => {
      void tryCall(() => inboxOf(this.env, watcherId).hearPresence(presence), 1);
    });
    this.typing = new OwnTyping((userId, conversationId, active) => {
      void tryCall(() => conversationOf(this.env, conversationId).typing(userId, active), 1);
    });
    const { gate, holdings, sender, receipts, presence, watching, typing } = this;
    const parts = { store, sockets, index, gate, holdings, sender, receipts, presence, watching, typing, burden };
    this.door = new FrameDoor(env, parts);
    this.eraser = new Eraser(env, { store, clock: this.clock, storage: ctx.storage });
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG)); // [SO-5]
    for (const socket of ctx.getWebSockets())
      if (this.isInMidGreeting(socket)) ctx.waitUntil(this.door.catchUp(socket));
  }

  // --- sockets ---

  /** The upgrade; the Worker has verified the token and says whose it is. */
  override fetch(request: Request): Response {
    const caller = readCaller(request);
    const pair = new WebSocketPair();
    const headers = { "sec-websocket-protocol": SUBPROTOCOL };
    const answer = new Response(null, { status: 101, webSocket: pair[0], headers: caller.subprotocol ? headers : {} });
    if (this.store.isRevoked(caller.deviceId)) {
      pair[1].accept();
      pair[1].close(CLOSE.signed_out.code, "signed_out"); // [SO-3]
      return answer;
    }
    const { userId, deviceId, expiresAt } = caller;
    const openedAt = Date.now();
    const fresh = {
      from: null,
      background: false,
      handed: null,
      handedAt: 0,
      watches: null,
      held: [],
      toldLive: [],
      unsummed: [],
    };
    this.sockets.accept(pair[1], { userId, deviceId, expiresAt, openedAt, ...fresh });
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

  /** `heardAt`: its last sign of life. */
  private async left(socket: WebSocket, heardAt: number): Promise<void> {
    this.presence.leave(socket, heardAt, Date.now());
    this.index.left(socket);
    this.holdings.left(socket, heardAt);
    this.typing.end(this.sockets.of(socket).deviceId);
    await this.receipts.flush(socket);
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

  private isInMidGreeting(socket: WebSocket): boolean {
    const { from, handed } = this.sockets.of(socket);
    return from !== null && handed === null;
  }

  // --- sending ---

  /** A wish that came over HTTP goes the same way as one from a socket. */
  async send(conversationId: ConversationId, command: SendCommand): Promise<Outcome<Appended["ack"]>> {
    if (this.store.isRevoked(command.deviceId)) return refuse("device_revoked");
    if (this.gate.count(command.deviceId, Date.now()) !== "pass") return this.sender.turnAway(conversationId, command);
    const outcome = await this.sender.send(conversationId, command);
    return outcome.ok ? ok(outcome.value.ack) : outcome;
  }

  /** The append's reply is the delivery for the sender's other devices. */
  private ownAppended(conversationId: ConversationId, { deviceId }: SendCommand, { body }: Appended): void {
    const now = Date.now();
    const mayBeMissed = this.holdings.isAsked || this.store.hasDeviceBeside(new Set([deviceId]));
    if (mayBeMissed || this.store.position(conversationId) === undefined) this.index.note(conversationId);
    const sockets = this.sockets.ready(now);
    this.sockets.tell(sockets, eventsText(conversationId, [body]), deviceId);
    this.index.handOutDue(sockets, now);
  }

  /** [DL-5] Nobody could miss the reply: there is no other device, and one that comes later finds the conversation listed. */
  private aloneAs(conversationId: ConversationId, deviceIds: ReadonlySet<DeviceId>): number | null {
    const [deviceId, second] = deviceIds;
    if (this.holdings.isAsked) return null; // [LM-21] also the sender's device has to confirm what it sent
    if (deviceId === undefined || second !== undefined || this.store.hasDeviceBeside(deviceIds)) return null;
    return this.store.position(conversationId) === undefined ? null : this.store.deviceCount();
  }

  private userId(commands: SendCommand[]): UserId {
    return (commands[0] as SendCommand).userId;
  }

  // --- the index, and what conversations tell ---

  /** Row first, then the live sockets, then the push; the output gate holds all until the row is durable. */
  async deliver({ userId, conversationId, frame, bell, silence, crowd, stage }: Delivery): Promise<DeliveryAnswer> {
    const now = Date.now();
    const isNew = this.store.position(conversationId) === undefined;
    this.index.note(conversationId);
    const sockets = this.sockets.ready(now);
    if (isNew) for (const socket of sockets) this.sockets.sumUpLater(socket, [conversationId]); // [UN-3]
    this.sockets.tell(sockets, frame);
    this.index.handOutDue(sockets, now);
    this.burden.hear(conversationId, stage, now);
    this.receipts.hearCrowd(sockets, conversationId, crowd);
    const held = this.receipts.waiting(sockets, conversationId);
    const told = sockets.length > 0;
    const isHushed = !silence || (await this.ringer.unring(userId, conversationId, silence, now));
    const rung = !isHushed
      ? "failed"
      : bell
        ? await this.ring({ userId, conversationId, bell, silentMs: null })
        : "none";
    const park = this.ringer.park(conversationId, told, now); // [IX-6]
    return { park, told, rung, subscribed: this.ringer.isWanted, held };
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

  /** [LM-21] Whether all of the user's devices have what was delivered here of a conversation; and how many devices there have been. */
  async haveAll(conversationId: ConversationId): Promise<{ all: boolean; devices: number }> {
    const devices = this.store.deviceCount();
    return { all: await this.holdings.haveAll(conversationId, Date.now()), devices };
  }

  /** A conversation this user has opened is listed, before anything was said in it. */
  track(conversationId: ConversationId): void {
    if (this.store.position(conversationId) !== undefined) return;
    this.store.touch(conversationId);
    this.sockets.tellAll({ type: "changed", conversations: [{ conversationId }] }, Date.now());
  }

  // --- reading ---

  /** My conversations, those that changed last first; `below` is the position to go on from. */
  async list(userId: UserId, below: number, limit: number): Promise<{ conversations: Summary[]; next: number | null }> {
    const rows = this.store.newestBelow(below, limit);
    const summaries = await mapWindowed(rows, CALL_WINDOW, async ({ conversationId }) => {
      const held = this.heldReceipts(conversationId);
      const answer = await tryCall(() => conversationOf(this.env, conversationId).standing(userId, held));
      return answer.ok && answer.value.ok ? [this.receipts.summaryOf(answer.value.value)] : [];
    });
    return { conversations: summaries.flat(), next: rows.length === limit ? (rows.at(-1)?.position ?? null) : null };
  }

  conversationIds(): ConversationId[] {
    return this.store.changedPast(0).map((row) => row.conversationId);
  }

  // --- receipts, presence, typing ---

  /** What this user has received of a conversation, where it waits for a call. */
  heldReceipts(conversationId: ConversationId): ReceiptRequest | null {
    return this.receipts.waiting(this.sockets.ready(Date.now()), conversationId);
  }

  /** What others have received of this user's messages. */
  hearReceipts(news: ReceiptNews): void {
    this.receipts.hear(news);
  }

  /** The conversation has forgotten what it was told lately: devices that look tell it again, the others when they come. */
  tellAgain(conversationId: ConversationId): void {
    const now = Date.now();
    for (const socket of this.sockets.ready(now)) this.sockets.sumUpLater(socket, [conversationId]);
    this.index.tellLive(conversationId, { type: "changed", conversations: [{ conversationId }] }, now);
  }

  /** Who has received an event of this user's. */
  async eventReceipts(userId: UserId, conversationId: ConversationId, seq: number): Promise<Outcome<EventReceipts>> {
    const trace = await this.receipts.trace(userId, conversationId, seq);
    return trace.ok ? ok(receiptsSeen(this.receipts.viewer, trace.value)) : trace;
  }

  /** How an event of this user's has come to each member. */
  async traceEvent(userId: UserId, conversationId: ConversationId, seq: number): Promise<Outcome<Trace>> {
    const trace = await this.receipts.trace(userId, conversationId, seq);
    return trace.ok ? ok(traceSeen(this.receipts.viewer, trace.value)) : trace;
  }

  /** How these people are, as far as they show it to this user. */
  look(userId: UserId, userIds: UserId[]): Promise<PresenceTold[]> {
    return this.watching.ask(userId, userIds, null);
  }

  /** Somebody wants to know how this user is. */
  watched(request: WatchRequest): Omit<PresenceTold, "userId"> {
    return this.presence.watched(request, Date.now());
  }

  /** Somebody whom this user watches has come or gone. */
  hearPresence(presence: PresenceTold): void {
    this.watching.hear(presence, Date.now());
  }

  /** Somebody is writing. */
  hearTyping(told: { conversationId: ConversationId; userId: UserId; active: boolean }): void {
    this.sockets.tellAll({ type: "typing", ...told }, Date.now());
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

  /** The profile, as it is kept in the directory, too. */
  setProfile(profile: Self, byDeviceId: DeviceId, version: number): void {
    if (!this.store.setProfile(profile, version)) return; // [CT-10] told late: newer is known
    this.sockets.tellAll({ type: "self", profile }, Date.now(), byDeviceId);
  }

  setContact(otherId: UserId, accepted: boolean, version: number, news: ContactNews): void {
    if (!this.store.people.setContact(otherId, accepted, version)) return; // [CT-7] told late: newer is known
    if (news === "none" || (news === "asked" && this.store.people.isBlocked(otherId))) return; // [BL-6]
    this.sockets.tellAll({ type: "self", contactsVersion: version }, Date.now()); // [CT-16]
  }

  /** Whether this user lets that one begin a conversation with them, or go on with it. */
  admits(callerId: UserId, conversationId: ConversationId | null): boolean {
    const isListed = conversationId !== null && this.store.position(conversationId) !== undefined;
    return mayBegin({
      lets: this.store.privacy.conversations,
      isContact: this.store.people.isContact(callerId),
      isListed,
    });
  }

  star(userId: UserId, conversationId: ConversationId, seq: number): Promise<Outcome<null>> {
    return this.stars.put(userId, conversationId, seq);
  }

  unstar(userId: UserId, conversationId: ConversationId, seq: number): Promise<Outcome<null>> {
    return this.stars.drop(userId, conversationId, seq);
  }

  starred(userId: UserId, below: number, limit: number): Promise<StarsPage> {
    return this.stars.list(userId, below, limit);
  }

  setBlocked(otherId: UserId, blocked: boolean): void {
    this.store.people.setBlocked(otherId, blocked);
  }

  putSubscription(userId: UserId, deviceId: DeviceId, subscription: Subscription): Promise<Outcome<null>> {
    return this.choices.subscribe(userId, deviceId, subscription);
  }

  dropSubscription(deviceId: DeviceId): void {
    this.store.dropSubscription(deviceId);
  }

  /** The provider knows this endpoint no more; one that replaced it meanwhile stays. */
  endpointGone(deviceId: DeviceId, endpoint: Endpoint): void {
    const known = this.store.subscriptions().get(deviceId);
    if (known && JSON.stringify(known.endpoint) === JSON.stringify(endpoint)) this.store.dropSubscription(deviceId);
  }

  /** Signs a device out, at once and for ever: its sockets close, and its tokens open nothing here any more. */
  revoke(deviceId: DeviceId): void {
    this.store.revokeDevice(deviceId, Date.now());
    this.sockets.closeDevice(deviceId, "signed_out"); // [SO-3]
  }

  // --- all that is the user's ---

  /** What is kept here of the user, for their export: of endpoints no more than that there is one. [EX-7] */
  kept(): Kept {
    const { lastSeenAt } = this.store.session;
    const subscriptions = [...this.store.subscriptions()].map(([deviceId, { endpoint, preview }]) => {
      return { deviceId, provider: endpoint.provider, preview };
    });
    const ids = this.store.changedPast(0).map((row) => row.conversationId);
    const conversations = ids.map((conversationId) => {
      return { conversationId, mine: this.store.mine(conversationId), starred: this.store.stars.in(conversationId) };
    });
    return { subscriptions, conversations, lastSeenAt: lastSeenAt > 0 ? lastSeenAt : null };
  }

  /** [ER-4] From here on none of the user's devices does anything; the rest the alarm sees to. Repeating it winds a stuck one up. */
  erase(record: Erasure): void {
    this.eraser.begin(record, Date.now());
    this.sockets.closeAll("signed_out");
  }

  /** The directory has ended something between this user and somebody who is erased. */
  hearContacts(version: number): void {
    this.sockets.tellAll({ type: "self", contactsVersion: version }, Date.now()); // [CT-16]
  }

  /** Somebody is erased with whom there was something. */
  forget(otherId: UserId): void {
    this.store.people.forget(otherId);
  }
}
