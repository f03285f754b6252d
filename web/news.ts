import type { ServerFrame } from "../src/protocol/frames.ts";
import { type Fields, isConversationId, isCount, isFields } from "./checks.ts";

/** What the server tells of my conversations beside their logs. By conversation; what is not named is none. */
export type News = {
  /** The seqs of the messages that I have starred. */
  readonly starred: Readonly<Record<string, readonly number[]>>;
  /** How many wait to be let in, where I am an admin. */
  readonly waiting: Readonly<Record<string, number>>;
};
export const NO_NEWS: News = { starred: {}, waiting: {} };

/** [AP-21] A listed conversation says all of it, and what it leaves out is none; what another device of mine did says what has changed. */
export function hearNews(news: News, frame: ServerFrame): News {
  if (frame.type === "changed") return hearListed(news, frame.conversations);
  if (frame.type !== "self") return news;
  return (frame.conversations ?? []).reduce(
    (heard, { conversationId, starred }) => (isSeqs(starred) ? withStars(heard, conversationId, starred) : heard),
    news,
  );
}

export const hearListed = (news: News, listed: readonly object[]): News => listed.reduce(hearOne, news);

/** What could not be asked of the conversation comes without a `head`, and says nothing. */
function hearOne(news: News, listed: Fields | object): News {
  const { conversationId, head, starred = [], requestCount = 0 } = listed as Fields;
  if (!isConversationId(conversationId) || !isCount(head) || !isSeqs(starred) || !isCount(requestCount)) return news;
  const { [conversationId]: _, ...others } = news.waiting;
  const waiting = requestCount > 0 ? { ...others, [conversationId]: requestCount } : others;
  return { ...withStars(news, conversationId, starred), waiting };
}

export function withStars(news: News, id: string, seqs: readonly number[]): News {
  const { [id]: _, ...others } = news.starred;
  return { ...news, starred: seqs.length > 0 ? { ...others, [id]: seqs } : others };
}

const isSeqs = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((seq: unknown) => isCount(seq, 1));

/** What an earlier page kept; null where it kept none, or what does not fit. [AP-3] */
export function newsIn(stored: unknown): News | null {
  if (!isFields(stored) || !isFields(stored.starred) || !isFields(stored.waiting)) return null;
  const [starred, waiting] = [Object.entries(stored.starred), Object.entries(stored.waiting)];
  const fits = starred.every(([, seqs]) => isSeqs(seqs)) && waiting.every(([, count]) => isCount(count));
  return fits ? { starred: stored.starred as News["starred"], waiting: stored.waiting as News["waiting"] } : null;
}
