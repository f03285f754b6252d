import type { Hono } from "hono";
import { type Found, fold, formatKey, type Key, merge, NEWEST, parseKey } from "../domain/searching.ts";
import type { Placed } from "../objects/conversation-search.ts";
import type { Outcome } from "../objects/rpc.ts";
import { ask, CALL_WINDOW, mapWindowed, tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { shardDatabase, shardOf } from "../platform/history-shards.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { conversationOf, inboxOf } from "../platform/stubs.ts";
import { DOORS } from "../protocol/http.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import { searchShard } from "../storage/search.ts";

const PAGE = 20;
/** Conversations of one search; somebody with more finds in those that changed last, and is told. */
const CONVERSATIONS = 5_000;
/** Conversations that changed last, whose unshipped tails are searched, too. */
const TAILS = 20;

type Question = { userId: UserId; words: string; before: Key; limit: number };
/** `isWhole`: everything that was asked has answered. */
type Answered<T> = { found: T; isWhole: boolean };

/** Search: history proposes, the conversations decide. */
export function mountSearch(app: Hono<AppEnv>): void {
  mount(app, DOORS.search, search);
}

async function search({ env, caller: { userId }, query }: Visit<typeof DOORS.search>) {
  const before = query.cursor === undefined ? NEWEST : parseKey(query.cursor);
  if (!before) return refuse("invalid_request", "cursor: not one of ours");
  const question = { userId, words: fold(query.q.trim()), before, limit: query.limit ?? PAGE };
  const mine = query.conversationId ? ok([query.conversationId]) : await conversationsOf(env, userId);
  if (!mine.ok) return mine;
  const ids = mine.value.slice(-CONVERSATIONS);
  const proposed = await propose(env, ids, question);
  const decided = await decide(env, ids, proposed.found, question);
  const [only] = decided.found;
  if (query.conversationId && only && !only.ok) return only; // [GR-1]
  const { hits, next } = merge<Placed>([...ends(proposed.found), ...decided.found.flatMap(foundIn)], question.limit);
  const incomplete = !proposed.isWhole || !decided.isWhole || ids.length < mine.value.length; // [SE-7]
  const cursor = next ? { cursor: formatKey(next) } : {};
  return ok({ status: 200 as const, body: { hits: hits.map(({ hit }) => hit), ...cursor, incomplete } });
}

/** Those that changed last come last. */
const conversationsOf = (env: Env, userId: UserId) => tryCall(async () => await inboxOf(env, userId).conversationIds());

/** Where the words are in history: each shard is asked once, for all of the user's conversations that it holds. */
async function propose(env: Env, ids: ConversationId[], question: Question): Promise<Answered<Found<Key>[]>> {
  const shards = [...Map.groupBy(ids, (id) => shardOf(env, id))];
  const answers = await Promise.all(shards.map(([shard, held]) => proposedBy(env, shard, held, question)));
  const found = answers.flatMap((answer) => answer ?? []);
  return { found, isWhole: found.length === answers.length };
}

/** Null when the shard is away. */
async function proposedBy(env: Env, shard: string, ids: ConversationId[], { words, before, limit }: Question) {
  const database = shardDatabase(env, shard);
  try {
    return database ? await searchShard(database, ids, words, before, limit) : null;
  } catch (error) {
    log.warn("search_unreachable", { shard, error });
    return null;
  }
}

/** [SE-1] [SE-6] The conversations that history names say what is still so and may be seen; the last ones also search their tails. */
async function decide(
  env: Env,
  ids: ConversationId[],
  proposed: readonly Found<Key>[],
  { userId, ...wish }: Question,
): Promise<Answered<Outcome<Found<Placed>>[]>> {
  const named = Map.groupBy(
    proposed.flatMap(({ hits }) => hits),
    ({ conversationId }) => conversationId,
  );
  const asked = [...new Set([...named.keys(), ...ids.slice(-TAILS)])];
  const found = await mapWindowed(asked, CALL_WINDOW, async (id): Promise<Outcome<Found<Placed>>> => {
    const seqs = named.get(id)?.map(({ seq }) => seq) ?? [];
    return ask(() => conversationOf(env, id).search(userId, { ...wish, seqs }));
  });
  return { found, isWhole: !found.some((one) => !one.ok && one.code === "unavailable") };
}

/** How far the proposals go; what they propose was decided. */
const ends = (proposed: readonly Found<Key>[]): Found<Placed>[] =>
  proposed.map(({ through }) => ({ hits: [], through }));
const foundIn = (outcome: Outcome<Found<Placed>>): Found<Placed>[] => (outcome.ok ? [outcome.value] : []);
