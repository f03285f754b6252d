import { readdirSync, readFileSync } from "node:fs";
import type { SQLInputValue } from "node:sqlite";
import type { DeviceId, UserId } from "../../src/protocol/ids.ts";
import { Disk } from "./sqlite.ts";

const MIGRATIONS = "migrations/directory";
type Statement = { query: string; bindings: SQLInputValue[] };
type Beside = <T>(act: () => T) => Promise<T>;

/** Accounts and devices in a database of the shape of D1, which answers late, or not at all. */
export class Directory {
  readonly #disk = new Disk();
  readonly #beside: Beside;

  constructor(beside: Beside) {
    this.#beside = beside;
    for (const name of readdirSync(MIGRATIONS).sort())
      this.#disk.database.exec(readFileSync(`${MIGRATIONS}/${name}`, "utf8"));
  }

  /** Somebody has an account. */
  addUser(userId: UserId, now: number): void {
    this.#run({
      query: `INSERT INTO users (user_id, handle, display_name, last_seen, read_receipts, created_at, signed_in_at)
              VALUES (?, ?, ?, 'everyone', 'everyone', ?, ?)`,
      bindings: [userId, userId.toLowerCase(), `Person ${userId.slice(-4)}`, now, now],
    });
  }

  /** Has signed in on this device. */
  addDevice(deviceId: DeviceId, userId: UserId, now: number): void {
    this.#run({
      query:
        "INSERT INTO devices (device_id, user_id, name, generation, created_at, last_used_at) VALUES (?, ?, 'a', 1, ?, ?)",
      bindings: [deviceId, userId, now, now],
    });
  }

  #run({ query, bindings }: Statement) {
    const statement = this.#disk.database.prepare(query);
    if (statement.columns().length > 0) return { results: statement.all(...bindings), meta: { changes: 0 } };
    return { results: [], meta: { changes: Number(statement.run(...bindings).changes) } };
  }

  #raw({ query, bindings }: Statement) {
    const statement = this.#disk.database.prepare(query);
    statement.setReturnArrays(true);
    return statement.all(...bindings);
  }

  prepare(query: string) {
    const bind = (...bindings: SQLInputValue[]) => {
      const statement = { query, bindings };
      const run = () => this.#beside(() => this.#run(statement));
      return { ...statement, run, all: run, raw: () => this.#beside(() => this.#raw(statement)) };
    };
    return { bind };
  }

  batch(statements: Statement[]) {
    const run = () => statements.map((statement) => this.#run(statement));
    return this.#beside(() => this.#disk.transaction(run));
  }
}
