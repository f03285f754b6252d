import type { SendCommand } from "../domain/append.ts";
import type { Marks, RawReceipt } from "../domain/receipts.ts";
import type { Bell, Park, Silence } from "../domain/ringing.ts";
import type { Key } from "../domain/searching.ts";
import type { Stage } from "../domain/shedding.ts";
import type { Range } from "../domain/spans.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { EditEvent, MessageEvent, Role } from "../protocol/events.ts";
import type { Ack, Summary } from "../protocol/frames.ts";
import type { Conversation, InvitePreview, Tally } from "../protocol/http.ts";
import type { ConversationId, DeviceId, MediaId, UserId } from "../protocol/ids.ts";
import type { Result } from "../protocol/result.ts";
import type { Mine, Receipt, Ticks, Visibility } from "../protocol/states.ts";
import type { ErasedCounts } from "../storage/erasure-store.ts";

/** What the objects say to each other. Events travel as the JSON text in which they are kept. */

export type Outcome<T> = Result<T, ErrorCode>;

/**
 * Wishes of one user in the order they were made. `aloneAs`: the number of devices the user has ever had, if now there is none but the
 * sender, so that nobody could miss the reply; else null. `confirmed`: seqs of earlier replies that have arrived. `call`: grows with every
 * call of this inbox, retries included; one that a later call has overtaken is not carried out any more.
 */
export type AppendRequest = { commands: SendCommand[]; aloneAs: number | null; confirmed: number[]; call: number };
export type Appended = { ack: Ack; body: string };

/**
 * Events for one inbox, as a ready `events` frame. `bell`: what to ring with, where a device may want it. `crowd`: receipts of this
 * conversation wait for the next call. `stage`: how much it leaves out just now.
 */
export type Delivery = {
  userId: UserId;
  conversationId: ConversationId;
  frame: string;
  bell: Bell | null;
  /** A message that rang was recalled. */
  silence: Silence | null;
  crowd: boolean;
  stage: Stage;
};
/** Whether some device was rung. `failed`: one should be, and the queue did not take it. */
export type Rung = "rung" | "none" | "failed";
/**
 * `park`: nobody to tell, do not call again. `told`: it was put on a socket. `subscribed`: some device wants
 * pushes. `held`: what this user has received, where that had to wait for a call.
 */
export type DeliveryAnswer = {
  park: Park | null;
  told: boolean;
  rung: Rung;
  subscribed: boolean;
  held: ReceiptRequest | null;
};
/**
 * `silentMs`: also a connected device counts as gone that has shown no sign of life for so long; null: only those not connected. No time of
 * day, for two objects have two clocks.
 */
export type RingRequest = { userId: UserId; conversationId: ConversationId; bell: Bell; silentMs: number | null };

/** `direct`: the one whose receipt it is is everybody else. */
export type ReceiptNews = {
  conversationId: ConversationId;
  direct: boolean;
  receipts: RawReceipt[];
  ticks: Ticks | undefined;
};

/** What a user's devices have received. `shows`: whom the user lets know that they read. */
export type ReceiptRequest = { marks: Marks; shows: Visibility };
/**
 * How things stand now. `unread`: for the user's other devices, where there are any. `quiet`: something that rang has been read. `crowd`: the
 * next ones may wait for a call.
 */
export type ReceiptAnswer = { receipt: Receipt; unread: number | undefined; quiet: boolean; crowd: boolean };
/** A user who looks. `devices`: how many they have ever had. `held`: receipts that waited for a call. */
export type Visit = { devices: number; held: ReceiptRequest | null };

/** A conversation as it knows it; what its member alone has set, and whom they may see read, is added by their inbox. */
export type Standing = Omit<Summary, keyof Mine | "receipts"> & { receipts?: RawReceipt[] };

/** `lastSeen`: whom the viewer shows theirs. `until`: told of changes until then (epoch ms); null: asks once. */
export type WatchRequest = { viewerId: UserId; lastSeen: Visibility; until: number | null };

/** `recalled`: messages that were recalled by events which the page steps over. */
export type LogPage = { bodies: string[]; head: number; floor: number; recalled: number[] } & Pick<Summary, "deleted">;
/** A page as a plan: `bodies` from the log's unshipped tail, `history` still to be read from the shard, before them. */
export type HistoryPage = Omit<LogPage, "recalled" | "deleted"> & { history: Range[]; shard: string; hasMore: boolean };

/** `words`: folded. `seqs`: what history proposes. `before`: hits older than this, at most `limit` of them. */
export type SearchRequest = { words: string; seqs: number[]; before: Key; limit: number };

/** A message as a member may see it. `edit`: the newest one of it. */
export type Shown = { event: MessageEvent; edit?: EditEvent };
/** Copies for a report, as the texts in which they are kept, in seq order. */
export type Evidence = { authors: UserId[]; events: { seq: number; isReported: boolean; body: string }[] };

/** Whether a user's devices are to hear that their contacts have changed. What a blocked person asks is not heard. [BL-6] */
export type ContactNews = "changed" | "asked" | "none";

export type OpenRequest =
  | { kind: "direct"; memberIds: readonly [UserId, UserId] }
  | { kind: "group"; makerId: UserId; memberIds: readonly UserId[]; title: string; fingerprint: string };
/** `declined`: the one who is added does not let the actor do it. */
export type MemberRequest = { actorId: UserId; userId: UserId; role: Role; declined?: boolean };

/** Somebody who came by an invite is a member now, or has asked at `askedAt` (epoch ms) to be one. */
export type Joined = { added: boolean; conversation: Conversation } | { added: false; askedAt: number };
export type Preview = Omit<InvitePreview, "avatar"> & { avatarMediaId: MediaId | null };

/** What a member's erasure took away here so far. `others`: in a direct conversation, whom to have forget them. */
export type ErasedHere = { done: boolean; counts: ErasedCounts; others: UserId[] };
/** What is left of somebody whose erasure this conversation has carried out, and where the rest of it would be. */
export type LeftHere = { left: Partial<Tally>; shard: string };

/** What an inbox knows of its user, for their export. `lastSeenAt`: epoch ms. */
export type Kept = {
  subscriptions: { deviceId: DeviceId; provider: "web" | "fcm"; preview: boolean }[];
  conversations: { conversationId: ConversationId; mine: Mine; starred: number[] }[];
  lastSeenAt: number | null;
};
