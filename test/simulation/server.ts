import { readFileSync } from "node:fs";
import { NO_TRAIL, type Trail } from "../../src/domain/trail.ts";
import { Conversation } from "../../src/objects/conversation.ts";
import type { ConversationState } from "../../src/objects/conversation-state.ts";
import { Inbox } from "../../src/objects/inbox.ts";
import type { Ledger } from "../../src/objects/ledger.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import { type Clockwork, living } from "./clockwork.ts";
import type { Host } from "./host.ts";
import { PushQueue } from "./push-queue.ts";
import { type Faults, installGlobals, NO_FAULTS, Runtime } from "./runtime.ts";
import { Shard } from "./sqlite.ts";

/** The real objects on the simulated runtime, with two history shards and the push queue. */
export class Server {
  readonly runtime: Runtime;
  readonly shards: Record<string, Shard>;
  readonly pushes: PushQueue;
  private readonly works: Clockwork;
  private readonly conversations: ReturnType<Runtime["namespace"]>;
  private readonly inboxes: ReturnType<Runtime["namespace"]>;
  readonly uninstall: () => void;

  constructor(works: Clockwork, faults: Faults) {
    this.works = works;
    this.uninstall = installGlobals();
    this.runtime = new Runtime(works, faults);
    this.conversations = this.runtime.namespace("conversation", Conversation as never);
    this.inboxes = this.runtime.namespace("inbox", Inbox as never);
    const migration = ["0001_events", "0002_search"]
      .map((name) => readFileSync(`migrations/history/${name}.sql`, "utf8"))
      .join("\n");
    const shard = () => new Shard(migration, (act) => this.beside("database", act));
    const lifeOf = (userId: UserId) => this.inbox(userId).lives;
    this.pushes = new PushQueue(works, (act) => this.beside("queue", act), lifeOf);
    this.shards = { HISTORY_0: shard(), HISTORY_1: shard() };
    Object.assign(this.runtime.env, this.shards, {
      CONVERSATIONS: this.conversations,
      INBOXES: this.inboxes,
      PUSHES: this.pushes,
      RATE_LIMITS: "wide",
      HISTORY_SHARDS: "0-127:HISTORY_0 128-255:HISTORY_1",
    });
  }

  /** What stands beside the objects answers late, or fails before or after it has acted. */
  private beside<T>(what: "database" | "queue", act: () => T): Promise<T> {
    const fails = this.works.chance(this.runtime.faults[what]);
    return this.answered(what, act, fails, !fails || this.works.chance(0.5));
  }

  /** The same of what is not acted upon when it fails. */
  mayFail<T>(what: "database", act: () => T): Promise<T> {
    const fails = this.works.chance(this.runtime.faults[what]);
    return this.answered(what, act, fails, !fails);
  }

  private answered<T>(what: string, act: () => T, fails: boolean, acts: boolean): Promise<T> {
    const { works } = this;
    const caller = living.getStore();
    if (caller) caller.busy++;
    return new Promise((resolve, reject) => {
      works.after(this.runtime.delayMs(), () => {
        const result = acts ? act() : undefined;
        works.after(this.runtime.delayMs(), () => {
          if (caller) caller.busy--;
          if (caller?.alive === false) return;
          if (fails) reject(new Error(`${what} is away`));
          else resolve(result as T);
        });
      });
    });
  }

  get now(): number {
    return this.works.now;
  }

  conversation = (id: ConversationId): Host => this.conversations.hostOf(id);
  inbox = (id: UserId): Host => this.inboxes.hostOf(id);

  heal(): void {
    this.runtime.faults = NO_FAULTS;
  }

  /** The log as it lies on the conversation's disk. */
  logOf(
    id: ConversationId,
  ): { seq: number; kind: string; body: string; senderId: UserId; deviceId: string | null; key: string | null }[] {
    const query = "SELECT seq, kind, body, sender_id AS senderId, device_id AS deviceId, key FROM log ORDER BY seq";
    return this.conversation(id).disk.run(query, []) as never;
  }

  /** Where the conversation stands in the user's index; 0 when it is not there. */
  positionOf(userId: UserId, id: ConversationId): number {
    const { disk } = this.inbox(userId);
    if (disk.run("SELECT 1 FROM sqlite_master WHERE name = 'changes'", []).length === 0) return 0;
    const [row] = disk.run("SELECT position FROM changes WHERE conversation_id = ?", [id]);
    return Number(row?.position ?? 0);
  }

  historyOf(id: ConversationId): string[] {
    const rows = Object.values(this.shards).flatMap((s) =>
      s.disk.run("SELECT seq, body FROM events WHERE conversation_id = ? ORDER BY seq", [id]),
    );
    return rows.map((r) => String(r.body));
  }

  /** What the conversation knows in memory, if it is awake. */
  awake(id: ConversationId): ConversationState | undefined {
    return (this.conversation(id).running?.object.ledger as Ledger | undefined)?.state;
  }

  /** A member's watermarks, in memory or else as they lie on disk. */
  trailOf(id: ConversationId, userId: UserId): Trail {
    const state = this.awake(id);
    if (state) return state.trail(userId);
    const [row] = this.conversation(id).disk.run("SELECT body FROM checkpoint", []);
    const { trails = [] } = row ? (JSON.parse(String(row.body)) as { trails?: [UserId, Trail][] }) : {};
    return new Map(trails).get(userId) ?? NO_TRAIL;
  }

  /** The user's subscribed devices, as they lie on the inbox's disk. */
  subscribedOf(userId: UserId): string[] {
    const { disk } = this.inbox(userId);
    if (disk.run("SELECT 1 FROM sqlite_master WHERE name = 'subscriptions'", []).length === 0) return [];
    return disk.run("SELECT device_id FROM subscriptions", []).map((row) => String(row.device_id));
  }

  /** Through which seq the conversation believes that the member's inbox needs nothing any more. */
  believedDelivered(id: ConversationId, userId: UserId): number {
    const host = this.conversation(id);
    const fanout = host.running?.object.fanout as
      | { deliveries: Map<UserId, { mode: string; delivered: number; target: number }> }
      | undefined;
    const d = fanout?.deliveries.get(userId);
    if (d) return d.mode === "parked" ? d.target : d.delivered;
    const [row] = host.disk.run("SELECT body FROM checkpoint", []);
    return row ? JSON.parse(String(row.body)).delivered : 0;
  }
}
