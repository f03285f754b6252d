import { decideAppend, decideRepeat, isNewKey, type SendCommand } from "../domain/append.ts";
import { applyChange, isCurrent, type Membership } from "../domain/membership.ts";
import { NOTHING_RECEIVED, type Watermarks } from "../domain/receipts.ts";
import { occurredAt } from "../domain/time.ts";
import type { Event, MessageEvent, ServerChange } from "../protocol/events.ts";
import type { Ack } from "../protocol/frames.ts";
import type { DeviceId, EventId, IdempotencyKey, UserId } from "../protocol/ids.ts";
import { ok } from "../protocol/result.ts";
import type { Checkpoint, ConversationStore, Facts } from "../storage/conversation-store.ts";
import type { Appended, Outcome } from "./rpc.ts";

/** Events whose text stays in memory after they were appended. */
const RECENT = 64;

/** Devices whose newest key the checkpoint holds; it is one row, which has a size. */
const KEYS_KEPT = 4_096;

/** What a conversation knows in memory: all of it is read from its store on waking. The one writer of the log. */
export class ConversationState {
  readonly store: ConversationStore;
  readonly facts: Facts;
  readonly roster: Map<UserId, Membership>;
  readonly checkpoint: Checkpoint;
  readonly receipts: Map<UserId, Watermarks>;
  readonly newestKeys: Map<DeviceId, IdempotencyKey>;
  readonly devices: Map<UserId, number>;
  head: number;
  private readonly recent = new Map<number, string>();
  private readonly newId: () => string;

  constructor(store: ConversationStore, newId: () => string) {
    this.store = store;
    this.newId = newId;
    this.facts = store.facts();
    this.roster = store.roster();
    this.checkpoint = { ...store.checkpoint() };
    this.receipts = new Map(this.checkpoint.receipts);
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
    const known = Array.from({ length: to - from + 1 }, (_, i) => this.recent.get(from + i));
    if (known.every((body) => body !== undefined)) return known;
    return Array.from(this.store.rows(from, to), (row) => row.body);
  }

  /** Writes what the server decided: a member's change also moves the roster, in the same turn. */
  change(actorId: UserId, change: ServerChange, now: number): number {
    const event: Event = { ...this.envelope(actorId, now, now), ...change };
    if (change.kind === "member") {
      const member = applyChange(this.roster.get(change.userId), change, event.seq);
      this.roster.set(change.userId, member);
      this.store.putMember(member);
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
    this.recent.set(event.seq, body);
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

  watermarks(userId: UserId): Watermarks {
    return this.receipts.get(userId) ?? NOTHING_RECEIVED;
  }

  saveCheckpoint(): void {
    const isHere = ([userId]: [UserId, unknown]) => isCurrent(this.roster.get(userId));
    this.checkpoint.receipts = [...this.receipts].filter(isHere);
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
