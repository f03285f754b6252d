import { decideAppend, decideRepeat, mentionedBy, type SendCommand } from "../domain/append.ts";
import { decideLate, expiryOf, isWished, type LateWish, wishOf } from "../domain/life.ts";
import { canSee, type Membership } from "../domain/membership.ts";
import { occurredAt } from "../domain/time.ts";
import type { Event, Wish, WishedEvent } from "../protocol/events.ts";
import type { Ack } from "../protocol/frames.ts";
import type { UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { Announcer } from "./announcer.ts";
import { LastCalls } from "./call-order.ts";
import type { ConversationState } from "./conversation-state.ts";
import type { Fanout } from "./fanout.ts";
import { KeyLookups } from "./key-lookups.ts";
import type { Ledger } from "./ledger.ts";
import type { Appended, AppendRequest, Outcome } from "./rpc.ts";

type Parts = { ledger: Ledger; fanout: Fanout; announcer: Announcer };

/** Where members' wishes become events: decided one after the other, durable together, and then told to everybody but who made them. */
export class AppendDesk {
  private readonly parts: Parts;
  private readonly lastCalls = new LastCalls();
  private readonly lookups = new KeyLookups();

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Each wish is answered for itself. */
  append(userId: UserId, { commands, aloneAs, confirmed, call }: AppendRequest): Outcome<Appended>[] {
    const { ledger, fanout, announcer } = this.parts;
    const { state } = ledger;
    if (!state) return commands.map(() => refuse("not_found"));
    if (this.lastCalls.isOvertaken(userId, call)) return commands.map(() => refuse("unavailable")); // [SD-3]
    if (state.roster.has(userId)) this.lastCalls.note(userId, call);
    for (const seq of confirmed) fanout.note(userId, { type: "answered", seq, confirmed: true });
    const now = Date.now();
    const before = state.head;
    const outcomes = ledger.write(() => commands.map((command) => this.answer(state, command, now)));
    // [DL-5] A reply needs no confirming when nobody else could miss it; a claim made before the member's newest device looked here does
    // not count, for it may have been under way for long.
    const isAlone = aloneAs !== null && aloneAs >= state.devicesOf(userId);
    for (let seq = before + 1; seq <= state.head; seq++)
      fanout.note(userId, { type: "answered", seq, confirmed: isAlone });
    if (state.head > before) announcer.announce(now, { answeredId: userId, mentioned: mentionedBy(commands) });
    return outcomes;
  }

  /** The wish appended, or the answer it got the first time. */
  private answer(state: ConversationState, command: SendCommand, now: number): Outcome<Appended> {
    const { userId, deviceId, idempotencyKey } = command;
    if (state.keys.isNew(deviceId, idempotencyKey)) return appendWish(state, command, now);
    const found = this.lookups.find(state.store.log, { userId, deviceId, idempotencyKey }, now);
    return found.ok ? answerAgain(found.value, command) : found;
  }
}

function appendWish(state: ConversationState, command: SendCommand, now: number): Outcome<Appended> {
  const { userId, deviceId, idempotencyKey, event: wish, unfit } = command;
  const decided = decideAppend(state.roster.get(userId), state.head, wish, { unfit, sending: state.rules.sending });
  if (!decided.ok) return decided;
  const life = wish.kind === "message" ? ok(wish) : maySayOf(state, userId, wish, now);
  if (!life.ok) return life;
  const { composedAt, sentAt } = command;
  const event: WishedEvent = {
    ...state.envelope(userId, now, occurredAt({ composedAt, sentAt, receivedAt: now })),
    deviceId,
    idempotencyKey,
    composedAt,
    sentAt,
    ...wish,
    ...expiring(state, wish, now),
  };
  const body = state.append(event);
  if (wish.kind === "edit") state.sights.keepDeleted(wish.targetSeq, event.seq);
  if (wish.kind === "recall") state.burials.bury(wish.targetSeq, "recalled");
  state.keys.put(deviceId, idempotencyKey);
  return ok({ ack: ackOf(event, false), body });
}

/** `found`: what was appended under this key. */
function answerAgain(found: Event | undefined, { userId, event: wish }: SendCommand): Outcome<Appended> {
  const first = found && isWished(found) && found.senderId === userId ? found : undefined;
  const decided = decideRepeat(first && wishOf(first), wish);
  if (!decided.ok) return decided;
  return ok({ ack: ackOf(first as WishedEvent, true), body: JSON.stringify(first) });
}

/** Whether this may be said of the message it names. */
function maySayOf(state: ConversationState, userId: UserId, wish: LateWish, now: number): Outcome<LateWish> {
  const member = state.roster.get(userId) as Membership;
  const event = canSee(member, wish.targetSeq) ? state.store.log.event(wish.targetSeq) : undefined;
  const target = event?.kind === "message" ? event : undefined;
  return decideLate({ kind: state.facts.kind, member, target, now }, wish);
}

/** [LM-13] A message's time; and of an edit that of its message, for who sees the edit alone. */
function expiring({ facts, store, deployerMs }: ConversationState, wish: Wish, now: number): { expiresAt?: number } {
  if (wish.kind === "recall" || wish.kind === "reaction") return {};
  const { retentionMs: chosenMs = 0 } = facts;
  const edited = wish.kind === "edit" ? store.log.event(wish.targetSeq) : undefined;
  const expiresAt = edited
    ? ((edited.kind === "message" ? edited.expiresAt : undefined) ?? null)
    : expiryOf(now, { chosenMs, deployerMs });
  return expiresAt === null ? {} : { expiresAt };
}

function ackOf(event: WishedEvent, duplicate: boolean): Ack {
  const { conversationId, seq, eventId, receivedAt, occurredAt } = event;
  const ack = { conversationId, seq, eventId, receivedAt, occurredAt, duplicate };
  return "expiresAt" in event && event.expiresAt !== undefined ? { ...ack, expiresAt: event.expiresAt } : ack;
}
