import type { UserId } from "../protocol/ids.ts";
import type { InboxRows } from "./inbox-rows.ts";

type ContactRow = { id: UserId; version: number; accepted: number };

/** What an inbox knows of others: who is a contact of its user, whom they block, and who watches them. */
export class AcquaintanceStore {
  private readonly rows: InboxRows;
  private readonly contacts;
  private readonly blocked;
  private readonly watchers;

  constructor(rows: InboxRows) {
    this.rows = rows;
    this.contacts = rows.hold(() => {
      const all = rows.read<ContactRow>("SELECT user_id AS id, version, accepted FROM contacts");
      return new Map(all.map(({ id, version, accepted }) => [id, { version, accepted: accepted === 1 }]));
    });
    this.blocked = rows.hold(
      () => new Set(rows.read<{ id: UserId }>("SELECT user_id AS id FROM blocked").map(({ id }) => id)),
    );
    this.watchers = rows.hold(() => {
      const all = rows.read<{ id: UserId; until: number }>("SELECT user_id AS id, until FROM watchers");
      return new Map(all.map(({ id, until }) => [id, until]));
    });
  }

  isContact(userId: UserId): boolean {
    return this.contacts.value.get(userId)?.accepted === true;
  }

  /** False for what is older than what is known. Who was a contact keeps a row, so that what is told late is known to be old. */
  setContact(userId: UserId, accepted: boolean, version: number): boolean {
    const known = this.contacts.value.get(userId);
    if (known && version < known.version) return false;
    if ((known?.accepted === true) === accepted) return true;
    const query = "INSERT INTO contacts VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET version = ?2, accepted = ?3";
    this.rows.write(query, userId, version, accepted ? 1 : 0);
    this.contacts.value.set(userId, { version, accepted });
    return true;
  }

  isBlocked(userId: UserId): boolean {
    return this.blocked.value.has(userId);
  }

  setBlocked(userId: UserId, blocked: boolean): void {
    if (this.isBlocked(userId) === blocked) return;
    this.rows.write(blocked ? "INSERT INTO blocked VALUES (?)" : "DELETE FROM blocked WHERE user_id = ?", userId);
    if (blocked) this.blocked.value.add(userId);
    else this.blocked.value.delete(userId);
  }

  /** Who watches at this time. */
  watchersAt(now: number): UserId[] {
    return [...this.watchers.value].filter(([, until]) => until > now).map(([userId]) => userId);
  }

  /** Keeps a lease until then (epoch ms), and lets go of those that ran out. In memory alone as long as the inbox was not made. */
  addWatcher(userId: UserId, until: number, now: number): void {
    const over = [...this.watchers.value].filter(([id, ends]) => ends <= now && id !== userId);
    for (const [id] of over) this.dropWatcher(id);
    const query = "INSERT INTO watchers VALUES (?1, ?2) ON CONFLICT DO UPDATE SET until = ?2";
    if (this.rows.isMade) this.rows.write(query, userId, until);
    this.watchers.value.set(userId, until);
  }

  private dropWatcher(userId: UserId): void {
    if (!this.watchers.value.delete(userId)) return;
    if (this.rows.isMade) this.rows.write("DELETE FROM watchers WHERE user_id = ?", userId);
  }

  /** Of somebody who is erased nothing is kept. */
  forget(userId: UserId): void {
    if (this.contacts.value.delete(userId)) this.rows.write("DELETE FROM contacts WHERE user_id = ?", userId);
    this.setBlocked(userId, false);
    this.dropWatcher(userId);
  }
}
