import { env } from "cloudflare:workers";
import { monotonicFactory, ulid } from "ulid";
import { expect, vi } from "vitest";
import { textOf } from "../../src/domain/life.ts";
import type { ReceiptRequest, Visit } from "../../src/objects/rpc.ts";
import { directId } from "../../src/platform/conversation-ids.ts";
import type { Env } from "../../src/platform/env.ts";
import { upgradeFor } from "../../src/platform/socket-caller.ts";
import { conversationOf, inboxOf } from "../../src/platform/stubs.ts";
import type { ClientFrame } from "../../src/protocol/frames.ts";
import { PONG, ServerFrame } from "../../src/protocol/frames.ts";
import { ConversationId, DeviceId, IdempotencyKey, UserId } from "../../src/protocol/ids.ts";

export const bindings = env as unknown as Env;
export const newUserId = () => UserId.parse(ulid());
export const newDeviceId = () => DeviceId.parse(ulid());
const mint = monotonicFactory();
export const newKey = () => IdempotencyKey.parse(mint());
export const conversation = (id: ConversationId) => conversationOf(bindings, id);
export const inbox = (id: UserId) => inboxOf(bindings, id);
export const text = (words: string) => ({ kind: "message" as const, content: { type: "text" as const, text: words } });

/** The privacy of somebody who has chosen nothing. */
export const OPEN = {
  lastSeen: "everyone",
  readReceipts: "everyone",
  conversations: "everyone",
  findable: "everyone",
  picture: "everyone",
} as const;

/** A user with one device who looks. */
export const VISIT: Visit = { devices: 1, held: null };
export const read = (seq: number): ReceiptRequest => ({ marks: { read: seq }, shows: "everyone" });

let calls = 0;
export const nextCall = () => ++calls;

/** A wish as the inbox hands it to a conversation. */
export const command = (userId: UserId, deviceId: DeviceId, words: string, idempotencyKey = newKey()) => {
  const now = Date.now();
  return { userId, deviceId, idempotencyKey, composedAt: now, sentAt: now, event: text(words) };
};

export async function openDirect(): Promise<{ alice: UserId; bob: UserId; id: ConversationId }> {
  const [alice, bob] = [newUserId(), newUserId()];
  const id = await directId(alice, bob);
  expect(await conversation(id).open(id, { kind: "direct", memberIds: [alice, bob] })).toMatchObject({ ok: true });
  return { alice, bob, id };
}

export async function openGroup(size: number): Promise<{ maker: UserId; members: UserId[]; id: ConversationId }> {
  const [maker, ...memberIds] = Array.from({ length: size }, newUserId) as [UserId, ...UserId[]];
  const id = ConversationId.parse(`g${ulid()}`);
  await conversation(id).open(id, { kind: "group", makerId: maker, memberIds, title: "Group", fingerprint: "f" });
  return { maker, members: [maker, ...memberIds], id };
}

/** Waits for what is to come; as long as a busy machine may take. */
export const until = (condition: () => unknown) => vi.waitUntil(condition, { timeout: 60_000, interval: 5 });

/** A device's socket into its inbox: what it was sent, in order. */
export class TestSocket {
  readonly frames: ServerFrame[] = [];
  pongs = 0;
  closed: number | undefined;
  readonly socket: WebSocket;
  private frameId = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (data === PONG) this.pongs++;
      else this.frames.push(ServerFrame.parse(JSON.parse(data as string)));
    });
    socket.addEventListener("close", ({ code }) => {
      this.closed = code;
    });
    socket.accept();
  }

  static async open(userId: UserId, deviceId: DeviceId, expiresAt = Date.now() + 3_600_000): Promise<TestSocket> {
    const response = await inbox(userId).fetch(upgradeFor({ userId, deviceId, expiresAt, subprotocol: true }));
    return new TestSocket(response.webSocket as WebSocket);
  }

  /** Open, and caught up from `cursor`. */
  static async caughtUp(userId: UserId, deviceId: DeviceId, cursor: string | null = null): Promise<TestSocket> {
    const socket = await TestSocket.open(userId, deviceId);
    socket.send({ type: "hello", version: 1, cursor });
    await socket.waitFor("caught_up");
    return socket;
  }

  send(frame: ClientFrame): void {
    this.socket.send(JSON.stringify(frame));
  }

  of<T extends ServerFrame["type"]>(type: T): Extract<ServerFrame, { type: T }>[] {
    return this.frames.filter((f): f is Extract<ServerFrame, { type: T }> => f.type === type);
  }

  async waitFor<T extends ServerFrame["type"]>(type: T, count = 1): Promise<Extract<ServerFrame, { type: T }>> {
    await until(() => this.of(type).length >= count);
    return this.of(type)[count - 1] as Extract<ServerFrame, { type: T }>;
  }

  /** Sends a request frame and awaits its one answer. */
  async ask(frame: ClientFrame): Promise<ServerFrame> {
    const id = ++this.frameId;
    this.send({ ...frame, id });
    const answer = () => this.frames.find((f) => "id" in f && f.id === id);
    await until(answer);
    return answer() as ServerFrame;
  }

  async say(conversationId: ConversationId, words: string, idempotencyKey = newKey()): Promise<ServerFrame> {
    const now = Date.now();
    return this.ask({ type: "send", conversationId, idempotencyKey, composedAt: now, sentAt: now, event: text(words) });
  }

  get texts(): string[] {
    return this.of("events").flatMap((f) =>
      f.events.map((e) => (e.kind === "message" ? (textOf(e.content) ?? e.content.type) : e.kind)),
    );
  }

  get cursor(): string {
    return this.of("caught_up").at(-1)?.cursor as string;
  }
}
