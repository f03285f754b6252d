import type { ConversationId } from "../protocol/ids.ts";
import { bury } from "./burying.ts";
import type { Happening } from "./happenings.ts";
import { conversationIds, type Held, newestKey } from "./state.ts";
import type { Turn } from "./turn.ts";

/** A device keeps of each conversation the newest events, without a gap; older ones are fetched when somebody wants to see them. */

/** Events kept over all conversations; past it those that were quiet longest keep `KEPT_WHEN_QUIET` each. */
const KEEP_IN_ALL = 50_000;
const KEPT_WHEN_QUIET = 50;

/** [CL-39] What is further behind than it would keep is not pulled: the window begins anew below the head. */
export function skipTo(turn: Turn, id: ConversationId, head: number): void {
  const { covered, events } = turn.held(id);
  if (head - covered <= turn.keep) return;
  turn.change({ type: "skipped", conversationId: id, from: head - turn.keep + 1, passed: newestKey(events) });
}

/** [CL-39] A page of what lies below the window. One that does not join on to it comes too late. */
export function takeOlder(turn: Turn, { conversationId, before, from, events }: Of<"older">): void {
  if (turn.held(conversationId).from !== before) return;
  turn.change({ type: "older", conversationId, from, events: events.filter(({ seq }) => seq < before) });
  bury(turn, conversationId); // what was recalled while the page was on its way
}
type Of<T extends Happening["type"]> = Extract<Happening, { type: T }>;

/** [CL-39] Lets the oldest go where there is more than is to be kept. */
export function prune(turn: Turn): void {
  const ids = conversationIds(turn.state);
  for (const id of ids) trim(turn, id, turn.keep);
  let kept = ids.reduce((sum, id) => sum + turn.held(id).events.length, 0);
  const quietFirst = ids.toSorted((a, b) => lastAt(turn.held(a)) - lastAt(turn.held(b)));
  for (const id of quietFirst) {
    if (kept <= KEEP_IN_ALL) return;
    kept -= turn.held(id).events.length;
    trim(turn, id, KEPT_WHEN_QUIET);
    kept += turn.held(id).events.length;
  }
}

const lastAt = ({ events }: Held): number => events.at(-1)?.receivedAt ?? 0;

function trim(turn: Turn, conversationId: ConversationId, keep: number): void {
  const { events } = turn.held(conversationId);
  const first = events.at(-keep);
  if (events.length <= keep || !first) return;
  const passed = newestKey(events.slice(0, -keep));
  turn.change({ type: "trimmed", conversationId, from: first.seq, passed });
}
