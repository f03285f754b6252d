import type { Invite as KeptInvite } from "../domain/invites.ts";
import { decideInvite, decideJoin, type InviteWish, isOver } from "../domain/invites.ts";
import { maySet, type SettingsChange } from "../domain/life.ts";
import { decidePut, decideRemove, isBlocking, type MemberChange, mayAdminister } from "../domain/membership.ts";
import type { Conversation as Description, Invite } from "../protocol/http.ts";
import type { InviteCode, UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { ConversationStore } from "../storage/conversation-store.ts";
import type { ConversationState } from "./conversation-state.ts";
import { descriptionOf, memberOf } from "./conversation-views.ts";
import type { MemberRequest, Outcome } from "./rpc.ts";

type Ports = {
  store: ConversationStore;
  state: () => ConversationState | undefined;
  /** All of it or nothing, in the store and in memory alike. */
  write: (change: () => void) => void;
  /** Appends members' changes, `also` in the same transaction, and tells everybody. */
  commit: (actorId: UserId, changes: MemberChange[], now: number, also?: () => void) => void;
  /** Something else was appended. */
  appended: (now: number) => void;
};

/** Who is in a conversation, who may come, and what is set for all: each decided by a pure rule, then appended. */
export class MemberDesk {
  private readonly ports: Ports;

  constructor(ports: Ports) {
    this.ports = ports;
  }

  putMember({ actorId, userId, role, declined = false }: MemberRequest): Outcome<{ added: boolean }> {
    const state = this.ports.state();
    if (!state) return refuse("not_found");
    const { facts, roster } = state;
    const decided = decidePut({ kind: facts.kind, roster, actorId, userId, role, declined });
    if (!decided.ok) return decided;
    if (decided.value) this.ports.commit(actorId, [decided.value], Date.now());
    return ok({ added: decided.value?.change === "added" });
  }

  removeMember({ actorId, userId }: Pick<MemberRequest, "actorId" | "userId">): Outcome<null> {
    const state = this.ports.state();
    if (!state) return refuse("not_found");
    const { facts, roster } = state;
    const decided = decideRemove({ kind: facts.kind, roster, actorId, userId });
    if (!decided.ok) return decided;
    if (decided.value) this.ports.commit(actorId, [decided.value], Date.now());
    return ok(null);
  }

  /** What is given changes; what is so already appends nothing. */
  set(actorId: UserId, { title, retentionMs }: SettingsChange): Outcome<null> {
    const state = this.ports.state();
    if (!state) return refuse("not_found");
    const { facts, roster } = state;
    const allowed = maySet({ kind: facts.kind, roster, actorId }, { title, retentionMs });
    if (!allowed.ok) return allowed;
    if (isBlocking(roster.get(actorId))) return refuse("forbidden", "unblock this person first"); // [BL-3]
    const news = {
      ...(title === undefined || title === facts.title ? {} : { title }),
      ...(retentionMs === undefined || retentionMs === (facts.retentionMs ?? 0) ? {} : { retentionMs }),
    };
    if (Object.keys(news).length === 0) return ok(null);
    const now = Date.now();
    this.ports.write(() => {
      this.ports.store.putFacts(Object.assign(facts, news));
      state.change(actorId, { kind: "settings", ...news }, now);
    });
    this.ports.appended(now);
    return ok(null);
  }

  // --- invites ---

  invite(actorId: UserId, code: InviteCode, wish: InviteWish): Outcome<Invite> {
    const group = this.administered(actorId);
    if (!group.ok) return group;
    const now = Date.now();
    const all = this.ports.store.invites();
    const over = all.filter((invite) => isOver(invite, now));
    const facts = { code, makerId: actorId, madeAt: group.value.head, open: all.length - over.length, now };
    const decided = decideInvite(wish, facts);
    if (!decided.ok) return decided;
    this.ports.write(() => {
      for (const invite of over) this.ports.store.dropInvite(invite.code);
      this.ports.store.putInvite(decided.value);
    });
    return ok(told(decided.value));
  }

  invites(actorId: UserId): Outcome<Invite[]> {
    const group = this.administered(actorId);
    if (!group.ok) return group;
    const now = Date.now();
    return ok(this.ports.store.invites().flatMap((invite) => (isOver(invite, now) ? [] : told(invite))));
  }

  revokeInvite(actorId: UserId, code: InviteCode): Outcome<null> {
    const group = this.administered(actorId);
    if (!group.ok) return group;
    this.ports.store.dropInvite(code);
    return ok(null);
  }

  /** [IV-3] Who joins and that the invite was used is one turn of the one writer. */
  join(userId: UserId, code: InviteCode): Outcome<{ added: boolean; conversation: Description }> {
    const state = this.ports.state();
    if (!state) return refuse("not_found");
    const now = Date.now();
    const invite = this.ports.store.invites().find((one) => one.code === code);
    const decided = decideJoin({ roster: state.roster, userId, invite, removedAt: state.removedAt(userId), now });
    if (!decided.ok) return decided;
    const change = decided.value;
    if (change && invite)
      this.ports.commit(userId, [change], now, () => this.ports.store.putInvite({ ...invite, uses: invite.uses + 1 }));
    const conversation = descriptionOf(state, userId);
    return conversation.ok ? ok({ added: change !== null, conversation: conversation.value }) : conversation;
  }

  private administered(actorId: UserId): Outcome<ConversationState> {
    const state = this.ports.state();
    if (!state) return refuse("not_found");
    const allowed = mayAdminister({ kind: state.facts.kind, roster: state.roster, actorId });
    return allowed.ok ? ok(state) : allowed;
  }

  /** [BL-1] This member blocks the other one of a direct conversation, or does so no more. */
  setBlock(userId: UserId, blocks: boolean): Outcome<null> {
    const found = memberOf(this.ports.state(), userId);
    if (!found.ok) return found;
    const { state, member } = found.value;
    if (state.facts.kind !== "direct") return refuse("forbidden");
    this.ports.write(() => state.setBlock(member, blocks));
    return ok(null);
  }
}

const told = ({ madeAt: _, ...invite }: KeptInvite): Invite => invite;
