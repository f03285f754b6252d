import { joinMarks, type Marks } from "../domain/receipts.ts";
import type { ConversationId } from "../protocol/ids.ts";
import type { Held, Sockets } from "./sockets.ts";

/** Conversations remembered on one socket; the attachment holds 16,384 bytes. */
const REMEMBERED = 48;

/**
 * [RC-6] Receipts that wait for a call that is made anyway, because a thousand members reading one message must not become as many calls
 * of one object. They lie on the device's socket, so they outlive the inbox's memory and cost no row; with the socket they are sent.
 */
export class HeldReceipts {
  private readonly sockets: Sockets;

  constructor(sockets: Sockets) {
    this.sockets = sockets;
  }

  /** From now on the receipts of this conversation wait. */
  expect(sockets: readonly WebSocket[], conversationId: ConversationId): void {
    for (const socket of sockets)
      if (!this.find(socket, conversationId)?.crowd)
        this.put(socket, conversationId, { marks: {}, told: true, crowd: true });
  }

  /** It is a crowd no more: what waits goes with the next call, and nothing else has to. */
  release(sockets: readonly WebSocket[], conversationId: ConversationId): void {
    for (const socket of sockets) {
      const held = this.find(socket, conversationId);
      if (held?.crowd) this.put(socket, conversationId, { ...held, crowd: false });
    }
  }

  /** Takes a receipt in; false where it need not wait. `always`: also of a conversation that is not known to want it. */
  hold(socket: WebSocket, conversationId: ConversationId, marks: Marks, always: boolean): boolean {
    const known = this.find(socket, conversationId);
    const crowd = known?.crowd ?? false;
    if (!crowd && !always) return false;
    this.put(socket, conversationId, { marks: joinMarks(known?.marks ?? {}, marks), told: false, crowd });
    return true;
  }

  /** What waits for this conversation, of all devices; it counts as told. */
  take(sockets: readonly WebSocket[], conversationId: ConversationId): Marks | null {
    let marks: Marks | null = null;
    for (const socket of sockets) {
      const held = this.find(socket, conversationId);
      if (!held || held.told) continue;
      marks = joinMarks(marks ?? {}, held.marks);
      this.put(socket, conversationId, { ...held, told: true });
    }
    return marks;
  }

  /** What waits on a socket, of crowds only where they are asked for; it counts as told. */
  takeFrom(socket: WebSocket, crowds: boolean): [ConversationId, Marks][] {
    const waiting = this.sockets.of(socket).held.filter(([, { told, crowd }]) => !told && (crowds || !crowd));
    for (const [conversationId, held] of waiting) this.put(socket, conversationId, { ...held, told: true });
    return waiting.map(([conversationId, { marks }]) => [conversationId, marks]);
  }

  private find(socket: WebSocket, conversationId: ConversationId): Held | undefined {
    return this.sockets.of(socket).held.find(([id]) => id === conversationId)?.[1];
  }

  /** The newest last; of too many the oldest that is told is let go. What is told of no crowd need not be remembered. */
  private put(socket: WebSocket, conversationId: ConversationId, held: Held): void {
    const others = this.sockets.of(socket).held.filter(([id]) => id !== conversationId);
    const isOver = held.told && !held.crowd;
    const surplus = others.length >= REMEMBERED ? others.findIndex(([, { told }]) => told) : -1;
    if (others.length >= REMEMBERED) others.splice(Math.max(0, surplus), 1);
    this.sockets.change(socket, { held: isOver ? others : [...others, [conversationId, held]] });
  }
}
