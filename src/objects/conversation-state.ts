import { rulesOf } from "../domain/group-rules.ts";
import type { SettingsChange } from "../domain/group-settings.ts";
import type { JoinRequest } from "../domain/join-requests.ts";
import { applyChange, currentMembers, headFor, isBlocking, isCurrent, type Membership } from "../domain/membership.ts";
import type { PushReport } from "../domain/push.ts";
import type { Marks } from "../domain/receipts.ts";
import { receive } from "../domain/receipts.ts";
import { advanced, type Mark, NO_TRAIL, standing, stepsKept, type Trail } from "../domain/trail.ts";
import type { Event, ServerChange } from "../protocol/events.ts";
import type { GroupRules } from "../protocol/group-rules.ts";
import type { EventId, UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok } from "../protocol/result.ts";
import type { Visibility } from "../protocol/states.ts";
import type { Checkpoint } from "../storage/checkpoint-store.ts";
import type { ConversationStore, Facts } from "../storage/conversation-store.ts";
import { Burials } from "./burials.ts";
import { NewestKeys } from "./newest-keys.ts";
import { RecentLog } from "./recent-log.ts";
import type { Outcome } from "./rpc.ts";
import { Sights } from "./sights.ts";
import { UnreadCounts } from "./unread-counts.ts";

/** Providers' answers that are kept, for traces. */
const PUSHES_KEPT = 64;

/** What a conversation knows in memory: all of it is read from its store on waking. The one writer of the log. */
export class ConversationState {
  readonly store: ConversationStore;
  readonly facts: Facts;
  readonly roster: Map<UserId, Membership>;
  readonly checkpoint: Checkpoint;
  readonly trails: Map<UserId, Trail>;
  readonly keys: NewestKeys;
  readonly devices: Map<UserId, number>;
  /** Who waits to be let in, the first first. */
  readonly requests: Map<UserId, JoinRequest>;
  head: number;
  memberCount: number;
  readonly recent: RecentLog;
  readonly burials: Burials;
  readonly sights: Sights;
  readonly unreads: UnreadCounts;
  /** How long the deployer keeps messages at most; 0: for ever. Ms. */
  readonly deployerMs: number;
  private readonly newId: () => string;

  constructor(store: ConversationStore, newId: () => string, deployerMs: number) {
    this.store = store;
    this.newId = newId;
    this.deployerMs = deployerMs;
    store.upgrade();
    this.facts = store.facts();
    this.roster = store.roster();
    this.memberCount = currentMembers(this.roster).length;
    this.checkpoint = store.checkpoints.read();
    this.trails = new Map(this.checkpoint.trails);
    this.devices = new Map(this.checkpoint.devices);
    this.requests = new Map(store.entries.requests().map((request) => [request.userId, request]));
    this.head = store.log.head();
    this.keys = new NewestKeys(store.log, this.checkpoint);
    this.recent = new RecentLog(store.log);
    this.burials = new Burials(this);
    this.sights = new Sights(store.sights, this.roster);
    this.unreads = new UnreadCounts(store.log, this.head);
  }

  /** What the admins have laid down. */
  get rules(): GroupRules {
    return rulesOf(this.facts);
  }

  /** [RC-6] Of so many, receipts are counts: they wait in the inboxes for a call that is made anyway. */
  get isCrowd(): boolean {
    return this.memberCount > LIMITS.receiptMembers;
  }

  // --- the log ---

  /** What the server puts around the next event. Epoch ms. */
  envelope(senderId: UserId, receivedAt: number, occurredAt: number) {
    const { conversationId } = this.facts;
    return { conversationId, seq: this.head + 1, eventId: this.newId() as EventId, senderId, receivedAt, occurredAt }; // [EV-1]
  }

  /** An event is made text once; the log, the sockets, the pages and history carry that text. */
  append(event: Event): string {
    const body = JSON.stringify(event);
    const { seq, senderId, kind } = event;
    const wished = "deviceId" in event ? event : undefined;
    this.store.log.append({
      ...{ seq, senderId, kind, body, deviceId: wished?.deviceId ?? null, key: wished?.idempotencyKey ?? null },
      target: kind === "edit" ? event.targetSeq : null,
      expiresAt: kind === "message" ? (event.expiresAt ?? null) : null,
    });
    this.head = seq;
    this.recent.keep(event, body);
    return body;
  }

  /** Appends what the server decided, and answers its seq: a member's change also moves the roster, in the same turn. */
  change(actorId: UserId, change: ServerChange, now: number): number {
    const event: Event = { ...this.envelope(actorId, now, now), ...change };
    if (change.kind === "member") {
      const before = this.roster.get(change.userId);
      const member = applyChange(before, change, event.seq, this.rules.history);
      this.roster.set(change.userId, member);
      this.store.putMember(member);
      if (member.openedThrough !== before?.openedThrough) this.store.sights.put("openedThrough", member);
      if (change.change === "added") this.dropRequest(change.userId); // [IV-8]
      this.memberCount = currentMembers(this.roster).length;
    }
    this.append(event);
    return event.seq;
  }

  /** The same of what is set for all members. */
  set(actorId: UserId, news: SettingsChange, now: number): number {
    this.store.putFacts(Object.assign(this.facts, news));
    return this.change(actorId, { kind: "settings", ...news }, now);
  }

  // --- members ---

  /** The seq of the event by which this person was removed; null: they are in, never were, or left by themselves. */
  removedAt(userId: UserId): number | null {
    const [, to] = this.roster.get(userId)?.spans.at(-1) ?? [0, null];
    const event = to === null ? undefined : this.store.log.event(to);
    return event?.kind === "member" && event.change === "removed" ? event.seq : null;
  }

  putRequest(request: JoinRequest): void {
    this.requests.set(request.userId, request);
    this.store.entries.putRequest(request);
  }

  dropRequest(userId: UserId): void {
    if (this.requests.delete(userId)) this.store.entries.dropRequest(userId);
  }

  /** [ER-4] From here on nothing is appended by this member, told to them, or kept of what they have received. */
  expel(member: Membership): void {
    const { userId, role, spans } = member;
    this.roster.set(userId, { userId, role, spans, erased: true });
    this.sights.drop(userId);
    this.dropRequest(userId);
    this.memberCount = currentMembers(this.roster).length;
    if (this.facts.kind !== "direct") return;
    for (const other of this.roster.values()) if (other.userId !== userId) this.sights.block(other, false, this.head); // [ER-10]
  }

  /** Takes out of the checkpoint what it says of somebody who was erased. */
  dropStates(userId: UserId): void {
    this.trails.delete(userId);
    this.devices.delete(userId);
    for (const deviceId of this.store.erasures.devicesOf(userId)) this.keys.drop(deviceId);
    this.checkpoint.pushes = this.checkpoint.pushes.filter((report) => report.userId !== userId);
    this.checkpoint.held = this.checkpoint.held.filter(([id]) => id !== userId);
    this.saveCheckpoint();
  }

  // --- how far they are ---

  trail(userId: UserId): Trail {
    return this.trails.get(userId) ?? NO_TRAIL;
  }

  /** A member's cursor has come to `seq`. */
  mark(userId: UserId, mark: Mark, seq: number, now: number): void {
    if (this.roster.get(userId)?.erased) return;
    this.trails.set(userId, advanced(this.trail(userId), mark, seq, now, stepsKept(this.memberCount)));
  }

  /** What a member's device says it has; false when it had said so before. */
  receive(userId: UserId, marks: Marks, shows: Visibility, now: number): Outcome<boolean> {
    const before = this.trail(userId);
    const member = this.roster.get(userId);
    const silent = isBlocking(member);
    const head = member ? headFor(member, this.head) : this.head;
    const after = receive(before, marks, { shows, head, now, keep: stepsKept(this.memberCount), silent });
    if (!after.ok) return after;
    this.trails.set(userId, after.value);
    return ok(after.value !== before);
  }

  /** [UN-3] What was said before a member came is theirs to look up, and not to catch up on. */
  readBy({ userId, openedThrough = 0 }: Membership): number {
    return Math.max(standing(this.trail(userId), "read"), openedThrough);
  }

  unread(member: Membership): number {
    return this.unreads.of(member, this.readBy(member), this.head);
  }

  /** How many devices a member had ever had when one of them last looked. */
  devicesOf(userId: UserId): number {
    return this.devices.get(userId) ?? 1;
  }

  /** Remembers that this many devices look; durable before any of them can go on. True when that is news. */
  lookedAt(userId: UserId, devices: number): boolean {
    if (devices <= this.devicesOf(userId)) return false;
    this.devices.set(userId, devices);
    return true;
  }

  // --- the checkpoint ---

  pushed(reports: readonly PushReport[]): void {
    const kept = reports.filter(({ userId }) => !this.roster.get(userId)?.erased);
    this.checkpoint.pushes = [...this.checkpoint.pushes, ...kept].slice(-PUSHES_KEPT);
  }

  saveCheckpoint(): void {
    this.checkpoint.trails = [...this.trails];
    this.checkpoint.devices = [...this.devices].filter(([userId]) => isCurrent(this.roster.get(userId)));
    this.keys.checkIn();
    this.store.checkpoints.put(this.checkpoint);
  }
}
