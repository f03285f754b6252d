import type { SettingsChange } from "../domain/group-settings.ts";
import type { InviteWish } from "../domain/invites.ts";
import type { PageWish } from "../domain/paging.ts";
import type { PushReport } from "../domain/push.ts";
import type { Found } from "../domain/searching.ts";
import type { RawTrace } from "../domain/tracing.ts";
import type { Conversation as Description, Invite, JoinRequest } from "../protocol/http.ts";
import type { ConversationId, InviteCode, MediaId, UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { Claim } from "../storage/media.ts";
import { evidenceOf, shownOf, showsMedia } from "./conversation-messages.ts";
import { ConversationParts } from "./conversation-parts.ts";
import { type Placed, searchOf } from "./conversation-search.ts";
import { currentMemberOf, descriptionOf, historyOf, pageOf, standingOf } from "./conversation-views.ts";
import type { Decision } from "./entry-desk.ts";
import { create, firstMembers, isSameOpening } from "./opening.ts";
import type {
  Appended,
  AppendRequest,
  ErasedHere,
  Evidence,
  HistoryPage,
  Joined,
  LeftHere,
  LogPage,
  MemberRequest,
  OpenRequest,
  Outcome,
  Preview,
  ReceiptAnswer,
  ReceiptRequest,
  SearchRequest,
  Shown,
  Standing,
  Visit,
} from "./rpc.ts";

/**
 * One conversation: the single writer of its log. Every change goes one way: a desk asks the rules, the ledger writes all of it or nothing,
 * and the announcer tells everybody. Whoever was not reached then, the settler sees to when the alarm rings.
 */
export class Conversation extends ConversationParts {
  override alarm(info?: AlarmInvocationInfo): Promise<void> {
    return this.settler.rang(info);
  }

  // --- its beginning ---

  /** Makes the conversation unless it is there; `created` tells which. */
  open(conversationId: ConversationId, request: OpenRequest): Outcome<{ created: boolean }> {
    const { ledger } = this;
    const isSame = ledger.state && isSameOpening(ledger.state.facts, request);
    if (ledger.state) return isSame ? ok({ created: false }) : refuse("idempotency_conflict");
    const now = Date.now();
    ledger.write(() => create(ledger.store, conversationId, request, now));
    ledger.wake();
    if (request.kind === "group") this.members.commit(request.makerId, firstMembers(request), now);
    return ok({ created: true });
  }

  // --- what changes it ---

  /** Appends a user's wishes in order; each is answered for itself. Durable once answered. */
  append(userId: UserId, request: AppendRequest): Outcome<Appended>[] {
    return this.wishes.append(userId, request);
  }

  putMember(request: MemberRequest): Outcome<{ added: boolean }> {
    return this.members.put(request);
  }

  removeMember(request: Pick<MemberRequest, "actorId" | "userId">): Outcome<null> {
    return this.members.remove(request);
  }

  set(actorId: UserId, change: SettingsChange): Promise<Outcome<null>> {
    return this.settings.set(actorId, change);
  }

  invite(actorId: UserId, code: InviteCode, wish: InviteWish): Outcome<Invite> {
    return this.entry.invite(actorId, code, wish);
  }

  invites(actorId: UserId): Outcome<Invite[]> {
    return this.entry.invites(actorId);
  }

  revokeInvite(actorId: UserId, code: InviteCode): Outcome<null> {
    return this.entry.revokeInvite(actorId, code);
  }

  previewInvite(userId: UserId, code: InviteCode): Outcome<Preview> {
    return this.entry.preview(userId, code);
  }

  join(userId: UserId, code: InviteCode): Outcome<Joined> {
    return this.entry.join(userId, code);
  }

  joinRequests(actorId: UserId): Outcome<JoinRequest[]> {
    return this.entry.requests(actorId);
  }

  acceptRequest(decision: Decision): Outcome<{ added: boolean }> {
    return this.entry.accept(decision);
  }

  /** An admin declines it, or who asked withdraws it. */
  dropRequest(decision: Decision): Outcome<null> {
    return this.entry.drop(decision);
  }

  setBlock(userId: UserId, blocks: boolean): Outcome<null> {
    return this.sights.block(userId, blocks);
  }

  /** Takes all that there is from the sight of one member, and answers how it stands for them then. `call`: grows with every call of this inbox. */
  clear(userId: UserId, visit: Visit, call: number): Outcome<Standing> {
    const cleared = this.sights.clear(userId, call);
    return cleared.ok ? this.attend(userId, visit) : cleared;
  }

  /** Takes one message from the sight of one member, and answers how it stands for them then. */
  deleteFor(userId: UserId, visit: Visit, seq: number): Outcome<Standing> {
    const deleted = this.sights.delete(userId, seq);
    return deleted.ok ? this.attend(userId, visit) : deleted;
  }

  erase(userId: UserId): Outcome<ErasedHere> {
    return this.erasures.erase(userId);
  }

  leftOf(userId: UserId): Outcome<LeftHere> {
    return this.erasures.leftOf(userId);
  }

  // --- those who look ---

  /** What a member may see past `after`, oldest first. A member who pulls attends. */
  pull(userId: UserId, visit: Visit, after: number, limit: number): Outcome<LogPage> {
    this.attended(userId, visit);
    this.typists.seen(userId, Date.now());
    return pageOf(this.ledger.state, userId, after, limit);
  }

  /** The inbox has a device that looks: call it again, and here is how things stand. */
  attend(userId: UserId, visit: Visit): Outcome<Standing> {
    this.attended(userId, visit);
    return standingOf(this.ledger.state, userId);
  }

  private attended(userId: UserId, { devices, held }: Visit): void {
    this.fanout.note(userId, { type: "attended" });
    if (held) this.receipts.receive(userId, held);
    this.settler.attended(userId, devices, Date.now());
  }

  receipt(userId: UserId, request: ReceiptRequest): Outcome<ReceiptAnswer> {
    this.typists.seen(userId, Date.now());
    return this.receipts.receive(userId, request);
  }

  /** Told to those who look, and kept nowhere. */
  typing(userId: UserId, active: boolean): Outcome<null> {
    return this.typists.hear(userId, active, Date.now());
  }

  // --- reading, which changes nothing ---

  /** A page of history as the member may see it. `all`: everything from the log, for when history cannot be read. */
  history(userId: UserId, wish: PageWish, all: boolean): Outcome<HistoryPage> {
    return historyOf(this.ledger.state, userId, wish, all);
  }

  /** How it stands, for a list: nobody need be called for it. */
  standing(userId: UserId, held: ReceiptRequest | null): Outcome<Standing> {
    if (held) this.receipts.receive(userId, held);
    return standingOf(this.ledger.state, userId);
  }

  /** What of history's proposals, and of what is not shipped yet, the member may see and holds the words. */
  search(userId: UserId, request: SearchRequest): Outcome<Found<Placed>> {
    return searchOf(this.ledger.state, userId, request);
  }

  /** The messages of these seqs that this user may see, as they are now. */
  shown(userId: UserId, seqs: number[]): Outcome<Shown[]> {
    return shownOf(this.ledger.state, userId, seqs, Date.now());
  }

  /** What a member reports, as they may see it. */
  evidence(userId: UserId, seqs: number[]): Outcome<Evidence> {
    return evidenceOf(this.ledger.state, userId, seqs);
  }

  describe(userId: UserId): Outcome<Description> {
    return descriptionOf(this.ledger.state, userId);
  }

  /** Whether this user is a member now. */
  admits(userId: UserId): Outcome<null> {
    const found = currentMemberOf(this.ledger.state, userId);
    return found.ok ? ok(null) : found;
  }

  /** Whether media is shown by what has claimed it. */
  showsMedia(mediaId: MediaId, claim: Claim): boolean {
    return showsMedia(this.ledger.state, mediaId, claim);
  }

  /** How an event of this user's has come to each member. */
  traceEvent(userId: UserId, seq: number): Promise<Outcome<RawTrace>> {
    return this.receipts.trace(userId, seq);
  }

  // --- what the queue and the operator tell it ---

  /** What providers said to pushes of this conversation. */
  pushed(reports: PushReport[]): void {
    this.settler.pushed(reports);
  }

  /** Ships the whole log to history again, once for each `startedAt` (epoch ms). */
  reship(startedAt: number): void {
    this.settler.reship(startedAt);
  }

  /** [LM-17] Asked of a conversation that may have slept since before the deployer set a time: being awake is what it takes. */
  awaken(): void {
    this.settler.awaken();
  }
}
