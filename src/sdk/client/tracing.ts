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

/** There is nothing to be seen there (any more). */
const OUT_OF_SIGHT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["not_found", "not_member"]);
const NOTHING: HistoryPage = { events: [], hasMore: false };

type Unsure = Entry & { readonly standing: { readonly is: "unsure" } };
const isUnsure = (entry: Entry): entry is Unsure => entry.standing.is === "unsure";
type Traced = Extract<Happening, { type: "traced" }>;

export const unsureOf = (outbox: readonly Entry[]): ReadonlyMap<ConversationId, readonly Unsure[]> =>
  groupBy(outbox.filter(isUnsure), ({ conversationId }) => conversationId);

/**
 * [CL-58] [CL-66] Looks for these wishes of one conversation through all of the log in which they may be, and tells after each page what came of
 * it: where it breaks off, it goes on there the next time.
 */
export async function trace(
  sessions: Pick<Sessions, "call">,
  conversationId: ConversationId,
  entries: readonly Unsure[],
  tell: (traced: Traced) => void,
): Promise<void> {
  const wishIds = entries.map(({ wishId }) => wishId);
  const open = new Map(entries.map((entry) => [entry.wishId, entry]));
  let after = Math.min(...entries.map(({ standing }) => standing.after));
  for (let isWhole = false; open.size > 0 && !isWhole; ) {
    const { events, hasMore } = await pageAfter(sessions, conversationId, after);
    const found = [...open.values()].flatMap((entry) => {
      const seq = seqIn(events, entry);
      return seq === undefined ? [] : [{ wishId: entry.wishId, seq }];
    });
    for (const { wishId } of found) open.delete(wishId);
    after = events.at(-1)?.seq ?? after;
    isWhole = !hasMore || events.length === 0;
    tell({ type: "traced", conversationId, wishIds, found, ...(isWhole ? {} : { reached: after }) });
  }
}

async function pageAfter(sessions: Pick<Sessions, "call">, id: ConversationId, after: number): Promise<HistoryPage> {
  try {
    return await historyOf(sessions, id, { after, limit: LIMITS.historyPage });
  } catch (error) {
    if (error instanceof EdgewiseError && OUT_OF_SIGHT.has(error.code)) return NOTHING;
    throw error;
  }
}
