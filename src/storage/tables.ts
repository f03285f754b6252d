/** Whether there is such a table: some are made for the few objects that need them. */
export const hasTable = (sql: SqlStorage, table: string): boolean =>
  sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", table).toArray().length > 0;

/** What a query finds that asks for one column, under the name `value`. */
export const valuesOf = <T extends SqlStorageValue>(sql: SqlStorage, query: string, ...bindings: unknown[]): T[] =>
  sql
    .exec<{ value: T }>(query, ...bindings)
    .toArray()
    .map(({ value }) => value);
