import type { Marks } from "../domain/receipts.ts";
import { sheds } from "../domain/shedding.ts";
import { type RawTrace, receiptsSeen, traceSeen } from "../domain/tracing.ts";
import { receiptSeen, ticksSeen, type Viewer } from "../domain/visibility.ts";
import { ask } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { conversationOf } from "../platform/stubs.ts";
import type { Summary } from "../protocol/frames.ts";
import type { EventReceipts, Trace } from "../protocol/http.ts";
import type { ConversationId, DeviceId, UserId } from "../protocol/ids.ts";
import { ok } from "../protocol/result.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import type { Burden } from "./burden.ts";
import type { ChangeIndex } from "./change-index.ts";
import { HeldReceipts } from "./held-receipts.ts";
import type { Ringer } from "./ringer.ts";
import type { Outcome, ReceiptAnswer, ReceiptNews, ReceiptRequest, Standing, Visit } from "./rpc.ts";
import type { Sockets } from "./sockets.ts";

type Parts = { store: InboxStore; sockets: Sockets; index: ChangeIndex; ringer: Ringer; burden: Burden };

/** A user's receipts: what their devices have received goes to the conversations, what others have received comes back. */
export class OwnReceipts {
  private readonly env: Env;
  private readonly parts: Parts;
  private readonly held: HeldReceipts;

  constructor(env: Env, parts: Parts) {
    this.env = env;
    this.parts = parts;
    this.held = new HeldReceipts(parts.sockets);
  }

  /** One device has received. */
  async receive(socket: WebSocket, conversationId: ConversationId, marks: Marks, now: number): Promise<Outcome<null>> {
    const { userId, deviceId } = this.parts.sockets.of(socket);
    const always = sheds(this.parts.burden.stage(now), "receipts"); // [OV-1]
    if (this.held.hold(socket, conversationId, marks, always)) {
      this.tellHeld(userId, deviceId, conversationId, marks, now);
      return ok(null);
    }
    this.parts.index.willTellLive(conversationId, now, deviceId);
    const answer = await this.send(userId, conversationId, { marks, shows: this.shows });
    if (!answer.ok) return answer;
    if (answer.value.crowd) this.held.expect(this.parts.sockets.ready(now), conversationId);
    await this.tellOwn(userId, deviceId, conversationId, answer.value);
    return ok(null);
  }

  private get shows() {
    return this.parts.store.privacy.readReceipts;
  }

  private send(userId: UserId, id: ConversationId, request: ReceiptRequest): Promise<Outcome<ReceiptAnswer>> {
    return ask(() => conversationOf(this.env, id).receipt(userId, request));
  }

  /** [UN-2] The user's other devices: what is read on one is read on all. */
  private async tellOwn(
    userId: UserId,
    from: DeviceId,
    conversationId: ConversationId,
    answer: ReceiptAnswer,
  ): Promise<void> {
    const { sockets, index, ringer } = this.parts;
    const { receipt, unread, quiet } = answer;
    const now = Date.now();
    index.tellLive(conversationId, { type: "receipts", conversationId, receipts: [receipt] }, now, from);
    const self = { conversationId, readSeq: receipt.read, ...(unread === undefined ? {} : { unread }) };
    sockets.tellAll({ type: "self", conversations: [self] }, now, from);
    if (quiet) await ringer.quiet(userId, conversationId, receipt.read, unread ?? 0, now);
  }

  private tellHeld(userId: UserId, from: DeviceId, conversationId: ConversationId, marks: Marks, at: number): void {
    const { delivered = 0, read = 0 } = marks;
    const receipts = [{ userId, delivered: Math.max(delivered, read), read, at }];
    this.parts.sockets.tellAll({ type: "receipts", conversationId, receipts }, at, from);
    if (read > 0)
      this.parts.sockets.tellAll({ type: "self", conversations: [{ conversationId, readSeq: read }] }, at, from);
  }

  /** What waits for this conversation; null for nothing. */
  waiting(sockets: readonly WebSocket[], conversationId: ConversationId): ReceiptRequest | null {
    const marks = this.held.take(sockets, conversationId);
    return marks && { marks, shows: this.shows };
  }

  /** A call has told whether its receipts wait from now on. */
  hearCrowd(sockets: readonly WebSocket[], conversationId: ConversationId, crowd: boolean): void {
    if (crowd) this.held.expect(sockets, conversationId);
    else this.held.release(sockets, conversationId);
  }

  /** The same, of all devices that are there. */
  heldFor(conversationId: ConversationId): ReceiptRequest | null {
    return this.waiting(this.parts.sockets.ready(Date.now()), conversationId);
  }

  visit(conversationId: ConversationId): Visit {
    return { devices: this.parts.store.deviceCount(), held: this.heldFor(conversationId) };
  }

  /** A socket closes: what waited on it goes now. */
  async flush(socket: WebSocket): Promise<void> {
    await this.sendHeld(socket, true);
  }

  /** The overload is over: what waited for that goes now. */
  async recover(now: number): Promise<void> {
    for (const socket of this.parts.sockets.ready(now)) await this.sendHeld(socket, false);
  }

  private async sendHeld(socket: WebSocket, crowds: boolean): Promise<void> {
    const { userId } = this.parts.sockets.of(socket);
    for (const [conversationId, marks] of this.held.takeFrom(socket, crowds))
      await this.send(userId, conversationId, { marks, shows: this.shows });
  }

  /** Others have received what this user wrote. */
  hear({ conversationId, direct, receipts, ticks }: ReceiptNews): void {
    const now = Date.now();
    const seen = receipts.map((receipt) => receiptSeen(this.viewer, receipt));
    const peer = direct ? seen[0] : undefined;
    const told = ticks ? { ticks: ticksSeen(this.viewer, ticks, peer) } : {};
    const frame = { type: "receipts" as const, conversationId, receipts: seen, ...told };
    this.parts.index.tellLive(conversationId, frame, now); // [RC-7]
  }

  /** Who has received an event of this user's. */
  async receiptsOf(userId: UserId, id: ConversationId, seq: number): Promise<Outcome<EventReceipts>> {
    const raw = await this.rawTrace(userId, id, seq);
    return raw.ok ? ok(receiptsSeen(this.viewer, raw.value)) : raw;
  }

  /** How an event of this user's has come to each member. */
  async trace(userId: UserId, id: ConversationId, seq: number): Promise<Outcome<Trace>> {
    const raw = await this.rawTrace(userId, id, seq);
    return raw.ok ? ok(traceSeen(this.viewer, raw.value)) : raw;
  }

  /** Before it is settled what they may know. */
  private rawTrace(userId: UserId, id: ConversationId, seq: number): Promise<Outcome<RawTrace>> {
    return ask(() => conversationOf(this.env, id).traceEvent(userId, seq));
  }

  private get viewer(): Viewer {
    const { store } = this.parts;
    return {
      readReceipts: store.privacy.readReceipts,
      isContact: (userId) => store.people.isContact(userId as UserId),
    };
  }

  /** A conversation as this user may see it, with what they alone have set. */
  summaryOf({ receipts, ticks, ...standing }: Standing): Summary {
    const seen = receipts?.map((receipt) => receiptSeen(this.viewer, receipt));
    const told = {
      ...(seen ? { receipts: seen } : {}),
      ...(ticks ? { ticks: ticksSeen(this.viewer, ticks, seen?.[0]) } : {}),
    };
    const { store } = this.parts;
    const starred = store.stars.in(standing.conversationId).filter((seq) => seq >= standing.floor); // [ST-4]
    const stars = starred.length > 0 ? { starred } : {};
    return { ...standing, ...told, ...stars, ...store.mine(standing.conversationId) };
  }
}
