import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** How many events of each conversation the D1 shards hold, read from the local databases' files, past every door. */
export function shippedCounts(dataDir: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const rows of onShards(dataDir, "SELECT conversation_id AS id, count(*) AS events FROM events GROUP BY 1"))
    for (const { id, events } of rows) counts.set(String(id), (counts.get(String(id)) ?? 0) + Number(events));
  return counts;
}

/** Loses the whole history, as a shard does that was dropped. The server must not be running. */
export function loseHistory(dataDir: string): void {
  onShards(dataDir, "DELETE FROM events");
}

function onShards(dataDir: string, sql: string): Record<string, unknown>[][] {
  return readdirSync(dataDir, { recursive: true, encoding: "utf8" })
    .filter((file) => /D1DatabaseObject.*\.sqlite$/.test(file))
    .flatMap((file) => onShard(join(dataDir, file), sql));
}

/** The directory is a D1 database too, but has no events. */
function onShard(path: string, sql: string): Record<string, unknown>[][] {
  const database = new DatabaseSync(path, { readOnly: sql.startsWith("SELECT") });
  try {
    const isShard = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'events'").get();
    return isShard ? [database.prepare(sql).all()] : [];
  } finally {
    database.close();
  }
}
