import { formatCursor, mustWrite } from "../domain/changes.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import type { ConversationId, DeviceId } from "../protocol/ids.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import type { Sockets } from "./sockets.ts";

/** Conversations remembered on one socket: more do not change between two heartbeats. */
const TOLD_LIVE = 32;

/** Which conversations changed, and how far the user's devices know it. */
export class ChangeIndex {
  private readonly store: InboxStore;
  private readonly sockets: Sockets;
  /** The highest position handed to any device; unknown after waking, and then it could be any. */
  private handed: number;

  constructor(store: InboxStore, sockets: Sockets) {
    this.store = store;
    this.sockets = sockets;
    this.handed = store.top; // [IX-2]
  }

  note(conversationId: ConversationId): void {
    if (this.store.erasure && this.store.position(conversationId) !== undefined) return; // [ER-8] it is on its way through these
    if (mustWrite(this.store.position(conversationId), this.handed)) this.store.touch(conversationId);
  }

  /**
   * [IX-7] What is told on live sockets alone: a device that is not connected finds the conversation listed, and so does one whose wire
   * turns out to have been dead.
   */
  tellLive(conversationId: ConversationId, frame: ServerFrame, now: number, exceptDeviceId?: DeviceId): void {
    const sockets = this.sockets.ready(now);
    const here = new Set(sockets.map((socket) => this.sockets.of(socket).deviceId));
    if (this.store.hasDeviceBeside(here)) this.note(conversationId);
    this.sockets.tell(sockets, JSON.stringify(frame), exceptDeviceId);
    for (const socket of sockets) this.remember(socket, conversationId, now);
  }

  private remember(socket: WebSocket, conversationId: ConversationId, now: number): void {
    const heardAt = this.sockets.heardAt(socket);
    const isOpen = ([id, at]: [ConversationId, number]) => id !== conversationId && at > heardAt;
    const others = this.sockets
      .of(socket)
      .toldLive.filter(isOpen)
      .slice(1 - TOLD_LIVE);
    this.sockets.change(socket, { toldLive: [...others, [conversationId, now]] });
  }

  /** A socket has gone: what was told on it after its last sign of life may not have come. */
  left(socket: WebSocket): void {
    for (const [conversationId, at] of this.sockets.of(socket).toldLive)
      if (at >= this.sockets.heardAt(socket)) this.note(conversationId);
  }

  /** [IX-3] Everything up to `position` has been given to this socket before: its device may take it as its cursor. */
  handOut(socket: WebSocket, position: number, now: number): void {
    this.sockets.send(socket, { type: "caught_up", cursor: formatCursor(this.store.epoch, position) });
    this.sockets.change(socket, { handed: position, handedAt: now });
    this.handed = Math.max(this.handed, position);
  }

  handOutDue(sockets: readonly WebSocket[], now: number): void {
    for (const socket of this.sockets.dueForCursor(sockets, this.store.top, now))
      this.handOut(socket, this.store.top, now);
  }
}
