import type { Event, Wish } from "../../src/protocol/events.ts";
import type { ServerFrame } from "../../src/protocol/frames.ts";
import type { ConversationId, DeviceId, IdempotencyKey, UserId } from "../../src/protocol/ids.ts";
import type { Live } from "../../src/sdk/live.ts";
import type { Held } from "../../src/sdk/state.ts";
import type { ServerSocket } from "./sockets.ts";

/** What somebody wished for on a device. */
export type Wished = {
  key: IdempotencyKey;
  /** The one under which it goes by now. */
  keyNow: IdempotencyKey;
  conversationId: ConversationId;
  text: string;
  /** About an earlier message. */
  isLate: boolean;
  ackedAt?: number;
  failed?: string;
  reminted?: true;
  /** Where it was written: what is written in one place goes out in order. */
  place: number;
  /** What died with its tab before it was on the disk may be gone, and may not. */
  mayBeLost?: true;
};

/** A person's device, whatever it is made of: what a world does with it, and what can be seen of it. */
export type AnyDevice = {
  readonly deviceId: DeviceId;
  readonly userId: UserId;
  /** Everything it ever wished for, in order; a key that the server asked to be minted again replaces the old one. */
  readonly wishes: readonly Wished[];
  /** Its sockets are opened while nobody looks. */
  background: boolean;
  /** Whose presence its screen shows. */
  readonly watched: readonly UserId[];
  /** The most that it ever stored, and that its person ever saw on it: what receipts may claim at most. */
  readonly everHeld: ReadonlyMap<ConversationId, number>;
  readonly everShown: ReadonlyMap<ConversationId, number>;
  /** When a server last welcomed it, and when it was first. */
  readonly welcomedAt: number;
  readonly arrivedAt: number;
  /** Whether a server has told it the time since it was started last. */
  readonly knowsTime: boolean;
  /** What it found wrong by itself. */
  readonly bugs: readonly string[];
  /** Told of each frame it hears. */
  hears: (frame: ServerFrame) => void;

  say(conversationId: ConversationId, text: string, mentions?: readonly UserId[]): void;
  /** `text` names the wish; no other one of this world has it. */
  wish(conversationId: ConversationId, text: string, event: Wish): void;
  read(conversationId: ConversationId): void;
  watch(userIds: readonly UserId[]): void;
  type(conversationId: ConversationId, active: boolean): void;
  goOnline(): void;
  goOffline(): void;
  /** Its socket is dead from here on. */
  cut(why: string): void;
  /** What was stored is all there is. */
  crash(): void;
  /** Whether the other end of a socket of the server is here; it finds out that the server's is gone. */
  has(socket: ServerSocket): boolean;
  loses(socket: ServerSocket): void;

  readonly online: boolean;
  readonly phase: string;
  /** What waits to be sent, or to be stored. */
  readonly outboxSize: number;
  covered(conversationId: ConversationId): number;
  events(conversationId: ConversationId): readonly Event[];
  held(conversationId: ConversationId): Held;
  readonly live: Pick<Live, "presence" | "shed">;
  /** The position its cursor names; 0 for none. */
  readonly position: number;
};
