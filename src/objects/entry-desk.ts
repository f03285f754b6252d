import {
  decideInvite,
  decideJoin,
  type InviteWish,
  isInForce,
  isOver,
  isTheirs,
  type Joining,
  type Invite as KeptInvite,
  mayInvite,
} from "../domain/invites.ts";
import { decideAccept, decideDrop } from "../domain/join-requests.ts";
import { type MemberChange, type Membership, mayAdminister } from "../domain/membership.ts";
import type { Invite, JoinRequest } from "../protocol/http.ts";
import type { InviteCode, UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { ConversationState } from "./conversation-state.ts";
import { descriptionOf } from "./conversation-views.ts";
import type { Ledger } from "./ledger.ts";
import type { MemberDesk } from "./member-desk.ts";
import type { Joined, Outcome, Preview } from "./rpc.ts";

/** `userId`: who waits. */
export type Decision = { actorId: UserId; userId: UserId };

type Parts = { ledger: Ledger; members: MemberDesk };

/** The ways into a group from outside: invites, and asking to be let in. */
export class EntryDesk {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  // --- invites ---

  invite(actorId: UserId, code: InviteCode, wish: InviteWish): Outcome<Invite> {
    const inviter = this.inviter(actorId);
    if (!inviter.ok) return inviter;
    const { state, maker } = inviter.value;
    const now = Date.now();
    const all = state.store.entries.invites();
    const over = all.filter((invite) => isOver(invite, now));
    const open = inForce(state, now).length;
    const decided = decideInvite(wish, { code, maker, madeAt: state.head, open, now });
    if (!decided.ok) return decided;
    this.parts.ledger.write(() => {
      for (const invite of over) state.store.entries.dropInvite(invite.code);
      state.store.entries.putInvite(decided.value);
    });
    return ok(told(decided.value));
  }

  invites(actorId: UserId): Outcome<Invite[]> {
    const inviter = this.inviter(actorId);
    if (!inviter.ok) return inviter;
    const { state, maker } = inviter.value;
    const theirs = inForce(state, Date.now()).filter((invite) => isTheirs(invite, maker));
    return ok(theirs.map(told));
  }

  revokeInvite(actorId: UserId, code: InviteCode): Outcome<null> {
    const inviter = this.inviter(actorId);
    if (!inviter.ok) return inviter;
    const { state, maker } = inviter.value;
    const invite = inviteOf(state, code);
    if (invite && !isTheirs(invite, maker)) return refuse("forbidden", "admins only"); // [IV-6]
    state.store.entries.dropInvite(code);
    return ok(null);
  }

  private inviter(actorId: UserId): Outcome<{ state: ConversationState; maker: Membership }> {
    const state = this.parts.ledger.state;
    if (!state) return refuse("not_found");
    const may = mayInvite({ kind: state.facts.kind, roster: state.roster, actorId }, state.rules);
    return may.ok ? ok({ state, maker: may.value }) : may;
  }

  // --- joining ---

  /** [IV-3] Who joins, or asks, and that the invite was used is one turn of the one writer. */
  join(userId: UserId, code: InviteCode): Outcome<Joined> {
    const now = Date.now();
    const joining = this.joining(userId, code, now);
    if (!joining.ok) return joining;
    const { state, invite, how } = joining.value;
    if (how === "asks") this.ask(state, { userId, askedAt: now, code }, invite as KeptInvite);
    const request = state.requests.get(userId);
    if (request && how !== "adds") return ok({ added: false, askedAt: request.askedAt });
    if (how === "adds") {
      const change: MemberChange = { userId, change: "added", role: "member" };
      const isCounted = request?.code === code; // [IV-9]
      this.parts.members.commit(userId, [change], now, () => {
        if (!isCounted) count(state, invite as KeptInvite, 1);
      });
    }
    const conversation = descriptionOf(state, userId);
    return conversation.ok ? ok({ added: how === "adds", conversation: conversation.value }) : conversation;
  }

  /** [IV-12] What joining would do, and nothing done. */
  preview(userId: UserId, code: InviteCode): Outcome<Preview> {
    const joining = this.joining(userId, code, Date.now());
    if (!joining.ok) return joining;
    const { state, how } = joining.value;
    const { conversationId, title = "", avatarMediaId = null } = state.facts;
    const standing = { memberCount: state.memberCount, approval: state.rules.approval, state: STANDING[how] };
    return ok({ conversationId, title, avatarMediaId, ...standing });
  }

  private joining(
    userId: UserId,
    code: InviteCode,
    now: number,
  ): Outcome<{ state: ConversationState; invite: KeptInvite | undefined; how: Joining }> {
    const state = this.parts.ledger.state;
    if (!state) return refuse("not_found");
    const { roster, rules, requests } = state;
    const invite = inviteOf(state, code);
    const asked = { request: requests.get(userId), waiting: requests.size };
    const decided = decideJoin({ roster, rules, userId, invite, ...asked, removedAt: state.removedAt(userId), now });
    return decided.ok ? ok({ state, invite, how: decided.value }) : decided;
  }

  private ask(state: ConversationState, request: JoinRequest & { code: InviteCode }, invite: KeptInvite): void {
    this.parts.ledger.write(() => {
      state.putRequest(request);
      count(state, invite, 1); // [IV-9]
    });
    this.parts.members.tellAdmins();
  }

  // --- those who wait ---

  requests(actorId: UserId): Outcome<JoinRequest[]> {
    const state = this.parts.ledger.state;
    if (!state) return refuse("not_found");
    const admin = mayAdminister({ kind: state.facts.kind, roster: state.roster, actorId }); // [IV-7]
    if (!admin.ok) return admin;
    return ok([...state.requests.values()].map(({ userId, askedAt }) => ({ userId, askedAt })));
  }

  accept({ actorId, userId }: Decision): Outcome<{ added: boolean }> {
    const state = this.parts.ledger.state;
    if (!state) return refuse("not_found");
    const { roster } = state;
    const request = state.requests.get(userId);
    const decided = decideAccept({ kind: state.facts.kind, roster, actorId, userId, request });
    if (!decided.ok) return decided;
    if (decided.value) this.parts.members.commit(actorId, [decided.value], Date.now());
    return ok({ added: decided.value !== null });
  }

  /** Declined, or withdrawn. */
  drop({ actorId, userId }: Decision): Outcome<null> {
    const state = this.parts.ledger.state;
    if (!state) return actorId === userId ? ok(null) : refuse("not_found"); // [GR-1]
    const decided = decideDrop({ kind: state.facts.kind, roster: state.roster, actorId, userId });
    if (!decided.ok) return decided;
    const request = state.requests.get(userId);
    if (!request) return ok(null); // [IV-8]
    const invite = inviteOf(state, request.code);
    this.parts.ledger.write(() => {
      state.dropRequest(userId);
      if (invite) count(state, invite, -1); // [IV-9]
    });
    this.parts.members.tellAdmins();
    return ok(null);
  }
}

const STANDING = { in: "member", waits: "requested", adds: "outside", asks: "outside" } as const;

const inviteOf = ({ store }: ConversationState, code: InviteCode): KeptInvite | undefined =>
  store.entries.invites().find((one) => one.code === code);
const inForce = ({ store, roster, rules }: ConversationState, now: number): KeptInvite[] =>
  store.entries.invites().filter((invite) => !isOver(invite, now) && isInForce(invite, roster, rules));
const count = ({ store }: ConversationState, invite: KeptInvite, by: number): void =>
  store.entries.putInvite({ ...invite, uses: invite.uses + by });
const told = ({ madeAt: _, byMember: __, ...invite }: KeptInvite): Invite => invite;
