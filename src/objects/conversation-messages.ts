import { isExpired, tombstoneOf } from "../domain/life.ts";
import { canSee, type Membership } from "../domain/membership.ts";
import { planPage } from "../domain/paging.ts";
import type { MessageEvent } from "../protocol/events.ts";
import type { MediaId, UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import { AVATAR, type Claim } from "../storage/media.ts";
import type { ConversationState } from "./conversation-state.ts";
import { memberOf } from "./conversation-views.ts";
import type { Evidence, Outcome, Shown } from "./rpc.ts";

/** Events before the first reported one that are copied with it, and edits of one message. */
const BEFORE = 5;
const EDITS = 5;

/** Messages by their seqs, as one member may see them. */

/** Those that the member may see; what was taken away, or whose time is over, is there as its tombstone. `now`: epoch ms. */
export function shownOf(
  state: ConversationState | undefined,
  userId: UserId,
  seqs: readonly number[],
  now: number,
): Outcome<Shown[]> {
  const found = memberOf(state, userId);
  if (!found.ok) return found;
  const { state: known, member } = found.value;
  const messages = seqs.flatMap((seq) => messageAt(known, member, seq) ?? []);
  return ok(
    messages.map((event) => {
      if (isExpired(event, now)) return { event: tombstoneOf(event, "expired") };
      const edit = editsSeen(known, member, event.seq).at(-1);
      return edit ? { event, edit } : { event };
    }),
  );
}

function messageAt({ store }: ConversationState, member: Membership, seq: number): MessageEvent | undefined {
  const event = canSee(member, seq) ? store.log.event(seq) : undefined;
  return event?.kind === "message" ? event : undefined;
}

const editsSeen = ({ store }: ConversationState, member: Membership, seq: number) =>
  store.log.editsOf(seq).filter((edit) => canSee(member, edit.seq));

/**
 * [RP-1] [RP-2] These messages with their last edits, and the few events before them, as the member may see them; of a conversation as such,
 * the last few. A seq that is no message of theirs to see is `not_found`, for all of them.
 */
export function evidenceOf(
  state: ConversationState | undefined,
  userId: UserId,
  seqs: readonly number[],
): Outcome<Evidence> {
  const found = memberOf(state, userId);
  if (!found.ok) return found;
  const { state: known, member } = found.value;
  const messages = seqs.map((seq) => messageAt(known, member, seq));
  if (messages.includes(undefined)) return refuse("not_found", "seqs: no such message");
  const named = messages as MessageEvent[];
  const edits = named.flatMap(({ seq }) => editsSeen(known, member, seq).slice(-EDITS));
  const reported = new Set([...named, ...edits].map(({ seq }) => seq));
  const first = Math.min(known.head + 1, ...seqs);
  const { ranges } = planPage(member, known.head, { before: first, limit: BEFORE });
  const before = ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
  const all = [...new Set([...before, ...reported])].sort((a, b) => a - b);
  const events = all.flatMap((seq) =>
    Array.from(known.store.log.rows(seq, seq), ({ body }) => ({ seq, isReported: reported.has(seq), body })),
  );
  return ok({ authors: [...new Set(named.map(({ senderId }) => senderId))], events });
}

/** Whether media is shown by what has claimed it: a message of this wish, or the group as its picture. */
export function showsMedia(state: ConversationState | undefined, mediaId: MediaId, claim: Claim): boolean {
  if (claim === AVATAR) return state?.facts.avatarMediaId === mediaId; // [GR-11]
  const event = state?.store.log.findByKey(claim.deviceId, claim.idempotencyKey).event;
  return event?.kind === "message" && event.content.type === "media";
}
