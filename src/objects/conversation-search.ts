import { textOf } from "../domain/life.ts";
import { canSee, type Membership } from "../domain/membership.ts";
import { planPage, splitAtShipped } from "../domain/paging.ts";
import { type Found, type Key, merge, newestFirst, snippetOf } from "../domain/searching.ts";
import type { Range } from "../domain/spans.ts";
import { Event, type MessageEvent } from "../protocol/events.ts";
import type { SearchHit } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import { ok } from "../protocol/result.ts";
import type { ConversationState } from "./conversation-state.ts";
import { memberOf } from "./conversation-views.ts";
import type { Outcome, SearchRequest } from "./rpc.ts";

/** Events of the log's tail that one search reads; a tail is longer only while history is away. */
const TAIL_READ = 2_000;

/** A hit at the event that wrote its words: the message itself, or the newest edit of it. */
export type Placed = Key & { hit: SearchHit };

/**
 * [SE-1] Of the seqs that history proposes, those that the member may see and that hold the words now; and the same of the tail that is
 * not shipped yet. The log decides: what was edited or taken away is not found, however late history is.
 */
export function searchOf(
  state: ConversationState | undefined,
  userId: UserId,
  { words, seqs, before, limit }: SearchRequest,
): Outcome<Found<Placed>> {
  const found = memberOf(state, userId);
  if (!found.ok) return found;
  const { state: known, member } = found.value;
  const { ranges, hasMore } = planPage(member, known.head, { limit: TAIL_READ });
  const tail = splitAtShipped(ranges, known.checkpoint.shipped).log; // [SE-6]
  const first = tail[0]?.[0] ?? 0;
  const isCut = hasMore && first > known.checkpoint.shipped + 1;
  const [oldest] = isCut ? eventsOf(known, [[first, first]]) : [];
  const proposed = seqs.map((seq): Range => [seq, seq]);
  const hits = eventsOf(known, [...proposed, ...tail]).flatMap((event) => placed(known, member, event, words) ?? []);
  const isLater = (key: Key) => newestFirst(before, key) < 0;
  const all = { hits: hits.filter(isLater), through: oldest && isLater(oldest) ? keyOf(oldest) : null };
  const { hits: newest, next } = merge([all], limit);
  return ok({ hits: newest, through: next });
}

const eventsOf = ({ store }: ConversationState, ranges: readonly Range[]): Event[] =>
  ranges.flatMap(([from, to]) => Array.from(store.log.rows(from, to), ({ body }) => Event.parse(JSON.parse(body))));
const keyOf = ({ receivedAt, conversationId, seq }: Event): Key => ({ receivedAt, conversationId, seq });

/** The message that shows these words because of this event; null where it does not, any more or to this member. */
function placed(state: ConversationState, member: Membership, event: Event, words: string): Placed | null {
  if (event.kind !== "message" && event.kind !== "edit") return null;
  const message = event.kind === "message" ? event : state.store.log.event(event.targetSeq);
  if (message?.kind !== "message" || !canSee(member, message.seq)) return null;
  const newest = state.store.log.editsOf(message.seq).findLast(({ seq }) => canSee(member, seq)) ?? message;
  const text = newest.seq === event.seq ? textOf(event.content) : undefined; // [SE-5]
  const snippet = text === undefined ? null : snippetOf(text, words);
  return snippet && { ...keyOf(event), hit: { ...shown(message), snippet } };
}

function shown({
  conversationId,
  seq,
  eventId,
  senderId,
  receivedAt,
  occurredAt,
}: MessageEvent): Omit<SearchHit, "snippet"> {
  return { conversationId, seq, eventId, senderId, receivedAt, occurredAt };
}
