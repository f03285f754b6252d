import { ask, CALL_WINDOW, mapWindowed } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { conversationOf } from "../platform/stubs.ts";
import type { Summary } from "../protocol/frames.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import type { OwnReceipts } from "./own-receipts.ts";
import type { Kept } from "./rpc.ts";

type Parts = { store: InboxStore; receipts: OwnReceipts };
type ListPage = { conversations: Summary[]; next: number | null };

/** The conversations of one user, as they ask for them. */
export class Listing {
  private readonly env: Env;
  private readonly parts: Parts;

  constructor(env: Env, parts: Parts) {
    this.env = env;
    this.parts = parts;
  }

  /** Those that changed last first; `below` is the position to go on from. */
  async page(userId: UserId, below: number, limit: number): Promise<ListPage> {
    const { store, receipts } = this.parts;
    const rows = store.newestBelow(below, limit);
    const summaries = await mapWindowed(rows, CALL_WINDOW, async ({ conversationId }) => {
      const held = receipts.heldFor(conversationId);
      const standing = await ask(() => conversationOf(this.env, conversationId).standing(userId, held));
      return standing.ok ? [receipts.summaryOf(standing.value)] : [];
    });
    return { conversations: summaries.flat(), next: rows.length === limit ? (rows.at(-1)?.position ?? null) : null };
  }

  ids(): ConversationId[] {
    return this.parts.store.changedPast(0).map((row) => row.conversationId);
  }

  /** [EX-7] What is kept here of the user: of endpoints no more than that there is one. */
  kept(): Kept {
    const { store } = this.parts;
    const { lastSeenAt } = store.session;
    const subscriptions = [...store.subscriptions()].map(([deviceId, { endpoint, preview }]) => {
      return { deviceId, provider: endpoint.provider, preview };
    });
    const conversations = this.ids().map((conversationId) => {
      return { conversationId, mine: store.mine(conversationId), starred: store.stars.in(conversationId) };
    });
    return { subscriptions, conversations, lastSeenAt: lastSeenAt > 0 ? lastSeenAt : null };
  }
}
