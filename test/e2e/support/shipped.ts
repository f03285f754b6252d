import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** How many events of each conversation the D1 shards hold, read from the local databases' files, past every door. */
export function shippedCounts(dataDir: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const file of readdirSync(dataDir, { recursive: true, encoding: "utf8" })) {
    if (!/D1DatabaseObject.*\.sqlite$/.test(file)) continue;
    for (const { id, events } of countsIn(join(dataDir, file))) counts.set(id, (counts.get(id) ?? 0) + events);
  }
  return counts;
}

function countsIn(path: string): { id: string; events: number }[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const hasEvents = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'events'").get();
    if (!hasEvents) return [];
    const rows = database.prepare("SELECT conversation_id AS id, count(*) AS events FROM events GROUP BY 1").all();
    return rows.map(({ id, events }) => ({ id: String(id), events: Number(events) }));
  } finally {
    database.close();
  }
}
