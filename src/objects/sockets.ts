import { mayHandOut } from "../domain/changes.ts";
import { CLOSE } from "../protocol/errors.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import type { DeviceId, UserId } from "../protocol/ids.ts";

/** All that is known of a socket: kept on it, so that it outlives the object's memory. */
export type Attachment = {
  userId: UserId;
  deviceId: DeviceId;
  /** When its access token expires. Epoch ms. */
  expiresAt: number;
  /** Where its hello stood; null before the hello. Live events flow from then on. */
  from: number | null;
  /** The position of the last cursor handed to it, null until it is caught up; and when (epoch ms). */
  handed: number | null;
  handedAt: number;
};

/** The live sockets of one user's devices. Nothing about a socket is kept anywhere else. */
export class Sockets {
  /** What has been read off sockets since waking: saves decoding it for every frame. */
  private readonly read = new WeakMap<WebSocket, Attachment>();
  private readonly ctx: DurableObjectState;
  constructor(ctx: DurableObjectState) {
    this.ctx = ctx;
  }

  /** Takes a new socket in; an older one of the same device is replaced. */
  accept(socket: WebSocket, attachment: Attachment): void {
    this.closeDevice(attachment.deviceId, "replaced"); // [SO-2]
    this.ctx.acceptWebSocket(socket, [attachment.deviceId]);
    this.keep(socket, attachment);
  }

  of(socket: WebSocket): Attachment {
    const known = this.read.get(socket) ?? (socket.deserializeAttachment() as Attachment);
    this.read.set(socket, known);
    return known;
  }

  keep(socket: WebSocket, attachment: Attachment): void {
    socket.serializeAttachment(attachment);
    this.read.set(socket, attachment);
  }

  closeDevice(deviceId: DeviceId, why: keyof typeof CLOSE): void {
    for (const socket of this.ctx.getWebSockets(deviceId)) this.close(socket, why);
  }

  close(socket: WebSocket, why: keyof typeof CLOSE): void {
    socket.close(CLOSE[why].code, why);
  }

  /** Sockets that have said hello, and whose token still counts. One whose token has expired is told so instead. */
  ready(now: number): WebSocket[] {
    return this.ctx.getWebSockets().filter((socket) => {
      if (socket.readyState !== WebSocket.OPEN || this.of(socket).from === null) return false;
      if (this.of(socket).expiresAt > now) return true;
      this.close(socket, "token_expired"); // [SO-4]
      return false;
    });
  }

  /** Sends one ready text to every device, but for the one it came from. Answers whether anybody was there. */
  tell(text: string, now: number, exceptDeviceId?: DeviceId): boolean {
    const sockets = this.ready(now);
    for (const socket of sockets) if (this.of(socket).deviceId !== exceptDeviceId) this.sendText(socket, text);
    return sockets.length > 0;
  }

  send(socket: WebSocket, frame: ServerFrame): void {
    this.sendText(socket, JSON.stringify(frame));
  }

  /** A socket that has gone meanwhile is no error: its device will resume. */
  sendText(socket: WebSocket, text: string): void {
    if (socket.readyState === WebSocket.OPEN) socket.send(text);
  }

  /** Caught-up sockets whose cursor is old enough to be handed a new one. */
  dueForCursor(top: number, now: number): WebSocket[] {
    return this.ready(now).filter((socket) => {
      const { handed, handedAt } = this.of(socket);
      return handed !== null && mayHandOut({ handed, handedAt }, top, now);
    });
  }
}
