import type { SendCommand } from "../domain/append.ts";
import type { Range } from "../domain/paging.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { Role } from "../protocol/events.ts";
import type { Ack, Receipt } from "../protocol/frames.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import type { Result } from "../protocol/result.ts";

/** What the objects say to each other. Events travel as the JSON text in which they are kept. */

export type Outcome<T> = Result<T, ErrorCode>;

/**
 * Wishes of one user in the order they were made. `aloneAs`: the number of devices the user has ever had, if now there is none but the
 * sender, so that nobody could miss the reply; else null. `confirmed`: seqs of earlier replies that have arrived. `call`: grows with every
 * call of this inbox, retries included; one that a later call has overtaken is not carried out any more.
 */
export type AppendRequest = { commands: SendCommand[]; aloneAs: number | null; confirmed: number[]; call: number };
export type Appended = { ack: Ack; body: string };

/** Events for one inbox, as a ready `events` frame. */
export type Delivery = { conversationId: ConversationId; frame: string };
/** `parked`: nobody to tell; do not call again until this inbox attends. */
export type DeliveryAnswer = { parked: boolean };

export type ReceiptNews = { conversationId: ConversationId; receipts: Receipt[] };

export type LogPage = { bodies: string[]; head: number; floor: number };
/** A page as a plan: `bodies` from the log's unshipped tail, `history` still to be read from the shard, before them. */
export type HistoryPage = LogPage & { history: Range[]; shard: string; hasMore: boolean };

export type OpenRequest =
  | { kind: "direct"; memberIds: readonly [UserId, UserId] }
  | { kind: "group"; makerId: UserId; memberIds: readonly UserId[]; title: string; fingerprint: string };
export type MemberRequest = { actorId: UserId; userId: UserId; role: Role };
