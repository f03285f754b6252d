import { ulid } from "ulid";
import { upgradeFor } from "../../src/platform/socket-caller.ts";
import type { ServerFrame } from "../../src/protocol/frames.ts";
import { type ConversationId, DeviceId, IdempotencyKey, type UserId } from "../../src/protocol/ids.ts";
import type { Effects, Happening } from "../../src/sdk/happenings.ts";
import { Replica } from "../../src/sdk/replica.ts";
import { applyChange, heldOf, NOTHING_STORED, type ReplicaState } from "../../src/sdk/state.ts";
import type { Clockwork } from "./clockwork.ts";
import type { Server } from "./server.ts";
import { type ServerSocket, Wire } from "./sockets.ts";

type Line = { up: Wire<string>; down: Wire<{ text: string } | { close: number }>; far: ServerSocket };
export type Wished = {
  key: IdempotencyKey;
  conversationId: ConversationId;
  text: string;
  ackedAt?: number;
  failed?: string;
  reminted?: true;
};

/** A person's device: the SDK's replica on a disk and a wire that fail. It counts what it was promised. */
export class Device {
  readonly deviceId: DeviceId;
  readonly userId: UserId;
  /** Everything it ever wished for, in order; a key that the server asked to be minted again replaces the old one. */
  readonly wishes: Wished[] = [];
  line: Line | undefined;
  wantsOnline = false;
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
  }

  private get now(): number {
    return Math.floor(this.works.now + this.skewMs);
  }

  /** Keys ascend on the device, whatever its clock does. */
  private mint(): IdempotencyKey {
    const count = String(++this.minted).padStart(6, "0");
    return IdempotencyKey.parse(`01J0000000${count}${this.deviceId.slice(-10)}`);
  }

  say(conversationId: ConversationId, text: string): void {
    const key = this.mint();
    this.wishes.push({ key, conversationId, text });
    this.handle({
      type: "wish",
      conversationId,
      idempotencyKey: key,
      composedAt: this.now,
      event: { kind: "message", content: { type: "text", text } },
    });
  }

  read(conversationId: ConversationId): void {
    this.handle({ type: "read", conversationId, seq: this.covered(conversationId) });
  }

  // --- the wire ---

  goOnline(): void {
    this.wantsOnline = true;
    if (!this.line && !this.opening) void this.open();
  }

  goOffline(): void {
    this.wantsOnline = false;
    this.cut("goes offline");
  }

  private async open(): Promise<void> {
    this.opening = true;
    const far = await this.upgrade();
    this.opening = false;
    if (!far || far.readyState !== WebSocket.OPEN || !this.wantsOnline) {
      far?.drop();
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
    const receive = (text: string) => {
      if (far.readyState !== WebSocket.OPEN) return;
      void inbox
        .enter((object) => object.webSocketMessage?.(far, text))
        .catch((error) => this.works.note(`BUG ${error}`));
    };
    const up = new Wire<string>(this.works, delay, receive);
    const down = new Wire<{ text: string } | { close: number }>(this.works, delay, (item) => {
      if ("close" in item) this.cut(`closed ${item.close}`);
      else this.hear(item.text);
    });
    far.down = down;
    this.line = { up, down, far };
    this.handle({ type: "opened" });
  }

  private hear(text: string): void {
    const frame = JSON.parse(text) as ServerFrame;
    this.works.tell(() => `${this.deviceId.slice(-4)} hears ${text.slice(0, 400)}`);
    this.handle({ type: "frame", frame });
    // A server that repeats itself (a delivery whose confirmation was lost) must do no harm.
    if (frame.type === "events" && this.works.chance(0.05)) this.handle({ type: "frame", frame });
  }

  /** Both directions are dead from here on; the server may take long to notice. */
  cut(why: string): void {
    const { line } = this;
    if (!line) return;
    this.works.note(`${this.deviceId.slice(-4)} cut: ${why}`);
    this.line = undefined;
    line.up.cut = line.down.cut = true;
    this.works.after(this.works.pick(20_000), () => line.far.drop());
    this.handle({ type: "lost" });
    this.reconnectLater();
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
  }

  private handle(happening: Happening): void {
    const effects = this.replica.handle(happening, this.now);
    for (const change of effects.store) this.disk = applyChange(this.disk, change);
    for (const frame of effects.frames) {
      this.works.tell(() => `${this.deviceId.slice(-4)} says ${JSON.stringify(frame)}`);
      this.line?.up.send(JSON.stringify(frame));
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
      if (wish) wish.reminted = true;
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
    return heldOf(this.replica.state, conversationId).covered;
  }

  events(conversationId: ConversationId) {
    return heldOf(this.replica.state, conversationId).events;
  }

  /** The position its cursor names; 0 for none. */
  get position(): number {
    return Number(this.replica.state.cursor?.split(".")[1] ?? 0);
  }
}
