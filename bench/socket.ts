import { performance } from "node:perf_hooks";
import { monotonicFactory } from "ulid";
import { WebSocket } from "ws";

type Heard = { type: string; id?: number; seq?: number; cursor?: string; code?: string; retryAfterMs?: number };
type Told = { conversationId: string; events: { seq: number; content?: { text: string } }[] };
/** What came back to a pull. */
export type Page = Told & { head: number };

/** A socket as thin as it can be: it parses each frame once, checks nothing and keeps nothing, so that the load is cheap beside the server. */
export class BenchSocket {
  readonly #socket: WebSocket;
  /** Called with the text of each message that is delivered, when it came (performance.now()). */
  onMessage: (text: string, at: number) => void = () => {};
  /** The newest cursor that was handed out. */
  cursor: string | null = null;
  /** Times a send was refused for now and sent again. */
  refused = 0;
  #waiting = new Map<number | "caught_up", (frame: never) => void>();
  #ids = 0;
  #mint = monotonicFactory();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => this.#take(String(data)));
  }

  static open(url: string, token: string): Promise<BenchSocket> {
    const protocols = ["edgewise.v1", `bearer.${token}`];
    const socket = new WebSocket(`${url.replace("http", "ws")}/v1/socket`, protocols, { perMessageDeflate: false });
    const opened = new BenchSocket(socket);
    return new Promise((resolve, reject) => socket.once("open", () => resolve(opened)).once("error", reject));
  }

  #take(text: string): void {
    const at = performance.now();
    const frame: Heard & Told = JSON.parse(text);
    if (frame.type === "events") for (const { content } of frame.events) if (content) this.onMessage(content.text, at);
    if (frame.type === "caught_up") this.cursor = frame.cursor ?? null;
    this.#answer(frame.type === "caught_up" ? "caught_up" : frame.id, frame);
  }

  #answer(id: number | "caught_up" | undefined, frame: Heard): void {
    if (id === undefined) return;
    this.#waiting.get(id)?.(frame as never);
    this.#waiting.delete(id);
  }

  #ask<T>(frame: object): Promise<T> {
    const id = ++this.#ids;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ ...frame, id }));
    });
  }

  /** Says hello and resolves with the new cursor once the server said `caught_up`. */
  async hello(cursor: string | null): Promise<string | null> {
    const caughtUp = new Promise<Heard>((resolve) => this.#waiting.set("caught_up", resolve));
    const welcome = await this.#ask<Heard>({ type: "hello", version: 1, cursor });
    if (welcome.type !== "welcome") throw new Error(`hello: ${welcome.code}`);
    await caughtUp;
    return this.cursor;
  }

  /** Sends a message; milliseconds until it was acked. A refusal for now is waited for, so that a limit shows in the time. */
  async send(conversationId: string, text: string): Promise<number> {
    const startedAt = performance.now();
    const now = Date.now();
    const event = { kind: "message", content: { type: "text", text } };
    const frame = { type: "send", conversationId, idempotencyKey: this.#mint(), composedAt: now, sentAt: now, event };
    for (;;) {
      const answer = await this.#ask<Heard>(frame);
      if (answer.type === "ack") return performance.now() - startedAt;
      if (answer.retryAfterMs === undefined) throw new Error(`send: ${answer.code}`);
      this.refused += 1;
      await new Promise((resolve) => setTimeout(resolve, answer.retryAfterMs));
    }
  }

  pull(conversationId: string, after: number): Promise<Page> {
    return this.#ask({ type: "pull", conversationId, after, limit: 1_000 });
  }

  close(): void {
    this.#socket.close();
  }
}
