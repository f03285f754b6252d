import { mayHandOut } from "../domain/changes.ts";
import { type Dial, gives, nextNumber, surplus } from "../domain/dials.ts";
import { ALIVE_MS } from "../domain/presence.ts";
import type { Marks } from "../domain/receipts.ts";
import { CLOSE } from "../protocol/errors.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import type { ConversationId, DeviceId, UserId } from "../protocol/ids.ts";

/** All that is known of a socket: kept on it, so that it outlives the object's memory. */
export type Attachment = {
  userId: UserId;
  deviceId: DeviceId;
  /** When its access token expires. Epoch ms. */
  expiresAt: number;
  /** When it was opened. Epoch ms. */
  openedAt: number;
  /** Its number among the device's sockets; absent from one that an older version took in. */
  dial?: number;
  /** Where its hello stood; null before the hello. Live events flow from then on. */
  from: number | null;
  /** The position up to which it has said to have everything, since its hello; absent: as its hello said. */
  confirmed?: number;
  /** Nobody looks at the device: it does not make its user online. */
  background: boolean;
  /** When another device that somebody looked at went and left this one behind (epoch ms); absent: none did. */
  leftAt?: number;
  /** The position of the last cursor handed to it, null until it is caught up; and when (epoch ms). */
  handed: number | null;
  handedAt: number;
  /** Whose presence it shows, until when (epoch ms). */
  watches: { userIds: UserId[]; until: number } | null;
  /** Conversations whose receipts wait for a call, and those that wait. */
  held: [ConversationId, Held][];
  /** Conversations of which something was told on live sockets alone, and when (epoch ms). */
  toldLive: [ConversationId, number][];
  /** Conversations that were listed by their id alone, because they could not be asked. */
  unsummed: ConversationId[];
};
/** Of a socket on which nothing was said yet. */
const FRESH = {
  from: null,
  background: false,
  handed: null,
  handedAt: 0,
  watches: null,
  held: [],
  toldLive: [],
  unsummed: [],
} satisfies Partial<Attachment>;

/** `crowd`: all receipts of this conversation wait, not only while the inbox is overloaded. */
export type Held = { marks: Marks; told: boolean; crowd: boolean };

/** Whose socket it is, as the Worker has verified. */
type Caller = Pick<Attachment, "userId" | "deviceId" | "expiresAt">;

/** Conversations remembered on one socket that could not be summed up. */
const UNSUMMED = 50;

/** The live sockets of one user's devices. Nothing about a socket is kept anywhere else. */
export class Sockets {
  /** What has been read off sockets since waking: saves decoding it for every frame. */
  private readonly read = new WeakMap<WebSocket, Attachment>();
  /** When a frame last came, as far as it is remembered. Epoch ms. */
  private readonly frameAt = new WeakMap<WebSocket, number>();
  private readonly ctx: DurableObjectState;
  private readonly gone: (socket: WebSocket) => void;

  /** `gone`: told of a socket that is closed from this side; the other side's closing comes late or never. */
  constructor(ctx: DurableObjectState, gone: (socket: WebSocket) => void) {
    this.ctx = ctx;
    this.gone = gone;
  }

  /** [SO-9] Takes a new socket in. It replaces none before it speaks: whoever asked for it may have gone meanwhile, and another one be there. */
  accept(socket: WebSocket, { userId, deviceId, expiresAt }: Caller, openedAt: number): void {
    const open = this.dialsOf(deviceId);
    this.ctx.acceptWebSocket(socket, [deviceId]);
    this.keep(socket, { ...FRESH, userId, deviceId, expiresAt, openedAt, dial: nextNumber(open) });
    for (const silent of surplus(open)) this.close(silent.socket, "out_of_step"); // [SO-10]
  }

  /** [SO-2] Its device has said hello on this socket: the one before it, and what was dialled before, are replaced. */
  replaceOthers(speaking: WebSocket): void {
    if (!isOpen(speaking)) return; // [SO-9] it was replaced while its hello was on its way
    for (const { socket, ...other } of this.dialsOf(this.of(speaking).deviceId))
      if (socket !== speaking && gives(other, this.dialOf(speaking))) this.close(socket, "replaced");
  }

  private dialsOf(deviceId: DeviceId): (Dial & { readonly socket: WebSocket })[] {
    const open = this.ctx.getWebSockets(deviceId).filter((socket) => isOpen(socket));
    return open.map((socket) => ({ socket, ...this.dialOf(socket) }));
  }

  private dialOf(socket: WebSocket): Dial {
    const { dial = 0, from } = this.of(socket);
    return { number: dial, spoke: from !== null };
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

  change(socket: WebSocket, change: Partial<Attachment>): void {
    this.keep(socket, { ...this.of(socket), ...change });
  }

  /** Its device has said hello and was not brought up to date yet. */
  isInMidGreeting(socket: WebSocket): boolean {
    const { from, handed } = this.of(socket);
    return from !== null && handed === null;
  }

  closeDevice(deviceId: DeviceId, why: keyof typeof CLOSE): void {
    for (const socket of this.ctx.getWebSockets(deviceId)) this.close(socket, why);
  }

  closeAll(why: keyof typeof CLOSE): void {
    for (const socket of this.ctx.getWebSockets()) this.close(socket, why);
  }

  close(socket: WebSocket, why: keyof typeof CLOSE): void {
    socket.close(CLOSE[why].code, why);
    this.gone(socket);
  }

  /** The runtime leaves it to the object to answer; without that the other end waits, and then takes the socket for broken. */
  answerClose(socket: WebSocket, code: number): void {
    const isSayable = code === 1000 || (code >= 3000 && code < 5000);
    socket.close(isSayable ? code : 1000);
  }

  /** These conversations are to be summed up when the device pulls them next. */
  sumUpLater(socket: WebSocket, ids: readonly ConversationId[]): void {
    const others = this.of(socket).unsummed.filter((id) => !ids.includes(id));
    if (ids.length > 0) this.change(socket, { unsummed: [...others, ...ids].slice(-UNSUMMED) });
  }

  heard(socket: WebSocket, now: number): void {
    this.frameAt.set(socket, now);
  }

  /** The newest sign of life of its other end. Epoch ms. */
  heardAt(socket: WebSocket): number {
    const pingedAt = this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
    return Math.max(pingedAt, this.frameAt.get(socket) ?? 0, this.of(socket).openedAt);
  }

  /** [PR-4] It used to ping and has fallen silent. One that never did is left to the network to end. */
  private isSilent(socket: WebSocket, now: number): boolean {
    const { openedAt } = this.of(socket);
    if (now - Math.max(this.frameAt.get(socket) ?? 0, openedAt) <= ALIVE_MS) return false; // most, and the runtime need not be asked
    return this.ctx.getWebSocketAutoResponseTimestamp(socket) !== null && now - this.heardAt(socket) > ALIVE_MS;
  }

  /** Sockets that have said hello, and whose token still counts. One whose token has expired, or that is silent, is closed instead. */
  ready(now: number): WebSocket[] {
    return this.ctx.getWebSockets().filter((socket) => {
      if (!isOpen(socket) || this.of(socket).from === null) return false;
      const isSilent = this.isSilent(socket, now);
      if (this.of(socket).expiresAt > now && !isSilent) return true;
      this.close(socket, isSilent ? "out_of_step" : "token_expired"); // [SO-4]
      return false;
    });
  }

  /** The newest sign of life of the devices that somebody looks at; null where there is none but the one that is `leaving`. */
  foregroundHeardAt(leaving?: WebSocket): number | null {
    const sockets = this.foreground(leaving);
    return sockets.length > 0 ? Math.max(...sockets.map((socket) => this.heardAt(socket))) : null;
  }

  /** When somebody last left these devices behind. Epoch ms; 0: never. */
  foregroundLeftAt(leaving?: WebSocket): number {
    return Math.max(0, ...this.foreground(leaving).map((socket) => this.of(socket).leftAt ?? 0));
  }

  /** [PR-2] Whoever went has their grace, also when those that stay behind turn out to be dead. */
  leaveBehind(leaving: WebSocket, leftAt: number): void {
    for (const socket of this.foreground(leaving)) this.change(socket, { leftAt });
  }

  private foreground(leaving?: WebSocket): WebSocket[] {
    const isThere = (s: WebSocket) => s !== leaving && isOpen(s) && this.isForeground(s);
    return this.ctx.getWebSockets().filter(isThere);
  }

  isForeground(socket: WebSocket): boolean {
    const { from, background } = this.of(socket);
    return from !== null && !background;
  }

  /** Sends one ready text to these devices, but for the one it came from. */
  tell(sockets: readonly WebSocket[], text: string, exceptDeviceId?: DeviceId): void {
    for (const socket of sockets) if (this.of(socket).deviceId !== exceptDeviceId) this.sendText(socket, text);
  }

  tellAll(frame: ServerFrame, now: number, exceptDeviceId?: DeviceId): void {
    this.tell(this.ready(now), JSON.stringify(frame), exceptDeviceId);
  }

  send(socket: WebSocket, frame: ServerFrame): void {
    this.sendText(socket, JSON.stringify(frame));
  }

  /** A socket that has gone meanwhile is no error: its device will resume. */
  sendText(socket: WebSocket, text: string): void {
    if (isOpen(socket)) socket.send(text);
  }

  /** Those of the sockets that are caught up and whose cursor is old enough to be handed a new one. */
  dueForCursor(sockets: readonly WebSocket[], top: number, now: number): WebSocket[] {
    return sockets.filter((socket) => {
      const { handed, handedAt } = this.of(socket);
      return handed !== null && mayHandOut({ handed, handedAt }, top, now);
    });
  }
}

const isOpen = (socket: WebSocket): boolean => socket.readyState === WebSocket.OPEN;
