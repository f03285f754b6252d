import type { Event } from "../../protocol/events.ts";
import type { ConversationId } from "../../protocol/ids.ts";
import type { Sessions } from "./sessions.ts";

/** A page of what the server has of a conversation: up from `after`, or down from `before`. */
export type HistoryPage = { readonly events: readonly Event[]; readonly hasMore: boolean };
type Query = { readonly limit: number } & ({ readonly before: number } | { readonly after: number });

export async function historyOf(
  sessions: Pick<Sessions, "call">,
  id: ConversationId,
  query: Query,
): Promise<HistoryPage> {
  // The ids are those of the wire; only the SDK's inside tells them apart by type.
  return (await sessions.call("history", { params: { id }, query })) as unknown as HistoryPage;
}
