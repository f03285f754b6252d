import type { Hono } from "hono";
import type { PageWish } from "../domain/paging.ts";
import type { HistoryPage, Outcome } from "../objects/rpc.ts";
import { ask } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { shardDatabase } from "../platform/history-shards.ts";
import { type AppEnv, mount } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { conversationOf, inboxOf } from "../platform/stubs.ts";
import { historyText } from "../protocol/frame-text.ts";
import { DOORS } from "../protocol/http.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import { ok } from "../protocol/result.ts";
import { readRows } from "../storage/history.ts";

const HISTORY_PAGE = 50;

/** Sending over HTTP, and pages of history. */
export function mountEvents(app: Hono<AppEnv>): void {
  mount(app, DOORS.send, async ({ env, caller, params, body }) => {
    const command = { userId: caller.userId, deviceId: caller.deviceId, ...body };
    const sent = await ask(() => inboxOf(env, caller.userId).send(params.id, command));
    return sent.ok ? ok({ status: sent.value.duplicate ? 200 : 201, body: sent.value }) : sent;
  });

  mount(app, DOORS.eventReceipts, async ({ env, caller, params }) => {
    const inbox = () => inboxOf(env, caller.userId).eventReceipts(caller.userId, params.id, params.seq);
    const receipts = await ask(inbox);
    return receipts.ok ? ok({ status: 200, body: receipts.value }) : receipts;
  });

  mount(app, DOORS.trace, async ({ env, caller, params }) => {
    const trace = await ask(() => inboxOf(env, caller.userId).traceEvent(caller.userId, params.id, params.seq));
    return trace.ok ? ok({ status: 200, body: trace.value }) : trace;
  });

  mount(app, DOORS.history, async ({ env, caller, params, query }) => {
    const { before, after, limit = HISTORY_PAGE } = query;
    const page = await readPage(env, params.id, caller.userId, { before, after, limit });
    if (!page.ok) return page;
    const { bodies, ...rest } = page.value;
    const json = historyText(after === undefined ? bodies.toReversed() : bodies, rest);
    return new Response(json, { headers: { "content-type": "application/json" } });
  });
}

/** The shipped part from history and the tail from the log; all of it from the log while history does not answer. */
export async function readPage(
  env: Env,
  id: ConversationId,
  userId: UserId,
  wish: PageWish,
): Promise<Outcome<HistoryPage>> {
  const page = await askHistory(env, id, userId, wish, false);
  if (!page.ok || page.value.history.length === 0) return page;
  const shipped = await readShipped(env, id, page.value);
  if (shipped === null) return askHistory(env, id, userId, wish, true); // [HI-3]
  return ok({ ...page.value, bodies: [...shipped, ...page.value.bodies] });
}

async function askHistory(
  env: Env,
  id: ConversationId,
  userId: UserId,
  wish: PageWish,
  all: boolean,
): Promise<Outcome<HistoryPage>> {
  return ask(() => conversationOf(env, id).history(userId, wish, all));
}

/** Null when the shard does not have, or does not give, every one of them. */
async function readShipped(env: Env, id: ConversationId, { shard, history }: HistoryPage): Promise<string[] | null> {
  const database = shardDatabase(env, shard);
  const wanted = history.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  try {
    const bodies = database ? await readRows(database, id, history) : [];
    if (bodies.length === wanted) return bodies;
    log.error("history_incomplete", { conversationId: id, shard, wanted, found: bodies.length });
  } catch (error) {
    log.warn("history_unreachable", { shard, error });
  }
  return null;
}
