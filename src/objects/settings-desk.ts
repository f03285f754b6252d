import { maySet, newsOf, type SettingsChange } from "../domain/group-settings.ts";
import type { Env } from "../platform/env.ts";
import type { UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { Announcer } from "./announcer.ts";
import { claimAvatar } from "./avatar-claims.ts";
import type { ConversationState } from "./conversation-state.ts";
import type { Ledger } from "./ledger.ts";
import type { Outcome } from "./rpc.ts";

type Parts = { ledger: Ledger; announcer: Announcer };

/** What is set for all members of a conversation. */
export class SettingsDesk {
  private readonly env: Env;
  private readonly parts: Parts;

  constructor(env: Env, parts: Parts) {
    this.env = env;
    this.parts = parts;
  }

  /** What is given changes; what is so already appends nothing. */
  async set(actorId: UserId, change: SettingsChange): Promise<Outcome<null>> {
    const looked = await this.lookAtAvatar(actorId, change);
    if (!looked.ok) return looked;
    const state = this.allowed(actorId, change); // [GR-8] also of who lost the right while the picture was looked at
    if (!state.ok) return state;
    const { facts } = state.value;
    const news = newsOf(facts, change);
    if (!news) return ok(null);
    const replaced = news.avatarMediaId === undefined ? null : (facts.avatarMediaId ?? null);
    const now = Date.now();
    this.parts.ledger.write(() => {
      const seq = state.value.set(actorId, news, now);
      if (replaced !== null) state.value.store.tombstones.dropMediaAt(seq, replaced); // [GR-12]
    });
    this.parts.announcer.announce(now);
    return ok(null);
  }

  /** [GR-8] A stranger learns nothing of media either: the right comes first. */
  private async lookAtAvatar(actorId: UserId, change: SettingsChange): Promise<Outcome<null>> {
    const state = this.allowed(actorId, change);
    if (!state.ok) return state;
    const { facts, store } = state.value;
    const { avatarMediaId: mediaId } = change;
    const shown = facts.avatarMediaId ?? null;
    if (!mediaId || mediaId === shown) return ok(null);
    if (store.tombstones.isDropped(mediaId)) return refuse("invalid_request", "avatarMediaId: unknown");
    const wanted = { userId: actorId, conversationId: facts.conversationId, mediaId };
    const claimed = await claimAvatar(this.env, wanted, Date.now());
    if (!claimed.ok) return claimed;
    // Another picture has come meanwhile: it may have been this very one, and be on its way out again.
    return (this.parts.ledger.state?.facts.avatarMediaId ?? null) === shown ? ok(null) : refuse("unavailable");
  }

  private allowed(actorId: UserId, change: SettingsChange): Outcome<ConversationState> {
    const state = this.parts.ledger.state;
    if (!state) return refuse("not_found");
    const { facts, roster } = state;
    const may = maySet({ kind: facts.kind, roster, actorId, settings: facts }, change);
    return may.ok ? ok(state) : may;
  }
}
