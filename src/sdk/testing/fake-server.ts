import type { Event } from "../../protocol/events.ts";
import type { ClientFrame, ServerFrame } from "../../protocol/frames.ts";
import type { ConversationId, DeviceId, UserId } from "../../protocol/ids.ts";
import type { Presence } from "../../protocol/states.ts";
import type { Fetch, WebSocketClass } from "../client/api.ts";
import type { DoorName, ErrorCode } from "../client/wire.ts";
import { FakeConversation, type Sender } from "./fake-conversation.ts";
import { answerDoor } from "./fake-doors.ts";
import { FakeFaults, type Refusable } from "./fake-faults.ts";
import { FakeFrames } from "./fake-frames.ts";
import { FakeMedia } from "./fake-media.ts";
import { FakePeople } from "./fake-people.ts";
import { FakeSocket } from "./fake-socket.ts";

/** A server in memory, real enough for the tests of an app: people talk, and whatever goes wrong does so when a test says it. */
export class FakeServer {
  readonly url = "http://fake.edgewise.test";
  readonly people = new FakePeople();
  readonly media = new FakeMedia();
  readonly conversations = new Map<ConversationId, FakeConversation>();
  readonly #sockets = new Set<FakeSocket>();
  /** [user]: at which position each conversation changed last. */
  readonly #index = new Map<UserId, Map<ConversationId, number>>();
  readonly faults = new FakeFaults();
  readonly #frames = new FakeFrames(this);
  #position = 0;
  #epoch = 0;
  #isUp = true;

  /** For `createClient`. */
  get options(): { url: string; fetch: Fetch; WebSocket: WebSocketClass } {
    const accepts = {
      open: (socket: FakeSocket, token: string) => this.#open(socket, token),
      hear: (socket: FakeSocket, frame: ClientFrame) => this.#frames.hear(socket, frame),
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
      const path = url.slice(this.url.length);
      const stored = this.media.answer(path, init);
      if (stored) return stored;
      const answer = answerDoor(this, path, init);
      if (answer.door !== null && this.faults.takeLost(answer.door)) throw new TypeError("fetch failed");
      return answer.response;
    };
    return { url: this.url, fetch, WebSocket: Socket as unknown as WebSocketClass };
  }

  // --- what a test does ---

  /** The next one is refused with this code, and does nothing. */
  refuseNext(what: Refusable, code: ErrorCode, retryAfterMs?: number): void {
    this.faults.refuse(what, { code, retryAfterMs });
  }

  /** All sockets, or those of one person, go without a word. */
  cut(handle?: string): void {
    this.close(1006, handle);
  }

  /** The next time that it would say this, the socket goes instead: what it answers was done, and nobody is told. */
  cutBefore(frame: ServerFrame["type"]): void {
    this.faults.cutBefore(frame);
  }

  loseNext(door: DoorName): void {
    this.faults.lose(door);
  }

  cutExport(afterLines: number, ends = false): void {
    this.faults.cutExport({ afterLines, ends });
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
      for (const socket of this.welcomeOf(userId)) {
        if (socket.sender?.deviceId !== from) this.say(socket, frame);
        this.say(socket, { type: "caught_up", cursor: this.cursor() as never });
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
    for (const socket of this.welcomeOf(userId)) this.say(socket, frame);
  }

  /** Another device of the same person is told. */
  tellSelf(userId: UserId, from: DeviceId, frame: Extract<ServerFrame, { type: "self" }>): void {
    for (const socket of this.welcomeOf(userId)) if (socket.sender?.deviceId !== from) this.say(socket, frame);
  }

  /** Both hear at once that their contacts have changed. */
  tellContacts(...userIds: UserId[]): void {
    const frame = { type: "self", contactsVersion: ++this.people.contactsVersion } as const;
    for (const userId of userIds) for (const socket of this.welcomeOf(userId)) this.say(socket, frame);
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
    this.#sockets.add(socket);
    return { userId, deviceId };
  }

  /** Those of its device that were opened before, or have spoken, are replaced when it says hello. */
  replaceOthers(speaking: FakeSocket): void {
    const all = [...this.#sockets].filter(({ sender }) => sender?.deviceId === speaking.sender?.deviceId);
    const isOlder = (socket: FakeSocket) => all.indexOf(socket) < all.indexOf(speaking);
    for (const socket of all) if (socket !== speaking && (socket.isWelcome || isOlder(socket))) socket.vanish(4002);
  }

  #closed(socket: FakeSocket): void {
    this.#sockets.delete(socket);
    if (socket.sender) this.tellPresence(socket.sender.userId);
  }

  say(socket: FakeSocket, frame: ServerFrame): void {
    if (this.faults.takesSocket(frame.type)) socket.vanish();
    else socket.say(frame);
  }

  cursor = (): string => `${this.#epoch}.${this.#position}`;

  /** What lies past a cursor; one that means nothing any more is as good as none. */
  sinceCursor(userId: UserId, cursor: string | null): { mode: "resume" | "reset"; changed: FakeConversation[] } {
    const [epoch, position] = (cursor ?? `${this.#epoch}.0`).split(".").map(Number);
    const mode = epoch === this.#epoch ? "resume" : "reset";
    const from = mode === "resume" ? (position ?? 0) : 0;
    const listed = [...(this.#index.get(userId) ?? [])].filter(([, at]) => at > from);
    return { mode, changed: listed.flatMap(([id]) => this.conversations.get(id) ?? []) };
  }

  presence(userId: UserId): Presence {
    const isOnline = this.welcomeOf(userId).some(({ background }) => !background);
    return { userId, state: isOnline ? "online" : "offline" };
  }

  tellPresence(userId: UserId): void {
    for (const socket of this.#sockets)
      if (socket.watching.includes(userId)) this.say(socket, { type: "presence", users: [this.presence(userId)] });
  }

  welcomeOf(userId: UserId): FakeSocket[] {
    return [...this.#sockets].filter(({ sender, isWelcome }) => isWelcome && sender?.userId === userId);
  }
}
