import type { Event } from "../../../src/protocol/events.ts";
import { must } from "./door.ts";

type Walk = { url: string; token: string; conversationId: string; direction: "before" | "after"; limit: number };

/** Reads a conversation's whole history page by page, in one direction. Answers it in ascending order. Throws on a page that does not add up. */
export async function walkHistory({
  url,
  token,
  conversationId,
  direction,
  limit,
}: Walk): Promise<{ floor: number; events: Event[] }> {
  const events: Event[] = [];
  let position: Record<string, number> = direction === "after" ? { after: 0 } : {};
  for (;;) {
    const page = await must(url, "history", { params: { id: conversationId }, query: { ...position, limit }, token });
    const seqs = page.events.map((event) => event.seq);
    const ordered = [...seqs].sort((a, b) => (direction === "after" ? a - b : b - a));
    if (page.events.length > limit || seqs.join() !== ordered.join())
      throw new Error(`a page of ${limit} ${direction}: ${seqs.join()}`);
    if (direction === "after") events.push(...page.events);
    else events.unshift(...page.events.toReversed());
    const last = seqs.at(-1);
    if (!page.hasMore) return { floor: page.floor, events };
    if (last === undefined) throw new Error("an empty page says that there is more");
    position = { [direction]: last };
  }
}
