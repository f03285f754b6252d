import { ulid } from "ulid";
import { upgradeFor } from "../../src/platform/socket-caller.ts";
import type { Wish } from "../../src/protocol/events.ts";
import type { ServerFrame } from "../../src/protocol/frames.ts";
import { type ConversationId, DeviceId, IdempotencyKey, type UserId } from "../../src/protocol/ids.ts";
import { TIMES } from "../../src/protocol/limits.ts";
import type { Effects, Happening } from "../../src/sdk/happenings.ts";
import type { Live } from "../../src/sdk/live.ts";
import { Replica } from "../../src/sdk/replica.ts";
import { applyChange, type Held, heldOf, NOTHING_STORED, type ReplicaState } from "../../src/sdk/state.ts";
import type { AnyDevice, Wished } from "./any-device.ts";
import type { Clockwork } from "./clockwork.ts";
import type { Server } from "./server.ts";
import { type Downward, type ServerSocket, type Upward, Wire } from "./sockets.ts";

type Line = { up: Wire<Upward>; down: Wire<Downward>; far: ServerSocket };
/** A person's device: the SDK's replica on a disk and a wire that fail. It counts what it was promised. */
export class Device implements AnyDevice {
  readonly deviceId: DeviceId;
  readonly userId: UserId;
  /** Everything it ever wished for, in order; a key that the server asked to be minted again replaces the old one. */
  readonly wishes: Wished[] = [];
  line: Line | undefined;
  wantsOnline = false;
  /** Its sockets are opened while nobody looks. */
  background = false;
  /** Whose presence its screen shows. */
  watched: readonly UserId[] = [];
  /** The most that it ever stored, and that its person ever saw on it: what receipts may claim at most. */
  readonly everHeld = new Map<ConversationId, number>();
  readonly everShown = new Map<ConversationId, number>();
  /** When a server last welcomed it. */
  welcomedAt = 0;
  /** When it was first. */
  arrivedAt = 0;
  /** Whether a server has told it the time since it was started last. */
  knowsTime = false;
  readonly bugs: readonly string[] = [];
  /** Told of each frame it hears. */
  hears: (frame: ServerFrame) => void = () => {};
  /** Some clients never ping. */
  readonly pings: boolean;
  private readonly works: Clockwork;
  private readonly server: Server;
  private readonly skewMs: number;
  private disk: ReplicaState = NOTHING_STORED;
  private replica = new Replica();
  private opening = false;
  private wakeUp = () => {};
  private minted = 0;

  constructor(works: Clockwork, server: Server, userId: UserId) {
    this.works = works;
    this.server = server;
    this.userId = userId;
    this.deviceId = DeviceId.parse(ulid(works.now, works.random));
    this.skewMs = works.pick(7_200_000) - 3_600_000;
    this.pings = works.chance(0.7);
  }

  private get now(): number {
    return Math.floor(this.works.now + this.skewMs);
  }

  /** Keys ascend on the device, whatever its clock does. */
  private mint(): IdempotencyKey {
    const count = String(++this.minted).padStart(6, "0");
    return IdempotencyKey.parse(`01J0000000${count}${this.deviceId.slice(-10)}`);
  }

  say(conversationId: ConversationId, text: string, mentions: readonly UserId[] = []): void {
    this.wish(conversationId, text, {
      kind: "message",
      content: { type: "text", text, ...(mentions.length > 0 ? { mentions: [...mentions] } : {}) },
    });
  }

  /** `text` names the wish; no other one of this world has it. */
  wish(conversationId: ConversationId, text: string, event: Wish): void {
    const key = this.mint();
    this.wishes.push({ key, keyNow: key, conversationId, text, isLate: event.kind !== "message", place: 0 });
    this.handle({ type: "wish", conversationId, idempotencyKey: key, composedAt: this.now, event });
  }

  read(conversationId: ConversationId): void {
    const seq = this.covered(conversationId);
    this.everShown.set(conversationId, Math.max(seq, this.everShown.get(conversationId) ?? 0));
    this.handle({ type: "read", conversationId, seq });
  }

  watch(userIds: readonly UserId[]): void {
    this.watched = userIds;
    this.handle({ type: "watching", userIds });
  }

  type(conversationId: ConversationId, active: boolean): void {
    this.handle({ type: "typing", conversationId, active });
  }

  // --- the wire ---

  goOnline(): void {
    this.wantsOnline = true;
    if (!this.line && !this.opening) void this.open();
  }

  /** Closed in good order, or out of reach from one moment to the next. */
  goOffline(): void {
    this.wantsOnline = false;
    const says = this.works.chance(0.5);
    if (says) this.line?.up.send({ close: true });
    this.cut("goes offline", says);
  }

  private async open(): Promise<void> {
    this.opening = true;
    const far = await this.upgrade();
    this.opening = false;
    if (!far || far.readyState !== WebSocket.OPEN || !this.wantsOnline) {
      if (far) this.server.inbox(this.userId).end(far, false);
      return this.reconnectLater();
    }
    this.connect(far);
  }

  private async upgrade(): Promise<ServerSocket | undefined> {
    const env = this.server.runtime.env as {
      INBOXES: { getByName(name: string): { fetch(r: Request): Promise<unknown> } };
    };
    const request = upgradeFor({
      userId: this.userId,
      deviceId: this.deviceId,
      expiresAt: Number.MAX_SAFE_INTEGER,
      subprotocol: true,
    });
    try {
      return ((await env.INBOXES.getByName(this.userId).fetch(request)) as { webSocket: { far: ServerSocket } })
        .webSocket.far;
    } catch {
      return undefined;
    }
  }

  private connect(far: ServerSocket): void {
    const delay = this.server.runtime.delayMs;
    const inbox = this.server.inbox(this.userId);
    const up = new Wire<Upward>(this.works, delay, (item) => inbox.hear(far, item));
    const down = new Wire<Downward>(this.works, delay, (item) => {
      if ("close" in item) this.cut(`closed ${item.close}`);
      else this.hear(item.text);
    });
    far.down = down;
    const line = { up, down, far };
    this.line = line;
    if (this.pings) this.pingLater(line);
    this.handle({ type: "opened", background: this.background });
    this.handle({ type: "watching", userIds: this.watched });
  }

  private pingLater(line: Line): void {
    this.works.after(TIMES.heartbeatMs, () => {
      if (this.line !== line) return;
      line.up.send({ ping: true });
      this.pingLater(line);
    });
  }

  private hear(text: string): void {
    const frame = JSON.parse(text) as ServerFrame;
    this.works.tell(() => `${this.deviceId.slice(-4)} hears ${text.slice(0, 400)}`);
    if (frame.type === "welcome") this.welcomedAt = this.works.now;
    if (frame.type === "welcome") this.arrivedAt ||= this.works.now;
    this.knowsTime ||= frame.type === "welcome";
    this.hears(frame);
    this.handle({ type: "frame", frame });
    // A server that repeats itself (a delivery whose confirmation was lost) must do no harm.
    if (frame.type === "events" && this.works.chance(0.05)) this.handle({ type: "frame", frame });
  }

  /** Dead from here on, but for what was said in parting; the server may take long to notice. */
  cut(why: string, inParting = false): void {
    const { line } = this;
    if (!line) return;
    this.works.note(`${this.deviceId.slice(-4)} cut: ${why}`);
    this.line = undefined;
    line.down.cut = true;
    line.up.cut = !inParting;
    const isSlow = this.works.chance(0.2);
    const inbox = this.server.inbox(this.userId);
    this.works.after(this.works.pick(isSlow ? 200_000 : 20_000), () => inbox.end(line.far, false));
    this.handle({ type: "lost" });
    this.reconnectLater();
  }

  has(socket: ServerSocket): boolean {
    return this.line?.far === socket;
  }

  loses(socket: ServerSocket): void {
    if (this.has(socket)) this.cut("server is gone");
  }

  private reconnectLater(): void {
    this.works.after(50 + this.works.pick(3_000), () => {
      if (this.wantsOnline && !this.line && !this.opening) void this.open();
    });
  }

  // --- the replica ---

  /** The device dies: what was stored is all there is. */
  crash(): void {
    this.cut("crashes");
    this.works.note(`${this.deviceId.slice(-4)} restored`);
    this.wakeUp();
    this.replica = new Replica(structuredClone(this.disk));
    this.knowsTime = false;
    this.handle({ type: "watching", userIds: this.watched });
  }

  private handle(happening: Happening): void {
    const effects = this.replica.handle(happening, this.now);
    for (const change of effects.store) {
      this.disk = applyChange(this.disk, change);
      if (change.type !== "grew" && change.type !== "cleared") continue;
      const { conversationId } = change;
      const covered = change.type === "grew" ? change.covered : change.through; // what was cleared is dealt with
      this.everHeld.set(conversationId, Math.max(covered, this.everHeld.get(conversationId) ?? 0));
    }
    for (const frame of effects.frames) {
      this.works.tell(() => `${this.deviceId.slice(-4)} says ${JSON.stringify(frame)}`);
      this.line?.up.send({ text: JSON.stringify(frame) });
    }
    this.count(effects);
    for (const { conversationId, wishIds, above } of effects.mint) this.remint(conversationId, wishIds, above);
    this.wakeUp();
    if (effects.wakeAt === null) this.wakeUp = () => {};
    else this.wakeUp = this.works.after(effects.wakeAt - this.now, () => this.handle({ type: "woke" }));
  }

  private count(effects: Effects): void {
    if (effects.refused) this.works.note(`BUG refused ${effects.refused}`);
    for (const outcome of effects.outcomes) {
      const wish = this.wishes.find((w) => w.key === outcome.wishId);
      if (wish && "seq" in outcome) wish.ackedAt = outcome.seq;
      else if (wish && "code" in outcome) wish.failed = outcome.code;
    }
  }

  private remint(
    conversationId: ConversationId,
    wishIds: readonly IdempotencyKey[],
    above: IdempotencyKey | null,
  ): void {
    const keys = wishIds.map((wishId) => {
      let idempotencyKey = this.mint();
      while (above !== null && idempotencyKey <= above) idempotencyKey = this.mint();
      const wish = this.wishes.find((w) => w.key === wishId);
      if (wish) Object.assign(wish, { reminted: true, keyNow: idempotencyKey });
      return { wishId, idempotencyKey };
    });
    this.handle({ type: "minted", conversationId, keys });
  }

  // --- what can be seen of it ---

  get online(): boolean {
    return this.line !== undefined && this.line.far.readyState === WebSocket.OPEN;
  }

  get phase(): string {
    return this.replica.phase;
  }

  get outboxSize(): number {
    return this.replica.state.outbox.filter((entry) => entry.standing.is !== "failed").length;
  }

  covered(conversationId: ConversationId): number {
    return this.held(conversationId).covered;
  }

  events(conversationId: ConversationId) {
    return this.held(conversationId).events;
  }

  held(conversationId: ConversationId): Held {
    return heldOf(this.replica.state, conversationId);
  }

  get live(): Live {
    return this.replica.live;
  }

  /** The position its cursor names; 0 for none. */
  get position(): number {
    return Number(this.replica.state.cursor?.split(".")[1] ?? 0);
  }
}
