import type { Env } from "../platform/env.ts";
import { shardDatabase, shardOf } from "../platform/history-shards.ts";
import { log } from "../platform/log.ts";
import { dropMedia } from "../platform/media/media.ts";
import { forgetRows, reshipRows, SHIP_BYTES, SHIP_ROWS, shipRows } from "../storage/history.ts";
import type { LogRow } from "../storage/log-store.ts";
import type { ConversationState } from "./conversation-state.ts";

/** False when history could not be reached. */
export async function shipSafely(env: Env, state: ConversationState): Promise<boolean> {
  try {
    await ship(env, state);
    return true;
  } catch (error) {
    log.warn("ship_failed", { conversationId: state.facts.conversationId, error }); // [HI-3] history is late, nothing else
    return false;
  }
}

/**
 * History as a cursor on the log: copies what lies past it to the shard that holds the conversation's bucket. A changed map starts over
 * on the new shard; until that is done the log itself answers for what is not there yet. Throws when D1 does; what was shipped stays.
 */
async function ship(env: Env, state: ConversationState): Promise<void> {
  const { checkpoint } = state;
  const { conversationId } = state.facts;
  const shard = shardOf(env, conversationId);
  const database = shardDatabase(env, shard);
  if (!database) throw new Error(`no binding ${shard}`);
  if (checkpoint.shard !== shard) moveTo(shard, state); // [HI-6]
  if (checkpoint.leaving !== "") await leave(env, state);
  while (checkpoint.shipped < state.head && checkpoint.shard === shard) {
    const startedAt = checkpoint.reshippedAt;
    const rows = nextRows(state);
    await shipRows(database, conversationId, rows);
    if (checkpoint.reshippedAt === startedAt) checkpoint.shipped = rows.at(-1)?.seq ?? checkpoint.shipped;
  }
  await refresh(env, database, state);
  await forget(database, state);
}

/** [LM-7] The same for what every device has: a cursor on the log, for it goes by in order. */
async function forget(database: D1Database, { store, facts, checkpoint }: ConversationState): Promise<void> {
  while (checkpoint.forgottenInHistory < checkpoint.forgotten) {
    const through = checkpoint.forgotten;
    const rows = store.tombstones.wordRows(checkpoint.forgottenInHistory + 1, through, SHIP_ROWS);
    if (rows.length > 0) await reshipRows(database, facts.conversationId, rows);
    checkpoint.forgottenInHistory = rows.length === SHIP_ROWS ? (rows.at(-1)?.seq ?? through) : through;
  }
}

/**
 * [LM-7] What was taken away after history may have got it. Last, so that rows which were on their way when their content went are found
 * there; what a lost call brings later stays out, for shipping leaves alone what is there.
 */
async function refresh(env: Env, database: D1Database, { store, facts }: ConversationState): Promise<void> {
  for (let rows = store.tombstones.stale(SHIP_ROWS); rows.length > 0; rows = store.tombstones.stale(SHIP_ROWS)) {
    await reshipRows(database, facts.conversationId, rows);
    const media = rows.flatMap(({ mediaId }) => mediaId ?? []);
    if (media.length > 0) await dropMedia(env, media);
    store.tombstones.refreshed(rows);
  }
}

/** Made durable before anything is deleted: a crash in between finds the log answering for all of it. */
function moveTo(shard: string, state: ConversationState): void {
  Object.assign(state.checkpoint, { leaving: state.checkpoint.shard, shard, shipped: 0 });
  state.saveCheckpoint();
}

async function leave(env: Env, { checkpoint, facts }: ConversationState): Promise<void> {
  const old = shardDatabase(env, checkpoint.leaving);
  if (old) await forgetRows(old, facts.conversationId);
  checkpoint.leaving = "";
}

function nextRows(state: ConversationState): LogRow[] {
  const rows: LogRow[] = [];
  let bytes = 0;
  for (const row of state.store.log.rows(state.checkpoint.shipped + 1, state.head)) {
    rows.push(row);
    bytes += row.body.length * 2;
    if (rows.length >= SHIP_ROWS || bytes >= SHIP_BYTES) break;
  }
  return rows;
}
