import { DurableObject } from "cloudflare:workers";
import { ulid } from "ulid";
import type { SendCommand } from "../domain/append.ts";
import { formatCursor, mustWrite, resumeFrom } from "../domain/changes.ts";
import { type Bucket, fullBucket, take } from "../domain/token-bucket.ts";
import { CALL_WINDOW, mapWindowed, tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { FRAME_RATE } from "../platform/frame-rate.ts";
import { log } from "../platform/log.ts";
import { describeRefusal } from "../platform/problem.ts";
import { readCaller } from "../platform/socket-caller.ts";
import { conversationOf } from "../platform/stubs.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { eventsText, pageText } from "../protocol/frame-text.ts";
import { type ClientFrame, PING, PONG, type Receipt, type ServerFrame, type Summary } from "../protocol/frames.ts";
import type { ConversationId, DeviceId, UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, type Refusal, refuse } from "../protocol/result.ts";
import { PROTOCOL_VERSION, SUBPROTOCOL } from "../protocol/version.ts";
import { InboxStore } from "../storage/inbox-store.ts";
import { greet } from "./greeter.ts";
import { type ReadFrame, readFrame } from "./read-frame.ts";
import type { Appended, Delivery, DeliveryAnswer, Outcome, ReceiptNews } from "./rpc.ts";
import { Sender } from "./sender.ts";
import { Sockets } from "./sockets.ts";

/** Refusals in a row past an empty bucket after which a socket is closed. */
const FLOOD = 500;

type Of<T extends ClientFrame["type"]> = Extract<ClientFrame, { type: T }>;

/** One user: the sockets of all their devices, and the index of which conversations changed. Keeps no copy of a message. */
export class Inbox extends DurableObject<Env> {
  private readonly store: InboxStore;
  private readonly sockets: Sockets;
  private readonly sender: Sender;
  /** By device, whichever door it uses and however often it reconnects. */
  private readonly buckets = new Map<DeviceId, Bucket>();
  /** The highest position handed to any device; unknown after waking, and then it could be any. */
  private handed: number;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.store = new InboxStore(ctx.storage.sql, ulid);
    this.handed = this.store.top; // [IX-2]
    this.sockets = new Sockets(ctx);
    this.sender = new Sender({
      append: (conversationId, request) =>
        conversationOf(this.env, conversationId).append(this.userId(request.commands), request),
      aloneAs: (conversationId, deviceIds) => this.aloneAs(conversationId, deviceIds),
      appended: (conversationId, command, appended) => this.ownAppended(conversationId, command, appended),
    });
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG)); // [SO-5]
    for (const socket of ctx.getWebSockets()) if (this.isInMidGreeting(socket)) ctx.waitUntil(this.catchUp(socket));
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
      this.sockets.close(pair[1], "signed_out"); // [SO-3]
      return answer;
    }
    const { userId, deviceId, expiresAt } = caller;
    this.sockets.accept(pair[1], { userId, deviceId, expiresAt, from: null, handed: null, handedAt: 0 });
    return answer;
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const now = Date.now();
    if (this.sockets.of(socket).expiresAt <= now) return this.sockets.close(socket, "token_expired"); // [SO-4]
    const read = readFrame(message);
    if (!this.admit(socket, read, now)) return;
    if (!read.ok) return this.refuse(socket, read.id, read);
    try {
      await this.handle(socket, read.value);
    } catch (error) {
      log.error("frame_failed", { type: read.value.type, error });
      this.refuse(socket, read.value.id, refuse("internal"));
    }
  }

  override webSocketClose(): void {}

  override webSocketError(): void {}

  /** Counts frames. Slightly too many are refused, a flood closes the socket. */
  private admit(socket: WebSocket, read: ReadFrame, now: number): boolean {
    const { deviceId } = this.sockets.of(socket);
    const { tokens } = this.count(deviceId, now);
    if (tokens >= 0) return true;
    const frame = read.ok ? read.value : undefined;
    if (frame?.type === "send") this.sender.turnAway(frame.conversationId, { deviceId, ...frame });
    if (tokens < -FLOOD)
      this.sockets.close(socket, "too_fast"); // [SO-6]
    else this.refuse(socket, read.ok ? read.value.id : read.id, refuse("rate_limited"));
    return false;
  }

  private count(deviceId: DeviceId, now: number): Bucket {
    const rate = FRAME_RATE[this.env.RATE_LIMITS === "wide" ? "wide" : "strict"];
    const bucket = take(this.buckets.get(deviceId) ?? fullBucket(rate, now), rate, now);
    this.buckets.set(deviceId, bucket);
    return bucket;
  }

  private async handle(socket: WebSocket, frame: ClientFrame): Promise<void> {
    if (frame.type === "hello") return this.hello(socket, frame);
    if (this.sockets.of(socket).from === null) return this.refuse(socket, frame.id, refuse("hello_required")); // [SO-1]
    if (frame.type === "send") return this.sendFrame(socket, frame);
    if (frame.type === "pull") return this.pull(socket, frame);
    if (frame.type === "receipt") return this.receiptFrame(socket, frame);
    // A `cursor` frame says what the next hello will say again; nothing here depends on hearing it early.
  }

  private refuse(socket: WebSocket, id: number | undefined, refusal: Refusal<ErrorCode>): void {
    const { code, detail, retryable, retryAfterMs } = describeRefusal(refusal);
    const told = { type: "error" as const, ...(id === undefined ? {} : { id }), code, detail, retryable };
    this.sockets.send(socket, retryAfterMs === undefined ? told : { ...told, retryAfterMs });
  }

  // --- hello ---

  private async hello(socket: WebSocket, frame: Of<"hello">): Promise<void> {
    if (frame.version !== PROTOCOL_VERSION) return this.refuse(socket, frame.id, refuse("unsupported_version"));
    const attachment = this.sockets.of(socket);
    if (attachment.from !== null)
      return this.refuse(socket, frame.id, refuse("invalid_request", "hello was said before"));
    const { userId, deviceId } = attachment;
    this.store.addDevice(deviceId);
    const { mode, from } = resumeFrom(frame.cursor, this.store);
    this.sockets.keep(socket, { ...attachment, from });
    const id = frame.id === undefined ? {} : { id: frame.id };
    this.sockets.send(socket, { type: "welcome", ...id, userId, deviceId, mode, serverTime: Date.now() });
    await this.catchUp(socket);
  }

  private async catchUp(socket: WebSocket): Promise<void> {
    const attend = (id: ConversationId, userId: UserId) =>
      conversationOf(this.env, id).attend(userId, this.store.deviceCount());
    await greet(this.sockets.of(socket), this.store, attend, {
      changed: (conversations) => this.sockets.send(socket, { type: "changed", conversations }),
      caughtUp: (position) => this.handOut(socket, position, Date.now()),
    });
  }

  /** [IX-3] Everything up to `position` has been given to this socket before: its device may take it as its cursor. */
  private handOut(socket: WebSocket, position: number, now: number): void {
    this.sockets.send(socket, { type: "caught_up", cursor: formatCursor(this.store.epoch, position) });
    this.sockets.keep(socket, { ...this.sockets.of(socket), handed: position, handedAt: now });
    this.handed = Math.max(this.handed, position);
  }

  private isInMidGreeting(socket: WebSocket): boolean {
    const { from, handed } = this.sockets.of(socket);
    return from !== null && handed === null;
  }

  // --- sending ---

  private async sendFrame(socket: WebSocket, frame: Of<"send">): Promise<void> {
    const { userId, deviceId } = this.sockets.of(socket);
    const { conversationId, idempotencyKey, composedAt, sentAt, event } = frame;
    const outcome = await this.sender.send(conversationId, {
      userId,
      deviceId,
      idempotencyKey,
      composedAt,
      sentAt,
      event,
    });
    const id = frame.id === undefined ? {} : { id: frame.id };
    if (outcome.ok) this.sockets.send(socket, { type: "ack", ...id, ...outcome.value.ack });
    else this.refuse(socket, frame.id, outcome);
  }

  /** The same way for a wish that came over HTTP. */
  async send(conversationId: ConversationId, command: SendCommand): Promise<Outcome<Appended["ack"]>> {
    if (this.store.isRevoked(command.deviceId)) return refuse("device_revoked");
    if (this.count(command.deviceId, Date.now()).tokens < 0) return this.sender.turnAway(conversationId, command); // [SO-6]
    const outcome = await this.sender.send(conversationId, command);
    return outcome.ok ? ok(outcome.value.ack) : outcome;
  }

  /** The append's reply is the delivery for the sender's other devices. */
  private ownAppended(conversationId: ConversationId, { deviceId }: SendCommand, { body }: Appended): void {
    const now = Date.now();
    if (this.store.position(conversationId) === undefined || this.store.hasOtherDevice(deviceId))
      this.noteChange(conversationId);
    this.sockets.tell(eventsText(conversationId, [body]), now, deviceId);
    this.handOutCursors(now);
  }

  /** [DL-5] Nobody could miss the reply: there is no other device, and one that comes later finds the conversation listed. */
  private aloneAs(conversationId: ConversationId, deviceIds: ReadonlySet<DeviceId>): number | null {
    const [deviceId, second] = deviceIds;
    if (deviceId === undefined || second !== undefined || this.store.hasOtherDevice(deviceId)) return null;
    return this.store.position(conversationId) === undefined ? null : this.store.deviceCount();
  }

  private userId(commands: SendCommand[]): UserId {
    return (commands[0] as SendCommand).userId;
  }

  // --- the index, and what conversations tell ---

  private noteChange(conversationId: ConversationId): void {
    if (mustWrite(this.store.position(conversationId), this.handed)) this.store.touch(conversationId);
  }

  /** Row first, then the live sockets; the output gate holds both until the row is durable. */
  deliver({ conversationId, frame }: Delivery): DeliveryAnswer {
    const now = Date.now();
    this.noteChange(conversationId);
    const told = this.sockets.tell(frame, now);
    this.handOutCursors(now);
    return { parked: !told }; // [IX-6]
  }

  receipts({ conversationId, receipts }: ReceiptNews): void {
    this.sockets.tell(JSON.stringify({ type: "receipts", conversationId, receipts } satisfies ServerFrame), Date.now());
  }

  /** A conversation this user has opened is listed, before anything was said in it. */
  track(conversationId: ConversationId): void {
    if (this.store.position(conversationId) !== undefined) return;
    this.store.touch(conversationId);
    this.sockets.tell(JSON.stringify({ type: "changed", conversations: [{ conversationId }] }), Date.now());
  }

  private handOutCursors(now: number): void {
    for (const socket of this.sockets.dueForCursor(this.store.top, now)) this.handOut(socket, this.store.top, now);
  }

  // --- reading ---

  private async pull(socket: WebSocket, { id, conversationId, after, limit }: Of<"pull">): Promise<void> {
    const { userId } = this.sockets.of(socket);
    const size = limit ?? LIMITS.historyPage;
    const devices = this.store.deviceCount();
    const answer = await tryCall(() => conversationOf(this.env, conversationId).pull(userId, devices, after, size));
    const page = answer.ok ? answer.value : answer;
    if (!page.ok) return this.refuse(socket, id, page);
    const { bodies, ...ends } = page.value;
    this.sockets.sendText(socket, pageText(id, conversationId, bodies, ends));
  }

  /** My conversations, those that changed last first; `below` is the position to go on from. */
  async list(userId: UserId, below: number, limit: number): Promise<{ conversations: Summary[]; next: number | null }> {
    const rows = this.store.newestBelow(below, limit);
    const summaries = await mapWindowed(rows, CALL_WINDOW, async ({ conversationId }) => {
      const answer = await tryCall(() => conversationOf(this.env, conversationId).summary(userId));
      return answer.ok && answer.value.ok ? [answer.value.value] : [];
    });
    return { conversations: summaries.flat(), next: rows.length === limit ? (rows.at(-1)?.position ?? null) : null };
  }

  conversationIds(): ConversationId[] {
    return this.store.changedPast(0).map((row) => row.conversationId);
  }

  // --- receipts and devices ---

  private async receiptFrame(socket: WebSocket, { id, conversationId, delivered, read }: Of<"receipt">): Promise<void> {
    const { userId, deviceId } = this.sockets.of(socket);
    const next = { ...(delivered === undefined ? {} : { delivered }), ...(read === undefined ? {} : { read }) };
    const answer = await tryCall(() => conversationOf(this.env, conversationId).receipt(userId, next));
    const receipt = answer.ok ? answer.value : answer;
    if (!receipt.ok) return this.refuse(socket, id, receipt);
    if (receipt.value) this.tellOwnDevices(conversationId, receipt.value, deviceId);
  }

  private tellOwnDevices(conversationId: ConversationId, receipt: Receipt, exceptDeviceId: DeviceId): void {
    this.sockets.tell(
      JSON.stringify({ type: "receipts", conversationId, receipts: [receipt] }),
      Date.now(),
      exceptDeviceId,
    );
  }

  /** Signs a device out, at once and for ever: its sockets close, and its tokens open nothing here any more. */
  revoke(deviceId: DeviceId): void {
    this.store.revokeDevice(deviceId, Date.now());
    this.sockets.closeDevice(deviceId, "signed_out"); // [SO-3]
  }
}
