import type { ErrorCode } from "../protocol/errors.ts";
import type { Event, Wish } from "../protocol/events.ts";
import type { ClientFrame, ServerFrame } from "../protocol/frames.ts";
import type { ConversationId, DeviceId, IdempotencyKey, UserId } from "../protocol/ids.ts";
import type { Mine } from "../protocol/states.ts";
import type { Change } from "./state.ts";

/** What can happen to a device. Frames are those of the socket opened last, in the order in which they came. */
export type Happening =
  /** `background`: nobody is looking, so the person does not count as online. */
  | { type: "opened"; background?: boolean }
  | { type: "frame"; frame: ServerFrame }
  | { type: "lost" }
  /** The time of `wakeAt` has come; later or needless ones do no harm. */
  | { type: "woke" }
  | {
      type: "wish";
      conversationId: ConversationId;
      /** Minted for this wish, greater than every key before it on this device. */
      idempotencyKey: IdempotencyKey;
      /** What names the wish, where that is not its key. */
      wishId?: IdempotencyKey;
      /** Epoch ms, by the device's clock. */
      composedAt: number;
      event: Wish;
    }
  /** The answer to a `MintRequest`. */
  | { type: "minted"; conversationId: ConversationId; keys: readonly NewKey[] }
  /** The server wants this device no more, or its person has come back as another one. */
  | { type: "left"; deviceId: DeviceId }
  /** The log was looked through for these wishes that are unsure, all of it or up to `reached`; `found`: those that are there. */
  | {
      type: "traced";
      conversationId: ConversationId;
      wishIds: readonly IdempotencyKey[];
      found: readonly { readonly wishId: IdempotencyKey; readonly seq: number }[];
      reached?: number;
    }
  /** The person takes a failed wish off the screen. */
  | { type: "discarded"; wishId: IdempotencyKey }
  /** Everything up to `seq` was on the screen. */
  | { type: "read"; conversationId: ConversationId; seq: number }
  /** The person types, said with every key; or has stopped. */
  | { type: "typing"; conversationId: ConversationId; active: boolean }
  /** The people whose presence a visible screen shows, from now on. */
  | { type: "watching"; userIds: readonly UserId[] }
  /** The server took what the person set for this conversation. */
  | { type: "set"; conversationId: ConversationId; mine: Mine }
  /** A page of what lies below `before`, where the window began when it was asked for: all that I may see from `from` on, in order. */
  | { type: "older"; conversationId: ConversationId; before: number; from: number; events: readonly Event[] }
  /** It is time to let go of what is more than is to be kept. */
  | { type: "pruned" };

export type NewKey = { readonly wishId: IdempotencyKey; readonly idempotencyKey: IdempotencyKey };

/** Asks for a new key for each of these wishes, in this order, all greater than `above`. */
export type MintRequest = {
  readonly conversationId: ConversationId;
  readonly wishIds: readonly IdempotencyKey[];
  readonly above: IdempotencyKey | null;
};

/** How a wish ended; told once, unless the device crashed before it could keep that. */
export type Outcome = { readonly wishId: IdempotencyKey } & ({ readonly seq: number } | { readonly code: ErrorCode });

/** What the shell does, in this order. */
export type Effects = {
  /** Stored together and durably before anything else is done. */
  readonly store: readonly Change[];
  /** Put on the socket, in this order. */
  readonly frames: readonly ClientFrame[];
  readonly mint: readonly MintRequest[];
  readonly outcomes: readonly Outcome[];
  /** The server does not want this client at all: close the socket and say so. */
  readonly refused: ErrorCode | null;
  /** Say `woke` at this time (epoch ms; a little later, at random, is kinder to the server). It replaces the one before. */
  readonly wakeAt: number | null;
};
