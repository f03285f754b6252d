import { decideAppend, decideRepeat, isNewKey, type SendCommand } from "../domain/append.ts";
import { applyChange, currentMembers, isCurrent, type Membership } from "../domain/membership.ts";
import type { PushReport } from "../domain/push.ts";
import type { Marks } from "../domain/receipts.ts";
import { receive } from "../domain/receipts.ts";
import type { Bell } from "../domain/ringing.ts";
import { occurredAt } from "../domain/time.ts";
import { advanced, type Mark, NO_TRAIL, standing, stepsKept, type Trail } from "../domain/trail.ts";
import type { Event, MessageEvent, ServerChange } from "../protocol/events.ts";
import type { Ack } from "../protocol/frames.ts";
import type { DeviceId, EventId, IdempotencyKey, UserId } from "../protocol/ids.ts";
import { ok } from "../protocol/result.ts";
import type { Visibility } from "../protocol/states.ts";
import type { Checkpoint, ConversationStore, Facts } from "../storage/conversation-store.ts";
import type { Appended, Outcome } from "./rpc.ts";

/** Events that stay in memory after they were appended. */
const RECENT = 64;
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
  head: number;
  memberCount: number;
  private readonly recent = new Map<number, { event: Event; body: string }>();
  /** How many are unread past `read`, counted up to `through`. */
  private readonly unreads = new Map<UserId, { member: Membership; read: number; through: number; count: number }>();
  private readonly newId: () => string;

  constructor(store: ConversationStore, newId: () => string) {
    this.store = store;
    this.newId = newId;
    this.facts = store.facts();
    this.roster = store.roster();
    this.checkpoint = { ...store.checkpoint() };
    this.trails = new Map(this.checkpoint.trails);
    this.memberCount = currentMembers(this.roster).length;
    this.newestKeys = new Map(this.checkpoint.newestKeys);
    for (const [device, key] of store.keysPast(this.checkpoint.delivered)) this.newestKeys.set(device, key); // [EO-5]
    this.devices = new Map(this.checkpoint.devices);
    this.head = store.head();
  }

  /** The wish appended, or the answer it got the first time. */
  send(command: SendCommand, now: number): Outcome<Appended> {
    const { deviceId, idempotencyKey, event: wish } = command;
    if (!isNewKey(this.newestKey(deviceId), idempotencyKey)) return this.repeat(command);
    const decided = decideAppend(this.roster.get(command.userId), this.head, wish);
    if (!decided.ok) return decided;
    const { composedAt, sentAt } = command;
    const event: MessageEvent = {
      ...this.envelope(command.userId, now, occurredAt({ composedAt, sentAt, receivedAt: now })),
      deviceId,
      idempotencyKey,
      composedAt,
      sentAt,
      ...wish,
    };
    const body = this.write(event, deviceId, idempotencyKey);
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
    const first = found?.kind === "message" && found.senderId === userId ? found : undefined;
    const decided = decideRepeat(first && { kind: first.kind, content: first.content }, wish);
    if (!decided.ok) return decided;
    return ok({ ack: ackOf(first as MessageEvent, true), body: JSON.stringify(first) });
  }

  /** The texts of these events. What was appended last is still at hand, and is what most ask for. */
  bodies(from: number, to: number): string[] {
    if (this.isRecent(from, to)) return Array.from({ length: to - from + 1 }, (_, i) => this.recentAt(from + i).body);
    return Array.from(this.store.rows(from, to), (row) => row.body);
  }

  private isRecent(from: number, to: number): boolean {
    return this.recent.has(from) && to <= this.head;
  }

  private recentAt(seq: number): { event: Event; body: string } {
    return this.recent.get(seq) as { event: Event; body: string };
  }

  /** What to ring a member with for the events of a range; null when nobody else said anything there. */
  bellFor(userId: UserId, from: number, to: number): Bell | null {
    const messages = this.messagesOfOthers(userId, from, to);
    const newest = messages.at(-1);
    const member = this.roster.get(userId);
    if (!newest || !member) return null;
    const { seq, senderId, content } = newest;
    const { title } = this.facts;
    const mentioned = messages.some((message) => message.content.mentions?.includes(userId));
    const bell = { seq, senderId, unread: this.unread(member), mentioned };
    return { ...bell, text: content.text, ...(title === undefined ? {} : { title }) };
  }

  private messagesOfOthers(userId: UserId, from: number, to: number): MessageEvent[] {
    if (!this.isRecent(from, to)) return this.store.messagesOfOthers(userId, from, to);
    const events = Array.from({ length: to - from + 1 }, (_, i) => this.recentAt(from + i).event);
    return events.filter((event): event is MessageEvent => event.kind === "message" && event.senderId !== userId);
  }

  /** [UN-1] Messages of others past what the member has read: the one number that the list, `changed` and pushes tell. */
  unread(member: Membership): number {
    const { userId } = member;
    const read = standing(this.trail(userId), "read");
    const known = this.unreads.get(userId);
    const isSame = known !== undefined && known.member === member && known.read === read;
    const count = isSame ? known.count + this.store.unread(member, known.through) : this.store.unread(member, read);
    this.unreads.set(userId, { member, read, through: Math.max(read, this.head), count });
    return count;
  }

  /** Writes what the server decided: a member's change also moves the roster, in the same turn. */
  change(actorId: UserId, change: ServerChange, now: number): number {
    const event: Event = { ...this.envelope(actorId, now, now), ...change };
    if (change.kind === "member") {
      const member = applyChange(this.roster.get(change.userId), change, event.seq);
      this.roster.set(change.userId, member);
      this.store.putMember(member);
      this.memberCount = currentMembers(this.roster).length;
    }
    this.write(event, null, null);
    return event.seq;
  }

  private envelope(senderId: UserId, receivedAt: number, occurredAt: number) {
    const { conversationId } = this.facts;
    return { conversationId, seq: this.head + 1, eventId: this.newId() as EventId, senderId, receivedAt, occurredAt }; // [EV-1]
  }

  /** An event is made text once; the log, the sockets, the pages and history carry that text. */
  private write(event: Event, deviceId: DeviceId | null, key: IdempotencyKey | null): string {
    const body = JSON.stringify(event);
    this.store.append({ seq: event.seq, senderId: event.senderId, kind: event.kind, deviceId, key, body });
    this.head = event.seq;
    this.recent.set(event.seq, { event, body });
    this.recent.delete(event.seq - RECENT);
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
    this.trails.set(userId, advanced(this.trail(userId), mark, seq, now, stepsKept(this.memberCount)));
  }

  /** What a member's device says it has; false when it had said so before. */
  receive(userId: UserId, marks: Marks, shows: Visibility, now: number): Outcome<boolean> {
    const before = this.trail(userId);
    const after = receive(before, marks, { shows, head: this.head, now, keep: stepsKept(this.memberCount) });
    if (!after.ok) return after;
    this.trails.set(userId, after.value);
    return ok(after.value !== before);
  }

  pushed(reports: readonly PushReport[]): void {
    this.checkpoint.pushes = [...this.checkpoint.pushes, ...reports].slice(-PUSHES_KEPT);
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

function ackOf(event: MessageEvent, duplicate: boolean): Ack {
  const { conversationId, seq, eventId, receivedAt, occurredAt } = event;
  return { conversationId, seq, eventId, receivedAt, occurredAt, duplicate };
}
