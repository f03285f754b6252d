import type { Invite } from "../domain/invites.ts";
import type { JoinRequest } from "../domain/join-requests.ts";
import type { InviteCode, UserId } from "../protocol/ids.ts";
import { hasTable, valuesOf } from "./tables.ts";

/** The ways into one group, and who waits to be let in. Each table is made for the groups that need it. */
export class EntryStore {
  private readonly sql: SqlStorage;
  constructor(sql: SqlStorage) {
    this.sql = sql;
  }

  invites(): Invite[] {
    if (!hasTable(this.sql, "invites")) return [];
    const bodies = valuesOf<string>(this.sql, "SELECT body AS value FROM invites ORDER BY code");
    return bodies.map((body) => JSON.parse(body) as Invite);
  }

  putInvite(invite: Invite): void {
    this.sql.exec("CREATE TABLE IF NOT EXISTS invites (code TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
    const query = "INSERT INTO invites VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = ?2";
    this.sql.exec(query, invite.code, JSON.stringify(invite));
  }

  dropInvite(code: InviteCode): void {
    if (hasTable(this.sql, "invites")) this.sql.exec("DELETE FROM invites WHERE code = ?", code);
  }

  requests(): JoinRequest[] {
    if (!hasTable(this.sql, "requests")) return [];
    const query = "SELECT user_id AS userId, asked_at AS askedAt, code FROM requests ORDER BY asked_at, user_id";
    return this.sql.exec<JoinRequest>(query).toArray();
  }

  /** One row for each who waits. */
  putRequest({ userId, askedAt, code }: JoinRequest): void {
    this.sql.exec(
      "CREATE TABLE IF NOT EXISTS requests (user_id TEXT PRIMARY KEY, asked_at INTEGER NOT NULL, code TEXT NOT NULL) WITHOUT ROWID",
    );
    this.sql.exec("INSERT INTO requests VALUES (?, ?, ?)", userId, askedAt, code);
  }

  dropRequest(userId: UserId): void {
    this.sql.exec("DELETE FROM requests WHERE user_id = ?", userId);
  }
}
