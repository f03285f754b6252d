import { type Holds, holdAt, mayPass, refuseAt, releaseAt } from "../../domain/lane.ts";
import type { Event } from "../../protocol/events.ts";
import type { ClientFrame, ServerFrame } from "../../protocol/frames.ts";
import type { ConversationId, DeviceId, UserId } from "../../protocol/ids.ts";
import type { Presence } from "../../protocol/states.ts";
import type { Fetch, WebSocketClass } from "../client/api.ts";
import { isRetryable } from "../client/errors.ts";
import type { DoorName, ErrorCode } from "../client/wire.ts";
import { FakeConversation, type Sender } from "./fake-conversation.ts";
import { answerDoor } from "./fake-doors.ts";
import { FakePeople } from "./fake-people.ts";
import { FakeSocket } from "./fake-socket.ts";

/** A page of a pull, so that tests see more than one. */
const PAGE = 100;

type Frame<T extends ClientFrame["type"]> = Extract<ClientFrame, { type: T }>;
type Refusal = { code: ErrorCode; retryAfterMs: number | undefined };
/** Where an export breaks off, and whether it looks as if it had ended there. */
export type Cut = { readonly afterLines: number; readonly ends: boolean };
/** What can be refused: a door, or a frame that is answered. */
export type Refusable = DoorName | "hello" | "pull" | "watch";

/** A server in memory, real enough for the tests of an app: people talk, and whatever goes wrong does so when a test says it. */
export class FakeServer {
  readonly url = "http://fake.edgewise.test";
  readonly people = new FakePeople();
  readonly conversations = new Map<ConversationId, FakeConversation>();
  readonly #sockets = new Set<FakeSocket>();
  /** [user]: at which position each conversation changed last. */
  readonly #index = new Map<UserId, Map<ConversationId, number>>();
  /** What was refused for now, and must come again before anything newer of its device. [SD-2] */
  readonly #holds = new Map<ConversationId, Holds>();
  readonly #refusals = new Map<Refusable, Refusal[]>();
  readonly #lost: DoorName[] = [];
  readonly #cutExports: Cut[] = [];
  #cutBefore: ServerFrame["type"] | null = null;
  #position = 0;
  #epoch = 0;
  #isUp = true;

  /** For `createClient`. */
  get options(): { url: string; fetch: Fetch; WebSocket: WebSocketClass } {
    const accepts = {
      open: (socket: FakeSocket, token: string) => this.#open(socket, token),
      hear: (socket: FakeSocket, frame: ClientFrame) => this.#hear(socket, frame),
      closed: (socket: FakeSocket) => this.#closed(socket),
    };
    class Socket extends FakeSocket {
      constructor(_: string, protocols: string[]) {
        super(accepts, protocols);
      }
    }
    const fetch: Fetch = async (url, init = {}) => {
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (!this.#isUp) throw new TypeError("fetch failed");
      const answer = answerDoor(this, url.slice(this.url.length), init);
      if (answer.door !== null && this.#takeLost(answer.door)) throw new TypeError("fetch failed");
      return answer.response;
    };
    return { url: this.url, fetch, WebSocket: Socket as unknown as WebSocketClass };
  }

  // --- what a test does ---

  /** The next one is refused with this code, and does nothing. */
  refuseNext(what: Refusable, code: ErrorCode, retryAfterMs?: number): void {
    this.#refusals.set(what, [...(this.#refusals.get(what) ?? []), { code, retryAfterMs }]);
  }

  /** All sockets, or those of one person, go without a word. */
  cut(handle?: string): void {
    this.close(1006, handle);
  }

  /** The next time that it would say this, the socket goes instead: what it answers was done, and nobody is told. */
  cutBefore(frame: ServerFrame["type"]): void {
    this.#cutBefore = frame;
  }

  loseNext(door: DoorName): void {
    this.#lost.push(door);
  }

  cutExport(afterLines: number, ends = false): void {
    this.#cutExports.push({ afterLines, ends });
  }

  /** Closes sockets with a code of the contract: 4001 signed out, 4002 replaced, 4003 token expired … */
  close(code: number, handle?: string): void {
    const userId = handle === undefined ? undefined : this.people.byHandle(handle)?.userId;
    for (const socket of [...this.#sockets])
      if (handle === undefined || socket.sender?.userId === userId) socket.vanish(code);
  }

  /** Access tokens that were given out so far are taken no more. */
  expireTokens(): void {
    for (const device of this.people.devices.values()) device.accessFrom = device.generation + 1;
  }

  /** Answers nobody until `start`. */
  stop(): void {
    this.#isUp = false;
    this.cut();
  }

  start(): void {
    this.#isUp = true;
  }

  /** Every cursor that was given out means nothing any more. */
  loseCursors(): void {
    this.#epoch += 1;
  }

  log(conversationId: string): readonly Event[] {
    return this.conversations.get(conversationId as ConversationId)?.log ?? [];
  }

  // --- what the doors do ---

  /** The refusal that a test asked for. */
  takeRefusal(what: Refusable): Refusal | undefined {
    return this.#refusals.get(what)?.shift();
  }

  takeCut(): Cut | undefined {
    return this.#cutExports.shift();
  }

  #takeLost(door: DoorName): boolean {
    const i = this.#lost.indexOf(door);
    if (i >= 0) this.#lost.splice(i, 1);
    return i >= 0;
  }

  make(
    id: ConversationId,
    kind: "direct" | "group",
    makerId: UserId,
    memberIds: readonly UserId[],
    now: number,
  ): FakeConversation {
    const conversation = new FakeConversation(id, kind, now);
    this.conversations.set(id, conversation);
    const roles = kind === "group" ? ({ [makerId]: "admin" } as Record<string, "admin">) : {};
    for (const userId of new Set([makerId, ...memberIds])) {
      const change = { kind: "member", userId, change: "added", role: roles[userId] ?? "member" } as const;
      this.publish(conversation, conversation.change(makerId, change, now), null);
    }
    return conversation;
  }

  /** Tells everybody who may see it, but for the device that it came from: that one has the ack. */
  publish(conversation: FakeConversation, event: Event, from: DeviceId | null): void {
    for (const userId of conversation.members.keys()) {
      if (!conversation.visibleTo(userId).some(({ seq }) => seq === event.seq)) continue;
      this.touch(userId, conversation.id);
      const frame: ServerFrame = { type: "events", conversationId: conversation.id, events: [event] };
      for (const socket of this.#welcomeOf(userId)) {
        if (socket.sender?.deviceId !== from) this.#say(socket, frame);
        this.#say(socket, { type: "caught_up", cursor: this.#cursor() as never });
      }
    }
  }

  touch(userId: UserId, id: ConversationId): void {
    const rows = this.#index.get(userId) ?? new Map<ConversationId, number>();
    this.#index.set(userId, rows.set(id, ++this.#position));
  }

  /** All devices of a person are told how a conversation stands for them. */
  tellChanged(userId: UserId, conversation: FakeConversation): void {
    this.touch(userId, conversation.id);
    const frame: ServerFrame = { type: "changed", conversations: [conversation.summaryFor(userId)] };
    for (const socket of this.#welcomeOf(userId)) this.#say(socket, frame);
  }

  /** Another device of the same person is told. */
  tellSelf(userId: UserId, from: DeviceId, frame: Extract<ServerFrame, { type: "self" }>): void {
    for (const socket of this.#welcomeOf(userId)) if (socket.sender?.deviceId !== from) this.#say(socket, frame);
  }

  /** Both hear at once that their contacts have changed. */
  tellContacts(...userIds: UserId[]): void {
    const frame = { type: "self", contactsVersion: ++this.people.contactsVersion } as const;
    for (const userId of userIds) for (const socket of this.#welcomeOf(userId)) this.#say(socket, frame);
  }

  endDevice(deviceId: DeviceId): void {
    this.people.devices.delete(deviceId);
    for (const socket of [...this.#sockets]) if (socket.sender?.deviceId === deviceId) socket.vanish(4001);
  }

  /** Everything of theirs goes, for ever; what others wrote stays. */
  erase(userId: UserId, now: number): void {
    for (const conversation of this.conversations.values()) {
      if (!conversation.members.has(userId)) continue;
      conversation.bury(userId);
      const change = { kind: "member", userId, change: "left", erased: true } as const;
      this.publish(conversation, conversation.change(userId, change, now), null);
    }
    const devices = this.people.erase(userId);
    for (const deviceId of devices) this.endDevice(deviceId);
  }

  // --- the socket ---

  #open(socket: FakeSocket, token: string): Sender | null {
    const known = this.people.whose(token);
    if (!this.#isUp || !known || known.generation < known.device.accessFrom) return null;
    const { userId, deviceId } = known.device;
    for (const older of [...this.#sockets]) if (older.sender?.deviceId === deviceId) older.vanish(4002);
    this.#sockets.add(socket);
    return { userId, deviceId };
  }

  #closed(socket: FakeSocket): void {
    this.#sockets.delete(socket);
    if (socket.sender) this.#tellPresence(socket.sender.userId);
  }

  #say(socket: FakeSocket, frame: ServerFrame): void {
    if (this.#cutBefore === frame.type) {
      this.#cutBefore = null;
      socket.vanish();
    } else socket.say(frame);
  }

  #hear(socket: FakeSocket, frame: ClientFrame): void {
    const { sender } = socket;
    if (!sender) return;
    const refusal = this.#refusalOf(sender, frame);
    if (refusal) this.#refuse(socket, frame, refusal);
    else if (frame.type === "hello") this.#hello(socket, sender, frame);
    else if (!socket.isWelcome) this.#refuse(socket, frame, { code: "hello_required", retryAfterMs: undefined });
    else if (frame.type === "send") this.#send(socket, sender, frame);
    else if (frame.type === "pull") this.#pull(socket, sender, frame);
    else if (frame.type === "receipt") this.#receipt(sender, frame);
    else if (frame.type === "typing") this.#typing(sender, frame);
    else if (frame.type === "watch") this.#watch(socket, frame);
  }

  #refusalOf({ deviceId }: Sender, frame: ClientFrame): Refusal | undefined {
    const wanted = this.takeRefusal(frame.type as Refusable);
    if (frame.type !== "send") return wanted;
    const { conversationId, idempotencyKey } = frame;
    const [wish, now] = [{ deviceId, idempotencyKey }, Date.now()];
    const holds: Holds = this.#holds.get(conversationId) ?? new Map();
    if (!mayPass(holds, wish, now)) {
      this.#holds.set(conversationId, refuseAt(holds, wish, now));
      return wanted ?? { code: "unavailable", retryAfterMs: undefined };
    }
    const isOpen = wanted !== undefined && isRetryable(wanted.code);
    this.#holds.set(conversationId, isOpen ? holdAt(holds, [wish], now) : releaseAt(holds, wish));
    return wanted;
  }

  #refuse(socket: FakeSocket, { id }: ClientFrame, { code, retryAfterMs }: Refusal): void {
    const after = retryAfterMs === undefined ? {} : { retryAfterMs };
    const retryable = isRetryable(code);
    this.#say(socket, {
      type: "error",
      ...(id === undefined ? {} : { id }),
      code,
      detail: "a test wants it so",
      retryable,
      ...after,
    });
  }

  #cursor = (): string => `${this.#epoch}.${this.#position}`;

  #hello(socket: FakeSocket, { userId, deviceId }: Sender, { id, cursor, background }: Frame<"hello">): void {
    const [epoch, position] = (cursor ?? `${this.#epoch}.0`).split(".").map(Number);
    const mode = epoch === this.#epoch ? "resume" : "reset";
    const named = id === undefined ? {} : { id };
    socket.isWelcome = true;
    socket.background = background ?? false;
    this.#say(socket, { type: "welcome", ...named, userId, deviceId, mode, serverTime: Date.now() });
    const from = mode === "resume" ? (position ?? 0) : 0;
    const listed = [...(this.#index.get(userId) ?? [])].filter(([, at]) => at > from);
    const conversations = listed.flatMap(
      ([conversationId]) => this.conversations.get(conversationId)?.summaryFor(userId) ?? [],
    );
    if (conversations.length > 0) this.#say(socket, { type: "changed", conversations });
    this.#say(socket, { type: "caught_up", cursor: this.#cursor() as never });
    this.#tellPresence(userId);
  }

  #send(socket: FakeSocket, sender: Sender, frame: Frame<"send">): void {
    const conversation = this.conversations.get(frame.conversationId);
    const answer = conversation?.append(sender, frame, Date.now()) ?? ({ ok: false, code: "not_found" } as const);
    if (!answer.ok) {
      this.#refuse(socket, frame, { code: answer.code, retryAfterMs: undefined });
      return;
    }
    const { ack, event } = answer.value;
    this.#say(socket, { type: "ack", ...(frame.id === undefined ? {} : { id: frame.id }), ...ack });
    if (event && conversation) this.publish(conversation, event, sender.deviceId);
  }

  #pull(socket: FakeSocket, { userId }: Sender, { id, conversationId, after, limit = PAGE }: Frame<"pull">): void {
    const conversation = this.conversations.get(conversationId);
    if (!conversation?.members.has(userId)) {
      this.#refuse(socket, { type: "pull", id, conversationId, after }, { code: "not_found", retryAfterMs: undefined });
      return;
    }
    const events = conversation.visibleTo(userId).filter(({ seq }) => seq > after);
    const page = {
      conversationId,
      events: events.slice(0, Math.min(limit, PAGE)),
      head: conversation.headFor(userId),
      floor: 1,
    };
    this.#say(socket, { type: "page", ...(id === undefined ? {} : { id }), ...page });
  }

  #receipt({ userId, deviceId }: Sender, { conversationId, delivered = 0, read = 0 }: Frame<"receipt">): void {
    const conversation = this.conversations.get(conversationId);
    if (!conversation?.receive(userId, { delivered, read })) return;
    const receipts = [{ userId, ...conversation.marksOf(userId), at: Date.now() }];
    for (const member of conversation.currentMembers())
      for (const socket of this.#welcomeOf(member.userId))
        if (member.userId !== userId)
          this.#say(socket, {
            type: "receipts",
            conversationId,
            receipts,
            ticks: conversation.ticksFor(member.userId),
          });
    if (read > 0) {
      const told = {
        conversationId,
        readSeq: conversation.marksOf(userId).read,
        unread: conversation.unreadFor(userId),
      };
      this.tellSelf(userId, deviceId, { type: "self", conversations: [told] });
    }
  }

  #typing({ userId }: Sender, { conversationId, active }: Frame<"typing">): void {
    for (const member of this.conversations.get(conversationId)?.currentMembers() ?? [])
      for (const socket of this.#welcomeOf(member.userId))
        if (member.userId !== userId) this.#say(socket, { type: "typing", conversationId, userId, active });
  }

  #watch(socket: FakeSocket, { id, userIds }: Frame<"watch">): void {
    socket.watching = userIds;
    const users = userIds.map((userId) => this.#presence(userId));
    this.#say(socket, { type: "presence", ...(id === undefined ? {} : { id }), users });
  }

  #presence(userId: UserId): Presence {
    const isOnline = this.#welcomeOf(userId).some(({ background }) => !background);
    return { userId, state: isOnline ? "online" : "offline" };
  }

  #tellPresence(userId: UserId): void {
    for (const socket of this.#sockets)
      if (socket.watching.includes(userId)) this.#say(socket, { type: "presence", users: [this.#presence(userId)] });
  }

  #welcomeOf(userId: UserId): FakeSocket[] {
    return [...this.#sockets].filter(({ sender, isWelcome }) => isWelcome && sender?.userId === userId);
  }
}
