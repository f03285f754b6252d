import { isBlocking, isCurrent } from "../domain/membership.ts";
import { type RawReceipt, rawReceipt, ticksFor } from "../domain/receipts.ts";
import { sheds } from "../domain/shedding.ts";
import { joined, type Range } from "../domain/spans.ts";
import type { RawTrace } from "../domain/tracing.ts";
import { standing, type Trail } from "../domain/trail.ts";
import { CALL_WINDOW, mapWindowed, tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { inboxOf } from "../platform/stubs.ts";
import type { UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { ConversationState } from "./conversation-state.ts";
import { traceOf } from "./conversation-traces.ts";
import { memberOf } from "./conversation-views.ts";
import type { Fanout } from "./fanout.ts";
import type { Ledger } from "./ledger.ts";
import type { Load } from "./load.ts";
import { ReceiptCourier } from "./receipt-courier.ts";
import type { Outcome, ReceiptAnswer, ReceiptRequest } from "./rpc.ts";

/** Counts of a crowd are this fresh. Ms. */
const GATHER_EVERY_MS = 10_000;

type Parts = {
  ledger: Ledger;
  fanout: Fanout;
  load: Load;
  /** The trails are to be written some time. */
  moved: (now: number) => void;
};

/** Takes in what members' devices have received, and tells the authors of it. */
export class ReceiptDesk {
  private readonly env: Env;
  private readonly parts: Parts;
  private readonly courier: ReceiptCourier;
  private gatheredAt = 0;

  constructor(env: Env, parts: Parts) {
    this.env = env;
    this.parts = parts;
    this.courier = new ReceiptCourier(CALL_WINDOW, (userId, receipts) => this.tell(userId, receipts));
  }

  receive(userId: UserId, { marks, shows }: ReceiptRequest): Outcome<ReceiptAnswer> {
    const found = memberOf(this.parts.ledger.state, userId);
    if (!found.ok) return found;
    const { state, member } = found.value;
    if (!isCurrent(member)) return refuse("not_member");
    const now = Date.now();
    const before = state.trail(userId);
    const moved = state.receive(userId, marks, shows, now);
    if (!moved.ok) return moved;
    const after = state.trail(userId);
    if (moved.value) {
      this.tellAuthors(state, userId, before, after);
      this.parts.moved(now);
    }
    const [readBefore, read] = [standing(before, "read"), standing(after, "read")];
    const raw = rawReceipt(member, after);
    const receipt = { ...raw, read, delivered: Math.max(raw.delivered, read) };
    const quiet = read > readBefore && standing(after, "rung") > readBefore; // [PU-6]
    const isAsked = quiet || (state.devices.get(userId) ?? 1) > 1;
    return ok({ receipt, unread: isAsked ? state.unread(member) : undefined, quiet, crowd: state.isCrowd });
  }

  /** [RC-5] Not in a crowd [RC-6], not while overloaded [OV-1], and not one who will ask anyway. */
  private tellAuthors(state: ConversationState, userId: UserId, before: Trail, after: Trail): void {
    if (state.isCrowd || sheds(this.parts.load.stage(Date.now()), "receipts")) return;
    if ([...state.roster.values()].some(isBlocking)) return; // [BL-4] neither to the one nor to the other
    const news = rawReceipt({ userId }, after);
    const known = rawReceipt({ userId }, before);
    if (news.delivered === known.delivered && news.contactsRead === known.contactsRead && news.read === known.read)
      return;
    const opened = state.roster.get(userId)?.openedThrough ?? 0; // [GR-14]
    const passed = (past: number, to: number): Range[] => (past < to ? [[Math.max(past, opened) + 1, to]] : []);
    const received = passed(known.delivered, news.delivered);
    const read = passed(standing(before, "read"), standing(after, "read"));
    // [CO-9] What lies between may be unread for long.
    const authors = joined(received, read).flatMap(([from, to]) => state.store.log.authors(from, to));
    for (const author of new Set(authors))
      if (author !== userId && !this.parts.fanout.isAway(author)) this.courier.add(author, news);
  }

  /** How an event of this user's has come to each member. */
  async trace(userId: UserId, seq: number): Promise<Outcome<RawTrace>> {
    const { ledger, fanout } = this.parts;
    const trace = traceOf(ledger.state, fanout, userId, seq);
    if (!trace.ok || !trace.value.crowd) return trace;
    await this.gather(seq);
    return traceOf(ledger.state, fanout, userId, seq);
  }

  /** [RC-6] Of a crowd: what waits in the inboxes of those who were told `seq` is fetched when somebody asks, but not over and over. */
  private async gather(seq: number): Promise<void> {
    const state = this.parts.ledger.state;
    const now = Date.now();
    if (!state?.isCrowd || now - this.gatheredAt < GATHER_EVERY_MS) return;
    this.gatheredAt = now;
    const { conversationId } = state.facts;
    const hasRead = (userId: UserId) => standing(state.trail(userId), "read") >= seq;
    const wasTold = (userId: UserId) => standing(state.trail(userId), "socket") >= seq;
    const asked = [...state.roster.keys()].filter((id) => wasTold(id) && !hasRead(id) && !this.parts.fanout.isAway(id));
    await mapWindowed(asked, CALL_WINDOW, async (userId) => {
      const held = await tryCall(() => inboxOf(this.env, userId).heldReceipts(conversationId), 1);
      if (held.ok && held.value) this.receive(userId, held.value);
    });
  }

  /** Somebody has left who may have held up the ticks. */
  gone(userId: UserId): void {
    const state = this.parts.ledger.state;
    if (!state || state.isCrowd) return;
    const trail = state.trail(userId);
    const from = Math.min(standing(trail, "delivered"), standing(trail, "shownRead")) + 1;
    this.tellTicks(state.store.log.authors(from, state.head));
  }

  /** [RC-9] Their ticks have changed, and not by a receipt. */
  tellTicks(userIds: readonly UserId[]): void {
    const state = this.parts.ledger.state;
    if (!state || state.isCrowd) return;
    for (const userId of userIds) if (!this.parts.fanout.isAway(userId)) this.courier.add(userId, null);
  }

  private async tell(userId: UserId, receipts: RawReceipt[]): Promise<boolean> {
    const { facts, roster, trails } = this.parts.ledger.opened;
    const { conversationId, kind } = facts;
    const ticks = ticksFor(userId, roster, trails);
    const news = { conversationId, direct: kind === "direct", receipts, ticks };
    return (await tryCall(() => inboxOf(this.env, userId).hearReceipts(news), 2)).ok;
  }
}
