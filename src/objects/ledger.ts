import { monotonicFactory } from "ulid";
import { daysToMs } from "../domain/life.ts";
import type { Env } from "../platform/env.ts";
import { ConversationStore } from "../storage/conversation-store.ts";
import { ConversationState } from "./conversation-state.ts";

/** What there is of one conversation, and the one way to change it. */
export class Ledger {
  readonly store: ConversationStore;
  /** Undefined for an id that nobody has opened: asking it leaves nothing behind. */
  state: ConversationState | undefined;
  private readonly storage: DurableObjectStorage;
  private readonly env: Env;
  private readonly read: (state: ConversationState) => void;
  private readonly newId = monotonicFactory();

  /** `read`: told whenever the state was read from the store, on waking or anew. */
  constructor(env: Env, storage: DurableObjectStorage, read: (state: ConversationState) => void) {
    this.env = env;
    this.storage = storage;
    this.read = read;
    this.store = new ConversationStore(storage.sql);
  }

  /** For acts that only a conversation has that is open. */
  get opened(): ConversationState {
    if (!this.state) throw new Error("the conversation is not open");
    return this.state;
  }

  wake(): void {
    if (!this.store.exists()) return;
    this.state = new ConversationState(this.store, this.newId, daysToMs(this.env.RETENTION_DAYS));
    this.read(this.state);
  }

  /** All of it or nothing, in the store and in memory alike. */
  write<T>(change: () => T): T {
    try {
      return this.storage.transactionSync(change);
    } catch (error) {
      this.wake();
      throw error;
    }
  }
}
