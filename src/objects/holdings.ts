import { resumeFrom } from "../domain/changes.ts";
import { haveAll, type Kept } from "../domain/forgetting.ts";
import type { Env } from "../platform/env.ts";
import type { ConversationId, DeviceId } from "../protocol/ids.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import type { ChangeIndex } from "./change-index.ts";
import type { Sockets } from "./sockets.ts";

/** A device that is there confirms a cursor within this time. Ms. */
const CONFIRM_WITHIN_MS = 3_000;
/** That a device was here is written down this often at least. Ms. */
const REMEMBER_EVERY_MS = 24 * 60 * 60_000;

type Parts = { store: InboxStore; sockets: Sockets; index: ChangeIndex };

/**
 * [LM-21] What a user's devices are known to have: each has everything up to the cursor that it said last. While a device is connected that
 * lies on its socket; a row is written when the socket closes, so a message costs none.
 */
export class Holdings {
  /** Whether words are forgotten once they are delivered. */
  readonly isAsked: boolean;
  private readonly parts: Parts;
  private readonly waiting = new Set<() => void>();

  constructor(env: Env, parts: Parts) {
    this.isAsked = env.FORGET_DELIVERED === "1";
    this.parts = parts;
  }

  /** A device has said hello: what it does not claim to have any more it has to get again. */
  arrived(socket: WebSocket, now: number): void {
    const { store, sockets } = this.parts;
    const { deviceId, from } = sockets.of(socket);
    if (!this.isAsked || from === null) return;
    const known = store.kept.of(deviceId);
    if (!known || known.position > from || now - known.at > REMEMBER_EVERY_MS)
      store.kept.put(deviceId, { position: from, at: now });
  }

  /** A device says that everything up to this cursor is stored there. */
  confirmed(socket: WebSocket, cursor: string): void {
    const { store, sockets } = this.parts;
    const { from } = resumeFrom(cursor, store); // one that means nothing here confirms nothing
    if (!this.isAsked || from <= confirmedOn(sockets, socket)) return;
    sockets.change(socket, { confirmed: from });
    for (const look of [...this.waiting]) look();
  }

  /** `heardAt`: its last sign of life. Epoch ms. */
  left(socket: WebSocket, heardAt: number): void {
    const { store, sockets } = this.parts;
    const { deviceId, from } = sockets.of(socket);
    if (!this.isAsked || from === null || store.isRevoked(deviceId)) return;
    store.kept.put(deviceId, { position: confirmedOn(sockets, socket), at: heardAt });
  }

  /**
   * Whether all devices have everything of this conversation that had been delivered here when this was asked. Its row lies past every cursor
   * that was handed out before the last of it came, so a device that confirms the row has it all. Devices that are there are handed a
   * cursor to confirm.
   */
  async haveAll(conversationId: ConversationId, now: number): Promise<boolean> {
    const position = this.parts.store.position(conversationId);
    if (position === undefined) return false;
    const here = this.live(now).map(() => ({ position, at: now })); // they are asked now
    if (!haveAll([...here, ...this.absent(now)], position, now)) return false;
    for (const socket of this.live(now)) {
      if (confirmedOn(this.parts.sockets, socket) >= position) continue;
      if (this.parts.sockets.of(socket).handed === null) return false; // it is still catching up
      this.parts.index.handOut(socket, this.parts.store.top, now);
    }
    return this.allConfirm(position);
  }

  private live(now: number): WebSocket[] {
    return this.parts.sockets.ready(now);
  }

  /** The devices that are not connected. One of which nothing is known is given its time from now on. */
  private absent(now: number): Kept[] {
    const { store, sockets } = this.parts;
    const here = new Set<DeviceId>(this.live(now).map((socket) => sockets.of(socket).deviceId));
    return store.deviceIds().flatMap((deviceId) => (here.has(deviceId) ? [] : this.keptOf(deviceId, now)));
  }

  private keptOf(deviceId: DeviceId, now: number): Kept {
    const { store } = this.parts;
    const known = store.kept.of(deviceId);
    if (!known) store.kept.put(deviceId, { position: 0, at: now });
    return known ?? { position: 0, at: now };
  }

  /** One that goes away while it is waited for has not confirmed. */
  private allConfirm(position: number): Promise<boolean> {
    const { sockets } = this.parts;
    const open = this.live(Date.now());
    const isDone = () => open.every((socket) => confirmedOn(sockets, socket) >= position);
    if (isDone()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (answer: boolean) => {
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve(answer);
      };
      const look = () => {
        if (isDone()) end(true);
      };
      const timer = setTimeout(() => end(false), CONFIRM_WITHIN_MS);
      this.waiting.add(look);
    });
  }
}

/** The position that the device of this socket has confirmed: with its hello, and since. */
const confirmedOn = (sockets: Sockets, socket: WebSocket): number => {
  const { confirmed, from } = sockets.of(socket);
  return confirmed ?? from ?? 0;
};
