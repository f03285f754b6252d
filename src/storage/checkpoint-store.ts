import type { HeldBy, Tries } from "../domain/forgetting.ts";
import type { PushReport } from "../domain/push.ts";
import type { Trail } from "../domain/trail.ts";
import type { DeviceId, IdempotencyKey, UserId } from "../protocol/ids.ts";

/** Where the log's consumers are, and what is cheap to lose a little of: one row, written by the alarm. */
export type Checkpoint = {
  /** Every member's inbox has everything up to this seq. */
  delivered: number;
  /** History shard `shard` has everything up to this seq. */
  shipped: number;
  shard: string;
  /** A shard that no longer holds this conversation's bucket and still has rows of it; empty: none. */
  leaving: string;
  /** When history was last asked to be shipped anew. Epoch ms. */
  reshippedAt: number;
  /** Up to this seq no message is left that the deployer's time has to be asked for. */
  aged: number;
  /** Up to this seq the log has forgotten words that were delivered; and up to this one history has. */
  forgotten: number;
  forgottenInHistory: number;
  /** How far the members' devices have everything, as their inboxes said; and how it went to ask. */
  held: [UserId, HeldBy][];
  tries: Tries;
  trails: [UserId, Trail][];
  /** The newest answers of push providers. */
  pushes: PushReport[];
  /** Each device's newest key among the events up to `delivered`. */
  newestKeys: [DeviceId, IdempotencyKey][];
  /** Whether these are the keys of all devices that ever sent. */
  allKeys: boolean;
  /** How many devices a member had ever had when one of them last looked, if more than one. */
  devices: [UserId, number][];
};
const START: Checkpoint = {
  delivered: 0,
  shipped: 0,
  shard: "",
  leaving: "",
  reshippedAt: 0,
  aged: 0,
  forgotten: 0,
  forgottenInHistory: 0,
  held: [],
  tries: { count: 0, at: 0 },
  trails: [],
  pushes: [],
  newestKeys: [],
  allKeys: true,
  devices: [],
};

/** The one row in which a conversation's checkpoint is kept. */
export class CheckpointStore {
  private readonly sql: SqlStorage;
  constructor(sql: SqlStorage) {
    this.sql = sql;
  }

  /** What an older version did not write down yet is as it is at the start. */
  read(): Checkpoint {
    const [row] = this.sql.exec<{ body: string }>("SELECT body FROM checkpoint").toArray();
    return { ...START, ...(row ? JSON.parse(row.body) : {}) };
  }

  put(checkpoint: Checkpoint): void {
    const query = "INSERT INTO checkpoint VALUES (1, ?1) ON CONFLICT DO UPDATE SET body = ?1";
    this.sql.exec(query, JSON.stringify(checkpoint));
  }
}
