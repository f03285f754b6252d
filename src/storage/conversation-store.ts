import type { ConversationKind, Membership } from "../domain/membership.ts";
import type { Span } from "../domain/spans.ts";
import type { Role } from "../protocol/events.ts";
import type { GroupRules } from "../protocol/group-rules.ts";
import type { ConversationId, MediaId, UserId } from "../protocol/ids.ts";
import { CheckpointStore } from "./checkpoint-store.ts";
import { EntryStore } from "./entry-store.ts";
import { ErasureStore } from "./erasure-store.ts";
import { LogStore } from "./log-store.ts";
import { SightStore } from "./sight-store.ts";
import { hasTable } from "./tables.ts";
import { TombstoneStore } from "./tombstone-store.ts";

export type Facts = {
  conversationId: ConversationId;
  kind: ConversationKind;
  createdAt: number;
  title?: string;
  /** How long messages are kept from now on; absent: for ever. */
  retentionMs?: number;
  /** A group's picture. */
  avatarMediaId?: MediaId | null;
  /** What a group was asked to be when it was made, to answer a repeat. */
  fingerprint?: string;
} & { [K in keyof GroupRules]?: GroupRules[K] };

// Plain rowid or WITHOUT ROWID tables and no index over all rows: a write is billed once a row and once more an index entry.
const SCHEMA = `
  CREATE TABLE facts (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL);
  CREATE TABLE checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL);
  CREATE TABLE members (user_id TEXT PRIMARY KEY, role TEXT NOT NULL, spans TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE log (
    seq INTEGER PRIMARY KEY, sender_id TEXT NOT NULL, kind TEXT NOT NULL, device_id TEXT, key TEXT, body TEXT NOT NULL
  );
`;
// `stale`: seqs whose body has changed since history may have got it, and the media that went with it.
const LIFE = `
  ALTER TABLE log ADD COLUMN target INTEGER;
  ALTER TABLE log ADD COLUMN expires_at INTEGER;
  CREATE INDEX log_by_target ON log (target) WHERE target NOT NULL;
  CREATE INDEX log_by_expiry ON log (expires_at) WHERE expires_at NOT NULL;
  CREATE TABLE stale (seq INTEGER PRIMARY KEY, media_id TEXT);
`;

// Few events are recalls, and whoever missed much is told of those in it: [CO-9].
const RECALLS = "CREATE INDEX IF NOT EXISTS log_of_recalls ON log (seq) WHERE kind = 'recall'";

/** The rows of one conversation object, a store for each thing it keeps. Every method is synchronous: the caller decides what is one transaction. */
export class ConversationStore {
  readonly log: LogStore;
  readonly tombstones: TombstoneStore;
  readonly checkpoints: CheckpointStore;
  readonly entries: EntryStore;
  readonly erasures: ErasureStore;
  readonly sights: SightStore;
  private readonly sql: SqlStorage;
  constructor(sql: SqlStorage) {
    this.sql = sql;
    this.log = new LogStore(sql);
    this.tombstones = new TombstoneStore(sql);
    this.checkpoints = new CheckpointStore(sql);
    this.entries = new EntryStore(sql);
    this.erasures = new ErasureStore(sql);
    this.sights = new SightStore(sql);
  }

  /** False for an id that somebody made up: asking for it must leave nothing behind. */
  exists(): boolean {
    return hasTable(this.sql, "facts");
  }

  /** A conversation of before messages had a life, or recalls an index. */
  upgrade(): void {
    if (!hasTable(this.sql, "stale")) this.sql.exec(LIFE);
    this.sql.exec(RECALLS);
  }

  create(facts: Facts): void {
    this.sql.exec(SCHEMA);
    this.sql.exec(LIFE);
    this.sql.exec(RECALLS);
    this.putFacts(facts);
  }

  facts(): Facts {
    return JSON.parse(this.sql.exec<{ body: string }>("SELECT body FROM facts").one().body);
  }

  putFacts(facts: Facts): void {
    this.sql.exec("INSERT INTO facts VALUES (1, ?1) ON CONFLICT DO UPDATE SET body = ?1", JSON.stringify(facts));
  }

  /** Everybody who is or was a member, with what they alone see. */
  roster(): Map<UserId, Membership> {
    const rows = this.sql.exec<{ user_id: UserId; role: Role; spans: string }>("SELECT * FROM members").toArray();
    const sights = this.sights.all();
    const erased = new Set(this.erasures.erasedIds());
    return new Map(
      rows.map(({ user_id: userId, role, spans }) => {
        const gone = erased.has(userId) ? { erased: true as const } : {};
        return [userId, { userId, role, spans: JSON.parse(spans) as Span[], ...sights.get(userId), ...gone }];
      }),
    );
  }

  putMember({ userId, role, spans }: Membership): void {
    const query = "INSERT INTO members VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET role = ?2, spans = ?3";
    this.sql.exec(query, userId, role, JSON.stringify(spans));
  }
}
