import { decideLate, tombstoneOf } from "../../domain/life.ts";
import {
  applyChange,
  canSee,
  currentMembers,
  floorFor,
  headFor,
  isCurrent,
  type Membership,
  withCleared,
  withDeleted,
} from "../../domain/membership.ts";
import { isWithin } from "../../domain/spans.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { Event, MessageEvent, ServerChange, Wish, WishedEvent } from "../../protocol/events.ts";
import type { Ack, SendBody, Summary } from "../../protocol/frames.ts";
import type { Conversation } from "../../protocol/http.ts";
import type { ConversationId, DeviceId, EventId, UserId } from "../../protocol/ids.ts";
import { type Result, refuse } from "../../protocol/result.ts";
import type { Mine, Ticks } from "../../protocol/states.ts";

export type Sender = { readonly userId: UserId; readonly deviceId: DeviceId };
type Marks = { delivered: number; read: number };
const NO_MINE: Mine = { mentionsPierce: false, pinned: false, archived: false };

/** A conversation as the contract describes it, in memory. */
export class FakeConversation {
  readonly id: ConversationId;
  readonly kind: "direct" | "group";
  readonly log: Event[] = [];
  readonly members = new Map<UserId, Membership>();
  readonly mine = new Map<UserId, Mine>();
  readonly createdAt: number;
  title: string | undefined;
  /** How long messages are kept; 0: for ever. */
  #retentionMs = 0;
  readonly #marks = new Map<UserId, Marks>();
  readonly #newestKeys = new Map<DeviceId, string>();

  constructor(id: ConversationId, kind: "direct" | "group", createdAt: number) {
    this.id = id;
    this.kind = kind;
    this.createdAt = createdAt;
  }

  get head(): number {
    return this.log.length;
  }

  marksOf(userId: UserId): Marks {
    const marks = this.#marks.get(userId) ?? { delivered: 0, read: 0 };
    this.#marks.set(userId, marks);
    return marks;
  }

  /** What the conversation itself does: somebody comes or goes, or a setting changes. */
  change(senderId: UserId, change: ServerChange, now: number): Event {
    const seq = this.head + 1;
    if (change.kind === "member")
      this.members.set(change.userId, applyChange(this.members.get(change.userId), change, seq));
    else {
      if (change.title !== undefined) this.title = change.title;
      if (change.retentionMs !== undefined) this.#retentionMs = change.retentionMs ?? 0;
    }
    const event: Event = { ...this.#envelope(now), senderId, ...change };
    this.log.push(event);
    return event;
  }

  isMember(userId: UserId): boolean {
    return isCurrent(this.members.get(userId));
  }

  currentMembers(): Membership[] {
    return currentMembers(this.members);
  }

  append(sender: Sender, body: SendBody, now: number): Result<{ ack: Ack; event: WishedEvent | null }, ErrorCode> {
    const { idempotencyKey, composedAt, sentAt, event: wish } = body;
    const { userId, deviceId } = sender;
    const isSame = (event: Event): event is WishedEvent =>
      "idempotencyKey" in event && event.deviceId === deviceId && event.idempotencyKey === idempotencyKey;
    const known = this.log.find(isSame);
    if (known) return { ok: true, value: { ack: ackOf(known, true), event: null } };
    const member = this.members.get(userId);
    if (!member) return refuse("not_found");
    if ((this.#newestKeys.get(deviceId) ?? "") >= idempotencyKey) return refuse("key_out_of_order");
    if (!this.isMember(userId)) return refuse("not_member");
    const decided = this.#decide(wish, member, now);
    if (!decided.ok) return decided;
    const occurredAt = Math.min(now, composedAt + (now - sentAt));
    const origin = { senderId: userId, deviceId, idempotencyKey, composedAt, sentAt };
    const expiring = wish.kind === "message" && this.#retentionMs > 0 ? { expiresAt: now + this.#retentionMs } : {};
    const event: WishedEvent = { ...this.#envelope(now), occurredAt, ...origin, ...wish, ...expiring };
    this.log.push(event);
    this.#newestKeys.set(deviceId, idempotencyKey);
    if (wish.kind === "edit") this.#keepDeleted(wish.targetSeq, event.seq);
    if (wish.kind === "recall") this.#bury(wish.targetSeq);
    return { ok: true, value: { ack: ackOf(event, false), event } };
  }

  #decide(wish: Wish, member: Membership, now: number): Result<Wish, ErrorCode> {
    if (wish.kind === "message") return { ok: true, value: wish };
    const target = this.log.find(
      (event): event is MessageEvent => event.seq === wish.targetSeq && event.kind === "message",
    );
    return decideLate({ kind: this.kind, member, target, now }, wish);
  }

  #keepDeleted(target: number, edit: number): void {
    for (const member of this.members.values())
      if (isWithin(member.deleted ?? [], target)) this.members.set(member.userId, withDeleted(member, [edit]));
  }

  #bury(targetSeq: number): void {
    for (const [i, event] of this.log.entries()) {
      const isIt =
        event.kind === "message" ? event.seq === targetSeq : event.kind === "edit" && event.targetSeq === targetSeq;
      if (isIt && "content" in event) this.log[i] = tombstoneOf(event, "recalled") as Event;
    }
  }

  /** All that somebody wrote here goes. */
  bury(userId: UserId): void {
    for (const [i, event] of this.log.entries()) {
      if (event.senderId !== userId) continue;
      if (event.kind === "message" || event.kind === "edit") this.log[i] = tombstoneOf(event, "recalled") as Event;
      if (event.kind === "reaction") this.log[i] = { ...event, emoji: null };
    }
  }

  /** Whether something changed. */
  receive(userId: UserId, { delivered = 0, read = 0 }: Partial<Marks>): boolean {
    const marks = this.marksOf(userId);
    const next = { delivered: Math.max(marks.delivered, delivered, read), read: Math.max(marks.read, read) };
    if (next.delivered === marks.delivered && next.read === marks.read) return false;
    this.#marks.set(userId, next);
    return true;
  }

  ticksFor(userId: UserId): Ticks {
    const others = this.currentMembers().filter((member) => member.userId !== userId);
    const lowest = (of: keyof Marks) => Math.min(...others.map((member) => this.marksOf(member.userId)[of]));
    return others.length > 0 ? { delivered: lowest("delivered"), read: lowest("read") } : { delivered: 0, read: 0 };
  }

  visibleTo(userId: UserId): Event[] {
    const member = this.members.get(userId);
    return member ? this.log.filter(({ seq }) => canSee(member, seq)) : [];
  }

  headFor(userId: UserId): number {
    const member = this.members.get(userId);
    return member ? headFor(member, this.head) : 0;
  }

  unreadFor(userId: UserId): number {
    const { read } = this.marksOf(userId);
    const isUnread = (event: Event) =>
      event.kind === "message" && event.content.type !== "gone" && event.senderId !== userId;
    return this.visibleTo(userId).filter((event) => event.seq > read && isUnread(event)).length;
  }

  /** All that there is by now is not theirs to see any more. */
  clearFor(userId: UserId): void {
    const member = this.members.get(userId);
    if (member) this.members.set(userId, withCleared(member, this.head));
  }

  /** The lowest seq that they may see. */
  floorFor(userId: UserId): number {
    const member = this.members.get(userId);
    return member ? floorFor(member) : 1;
  }

  /** False where there is no such message. */
  deleteFor(userId: UserId, seq: number): boolean {
    const member = this.members.get(userId);
    const event = this.visibleTo(userId).find((one) => one.seq === seq);
    if (member && event?.kind === "message") {
      const edits = this.log.filter((one) => one.kind === "edit" && one.targetSeq === seq);
      this.members.set(userId, withDeleted(member, [seq, ...edits.map((edit) => edit.seq)]));
    }
    return event?.kind === "message" || isWithin(member?.deleted ?? [], seq);
  }

  #placeFor(userId: UserId) {
    const role = this.isMember(userId) ? (this.members.get(userId)?.role ?? null) : null;
    return { role, unread: this.unreadFor(userId), head: this.headFor(userId), floor: this.floorFor(userId) };
  }

  summaryFor(userId: UserId): Summary {
    const { id: conversationId, kind, title } = this;
    const deleted = this.members.get(userId)?.deleted?.map(([from, to]) => ({ from, to }));
    const peer = kind === "direct" ? [...this.members.keys()].find((other) => other !== userId) : undefined;
    return {
      ...{ conversationId, kind, ...this.#placeFor(userId), readSeq: this.marksOf(userId).read },
      ...(title === undefined ? {} : { title }),
      ...(deleted ? { deleted } : {}),
      ...(peer === undefined ? {} : { peer: { userId: peer } }),
      ...{ ticks: this.ticksFor(userId), memberCount: this.currentMembers().length },
      ...(this.mine.get(userId) ?? NO_MINE),
    };
  }

  describeFor(userId: UserId): Conversation {
    const { id: conversationId, kind, title, createdAt } = this;
    const { role, unread, head, floor } = this.#placeFor(userId);
    const members = this.currentMembers().map((member) => ({
      ...{ userId: member.userId, role: member.role, joinedSeq: member.spans.at(-1)?.[0] ?? 0 },
    }));
    const set = {
      ...(title === undefined ? {} : { title }),
      ...(this.#retentionMs > 0 ? { retentionMs: this.#retentionMs } : {}),
    };
    return {
      conversationId,
      kind,
      ...set,
      createdAt,
      head,
      floor,
      members,
      mine: { role, ...this.marksOf(userId), unread },
    };
  }

  #envelope(now: number) {
    const seq = this.head + 1;
    const eventId = String(seq).padStart(26, "0") as EventId;
    return { conversationId: this.id, seq, eventId, receivedAt: now, occurredAt: now };
  }
}

function ackOf(event: WishedEvent, duplicate: boolean): Ack {
  const { conversationId, seq, eventId, receivedAt, occurredAt } = event;
  const expiring = "expiresAt" in event && event.expiresAt !== undefined ? { expiresAt: event.expiresAt } : {};
  return { conversationId, seq, eventId, receivedAt, occurredAt, ...expiring, duplicate };
}
