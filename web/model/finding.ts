import { refusalText } from "../phrases.ts";
import type { ConversationId } from "../wire.ts";
import type { Session } from "./session.ts";

/** Hits that are stepped through; who seeks an older one says more words. */
const MOST = 50;

/** The messages of one conversation that show these words, the newest first; or what is in the way, for a person. */
export async function hitsInside(session: Session, id: ConversationId, words: string) {
  const query = { q: words, conversationId: id, limit: MOST };
  const answer = await session.call("search", { query });
  if (!answer.ok) return { seqs: [], hasMore: false, problem: refusalText(answer.code) };
  const { hits, cursor } = answer.value;
  return { seqs: hits.map(({ seq }) => seq), hasMore: cursor !== undefined, problem: "" };
}
