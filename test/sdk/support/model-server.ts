import { formatCursor, mustWrite, resumeFrom } from "../../../src/domain/changes.ts";
import type { ErrorCode } from "../../../src/protocol/errors.ts";
import { ERRORS } from "../../../src/protocol/errors.ts";
import type { Event } from "../../../src/protocol/events.ts";
import type { Changed, ClientFrame, ServerFrame } from "../../../src/protocol/frames.ts";
import type { ConversationId, DeviceId, UserId } from "../../../src/protocol/ids.ts";
import { ModelConversation, type Sender, type SendFrame } from "./model-conversation.ts";

/** A user's index of changed conversations. */
export type Index = { epoch: string; rows: Map<ConversationId, number>; top: number; handed: number };
type Socket = Sender & { say: (frame: ServerFrame) => void; welcomed: boolean };
type Job = { queue: string; run: () => void };
/** Longer than a frame is ever on the wire. */
const HOLD_MS = 600_000;
/** What goes wrong next: the call is not made, or is made and its answer lost. */
export type Fault = "before" | "after" | null;

/**
 * The server as the contract and the design describe it, in memory. Whatever takes time is a job, run when the test says so: jobs of
 * one queue in order, others in any order.
 */
export class ModelServer {
  readonly conversations = new Map<ConversationId, ModelConversation>();
  readonly indexes = new Map<UserId, Index>();
  readonly sockets = new Map<DeviceId, Socket>();
  /** Taken from the front by each call that can fail. */
  readonly faults: Fault[] = [];
  /** Frames that are refused unread, without their id. */
  refuseUnread = 0;
  now = 0;
  /** Deliveries to inboxes, which a restart does not lose: the conversation's alarm repairs them. */
  #deliveries: Job[] = [];
  #jobs: Job[] = [];
  /** [conversation, device]: the failed wish that newer ones of the device must not overtake. */
  readonly #held = new Map<string, { key: string; until: number }>();
  #epochs = 0;

  get work(): number {
    return this.#jobs.length + this.#deliveries.length;
  }

  pendingDeliveries(id: ConversationId, userId: UserId): boolean {
    return this.#deliveries.some(({ queue }) => queue === `deliver ${id} ${userId}`);
  }

  make(id: ConversationId, maker: UserId, others: UserId[], memberCount: number): ModelConversation {
    const conversation = new ModelConversation(id, maker, others, memberCount);
    this.conversations.set(id, conversation);
    for (const event of conversation.log) this.#publish(conversation, event, null);
    return conversation;
  }

  indexOf(userId: UserId): Index {
    const index = this.indexes.get(userId) ?? this.#newIndex();
    this.indexes.set(userId, index);
    return index;
  }

  #newIndex = (): Index => ({ epoch: `E${this.#epochs++}`, rows: new Map(), top: 0, handed: 0 });

  /** The index is lost and made anew: cursors of the old one mean nothing any more. */
  loseIndex(userId: UserId): void {
    const old = this.indexOf(userId);
    const index = this.#newIndex();
    for (const id of old.rows.keys()) index.rows.set(id, ++index.top);
    this.indexes.set(userId, { ...index, handed: index.top });
    for (const [deviceId, socket] of this.sockets) if (socket.userId === userId) this.sockets.delete(deviceId);
  }

  /** Sockets and whatever was under way are gone; what is durable is not. The receipts of a crowd were held back. */
  restart(): void {
    this.sockets.clear();
    this.#jobs = [];
    this.#held.clear();
    for (const conversation of this.conversations.values()) conversation.forgetHeldBack();
    for (const index of this.indexes.values()) index.handed = index.top;
  }

  changeMember(id: ConversationId, senderId: UserId, userId: UserId): void {
    const conversation = this.conversations.get(id);
    if (!conversation || senderId === userId) return;
    conversation.change(senderId, userId, conversation.isMember(userId) ? "removed" : "added", this.now);
    const event = conversation.log.at(-1);
    if (event) this.#publish(conversation, event, null);
  }

  /** Runs one job: the first of the queue that the n-th waiting job is of. */
  runJob(n: number): void {
    const all = [...this.#jobs, ...this.#deliveries];
    const queue = all[n % all.length]?.queue;
    const job = all.find((other) => other.queue === queue);
    if (!job) return;
    this.#jobs = this.#jobs.filter((other) => other !== job);
    this.#deliveries = this.#deliveries.filter((other) => other !== job);
    job.run();
  }

  connect(sender: Sender, say: (frame: ServerFrame) => void): void {
    this.sockets.set(sender.deviceId, { ...sender, say, welcomed: false });
  }

  receive(deviceId: DeviceId, frame: ClientFrame): void {
    const socket = this.sockets.get(deviceId);
    if (!socket) return;
    if (this.refuseUnread > 0) {
      this.refuseUnread -= 1;
      this.#refuse(socket, undefined, "rate_limited");
    } else if (frame.type === "hello") this.#hello(socket, frame);
    else if (frame.type === "pull") this.#later(socket, `pull ${frame.id}`, () => this.#pull(socket, frame));
    else if (frame.type === "send")
      this.#later(socket, `send ${frame.conversationId}`, () => this.#send(socket, frame));
    else if (frame.type === "receipt") this.#receipt(socket, frame);
  }

  #later(socket: Socket, queue: string, run: () => void): void {
    this.#jobs.push({ queue: `${socket.deviceId} ${queue}`, run: () => run() });
  }

  #refuse(socket: Socket, id: number | undefined, code: ErrorCode): void {
    const { retryable } = ERRORS[code];
    const told = { type: "error" as const, code, detail: "", retryable };
    this.#say(socket, id === undefined ? told : { ...told, id });
  }

  /** An answer to a socket that is gone goes nowhere. */
  #say(socket: Socket, frame: ServerFrame): void {
    if (this.sockets.get(socket.deviceId) === socket) socket.say(frame);
  }

  #hello(socket: Socket, { id, cursor }: Extract<ClientFrame, { type: "hello" }>): void {
    const index = this.indexOf(socket.userId);
    const { mode, from } = resumeFrom(cursor, index);
    const { userId, deviceId } = socket;
    socket.welcomed = true;
    this.#say(socket, {
      type: "welcome",
      ...(id === undefined ? {} : { id }),
      userId,
      deviceId,
      mode,
      serverTime: this.now,
    });
    const { top } = index;
    const listed = [...index.rows].filter(([, position]) => position > from).map(([conversation]) => conversation);
    this.#later(socket, "hello", () => {
      if (listed.length > 0)
        this.#say(socket, { type: "changed", conversations: listed.map((c) => this.#attend(c, userId)) });
      this.#handOut(socket, top);
    });
  }

  #attend(conversationId: ConversationId, userId: UserId): Changed {
    const conversation = this.conversations.get(conversationId);
    if (this.faults.shift() || !conversation) return { conversationId };
    const head = conversation.headFor(userId);
    const stands = { head, floor: 1, readSeq: 0, unread: 0, memberCount: conversation.memberCount };
    const mine = { mentionsPierce: false, pinned: false, archived: false };
    return { conversationId, kind: "group", role: null, ...stands, ...mine };
  }

  /** A live device is told a newer cursor. */
  handOutTo(deviceId: DeviceId): void {
    const socket = this.sockets.get(deviceId);
    const isGreeted = !this.#jobs.some(({ queue }) => queue === `${deviceId} hello`);
    if (socket?.welcomed && isGreeted) this.#handOut(socket, this.indexOf(socket.userId).top);
  }

  #handOut(socket: Socket, position: number): void {
    const index = this.indexOf(socket.userId);
    this.#say(socket, { type: "caught_up", cursor: formatCursor(index.epoch, position) });
    index.handed = Math.max(index.handed, position);
  }

  #pull(socket: Socket, { id, conversationId, after, limit = 200 }: Extract<ClientFrame, { type: "pull" }>): void {
    const conversation = this.conversations.get(conversationId);
    if (this.faults.shift()) this.#refuse(socket, id, "unavailable");
    else if (!conversation?.members.has(socket.userId)) this.#refuse(socket, id, "not_found");
    else {
      const events = conversation.visibleTo(socket.userId, after + 1).slice(0, Math.min(limit, 3));
      const page = { conversationId, events, head: conversation.headFor(socket.userId), floor: 1 };
      // The answer is on its way for a while, and what is told live may overtake it.
      this.#later(socket, `page ${id}`, () =>
        this.#say(socket, { type: "page", ...(id === undefined ? {} : { id }), ...page }),
      );
    }
  }

  #send(socket: Socket, frame: SendFrame): void {
    const lane = `${frame.conversationId} ${socket.deviceId}`;
    const held = this.#held.get(lane);
    const overtakes = held !== undefined && frame.idempotencyKey > held.key && this.now < held.until;
    const fault = overtakes ? "before" : (this.faults.shift() ?? null);
    if (fault !== "before") this.#append(socket, frame, fault === "after");
    if (!overtakes) this.#held.delete(lane);
    if (fault === null) return;
    if (!overtakes) this.#held.set(lane, { key: frame.idempotencyKey, until: this.now + HOLD_MS });
    this.#refuse(socket, frame.id, "unavailable");
  }

  #append(socket: Socket, { id, ...frame }: SendFrame, silently: boolean): void {
    const { userId, deviceId } = socket;
    const conversation = this.conversations.get(frame.conversationId);
    const answer: ReturnType<ModelConversation["append"]> = conversation?.append(
      { userId, deviceId },
      frame,
      this.now,
    ) ?? { code: "not_found" };
    // A reply that was lost told nobody: then the device that sent it is told like any other.
    if ("event" in answer && !answer.duplicate && conversation)
      this.#publish(conversation, answer.event, silently ? null : deviceId);
    if (!silently) this.#answer(socket, id, answer);
  }

  #answer(socket: Socket, id: number | undefined, answer: ReturnType<ModelConversation["append"]>): void {
    if ("code" in answer) {
      this.#refuse(socket, id, answer.code);
      return;
    }
    const { conversationId, seq, eventId, receivedAt, occurredAt } = answer.event;
    const ack = { conversationId, seq, eventId, receivedAt, occurredAt, duplicate: answer.duplicate };
    this.#say(socket, { type: "ack", ...(id === undefined ? {} : { id }), ...ack });
  }

  /** Brings an event to the inboxes of those who may see it; the device that sent it learns of it from the ack. */
  #publish(conversation: ModelConversation, event: Event, except: DeviceId | null): void {
    for (const userId of conversation.members.keys()) {
      if (conversation.visibleTo(userId, event.seq, event.seq).length === 0) continue;
      const queue = `deliver ${conversation.id} ${userId}`;
      this.#deliveries.push({ queue, run: () => this.#deliver(conversation.id, userId, event, except) });
    }
  }

  #deliver(conversationId: ConversationId, userId: UserId, event: Event, except: DeviceId | null): void {
    // A long delivery carries its newest events only: the device sees a gap.
    if (this.pendingDeliveries(conversationId, userId) && this.faults.shift()) return;
    const index = this.indexOf(userId);
    if (mustWrite(index.rows.get(conversationId), index.handed)) index.rows.set(conversationId, ++index.top);
    for (const socket of this.sockets.values()) {
      const wants = socket.userId === userId && socket.welcomed && socket.deviceId !== except;
      if (wants) this.#say(socket, { type: "events", conversationId, events: [event] });
    }
  }

  #receipt(socket: Socket, { conversationId, delivered = 0 }: Extract<ClientFrame, { type: "receipt" }>): void {
    const watermarks = this.conversations.get(conversationId)?.delivered;
    watermarks?.set(socket.userId, Math.max(delivered, watermarks.get(socket.userId) ?? 0));
  }
}
