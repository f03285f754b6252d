/**
 * The ceiling: one conversation object that inserts one row, one RPC to an inbox object that writes to a hibernating socket, nothing
 * else. No accounts, no schemas, no index, no receipts, no idempotency, no repair. The frames have the shape of the real ones, so that
 * one load generator drives both; the token is the user's id. What the real server costs above this is what its promises cost.
 */
import { DurableObject } from "cloudflare:workers";

type Env = { CONVERSATIONS: DurableObjectNamespace<Conversation>; INBOXES: DurableObjectNamespace<Inbox> };
type Frame = {
  type: "hello" | "send" | "pull";
  id: number;
  conversationId: string;
  after: number;
  idempotencyKey: string;
  composedAt: number;
  sentAt: number;
  event: object;
};
type Position = { seq: number; receivedAt: number };

export class Conversation extends DurableObject<Env> {
  #inboxes = new Map<string, DurableObjectStub<Inbox>>();
  #head: number;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)");
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS members (user_id TEXT PRIMARY KEY) WITHOUT ROWID");
    this.#head = Number(ctx.storage.sql.exec("SELECT coalesce(max(seq), 0) AS head FROM events").one().head);
    for (const { user_id } of ctx.storage.sql.exec("SELECT user_id FROM members")) this.#know(String(user_id));
  }

  #know(userId: string): void {
    this.#inboxes.set(userId, this.env.INBOXES.getByName(userId));
  }

  join(userIds: string[]): void {
    for (const userId of userIds) {
      this.ctx.storage.sql.exec("INSERT OR IGNORE INTO members VALUES (?)", userId);
      this.#know(userId);
    }
  }

  append(senderId: string, frame: Frame): Position {
    const { conversationId, idempotencyKey, composedAt, sentAt, event } = frame;
    const receivedAt = Date.now();
    const seq = ++this.#head;
    const body = JSON.stringify({
      conversationId,
      seq,
      senderId,
      idempotencyKey,
      composedAt,
      sentAt,
      receivedAt,
      ...event,
    });
    this.ctx.storage.sql.exec("INSERT INTO events VALUES (?, ?)", seq, body);
    const text = `{"type":"events","conversationId":"${conversationId}","events":[${body}]}`;
    for (const [userId, inbox] of this.#inboxes) if (userId !== senderId) this.ctx.waitUntil(inbox.deliver(text));
    return { seq, receivedAt };
  }

  read(after: number): string {
    const rows = this.ctx.storage.sql.exec("SELECT body FROM events WHERE seq > ? ORDER BY seq LIMIT 1000", after);
    return `"events":[${Array.from(rows, (row) => row.body).join()}],"head":${this.#head},"floor":1`;
  }
}

export class Inbox extends DurableObject<Env> {
  #conversations = new Map<string, DurableObjectStub<Conversation>>();

  #conversation(id: string): DurableObjectStub<Conversation> {
    const known = this.#conversations.get(id) ?? this.env.CONVERSATIONS.getByName(id);
    this.#conversations.set(id, known);
    return known;
  }

  override fetch(request: Request): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [new URL(request.url).searchParams.get("user") ?? ""]);
    return new Response(null, { status: 101, webSocket: client, headers: { "sec-websocket-protocol": "edgewise.v1" } });
  }

  deliver(text: string): void {
    for (const socket of this.ctx.getWebSockets()) socket.send(text);
  }

  override async webSocketMessage(socket: WebSocket, message: string): Promise<void> {
    const frame: Frame = JSON.parse(message);
    const [userId = ""] = this.ctx.getTags(socket);
    if (frame.type === "hello") {
      socket.send(JSON.stringify({ type: "welcome", id: frame.id, userId, mode: "resume", serverTime: Date.now() }));
      socket.send(JSON.stringify({ type: "caught_up", cursor: "0" }));
    } else if (frame.type === "send") {
      const { seq, receivedAt } = await this.#conversation(frame.conversationId).append(userId, frame);
      socket.send(JSON.stringify({ type: "ack", id: frame.id, conversationId: frame.conversationId, seq, receivedAt }));
    } else {
      const page = await this.#conversation(frame.conversationId).read(frame.after);
      socket.send(`{"type":"page","id":${frame.id},"conversationId":"${frame.conversationId}",${page}}`);
    }
  }
}

const BEARER = /bearer\.([^,\s]+)/;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === "/healthz") return Response.json({ status: "ok" });
    if (url.pathname.startsWith("/join/")) {
      await env.CONVERSATIONS.getByName(url.pathname.slice(6)).join(await request.json());
      return new Response(null, { status: 204 });
    }
    const user = BEARER.exec(request.headers.get("sec-websocket-protocol") ?? "")?.[1] ?? "";
    url.searchParams.set("user", user);
    return env.INBOXES.getByName(user).fetch(new Request(url, request));
  },
};
