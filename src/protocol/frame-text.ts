import type { ConversationId } from "./ids.ts";

/**
 * Frames and answers that carry events. An event is made text once, when it is appended, so these are put together of texts (`bodies`,
 * the events' JSON) and not of objects; a test holds them against the schemas.
 */
const list = (bodies: readonly string[]): string => `[${bodies.join(",")}]`;

/** An `events` frame. */
export const eventsText = (conversationId: ConversationId, bodies: readonly string[]): string =>
  `{"type":"events","conversationId":"${conversationId}","events":${list(bodies)}}`;

type Ends = { head: number; floor: number };
/** `recalled`: by events that the page steps over. */
type PageEnds = Ends & { recalled?: readonly number[]; deleted?: readonly { from: number; to: number }[] | undefined };

/** A `page` frame; `id` is that of the pull it answers. */
export function pageText(
  id: number | undefined,
  conversationId: ConversationId,
  bodies: readonly string[],
  { head, floor, recalled = [], deleted }: PageEnds,
): string {
  const told = id === undefined ? "" : `"id":${id},`;
  const gone = recalled.length > 0 ? `,"recalled":[${recalled.join()}]` : "";
  const mine = deleted ? `,"deleted":${JSON.stringify(deleted)}` : "";
  return `{"type":"page",${told}"conversationId":"${conversationId}","events":${list(bodies)},"head":${head},"floor":${floor}${mine}${gone}}`;
}

/** The body of a history answer. */
export const historyText = (bodies: readonly string[], { head, floor, hasMore }: Ends & { hasMore: boolean }): string =>
  `{"events":${list(bodies)},"head":${head},"floor":${floor},"hasMore":${hasMore}}`;
