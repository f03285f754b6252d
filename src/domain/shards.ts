import { ok, type Result, refuse } from "../protocol/result.ts";

/** Conversations are hashed to these; a shard holds ranges of them, so that shards can be added without rehashing. */
export const BUCKETS = 256;

/** FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/), folded to a bucket. */
export function bucketOf(conversationId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < conversationId.length; i++) hash = Math.imul(hash ^ conversationId.charCodeAt(i), 0x01000193);
  return ((hash >>> 16) ^ hash) & (BUCKETS - 1);
}

/** Parses `0-127:HISTORY_0 128-255:HISTORY_1`: the binding's name for every bucket, each held exactly once. */
export function parseShards(text: string): Result<readonly string[], "invalid_request"> {
  const shardOf = new Array<string>(BUCKETS);
  for (const part of text.trim().split(/\s+/)) {
    const [, from, to, name] = /^(\d+)-(\d+):([A-Z][A-Z0-9_]*)$/.exec(part) ?? [];
    if (from === undefined || to === undefined || name === undefined)
      return refuse("invalid_request", `not a range: ${part}`);
    for (let b = Number(from); b <= Number(to); b++) {
      if (b >= BUCKETS || shardOf[b] !== undefined)
        return refuse("invalid_request", `bucket ${b} is out of range or held twice`);
      shardOf[b] = name;
    }
  }
  const missing = Array.from({ length: BUCKETS }, (_, b) => b).find((b) => shardOf[b] === undefined);
  return missing === undefined ? ok(shardOf) : refuse("invalid_request", `bucket ${missing} is held by no shard`); // [HI-5]
}
