import { formatCursor, mustWrite } from "../domain/changes.ts";
import { isOpen } from "../domain/presence.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import type { ConversationId, DeviceId } from "../protocol/ids.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import type { Sockets } from "./sockets.ts";

/** Conversations remembered on one socket, and for a crash: more do not change between two heartbeats. */
const TOLD_LIVE = 32;
/** What was told may be on its way for so long: a sign of life that came meanwhile left before it arrived. Ms. */
const ON_ITS_WAY_MS = 5_000;

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
   * turns out to have been dead, or is cut by a crash while it is on its way.
   */
  tellLive(conversationId: ConversationId, frame: ServerFrame, now: number, exceptDeviceId?: DeviceId): void {
    const sockets = this.sockets.ready(now);
    this.mindMissed(sockets, conversationId, exceptDeviceId);
    this.sockets.tell(sockets, JSON.stringify(frame), exceptDeviceId);
    for (const socket of sockets) this.remember(socket, conversationId, now);
  }

  /** [IX-9] The same before what is to be told becomes true elsewhere, for a crash may come between. Of a conversation that is not listed nothing is written. */
  willTellLive(conversationId: ConversationId, now: number, exceptDeviceId: DeviceId): void {
    if (this.store.position(conversationId) !== undefined)
      this.mindMissed(this.sockets.ready(now), conversationId, exceptDeviceId);
  }

  private mindMissed(sockets: WebSocket[], conversationId: ConversationId, exceptDeviceId?: DeviceId): void {
    const here = new Set(sockets.map((socket) => this.sockets.of(socket).deviceId));
    const isUnwatched = sockets.length > 0 && !isOpen(this.store.session); // its crash would leave no trace
    if (this.store.hasDeviceBeside(here) || isUnwatched) this.note(conversationId);
    if (sockets.some((socket) => this.sockets.of(socket).deviceId !== exceptDeviceId)) this.outlive(conversationId);
  }

  /**
   * [IX-8] What memory and sockets know of it dies with a crash: a row names the conversations that things were told of live, and is written
   * only when one comes to them. One that is past every cursor need not be named, and one that is not listed is not to be.
   */
  private outlive(conversationId: ConversationId): void {
    const { toldLive } = this.store;
    const position = this.store.position(conversationId);
    const isSafe = position === undefined || !mustWrite(position, this.handed);
    if (isSafe || toldLive.includes(conversationId)) return;
    const [first] = toldLive;
    const isFull = first !== undefined && toldLive.length >= TOLD_LIVE;
    if (isFull) this.note(first);
    this.store.setToldLive([...toldLive.slice(isFull ? 1 : 0), conversationId]);
  }

  /** [IX-8] [RC-12] A crash has cut every socket: whatever was on its way is listed. */
  cut(): void {
    const { toldLive } = this.store;
    for (const conversationId of toldLive) this.note(conversationId);
    if (toldLive.length > 0) this.store.setToldLive([]);
  }

  /** [IX-7] The same of what the person has set or taken away, which is not to be missed even when every socket dies with it on its way. */
  tellKept(conversationId: ConversationId, frame: ServerFrame, now: number): void {
    this.note(conversationId);
    this.sockets.tellAll(frame, now);
  }

  private remember(socket: WebSocket, conversationId: ConversationId, now: number): void {
    const cameBy = this.cameBy(socket);
    const isOpen = ([id, at]: [ConversationId, number]) => id !== conversationId && at > cameBy;
    const others = this.sockets
      .of(socket)
      .toldLive.filter(isOpen)
      .slice(1 - TOLD_LIVE);
    this.sockets.change(socket, { toldLive: [...others, [conversationId, now]] });
  }

  /** A socket has gone: what was told on it shortly before its last sign of life, or after it, may not have come. */
  left(socket: WebSocket): void {
    const cameBy = this.cameBy(socket);
    for (const [conversationId, at] of this.sockets.of(socket).toldLive) if (at >= cameBy) this.note(conversationId);
  }

  private cameBy(socket: WebSocket): number {
    return this.sockets.heardAt(socket) - ON_ITS_WAY_MS;
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
