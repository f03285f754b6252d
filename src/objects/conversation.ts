import { DurableObject } from "cloudflare:workers";
import { monotonicFactory } from "ulid";
import { mentionedBy } from "../domain/append.ts";
import type { SettingsChange } from "../domain/group-settings.ts";
import type { InviteWish } from "../domain/invites.ts";
import { daysToMs } from "../domain/life.ts";
import { headFor, type MemberChange } from "../domain/membership.ts";
import type { PageWish } from "../domain/paging.ts";
import type { PushReport } from "../domain/push.ts";
import { untickedBy } from "../domain/receipts.ts";
import type { Found } from "../domain/searching.ts";
import { sheds } from "../domain/shedding.ts";
import type { RawTrace } from "../domain/tracing.ts";
import type { Env } from "../platform/env.ts";
import type { Conversation as Description, Invite, JoinRequest } from "../protocol/http.ts";
import type { ConversationId, InviteCode, MediaId, UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import { ConversationStore } from "../storage/conversation-store.ts";
import { AVATAR, type Claim } from "../storage/media.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { evidenceOf, shownOf } from "./conversation-messages.ts";
import { type Placed, searchOf } from "./conversation-search.ts";
import { ConversationState } from "./conversation-state.ts";
import { traceOf } from "./conversation-traces.ts";
import { currentMemberOf, descriptionOf, historyOf, memberOf, pageOf, standingOf } from "./conversation-views.ts";
import { Deliverer } from "./deliverer.ts";
import { type Decision, EntryDesk } from "./entry-desk.ts";
import { ErasureDesk } from "./erasure-desk.ts";
import { Fanout } from "./fanout.ts";
import { Forgetter } from "./forgetter.ts";
import { Load } from "./load.ts";
import { MemberDesk, type Ports } from "./member-desk.ts";
import { create, firstMembers, isSameOpening } from "./opening.ts";
import { ReceiptDesk } from "./receipt-desk.ts";
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
import { SettingsDesk } from "./settings-desk.ts";
import { Settler } from "./settler.ts";
import { shipSafely } from "./shipper.ts";
import { Typists } from "./typists.ts";

/** One conversation: the single writer of its log. A shell: it loads facts, asks the domain, writes once, answers. */
export class Conversation extends DurableObject<Env> {
  private readonly store: ConversationStore;
  private readonly clock: AlarmClock;
  private readonly newId = monotonicFactory();
  private readonly fanout: Fanout;
  private readonly deliverer: Deliverer;
  private readonly desk: ReceiptDesk;
  private readonly typists: Typists;
  private readonly members: MemberDesk;
  private readonly settings: SettingsDesk;
  private readonly entry: EntryDesk;
  private readonly forgetter: Forgetter;
  private readonly erasures: ErasureDesk;
  private readonly load: Load;
  private readonly settler: Settler;
  /** Undefined for an id that nobody has opened: asking it leaves nothing behind. */
  private state: ConversationState | undefined;
  /** By member, the number of the last `append` call of their inbox. */
  private readonly lastCalls = new Map<UserId, number>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.store = new ConversationStore(ctx.storage.sql);
    this.clock = new AlarmClock(ctx.storage);
    this.fanout = new Fanout((userId, after, through) => this.deliverer.deliver(userId, after, through));
    this.load = new Load("conversation", (now) => this.fanout.waitMs(now));
    const stage = () => this.load.stage(Date.now());
    this.deliverer = new Deliverer(env, {
      state: () => this.state as ConversationState,
      stage,
      received: (userId, held) => void this.desk.receive(userId, held),
    });
    const moved = (now: number) => this.settler.keepReceipts(now);
    this.desk = new ReceiptDesk(env, { state: () => this.state, stage, isParked: this.isParked, moved });
    this.typists = new Typists(env, this.isParked);
    this.forgetter = new Forgetter(env, this.fanout, (change) => this.write(change));
    const { clock, fanout, deliverer, forgetter, load, isParked } = this;
    this.settler = new Settler({
      ...{ clock, fanout, deliverer, forgetter, load, isParked },
      ship: (state) => shipSafely(this.env, state),
      state: () => this.state,
      write: (change) => this.write(change),
    });
    const ports: Ports = {
      state: () => this.state,
      write: (change) => this.write(change),
      commit: (actorId, changes, at, also) => this.commit(actorId, changes, at, also),
      appended: (at) => this.afterAppend(at),
      isParked: this.isParked,
      missed: (userId) => this.deliverer.havePulled(userId),
    };
    this.members = new MemberDesk(ports);
    this.settings = new SettingsDesk(env, ports);
    this.entry = new EntryDesk(env, ports);
    this.erasures = new ErasureDesk({
      store: this.store,
      state: () => this.state,
      write: (change) => this.write(change),
      expelled: (userId) => {
        this.fanout.drop(userId);
        this.desk.gone(userId);
      },
      changed: (at) => this.afterAppend(at),
    });
    void ctx.blockConcurrencyWhile(async () => {
      await this.clock.load();
      if (this.store.exists()) this.wake();
    });
  }

  private readonly isParked = (userId: UserId): boolean =>
    this.fanout.stateOf(userId)?.mode === "parked" || this.state?.roster.get(userId)?.erased === true;

  private wake(): void {
    const state = new ConversationState(this.store, this.newId, daysToMs(this.env.RETENTION_DAYS));
    this.state = state;
    for (const m of state.roster.values())
      if (!m.erased) this.fanout.restore(m, state.checkpoint.delivered, state.head);
    this.settler.wake(state);
  }

  // --- opening and members ---

  /** Makes the conversation unless it is there; `created` tells which. */
  open(conversationId: ConversationId, request: OpenRequest): Outcome<{ created: boolean }> {
    const isSame = this.state && isSameOpening(this.state.facts, request);
    if (this.state) return isSame ? ok({ created: false }) : refuse("idempotency_conflict");
    const now = Date.now();
    this.write(() => create(this.store, conversationId, request, now));
    this.wake();
    if (request.kind === "group") this.commit(request.makerId, firstMembers(request), now);
    return ok({ created: true });
  }

  /** All of it or nothing, in the store and in memory alike. */
  private write<T>(change: () => T): T {
    try {
      return this.ctx.storage.transactionSync(change);
    } catch (error) {
      if (this.store.exists()) this.wake();
      throw error;
    }
  }

  putMember(request: MemberRequest): Outcome<{ added: boolean }> {
    return this.members.putMember(request);
  }

  removeMember(request: Pick<MemberRequest, "actorId" | "userId">): Outcome<null> {
    return this.members.removeMember(request);
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
    return this.members.setBlock(userId, blocks);
  }

  erase(userId: UserId): Outcome<ErasedHere> {
    return this.erasures.erase(userId);
  }

  leftOf(userId: UserId): Outcome<LeftHere> {
    return this.erasures.leftOf(userId);
  }

  private commit(actorId: UserId, changes: MemberChange[], now: number, also: () => void = () => {}): void {
    const state = this.state as ConversationState;
    const waited = state.requests.size;
    const unticked = untickedBy(changes, state.roster);
    this.write(() => {
      also();
      for (const change of changes) state.change(actorId, { kind: "member", ...change }, now);
    });
    for (const { userId, change } of changes) {
      const member = state.roster.get(userId);
      if (change === "added" && member) this.fanout.join(member, state.head);
      if (change === "removed" || change === "left") this.desk.gone(userId);
    }
    this.afterAppend(now);
    this.desk.tellTicks(unticked);
    const isNewAdmin = waited > 0 && changes.some(({ change }) => change === "role");
    if (state.requests.size < waited || isNewAdmin) this.entry.tellAdmins(); // [IV-11]
  }

  // --- the log ---

  /** Appends a user's wishes in order; each is answered for itself. Durable once answered. */
  append(userId: UserId, { commands, aloneAs, confirmed, call }: AppendRequest): Outcome<Appended>[] {
    const state = this.state;
    if (!state) return commands.map(() => refuse("not_found"));
    if (call <= (this.lastCalls.get(userId) ?? 0)) return commands.map(() => refuse("unavailable")); // [SD-3]
    if (state.roster.has(userId)) this.lastCalls.set(userId, call);
    for (const seq of confirmed) this.fanout.note(userId, { type: "answered", seq, confirmed: true });
    const now = Date.now();
    const before = state.head;
    const alone = state.isAlone(userId, aloneAs);
    const outcomes = this.write(() => commands.map((command) => state.send(command, now)));
    for (let seq = before + 1; seq <= state.head; seq++)
      this.fanout.note(userId, { type: "answered", seq, confirmed: alone });
    if (state.head > before) this.afterAppend(now, userId, mentionedBy(commands));
    return outcomes;
  }

  /** Tells everybody the events past their cursor; `answeredId`'s inbox learns of its own from the reply. */
  private afterAppend(now: number, answeredId?: UserId, mentioned = mentionedBy([])): void {
    const state = this.state as ConversationState;
    this.settler.due(now);
    for (const m of state.roster.values()) {
      if (m.userId === answeredId) continue;
      const mentions = mentioned.has(m.userId);
      this.fanout.note(m.userId, { type: "appended", target: headFor(m, state.head), now, mentions });
    }
  }

  // --- reading ---

  /** What a member may see past `after`, oldest first. A member who pulls attends. */
  pull(userId: UserId, visit: Visit, after: number, limit: number): Outcome<LogPage> {
    this.attended(userId, visit);
    this.typists.seen(userId, Date.now());
    return pageOf(this.state, userId, after, limit);
  }

  /** A page of history as the member may see it. `all`: everything from the log, for when history cannot be read. */
  history(userId: UserId, wish: PageWish, all: boolean): Outcome<HistoryPage> {
    return historyOf(this.state, userId, wish, all);
  }

  /** The inbox has a device that looks: call it again, and here is how things stand. */
  attend(userId: UserId, visit: Visit): Outcome<Standing> {
    this.attended(userId, visit);
    return standingOf(this.state, userId);
  }

  private attended(userId: UserId, { devices, held }: Visit): void {
    this.fanout.note(userId, { type: "attended" });
    if (held) this.desk.receive(userId, held);
    if (!this.state?.roster.has(userId)) return;
    const now = Date.now();
    if (this.state.lookedAt(userId, devices)) this.settler.saveCheckpoint(now);
    const tryAt = this.forgetter.attended(this.state, now);
    if (tryAt !== null) this.clock.ringQuietlyBy(tryAt, now);
    this.settler.setAgain(this.state, now);
  }

  /** [LM-16] Takes all that there is from the sight of one member, and answers how it stands for them then. */
  clear(userId: UserId, visit: Visit): Outcome<Standing> {
    const found = memberOf(this.state, userId);
    if (found.ok) this.write(() => found.value.state.clear(found.value.member));
    return this.attend(userId, visit);
  }

  /** [LM-26] Takes one message from the sight of one member, and answers how it stands for them then. */
  deleteFor(userId: UserId, visit: Visit, seq: number): Outcome<Standing> {
    const found = memberOf(this.state, userId);
    if (!found.ok) return found;
    const deleted = this.write(() => found.value.state.deleteFor(found.value.member, seq));
    return deleted.ok ? this.attend(userId, visit) : deleted;
  }

  /** How it stands, for a list: nobody need be called for it. */
  standing(userId: UserId, held: ReceiptRequest | null): Outcome<Standing> {
    if (held) this.desk.receive(userId, held);
    return standingOf(this.state, userId);
  }

  /** What of history's proposals, and of what is not shipped yet, the member may see and holds the words. */
  search(userId: UserId, request: SearchRequest): Outcome<Found<Placed>> {
    return searchOf(this.state, userId, request);
  }

  /** The messages of these seqs that this user may see, as they are now. */
  shown(userId: UserId, seqs: number[]): Outcome<Shown[]> {
    return shownOf(this.state, userId, seqs, Date.now());
  }

  /** What a member reports, as they may see it. */
  evidence(userId: UserId, seqs: number[]): Outcome<Evidence> {
    return evidenceOf(this.state, userId, seqs);
  }

  describe(userId: UserId): Outcome<Description> {
    return descriptionOf(this.state, userId);
  }

  /** Whether this user is a member now. */
  admits(userId: UserId): Outcome<null> {
    const found = currentMemberOf(this.state, userId);
    return found.ok ? ok(null) : found;
  }

  /** Whether media is shown by what has claimed it: a message of this wish, or the group as its picture. */
  showsMedia(mediaId: MediaId, claim: Claim): boolean {
    if (claim === AVATAR) return this.state?.facts.avatarMediaId === mediaId; // [GR-11]
    const event = this.state?.store.findByKey(claim.deviceId, claim.idempotencyKey);
    return event?.kind === "message" && event.content.type === "media";
  }

  // --- receipts, typing, traces ---

  receipt(userId: UserId, request: ReceiptRequest): Outcome<ReceiptAnswer> {
    this.typists.seen(userId, Date.now());
    return this.desk.receive(userId, request);
  }

  /** How an event of this user's has come to each member. */
  async traceEvent(userId: UserId, seq: number): Promise<Outcome<RawTrace>> {
    const trace = traceOf(this.state, this.fanout, userId, seq);
    if (!trace.ok || !trace.value.crowd) return trace;
    await this.desk.gather(seq);
    return traceOf(this.state, this.fanout, userId, seq);
  }

  /** What providers said to pushes of this conversation. */
  pushed(reports: PushReport[]): void {
    this.state?.pushed(reports);
    if (this.state) this.settler.keepReceipts(Date.now());
  }

  /** Told to those who look, and kept nowhere. */
  typing(userId: UserId, active: boolean): Outcome<null> {
    const now = Date.now();
    return this.typists.hear(this.state, { userId, active }, sheds(this.load.stage(now), "typing"), now);
  }

  // --- what is due ---

  /** Ships the whole log to history again, once for each `startedAt` (epoch ms). */
  reship(startedAt: number): void {
    this.settler.reship(startedAt);
  }

  /** [LM-17] Asked of a conversation that may have slept since before the deployer set a time: being awake is what it takes. */
  awaken(): void {
    this.settler.awaken();
  }

  override alarm(info?: AlarmInvocationInfo): Promise<void> {
    return this.settler.rang(info);
  }
}
