import type { Membership } from "../domain/membership.ts";
import type { UserId } from "../protocol/ids.ts";
import { hasTable } from "./tables.ts";

/** What one member alone sees, or does not, by their own doing or because the past was opened to them. */
type Sights = Pick<Membership, "hidden" | "deleted" | "clearedThrough" | "openedThrough">;
type Sight = keyof Sights;

/** Where each is kept. A table is made for the few conversations that need it. */
const TABLES: { readonly [S in Sight]: { table: string; column: string; type: "TEXT" | "INTEGER" } } = {
  hidden: { table: "hidden", column: "spans", type: "TEXT" },
  deleted: { table: "deleted", column: "spans", type: "TEXT" },
  clearedThrough: { table: "cleared", column: "seq", type: "INTEGER" },
  openedThrough: { table: "opened", column: "seq", type: "INTEGER" },
};
const SIGHTS = Object.keys(TABLES) as Sight[];

export class SightStore {
  private readonly sql: SqlStorage;
  constructor(sql: SqlStorage) {
    this.sql = sql;
  }

  all(): Map<UserId, Sights> {
    const all = new Map<UserId, Sights>();
    for (const sight of SIGHTS)
      for (const { id, value } of this.rows(sight)) all.set(id, { ...all.get(id), [sight]: value });
    return all;
  }

  private rows(sight: Sight): { id: UserId; value: unknown }[] {
    const { table, column, type } = TABLES[sight];
    if (!hasTable(this.sql, table)) return [];
    const query = `SELECT user_id AS id, ${column} AS value FROM ${table}`;
    const rows = this.sql.exec<{ id: UserId; value: string | number }>(query).toArray();
    return type === "TEXT" ? rows.map(({ id, value }) => ({ id, value: JSON.parse(value as string) })) : rows;
  }

  put(sight: Sight, member: Membership): void {
    const { table, column, type } = TABLES[sight];
    this.sql.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (user_id TEXT PRIMARY KEY, ${column} ${type} NOT NULL) WITHOUT ROWID`,
    );
    const value = type === "TEXT" ? JSON.stringify(member[sight] ?? []) : ((member[sight] ?? 0) as number);
    const query = `INSERT INTO ${table} VALUES (?1, ?2) ON CONFLICT DO UPDATE SET ${column} = ?2`;
    this.sql.exec(query, member.userId, value);
  }

  drop(userId: UserId): void {
    for (const { table } of Object.values(TABLES))
      if (hasTable(this.sql, table)) this.sql.exec(`DELETE FROM ${table} WHERE user_id = ?`, userId);
  }
}
