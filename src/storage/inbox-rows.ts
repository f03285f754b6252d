import { hasTable } from "./tables.ts";

// Plain rowid or WITHOUT ROWID tables and no index: a write is billed once a row and once more an index entry.
const SCHEMA = [
  "CREATE TABLE facts (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL)",
  "CREATE TABLE devices (device_id TEXT PRIMARY KEY, revoked_at INTEGER) WITHOUT ROWID",
  "CREATE TABLE changes (conversation_id TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
  // What the user has chosen and how they are, each a small JSON text: their profile, and their time online.
  "CREATE TABLE self (what TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
  "CREATE TABLE mine (conversation_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
  `CREATE TABLE contacts (
    user_id TEXT PRIMARY KEY, version INTEGER NOT NULL DEFAULT 0, accepted INTEGER NOT NULL DEFAULT 1
  ) WITHOUT ROWID`,
  "CREATE TABLE subscriptions (device_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
  "CREATE TABLE watchers (user_id TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE TABLE blocked (user_id TEXT PRIMARY KEY) WITHOUT ROWID",
  // `place`: in the order in which they were starred.
  `CREATE TABLE stars (
    conversation_id TEXT NOT NULL, seq INTEGER NOT NULL, place INTEGER NOT NULL, starred_at INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, seq)
  ) WITHOUT ROWID`,
];
/** Contacts of before they had versions. */
const VERSIONS = [
  "ALTER TABLE contacts ADD COLUMN version INTEGER NOT NULL DEFAULT 0",
  "ALTER TABLE contacts ADD COLUMN accepted INTEGER NOT NULL DEFAULT 1",
];

/** What rows say, read when it is first asked for and kept: the object is their only writer, and every message asks. */
export type Held<T> = { readonly value: T };

/** The tables of one inbox. They are made by the first write: asking an inbox that nobody has leaves nothing behind. */
export class InboxRows {
  private readonly sql: SqlStorage;
  private readonly newEpoch: () => string;
  private readonly forgets: (() => void)[] = [];
  private known: string | undefined;
  /** The highest position in the index when the object woke: asked for with the epoch, for a storm wakes thousands at once. */
  readonly topFound: number = 0;

  constructor(sql: SqlStorage, newEpoch: () => string) {
    this.sql = sql;
    this.newEpoch = newEpoch;
    const query = "SELECT name, sql FROM sqlite_master WHERE type = 'table'";
    const made = sql.exec<{ name: string; sql: string }>(query).toArray();
    const tables = new Map(made.map((table) => [table.name, table.sql]));
    if (!tables.has("facts")) return;
    if (!tables.has("stars")) this.createMissing();
    if (tables.get("contacts")?.includes("version") === false) for (const change of VERSIONS) sql.exec(change);
    const first = "SELECT epoch, (SELECT coalesce(max(position), 0) FROM changes) AS top FROM facts";
    const { epoch, top } = sql.exec<{ epoch: string; top: number }>(first).one();
    this.known = epoch;
    this.topFound = top;
  }

  private createMissing(): void {
    for (const table of SCHEMA) this.sql.exec(table.replace("TABLE", "TABLE IF NOT EXISTS"));
  }

  get isMade(): boolean {
    return this.known !== undefined;
  }

  get epoch(): string {
    return this.known ?? this.make();
  }

  private make(): string {
    const epoch = this.newEpoch();
    this.createMissing();
    this.sql.exec("INSERT INTO facts VALUES (1, ?)", epoch);
    this.known = epoch;
    return epoch;
  }

  write(query: string, ...values: (string | number | null)[]): void {
    if (!this.isMade) this.make();
    this.sql.exec(query, ...values);
  }

  read<T extends Record<string, SqlStorageValue>>(query: string, ...values: (string | number)[]): T[] {
    return this.isMade ? this.sql.exec<T>(query, ...values).toArray() : [];
  }

  has(table: string): boolean {
    return hasTable(this.sql, table);
  }

  hold<T extends object>(read: () => T): Held<T> {
    let held: T | undefined;
    this.forgets.push(() => (held = undefined));
    return {
      get value() {
        held ??= read();
        return held;
      },
    };
  }

  /** The storage was emptied: it is as if this inbox had never been made. */
  forgetAll(): void {
    this.known = undefined;
    for (const forget of this.forgets) forget();
  }
}
