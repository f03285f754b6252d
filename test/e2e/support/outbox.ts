import { monotonicFactory } from "ulid";
import type { Ack, ServerFrame } from "../../../src/protocol/frames.ts";
import { ConversationId, IdempotencyKey } from "../../../src/protocol/ids.ts";
import { call } from "./door.ts";
import { type Wire, WireClosed } from "./wire.ts";

/** A message on its way. `number` counts the device's wishes; the key changes only when the server says that nothing was appended. */
export type Wish = {
  number: number;
  conversationId: string;
  key: string;
  text: string;
  composedAt: number;
  reminted: number;
};
export type Acked = Wish & { ack: Ack };
type Refusal = { code: string; detail: string; retryable: boolean; retryAfterMs?: number | undefined };

/** What the outbox needs of its device. */
type Owner = {
  readonly url: string;
  readonly token: string;
  readonly wire: Wire | null;
  fault(what: string): void;
  /** A wish was acked; `sentAt` is that of the attempt that the ack answers. */
  onAck(wish: Wish, ack: Ack, sentAt: number): void;
};

/** A device's wishes, sent in order, kept until acked, sent again with the same key: the client's half of exactly-once. */
export class Outbox {
  readonly waiting: Wish[] = [];
  readonly acked: Acked[] = [];
  readonly #owner: Owner;
  readonly #mint: (seedTime?: number) => string;
  #count = 0;
  #atDoor = 0;

  constructor(owner: Owner) {
    this.#owner = owner;
    this.#mint = monotonicFactory();
  }

  /** The `number` of the wish that is added next. */
  get nextNumber(): number {
    return this.#count + 1;
  }

  /** Whether a wish is on its way through the HTTP door: another one by the socket might overtake it. */
  get isAtDoor(): boolean {
    return this.#atDoor > 0;
  }

  /** Sends now when there is a socket, and after every reconnect until it is acked. */
  add(conversationId: string, text: string): Wish {
    const wish = this.#wish(conversationId, text);
    void this.#attempt(wish);
    return wish;
  }

  /** One try through the HTTP door; where nothing comes back the wish waits for the socket. */
  async addByHttp(conversationId: string, text: string): Promise<void> {
    const wish = this.#wish(conversationId, text);
    const sentAt = Date.now();
    const sent = { params: { id: conversationId }, body: bodyOf(wish, sentAt), token: this.#owner.token };
    this.#atDoor += 1;
    const answer = await call(this.#owner.url, "send", sent).catch((error) => this.#unheard(error));
    this.#atDoor -= 1;
    if (answer?.ok) this.#accept(wish, answer.body, sentAt);
    else if (answer) this.#refused(wish, answer.problem);
  }

  #wish(conversationId: string, text: string): Wish {
    const number = ++this.#count;
    const wish = { number, conversationId, key: this.#mint(), text, composedAt: Date.now(), reminted: 0 };
    this.waiting.push(wish);
    return wish;
  }

  /** Sends again, in order, what is not acked. */
  resend(conversationId?: string): void {
    const mine = this.waiting.filter((wish) => conversationId === undefined || wish.conversationId === conversationId);
    for (const wish of mine) void this.#attempt(wish);
  }

  /** Sends a wish that was acked once more; the answer must be the first ack. */
  async repeat(wish: Acked): Promise<void> {
    const again = await this.#ask(wish, Date.now());
    if (!again || (again.type === "error" && again.retryable)) return;
    const { seq, eventId } = wish.ack;
    const same = again.type === "ack" && again.duplicate && again.seq === seq && again.eventId === eventId;
    if (!same) this.#owner.fault(`a repeat of ${JSON.stringify(wish)} was answered with ${JSON.stringify(again)}`);
  }

  async #attempt(wish: Wish): Promise<void> {
    const sentAt = Date.now();
    const answer = await this.#ask(wish, sentAt);
    if (answer?.type === "ack") this.#accept(wish, answer, sentAt);
    else if (answer?.type === "error") this.#refused(wish, answer);
    else if (answer) this.#owner.fault(`send was answered with ${JSON.stringify(answer)}`);
  }

  #ask(wish: Wish, sentAt: number): Promise<ServerFrame | undefined> {
    const frame = {
      type: "send" as const,
      conversationId: ConversationId.parse(wish.conversationId),
      ...bodyOf(wish, sentAt),
    };
    return this.#owner.wire?.ask(frame).catch((error) => this.#unheard(error)) ?? Promise.resolve(undefined);
  }

  /** A cut says nothing about the wish. Anything else that went wrong is the server's fault. */
  #unheard(error: Error): undefined {
    const isCut =
      error instanceof WireClosed || (error instanceof TypeError && /^(fetch failed|terminated)$/.test(error.message));
    if (!isCut) this.#owner.fault(`${error.name}: ${error.message}`);
  }

  #refused(wish: Wish, refusal: Refusal): void {
    if (refusal.retryable) setTimeout(() => this.resend(wish.conversationId), refusal.retryAfterMs ?? 100);
    else if (refusal.code === "key_out_of_order") this.#remint(wish);
    else this.#owner.fault(`the send of ${wish.text} was refused: ${refusal.code}: ${refusal.detail}`);
  }

  /** Nothing was appended, says the server: the wish goes to the end with a new key. */
  #remint(wish: Wish): void {
    if (!this.#remove(wish)) return;
    Object.assign(wish, { key: this.#mint(), reminted: wish.reminted + 1 });
    this.waiting.push(wish);
    void this.#attempt(wish);
  }

  #accept(wish: Wish, answer: Ack, sentAt: number): void {
    if (!this.#remove(wish)) return; // another attempt was acked before
    const { conversationId, seq, eventId, receivedAt, occurredAt, duplicate } = answer;
    const ack = { conversationId, seq, eventId, receivedAt, occurredAt, duplicate };
    if (conversationId !== wish.conversationId)
      this.#owner.fault(`an ack names ${conversationId}, not ${wish.conversationId}`);
    this.acked.push({ ...wish, ack });
    this.#owner.onAck(wish, ack, sentAt);
  }

  #remove(wish: Wish): boolean {
    const at = this.waiting.indexOf(wish);
    if (at >= 0) this.waiting.splice(at, 1);
    return at >= 0;
  }
}

/** The part of a `send` that the door and the frame share. */
export const bodyOf = (wish: Pick<Wish, "key" | "composedAt" | "text">, sentAt: number) => ({
  idempotencyKey: IdempotencyKey.parse(wish.key),
  composedAt: wish.composedAt,
  sentAt,
  event: { kind: "message" as const, content: { type: "text" as const, text: wish.text } },
});
