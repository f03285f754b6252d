import { readFileSync } from "node:fs";
import { Conversation } from "../../src/objects/conversation.ts";
import { Inbox } from "../../src/objects/inbox.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import { type Clockwork, living } from "./clockwork.ts";
import { type Faults, type Host, installGlobals, NO_FAULTS, Runtime } from "./runtime.ts";
import { Shard } from "./sqlite.ts";

/** The real objects on the simulated runtime, with two history shards. */
export class Server {
  readonly runtime: Runtime;
  readonly shards: Record<string, Shard>;
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
    const migration = readFileSync("migrations/history/0001_events.sql", "utf8");
    const shard = () => new Shard(migration, (act) => this.database(act));
    this.shards = { HISTORY_0: shard(), HISTORY_1: shard() };
    Object.assign(this.runtime.env, this.shards, {
      CONVERSATIONS: this.conversations,
      INBOXES: this.inboxes,
      RATE_LIMITS: "wide",
      HISTORY_SHARDS: "0-127:HISTORY_0 128-255:HISTORY_1",
    });
  }

  /** D1 answers late, or fails before or after it has acted. */
  private database<T>(act: () => T): Promise<T> {
    const { works } = this;
    const fails = works.chance(this.runtime.faults.database);
    const acts = !fails || works.chance(0.5);
    const caller = living.getStore();
    if (caller) caller.busy++;
    return new Promise((resolve, reject) => {
      works.after(this.runtime.delayMs(), () => {
        const result = acts ? act() : undefined;
        works.after(this.runtime.delayMs(), () => {
          if (caller) caller.busy--;
          if (caller?.alive === false) return;
          if (fails) reject(new Error("D1 is away"));
          else resolve(result as T);
        });
      });
    });
  }

  conversation = (id: ConversationId): Host => this.conversations.hostOf(id);
  inbox = (id: UserId): Host => this.inboxes.hostOf(id);

  heal(): void {
    this.runtime.faults = NO_FAULTS;
  }

  /** The log as it lies on the conversation's disk. */
  logOf(
    id: ConversationId,
  ): { seq: number; body: string; senderId: UserId; deviceId: string | null; key: string | null }[] {
    const query = "SELECT seq, body, sender_id AS senderId, device_id AS deviceId, key FROM log ORDER BY seq";
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
