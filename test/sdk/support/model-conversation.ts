import { applyChange, canSee, headFor, isCurrent, type Membership } from "../../../src/domain/membership.ts";
import type { Event, MessageEvent } from "../../../src/protocol/events.ts";
import type { ClientFrame } from "../../../src/protocol/frames.ts";
import type { ConversationId, DeviceId, UserId } from "../../../src/protocol/ids.ts";
import { LIMITS } from "../../../src/protocol/limits.ts";
import { eventId } from "./ids.ts";

export type SendFrame = Extract<ClientFrame, { type: "send" }>;
export type Sender = { userId: UserId; deviceId: DeviceId };

/** A conversation as the contract describes it, in memory: a gapless log, spans of members, the newest key of each device. */
export class ModelConversation {
  readonly id: ConversationId;
  readonly log: Event[] = [];
  readonly members = new Map<UserId, Membership>();
  readonly delivered = new Map<UserId, number>();
  readonly memberCount: number;
  readonly #newestKey = new Map<DeviceId, string>();

  /** `memberCount`: as it is told; with more than the wire allows for it is a crowd. */
  constructor(id: ConversationId, maker: UserId, others: readonly UserId[], memberCount: number) {
    this.id = id;
    this.memberCount = memberCount;
    for (const userId of [maker, ...others]) this.change(maker, userId, "added", 0);
  }

  get head(): number {
    return this.log.length;
  }

  change(senderId: UserId, userId: UserId, change: "added" | "removed", now: number): void {
    const seq = this.head + 1;
    this.members.set(userId, applyChange(this.members.get(userId), { userId, change }, seq));
    this.log.push({ ...this.#envelope(now), senderId, kind: "member", userId, change });
  }

  /** A crash loses the receipts of a crowd. */
  forgetHeldBack(): void {
    if (this.memberCount > LIMITS.receiptMembers) this.delivered.clear();
  }

  isMember(userId: UserId): boolean {
    return isCurrent(this.members.get(userId));
  }

  find(deviceId: DeviceId, key: string): MessageEvent | undefined {
    return this.log.find(
      (e): e is MessageEvent => e.kind === "message" && e.deviceId === deviceId && e.idempotencyKey === key,
    );
  }

  /** Answers the event, whether it was there before, or the code of the refusal. */
  append(
    sender: Sender,
    frame: SendFrame,
    now: number,
  ): { event: MessageEvent; duplicate: boolean } | { code: "not_member" | "not_found" | "key_out_of_order" } {
    const known = this.find(sender.deviceId, frame.idempotencyKey);
    if (known) return { event: known, duplicate: true };
    if (!this.members.has(sender.userId)) return { code: "not_found" };
    if ((this.#newestKey.get(sender.deviceId) ?? "") >= frame.idempotencyKey) return { code: "key_out_of_order" };
    if (!this.isMember(sender.userId)) return { code: "not_member" };
    const { idempotencyKey, composedAt, sentAt, event: wish } = frame;
    if (wish.kind !== "message") throw new Error("people here only talk");
    const event: MessageEvent = {
      ...this.#envelope(now),
      senderId: sender.userId,
      deviceId: sender.deviceId,
      idempotencyKey,
      composedAt,
      sentAt,
      ...wish,
    };
    this.log.push(event);
    this.#newestKey.set(sender.deviceId, idempotencyKey);
    return { event, duplicate: false };
  }

  #envelope(now: number) {
    const seq = this.head + 1;
    return { conversationId: this.id, seq, eventId: eventId(seq), receivedAt: now, occurredAt: now };
  }

  headFor(userId: UserId): number {
    const member = this.members.get(userId);
    return member ? headFor(member, this.head) : 0;
  }

  visibleTo(userId: UserId, from = 1, to = this.head): Event[] {
    const member = this.members.get(userId);
    return member ? this.log.slice(from - 1, to).filter((event) => canSee(member, event.seq)) : [];
  }
}
