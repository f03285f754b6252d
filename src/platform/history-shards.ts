import { bucketOf, parseShards } from "../domain/shards.ts";
import type { ConversationId } from "../protocol/ids.ts";
import type { Env } from "./env.ts";

const parsed = new Map<string, readonly string[]>();

function shardsOf(text: string): readonly string[] {
  const known = parsed.get(text);
  if (known) return known;
  const shards = parseShards(text);
  if (!shards.ok) throw new Error(`HISTORY_SHARDS: ${shards.detail}`);
  parsed.set(text, shards.value);
  return shards.value;
}

/** The name of the shard that holds this conversation's history by the configuration in force. */
export const shardOf = (env: Env, id: ConversationId): string => shardsOf(env.HISTORY_SHARDS)[bucketOf(id)] as string;

/** A shard's database; undefined when its binding has been taken away. */
export const shardDatabase = (env: Env, name: string): D1Database | undefined =>
  (env as unknown as Record<string, D1Database | undefined>)[name];
