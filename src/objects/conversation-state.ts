import { decideAppend, decideRepeat, isNewKey, type SendCommand } from "../domain/append.ts";
import { heldThrough } from "../domain/forgetting.ts";
import { rulesOf } from "../domain/group-rules.ts";
import type { JoinRequest } from "../domain/join-requests.ts";
import { decideLate, expiryOf, isWished, type LateWish, wishOf } from "../domain/life.ts";
import {
  applyChange,
  canSee,
  currentMembers,
  decideDelete,
  headFor,
  isBlocking,
  isCurrent,
  type Membership,
  withBlock,
  withCleared,
  withDeleted,
} from "../domain/membership.ts";
import type { PushReport } from "../domain/push.ts";
import type { Marks } from "../domain/receipts.ts";
import { receive } from "../domain/receipts.ts";
import { isWithin } from "../domain/spans.ts";
import { occurredAt } from "../domain/time.ts";
import { advanced, type Mark, NO_TRAIL, standing, stepsKept, type Trail } from "../domain/trail.ts";
import type { Event, ServerChange, Wish, WishedEvent } from "../protocol/events.ts";
import type { Ack } from "../protocol/frames.ts";
import type { GroupRules } from "../protocol/group-rules.ts";
import type { DeviceId, EventId, IdempotencyKey, UserId } from "../protocol/ids.ts";
import { ok } from "../protocol/result.ts";
import type { Visibility } from "../protocol/states.ts";
import type { Checkpoint, ConversationStore, Facts } from "../storage/conversation-store.ts";
import { Burials } from "./burials.ts";
import { RecentLog } from "./recent-log.ts";
import type { Appended, Outcome } from "./rpc.ts";

/** Providers' answers that are kept, for traces. */
const PUSHES_KEPT = 64;

/** Devices whose newest key the checkpoint holds; it is one row, which has a size. */
const KEYS_KEPT = 4_096;

/** What a conversation knows in memory: all of it is read from its store on waking. The one writer of the log. */
export class ConversationState {
  readonly store: ConversationStore;
  readonly facts: Facts;
  readonly roster: Map<UserId, Membership>;
  readonly checkpoint: Checkpoint;
  readonly trails: Map<UserId, Trail>;
  readonly newestKeys: Map<DeviceId, IdempotencyKey>;
  readonly devices: Map<UserId, number>;
  /** Who waits to be let in, the first first. */
  readonly requests: Map<UserId, JoinRequest>;
  head: number;
  memberCount: number;
  readonly recent: RecentLog;
  readonly burials: Burials;
  /** How many are unread past `read`, counted up to `through`. */
  private readonly unreads = new Map<UserId, { member: Membership; read: number; through: number; count: number }>();
  private readonly newId: () => string;
  /** How long the deployer keeps messages at most; 0: for ever. Ms. */
  private readonly deployerMs: number;

  constructor(store: ConversationStore, newId: () => string, deployerMs: number) {
    this.store = store;
    this.newId = newId;
    this.deployerMs = deployerMs;
    store.upgrade();
    this.facts = store.facts();
    this.roster = store.roster();
    this.checkpoint = { ...store.checkpoint() };
    this.trails = new Map(this.checkpoint.trails);
    this.memberCount = currentMembers(this.roster).length;
    this.newestKeys = new Map(this.checkpoint.newestKeys);
    for (const [device, key] of store.keysPast(this.checkpoint.delivered)) this.newestKeys.set(device, key); // [EO-5]
    this.devices = new Map(this.checkpoint.devices);
    this.requests = new Map(store.entries.requests().map((request) => [request.userId, request]));
    this.head = store.head();
    this.recent = new RecentLog(store);
    this.burials = new Burials({
      ...{ store, deployerMs, recent: this.recent, checkpoint: this.checkpoint, head: () => this.head },
      buried: () => this.unreads.clear(), // [LM-8]
      saveCheckpoint: () => this.saveCheckpoint(),
    });
  }

  /** What the admins have laid down. */
  get rules(): GroupRules {
    return rulesOf(this.facts);
  }

  /** The wish appended, or the answer it got the first time. */
  send(command: SendCommand, now: number): Outcome<Appended> {
    const { deviceId, idempotencyKey, event: wish } = command;
    if (!isNewKey(this.newestKey(deviceId), idempotencyKey)) return this.repeat(command);
    const { sending } = this.rules;
    const decided = decideAppend(this.roster.get(command.userId), this.head, wish, { unfit: command.unfit, sending });
    if (!decided.ok) return decided;
    const life = wish.kind === "message" ? ok(wish) : this.decideLate(command.userId, wish, now);
    if (!life.ok) return life;
    const { composedAt, sentAt } = command;
    const event: WishedEvent = {
      ...this.envelope(command.userId, now, occurredAt({ composedAt, sentAt, receivedAt: now })),
      deviceId,
      idempotencyKey,
      composedAt,
      sentAt,
      ...wish,
      ...this.expiring(wish, now),
    };
    const body = this.write(event, deviceId, idempotencyKey);
    if (wish.kind === "edit") this.keepDeleted(wish.targetSeq, event.seq);
    if (wish.kind === "recall") this.burials.bury(wish.targetSeq, "recalled");
    this.newestKeys.delete(deviceId); // the map's order is that of their last sends
    this.newestKeys.set(deviceId, idempotencyKey);
    return ok({ ack: ackOf(event, false), body });
  }

  /** Of a device that was forgotten for so many others, the log still knows. */
  private newestKey(deviceId: DeviceId): IdempotencyKey | undefined {
    const known = this.newestKeys.get(deviceId);
    return known || this.checkpoint.allKeys ? known : this.store.newestKeyOf(deviceId); // [EO-5]
  }

  private repeat({ deviceId, idempotencyKey, userId, event: wish }: SendCommand): Outcome<Appended> {
    const found = this.store.findByKey(deviceId, idempotencyKey);
    const first = found && isWished(found) && found.senderId === userId ? found : undefined;
    const decided = decideRepeat(first && wishOf(first), wish);
    if (!decided.ok) return decided;
    return ok({ ack: ackOf(first as WishedEvent, true), body: JSON.stringify(first) });
  }

  /** [LM-13] A message's time; and of an edit that of its message, for who sees the edit alone. */
  private expiring(wish: Wish, now: number): { expiresAt?: number } {
    if (wish.kind === "recall" || wish.kind === "reaction") return {};
    const { retentionMs: chosenMs = 0 } = this.facts;
    const edited = wish.kind === "edit" ? this.store.event(wish.targetSeq) : undefined;
    const expiresAt = edited
      ? ((edited.kind === "message" ? edited.expiresAt : undefined) ?? null)
      : expiryOf(now, { chosenMs, deployerMs: this.deployerMs });
    return expiresAt === null ? {} : { expiresAt };
  }

  /** [LM-21] Through which seq all devices of all members have everything. */
  heldByAll(): number {
    const seqs = currentMembers(this.roster).map((member) => this.heldBy(member));
    return seqs.length > 0 ? Math.min(...seqs) : 0;
  }

  /** The same of one member's devices. */
  heldBy({ userId }: Membership): number {
    const known = this.checkpoint.held.find(([id]) => id === userId)?.[1];
    return heldThrough(known, this.devices.get(userId) ?? 1);
  }

  /** [LM-16] What there is by now is this member's no more. */
  clear(member: Membership): void {
    const cleared = withCleared(member, this.head);
    if (cleared === member) return;
    this.roster.set(member.userId, cleared);
    this.store.sights.put("clearedThrough", cleared);
    if (cleared.deleted) this.store.sights.put("deleted", cleared);
  }

  /** [LM-26] A message, and what it was edited to, is this member's no more. */
  deleteFor(member: Membership, seq: number): Outcome<null> {
    const decided = decideDelete(member, seq, this.store.event(seq)?.kind === "message");
    if (!decided.ok) return decided;
    if (!decided.value) this.takeFrom(member, [seq, ...this.store.editsOf(seq).map((edit) => edit.seq)]);
    return ok(null);
  }

  private takeFrom(member: Membership, seqs: readonly number[]): void {
    const without = withDeleted(member, seqs);
    this.roster.set(member.userId, without);
    this.store.sights.put("deleted", without);
  }

  /** [LM-27] Who has deleted a message does not get it back by an edit. */
  private keepDeleted(target: number, edit: number): void {
    for (const member of this.roster.values())
      if (isWithin(member.deleted ?? [], target)) this.takeFrom(member, [edit]);
  }

  /** Whether this may be said of the message it names. */
  private decideLate(userId: UserId, wish: LateWish, now: number): Outcome<LateWish> {
    const member = this.roster.get(userId) as Membership;
    const event = canSee(member, wish.targetSeq) ? this.store.event(wish.targetSeq) : undefined;
    const target = event?.kind === "message" ? event : undefined;
    return decideLate({ kind: this.facts.kind, member, target, now }, wish);
  }

  /** [ER-4] From here on nothing is appended by this member, told to them, or kept of what they have received. */
  expel(member: Membership): void {
    const { hidden: _, clearedThrough: __, openedThrough: ___, deleted: ____, ...bare } = member;
    this.roster.set(member.userId, { ...bare, erased: true });
    this.store.sights.drop(member.userId);
    this.dropRequest(member.userId);
    this.memberCount = currentMembers(this.roster).length;
    if (this.facts.kind === "direct")
      for (const other of this.roster.values()) if (other.userId !== member.userId) this.setBlock(other, false); // [ER-10]
  }

  /** Takes out of the checkpoint what it says of somebody who was erased. */
  dropStates(userId: UserId): void {
    this.trails.delete(userId);
    this.devices.delete(userId);
    for (const deviceId of this.store.erasures.devicesOf(userId)) this.newestKeys.delete(deviceId);
    this.checkpoint.pushes = this.checkpoint.pushes.filter((report) => report.userId !== userId);
    this.checkpoint.held = this.checkpoint.held.filter(([id]) => id !== userId);
    this.saveCheckpoint();
  }

  /** [UN-1] Messages of others past what the member has read: the one number that the list, `changed` and pushes tell. */
  unread(member: Membership): number {
    const { userId } = member;
    const read = this.readBy(member);
    const known = this.unreads.get(userId);
    const isSame = known !== undefined && known.member === member && known.read === read;
    const count = isSame ? known.count + this.store.unread(member, known.through) : this.store.unread(member, read);
    this.unreads.set(userId, { member, read, through: Math.max(read, this.head), count });
    return count;
  }

  /** [UN-3] What was said before a member came is theirs to look up, and not to catch up on. */
  readBy({ userId, openedThrough = 0 }: Membership): number {
    return Math.max(standing(this.trail(userId), "read"), openedThrough);
  }

  /** Writes what the server decided: a member's change also moves the roster, in the same turn. */
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
    this.write(event, null, null);
    return event.seq;
  }

  putRequest(request: JoinRequest): void {
    this.requests.set(request.userId, request);
    this.store.entries.putRequest(request);
  }

  dropRequest(userId: UserId): void {
    if (this.requests.delete(userId)) this.store.entries.dropRequest(userId);
  }

  private envelope(senderId: UserId, receivedAt: number, occurredAt: number) {
    const { conversationId } = this.facts;
    return { conversationId, seq: this.head + 1, eventId: this.newId() as EventId, senderId, receivedAt, occurredAt }; // [EV-1]
  }

  /** An event is made text once; the log, the sockets, the pages and history carry that text. */
  private write(event: Event, deviceId: DeviceId | null, key: IdempotencyKey | null): string {
    const body = JSON.stringify(event);
    const target = event.kind === "edit" ? event.targetSeq : null;
    const expiresAt = event.kind === "message" ? (event.expiresAt ?? null) : null;
    const { seq, senderId, kind } = event;
    this.store.append({ seq, senderId, kind, deviceId, key, target, expiresAt, body });
    this.head = event.seq;
    this.recent.keep(event, body);
    return body;
  }

  /**
   * [DL-5] A member's reply needs no confirming when nobody else could miss it; a claim made before their newest device looked here does
   * not count, for it may have been under way for long.
   */
  isAlone(userId: UserId, aloneAs: number | null): boolean {
    return aloneAs !== null && aloneAs >= (this.devices.get(userId) ?? 1);
  }

  /** Remembers that this many devices look; durable before any of them can go on. True when that is news. */
  lookedAt(userId: UserId, devices: number): boolean {
    if (devices <= (this.devices.get(userId) ?? 1)) return false;
    this.devices.set(userId, devices);
    return true;
  }

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

  /** The seq of the event by which this person was removed; null: they are in, never were, or left by themselves. */
  removedAt(userId: UserId): number | null {
    const [, to] = this.roster.get(userId)?.spans.at(-1) ?? [0, null];
    const event = to === null ? undefined : this.store.event(to);
    return event?.kind === "member" && event.change === "removed" ? event.seq : null;
  }

  /** [BL-1] From here on the member sees nothing of the other one, or does again. */
  setBlock(member: Membership, blocks: boolean): void {
    const changed = withBlock(member, blocks, this.head);
    if (changed === member) return;
    this.store.sights.put("hidden", changed);
    this.roster.set(changed.userId, changed);
  }

  pushed(reports: readonly PushReport[]): void {
    const kept = reports.filter(({ userId }) => !this.roster.get(userId)?.erased);
    this.checkpoint.pushes = [...this.checkpoint.pushes, ...kept].slice(-PUSHES_KEPT);
  }

  saveCheckpoint(): void {
    const isHere = ([userId]: [UserId, unknown]) => isCurrent(this.roster.get(userId));
    this.checkpoint.trails = [...this.trails];
    this.checkpoint.devices = [...this.devices].filter(isHere);
    const surplus = this.newestKeys.size - KEYS_KEPT;
    if (surplus > 0)
      for (const deviceId of [...this.newestKeys.keys()].slice(0, surplus)) this.newestKeys.delete(deviceId);
    this.checkpoint.allKeys &&= surplus <= 0;
    this.checkpoint.newestKeys = [...this.newestKeys];
    this.store.putCheckpoint(this.checkpoint);
  }
}

function ackOf(event: WishedEvent, duplicate: boolean): Ack {
  const { conversationId, seq, eventId, receivedAt, occurredAt } = event;
  const ack = { conversationId, seq, eventId, receivedAt, occurredAt, duplicate };
  return "expiresAt" in event && event.expiresAt !== undefined ? { ...ack, expiresAt: event.expiresAt } : ack;
}
