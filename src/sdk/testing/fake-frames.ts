import type { ClientFrame } from "../../protocol/frames.ts";
import { isRetryable } from "../client/errors.ts";
import type { Sender } from "./fake-conversation.ts";
import type { Refusal } from "./fake-faults.ts";
import type { FakeServer } from "./fake-server.ts";
import type { FakeSocket } from "./fake-socket.ts";

/** A page of a pull, so that tests see more than one. */
const PAGE = 100;

type Frame<T extends ClientFrame["type"]> = Extract<ClientFrame, { type: T }>;

/** What the fake server does with the frames that it hears. */
export class FakeFrames {
  readonly #server: FakeServer;

  constructor(server: FakeServer) {
    this.#server = server;
  }

  hear(socket: FakeSocket, frame: ClientFrame): void {
    const { sender } = socket;
    if (!sender) return;
    const refusal = this.#server.faults.refusalOf(sender.deviceId, frame);
    if (refusal) this.#refuse(socket, frame, refusal);
    else if (frame.type === "hello") this.#hello(socket, sender, frame);
    else if (!socket.isWelcome) this.#refuse(socket, frame, { code: "hello_required", retryAfterMs: undefined });
    else if (frame.type === "send") this.#send(socket, sender, frame);
    else if (frame.type === "pull") this.#pull(socket, sender, frame);
    else if (frame.type === "receipt") this.#receipt(sender, frame);
    else if (frame.type === "typing") this.#typing(sender, frame);
    else if (frame.type === "watch") this.#watch(socket, frame);
  }

  #refuse(socket: FakeSocket, { id }: ClientFrame, { code, retryAfterMs }: Refusal): void {
    const after = retryAfterMs === undefined ? {} : { retryAfterMs };
    const retryable = isRetryable(code);
    this.#server.say(socket, {
      type: "error",
      ...(id === undefined ? {} : { id }),
      code,
      detail: "a test wants it so",
      retryable,
      ...after,
    });
  }

  #hello(socket: FakeSocket, { userId, deviceId }: Sender, { id, cursor, background }: Frame<"hello">): void {
    const { mode, changed } = this.#server.sinceCursor(userId, cursor);
    const named = id === undefined ? {} : { id };
    this.#server.replaceOthers(socket);
    socket.isWelcome = true;
    socket.background = background ?? false;
    this.#server.say(socket, { type: "welcome", ...named, userId, deviceId, mode, serverTime: Date.now() });
    const conversations = changed.map((conversation) => conversation.summaryFor(userId));
    if (conversations.length > 0) this.#server.say(socket, { type: "changed", conversations });
    this.#server.say(socket, { type: "caught_up", cursor: this.#server.cursor() as never });
    this.#server.tellPresence(userId);
  }

  #send(socket: FakeSocket, sender: Sender, frame: Frame<"send">): void {
    const conversation = this.#server.conversations.get(frame.conversationId);
    const answer = conversation?.append(sender, frame, Date.now()) ?? ({ ok: false, code: "not_found" } as const);
    if (!answer.ok) {
      this.#refuse(socket, frame, { code: answer.code, retryAfterMs: undefined });
      return;
    }
    const { ack, event } = answer.value;
    this.#server.say(socket, { type: "ack", ...(frame.id === undefined ? {} : { id: frame.id }), ...ack });
    if (event && conversation) this.#server.publish(conversation, event, sender.deviceId);
  }

  #pull(socket: FakeSocket, { userId }: Sender, { id, conversationId, after, limit = PAGE }: Frame<"pull">): void {
    const conversation = this.#server.conversations.get(conversationId);
    if (!conversation?.members.has(userId)) {
      this.#refuse(socket, { type: "pull", id, conversationId, after }, { code: "not_found", retryAfterMs: undefined });
      return;
    }
    const events = conversation.visibleTo(userId).filter(({ seq }) => seq > after);
    const page = {
      conversationId,
      events: events.slice(0, Math.min(limit, PAGE)),
      head: conversation.headFor(userId),
      floor: conversation.floorFor(userId),
    };
    this.#server.say(socket, { type: "page", ...(id === undefined ? {} : { id }), ...page });
  }

  #receipt({ userId, deviceId }: Sender, { conversationId, delivered = 0, read = 0 }: Frame<"receipt">): void {
    const conversation = this.#server.conversations.get(conversationId);
    if (!conversation?.receive(userId, { delivered, read })) return;
    const receipts = [{ userId, ...conversation.marksOf(userId), at: Date.now() }];
    for (const member of conversation.currentMembers())
      for (const socket of this.#server.welcomeOf(member.userId))
        if (member.userId !== userId)
          this.#server.say(socket, {
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
      this.#server.tellSelf(userId, deviceId, { type: "self", conversations: [told] });
    }
  }

  #typing({ userId }: Sender, { conversationId, active }: Frame<"typing">): void {
    for (const member of this.#server.conversations.get(conversationId)?.currentMembers() ?? [])
      for (const socket of this.#server.welcomeOf(member.userId))
        if (member.userId !== userId) this.#server.say(socket, { type: "typing", conversationId, userId, active });
  }

  #watch(socket: FakeSocket, { id, userIds }: Frame<"watch">): void {
    socket.watching = userIds;
    const users = userIds.map((userId) => this.#server.presence(userId));
    this.#server.say(socket, { type: "presence", ...(id === undefined ? {} : { id }), users });
  }
}
