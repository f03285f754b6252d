/** Whether there is such a table: some are made for the few objects that need them. */
export const hasTable = (sql: SqlStorage, table: string): boolean =>
  sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", table).toArray().length > 0;
