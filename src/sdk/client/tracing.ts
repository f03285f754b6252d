import type { Event } from "../../protocol/events.ts";
import type { ConversationId } from "../../protocol/ids.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { seqIn } from "../arrivals.ts";
import { groupBy } from "../group-by.ts";
import type { Happening } from "../happenings.ts";
import type { Entry } from "../state.ts";
import { EdgewiseError } from "./errors.ts";
import { type HistoryPage, historyOf } from "./history.ts";
import type { Sessions } from "./sessions.ts";
import type { ErrorCode } from "./wire.ts";

/** Pages that are looked through for wishes that may have been appended. */
const PAGES_MAX = 50;
/** There is nothing to be seen there (any more). */
const OUT_OF_SIGHT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["not_found", "not_member"]);
const NOTHING: HistoryPage = { events: [], hasMore: false };

type Unsure = Entry & { readonly standing: { readonly is: "unsure" } };
const isUnsure = (entry: Entry): entry is Unsure => entry.standing.is === "unsure";
type Traced = Extract<Happening, { type: "traced" }>;
type Found = Traced["found"][number];

export const unsureOf = (outbox: readonly Entry[]): ReadonlyMap<ConversationId, readonly Unsure[]> =>
  groupBy(outbox.filter(isUnsure), ({ conversationId }) => conversationId);

/** [CL-58] Looks for these wishes of one conversation through all of the log in which they may be. */
export async function trace(sessions: Sessions, id: ConversationId, entries: readonly Unsure[]): Promise<Traced> {
  const after = Math.min(...entries.map(({ standing }) => standing.after));
  const events = await eventsAfter(sessions, id, after);
  const found = entries.flatMap((entry): Found[] => {
    const seq = seqIn(events, entry);
    return seq === undefined ? [] : [{ wishId: entry.wishId, seq }];
  });
  return { type: "traced", conversationId: id, wishIds: entries.map(({ wishId }) => wishId), found };
}

async function eventsAfter(sessions: Sessions, id: ConversationId, after: number): Promise<Event[]> {
  const all: Event[] = [];
  for (let page = 0, from = after; page < PAGES_MAX; page++) {
    const asked = historyOf(sessions, id, { after: from, limit: LIMITS.historyPage });
    const { events, hasMore } = await asked.catch((error: unknown) => {
      if (error instanceof EdgewiseError && OUT_OF_SIGHT.has(error.code)) return NOTHING;
      throw error;
    });
    all.push(...events);
    from = events.at(-1)?.seq ?? from;
    if (!hasMore || events.length === 0) break;
  }
  return all;
}
