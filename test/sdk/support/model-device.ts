import type { ClientFrame, ServerFrame } from "../../../src/protocol/frames.ts";
import type { ConversationId, IdempotencyKey } from "../../../src/protocol/ids.ts";
import type { Effects, Happening, Outcome } from "../../../src/sdk/happenings.ts";
import { KeyMint } from "../../../src/sdk/keys.ts";
import { Replica } from "../../../src/sdk/replica.ts";
import { applyChange, NOTHING_STORED } from "../../../src/sdk/state.ts";
import { ReplicaState } from "../../../src/sdk/stored.ts";
import type { Sender } from "./model-conversation.ts";
import type { ModelServer } from "./model-server.ts";

type Clock = () => number;

/** The shell around a replica: a disk that survives crashes, and a socket whose frames lie in two queues until the test moves them. */
export class ModelDevice {
  readonly who: Sender;
  replica: Replica;
  /** What is on the disk: the fold of the changes that were stored. */
  disk: ReplicaState = NOTHING_STORED;
  readonly outcomes: Outcome[] = [];
  /** Texts in the order in which they were wished for, by conversation. */
  readonly wished: { conversationId: ConversationId; text: string; wishId: IdempotencyKey }[] = [];
  up: ClientFrame[] = [];
  down: ServerFrame[] = [];
  isOpen = false;
  /** How wrong this device's clock is. Ms. */
  skew = 0;
  #wakeAt: number | null = null;
  #mint: KeyMint;
  readonly #server: ModelServer;
  readonly #clock: Clock;
  readonly #onStored: (device: ModelDevice) => void;

  readonly #keep: number;

  /** `keep`: events of each conversation that it keeps. */
  constructor(who: Sender, server: ModelServer, clock: Clock, onStored: (device: ModelDevice) => void, keep: number) {
    this.#keep = keep;
    this.replica = new Replica(NOTHING_STORED, { keep });
    this.who = who;
    this.#server = server;
    this.#clock = clock;
    this.#onStored = onStored;
    this.#mint = new KeyMint(this.disk, () => 0.5);
  }

  /** A crash in the middle of carrying out effects: before they are stored, or between that and everything else. */
  crashNext: "before_store" | "after_store" | null = null;

  tell(happening: Happening): void {
    const effects = this.replica.handle(happening, this.#clock() + this.skew);
    if (this.crashNext !== "before_store") this.#carryOut(effects);
    if (this.crashNext) this.crash();
    else this.#mintKeys(effects);
  }

  #carryOut(effects: Effects): void {
    this.disk = effects.store.reduce(applyChange, this.disk);
    this.outcomes.push(...effects.outcomes);
    if (effects.store.length > 0) this.#onStored(this);
    if (this.crashNext) return;
    this.#wakeAt = effects.wakeAt === null ? null : effects.wakeAt - this.skew; // a timer counts, whatever the clock says
    if (this.isOpen) this.up.push(...effects.frames);
  }

  #mintKeys({ mint }: Effects): void {
    for (const { conversationId, wishIds, above } of mint) {
      const keys = wishIds.map((wishId) => ({
        wishId,
        idempotencyKey: this.#mint.mint(this.#clock() + this.skew, above),
      }));
      this.tell({ type: "minted", conversationId, keys });
    }
  }

  /** What is in memory is gone. The disk is read back as JSON, and key minting starts anew: both as after a real crash. */
  crash(): void {
    this.crashNext = null;
    this.#hangUp();
    this.replica = new Replica(ReplicaState.parse(JSON.parse(JSON.stringify(this.disk))), { keep: this.#keep });
    this.#wakeAt = null;
    this.#mint = new KeyMint(this.disk, () => 0.5);
  }

  #hangUp(): void {
    if (this.#server.sockets.get(this.who.deviceId)) this.#server.sockets.delete(this.who.deviceId);
    this.isOpen = false;
    this.up = [];
    this.down = [];
  }

  open(): void {
    if (this.isOpen) return;
    this.isOpen = true;
    this.#server.connect(this.who, (frame) => void this.down.push(structuredClone(frame)));
    this.tell({ type: "opened" });
  }

  /** Cuts the socket. `heard`: how much of what was on the way up still reaches the server. */
  cut(heard: number): void {
    if (!this.isOpen) return;
    this.moveUp(heard);
    this.#hangUp();
    this.tell({ type: "lost" });
  }

  /** The server closed the socket, or forgot it: the device notices. */
  notice(): void {
    if (this.isOpen && !this.#server.sockets.has(this.who.deviceId)) this.cut(0);
  }

  moveUp(count: number): void {
    for (const frame of this.up.splice(0, count)) this.#server.receive(this.who.deviceId, frame);
  }

  /** `repeat`: each `events` frame that is moved comes twice. */
  moveDown(count: number, repeat: boolean): void {
    for (let i = 0; i < count && this.isOpen; i++) {
      const frame = this.down.shift();
      if (!frame) return;
      this.tell({ type: "frame", frame });
      if (repeat && frame.type === "events" && this.isOpen) this.tell({ type: "frame", frame });
    }
  }

  wake(): void {
    if (this.#wakeAt === null || this.#clock() < this.#wakeAt) return;
    this.#wakeAt = null;
    this.tell({ type: "woke" });
  }

  get isDue(): boolean {
    return this.#wakeAt !== null;
  }

  wish(conversationId: ConversationId, text: string): void {
    const now = this.#clock() + this.skew;
    const idempotencyKey = this.#mint.mint(now, null);
    if (this.wished.some(({ wishId }) => wishId === idempotencyKey)) return; // the clock went back to where a crash forgot
    this.wished.push({ conversationId, text, wishId: idempotencyKey });
    const event = { kind: "message", content: { type: "text", text } } as const;
    const storedBefore = this.disk;
    this.tell({ type: "wish", conversationId, idempotencyKey, composedAt: Math.max(0, now), event });
    if (this.disk === storedBefore) this.wished.pop(); // it crashed before it kept anything: the wish was never made
  }
}
