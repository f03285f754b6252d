import { DatabaseSync, type StatementSync } from "node:sqlite";

type Row = Record<string, unknown>;
type Bound = null | number | bigint | string;

/** The storage of one object: an independent SQLite, with the runtime's synchronous interface. It outlives the object's instances. */
export class Disk {
  readonly database = new DatabaseSync(":memory:");
  alarmAt: number | null = null;
  /** Told of every statement with values. */
  wrote: (query: string, bindings: unknown[]) => void = () => {};
  private readonly statements = new Map<string, StatementSync>();

  run(query: string, bindings: unknown[]): Row[] {
    if (
      bindings.length === 0 &&
      query
        .trim()
        .split(";")
        .filter((s) => s.trim()).length > 1
    ) {
      this.database.exec(query);
      return [];
    }
    const statement = this.statements.get(query) ?? this.database.prepare(query);
    this.statements.set(query, statement);
    return statement.all(...(bindings as Bound[])) as Row[];
  }

  transaction<T>(work: () => T): T {
    this.database.exec("SAVEPOINT work");
    try {
      const result = work();
      this.database.exec("RELEASE work");
      return result;
    } catch (error) {
      this.database.exec("ROLLBACK TO work; RELEASE work");
      throw error;
    }
  }
}

/** What the objects use of `SqlStorage`. `isAlive`: an instance that has crashed must not write any more. */
export function sqlOf(disk: Disk, isAlive: () => boolean): SqlStorage {
  const exec = (query: string, ...bindings: unknown[]) => {
    if (!isAlive()) throw new Error("this instance has crashed");
    const rows = disk.run(query, bindings);
    if (bindings.length > 0) disk.wrote(query, bindings);
    return Object.assign(rows[Symbol.iterator](), {
      toArray: () => rows,
      one: () => rows[0],
      [Symbol.iterator]: () => rows.values(),
    });
  };
  return { exec } as unknown as SqlStorage;
}

/** A history shard that answers late, or not at all, or only after it has acted. */
export class Shard {
  readonly disk = new Disk();
  private readonly wire: <T>(act: () => T) => Promise<T>;

  constructor(migration: string, wire: <T>(act: () => T) => Promise<T>) {
    this.disk.database.exec(migration);
    this.wire = wire;
  }

  prepare(query: string) {
    const bind = (...bindings: unknown[]) => ({
      run: () => this.wire(() => this.disk.run(query, bindings)),
      query,
      bindings,
    });
    return { bind };
  }

  batch(statements: { query: string; bindings: unknown[] }[]) {
    const run = () => statements.map(({ query, bindings }) => ({ results: this.disk.run(query, bindings) }));
    return this.wire(() => this.disk.transaction(run));
  }
}
