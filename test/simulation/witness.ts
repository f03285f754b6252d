import { mentionsOf } from "../../src/domain/life.ts";
import type { PushJob } from "../../src/domain/push.ts";
import type { Delivery, Outcome, ReceiptAnswer, RingRequest, Standing } from "../../src/objects/rpc.ts";
import { Event, type MessageEvent } from "../../src/protocol/events.ts";
import type { ConversationId, DeviceId, UserId } from "../../src/protocol/ids.ts";
import type { Mine } from "../../src/protocol/states.ts";
import type { Host } from "./host.ts";
import type { RuntimeWitness } from "./runtime.ts";
import type { Server } from "./server.ts";
import type { ServerSocket } from "./sockets.ts";

export type Said = { readonly event: MessageEvent; readonly at: number };
type Put = { readonly through: number; readonly at: number; readonly socket: ServerSocket };
type Choice = { readonly at: number; readonly mine: Mine };

/** What a conversation answers these with tells a number of unread messages. */
const TELL_UNREAD: ReadonlySet<string> = new Set(["attend", "standing", "receipt"]);

const nameOf = (host: Host): string => host.name.slice(host.name.indexOf("/") + 1);
const isInbox = (host: Host): boolean => host.name.startsWith("inbox/");
const both = (a: string, b: string): string => `${a} ${b}`;

/** What really happened inside the server, by true time, for whoever compares it with what was told. */
export class Witness implements RuntimeWitness {
  /** Every message with the moment in which it was appended. */
  readonly said = new Map<ConversationId, Said[]>();
  private readonly choices = new Map<string, Choice[]>();
  /** By device and conversation, what was put on sockets of it, dead or alive. */
  private readonly put = new Map<string, Put[]>();
  readonly bugs: string[] = [];
  private readonly server: Server;

  /** Told, at the very moment, what is said about a user's presence; and when what is known of it changes. */
  presence = {
    said: (_userId: UserId, _state: string) => {},
    woke: (_userId: UserId) => {},
    crashed: (_host: Host) => {},
    ended: (_userId: UserId, _socket: ServerSocket, _wasClean: boolean) => {},
  };
  /** Told, at the very moment, how many unread messages a conversation says somebody has. */
  counted: (id: ConversationId, userId: UserId, unread: number) => void = () => {};
  private readonly bells = new WeakSet<object>();
  /** Told of a checkpoint that a conversation has written. */
  checkpointed: (id: ConversationId, body: string) => void = () => {};

  constructor(server: Server) {
    this.server = server;
  }

  woke(host: Host): void {
    if (isInbox(host)) this.presence.woke(nameOf(host) as UserId);
  }

  crashed(host: Host): void {
    if (isInbox(host)) this.presence.crashed(host);
  }

  ended(host: Host, socket: ServerSocket, wasClean: boolean): void {
    this.presence.ended(nameOf(host) as UserId, socket, wasClean);
  }

  called(_to: string, method: string, [told]: unknown[]): void {
    if (method === "hearPresence") {
      const { userId, state } = told as { userId: UserId; state: string };
      this.presence.said(userId, state);
    }
    if (method === "deliver" || method === "ring") this.rings(told as RingRequest | Delivery);
  }

  /** A call that is repeated says what was true when it was first made. */
  private rings({ userId, conversationId, bell }: RingRequest | Delivery): void {
    if (!bell || this.bells.has(bell)) return;
    this.bells.add(bell);
    this.counted(conversationId, userId, bell.unread);
  }

  /** Told of what ends the life of messages. */
  life = {
    appended: (_id: ConversationId, _event: Event) => {},
    entered: (_host: Host, _method: string, _args: unknown[]) => {},
    answered: (_host: Host, _method: string, _args: unknown[], _isDone: boolean) => {},
    forgot: (_id: ConversationId, _seq: number) => {},
  };

  entered(host: Host, method: string, args: unknown[]): void {
    this.life.entered(host, method, args);
    if (method === "deliver") this.delivered(host, args[0] as Delivery);
  }

  answered(host: Host, method: string, args: unknown[], value: unknown): void {
    const [userId] = args;
    this.life.answered(host, method, args, (value as Outcome<unknown> | undefined)?.ok === true);
    if (method === "watched") this.presence.said(nameOf(host) as UserId, (value as { state: string }).state);
    if (!TELL_UNREAD.has(method)) return;
    const told = value as Outcome<Standing | ReceiptAnswer>;
    const unread = told.ok ? told.value.unread : undefined;
    if (unread !== undefined) this.counted(nameOf(host) as ConversationId, userId as UserId, unread);
  }

  wrote(host: Host, query: string, bindings: unknown[]): void {
    if (query.startsWith("INSERT INTO log")) this.appended(nameOf(host) as ConversationId, bindings);
    if (query.startsWith("UPDATE log SET body")) this.life.forgot(nameOf(host) as ConversationId, Number(bindings[1]));
    if (query.startsWith("INSERT INTO mine")) this.chose(nameOf(host), bindings);
    if (query.startsWith("INSERT INTO checkpoint"))
      this.checkpointed(nameOf(host) as ConversationId, String(bindings[0]));
  }

  private appended(id: ConversationId, bindings: unknown[]): void {
    const event = Event.parse(JSON.parse(String(bindings.at(-1))));
    this.life.appended(id, event);
    if (event.kind !== "message") return;
    const before = this.said.get(id) ?? [];
    this.said.set(id, before);
    before.push({ event, at: this.server.now });
  }

  private chose(userId: string, [id, body]: unknown[]): void {
    const key = both(userId, String(id));
    const before = this.choices.get(key) ?? [];
    this.choices.set(key, [...before, { at: this.server.now, mine: JSON.parse(String(body)) }]);
  }

  private delivered(host: Host, { conversationId, frame }: Delivery): void {
    const { events } = JSON.parse(frame) as { events: Event[] };
    const through = events.at(-1)?.seq ?? 0;
    for (const { socket, tags } of host.sockets) {
      const key = both(tags[0] as DeviceId, conversationId);
      if (socket.greeted) this.put.set(key, [...(this.put.get(key) ?? []), { through, at: this.server.now, socket }]);
    }
  }

  /** Whether it was put on a socket of the device; and whether there was a sign of life on that one since. */
  putOn(deviceId: DeviceId, id: ConversationId, seq: number): { showedLife: boolean } | null {
    const puts = (this.put.get(both(deviceId, id)) ?? []).filter(({ through }) => through >= seq);
    const showedLife = puts.some(({ at, socket: { signs } }) => Math.max(signs.pingedAt, signs.frameAt) > at);
    return puts.length > 0 ? { showedLife } : null;
  }

  /** What the user had set at a moment, or was setting at any time from then on. */
  choicesSince(userId: UserId, id: ConversationId, at: number): Choice[] {
    const all = this.choices.get(both(userId, id)) ?? [];
    const standing = all.findLast((choice) => choice.at < at);
    return [...(standing ? [standing] : []), ...all.filter((choice) => choice.at >= at)];
  }

  mineNow(userId: UserId, id: ConversationId): Mine | undefined {
    return this.choices.get(both(userId, id))?.at(-1)?.mine;
  }

  /** [PU-1] [PU-2] What no push may do, whatever else happened. */
  decided(job: PushJob): void {
    if (job.kind !== "message") return;
    const { userId, deviceId, conversationId, seq } = job;
    const what = `${deviceId.slice(-4)} is rung in ${conversationId.slice(0, 5)} for ${seq}`;
    const message = this.said.get(conversationId)?.find(({ event }) => event.seq === seq);
    const wrong = (why: string) => this.bugs.push(`[PU] ${what}, ${why}`);
    if (!message) return void wrong("which is no message");
    if (message.event.senderId === userId) wrong("one's own message");
    const mine = this.mineNow(userId, conversationId);
    const isMuted = (mine?.mutedUntil ?? 0) > this.server.now + this.server.inbox(userId).skewMs + 1;
    const isNamed = this.said
      .get(conversationId)
      ?.some(({ event }) => event.seq <= seq && mentionsOf(event.content).includes(userId));
    if (isMuted && !(isNamed && mine?.mentionsPierce)) wrong("which is muted");
    if (!this.server.subscribedOf(userId).includes(deviceId)) wrong("which has no subscription");
  }
}
