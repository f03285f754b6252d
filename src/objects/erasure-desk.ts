import { heirOf, isCurrent, type Membership } from "../domain/membership.ts";
import { CHUNK } from "../domain/searching.ts";
import type { EditEvent, MessageEvent, ReactionEvent } from "../protocol/events.ts";
import type { UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { Erased, ErasedCounts } from "../storage/erasure-store.ts";
import type { Announcer } from "./announcer.ts";
import type { ConversationState } from "./conversation-state.ts";
import type { Fanout } from "./fanout.ts";
import type { Ledger } from "./ledger.ts";
import type { ReceiptDesk } from "./receipt-desk.ts";
import type { ErasedHere, LeftHere, Outcome } from "./rpc.ts";

/** Events whose content is taken away in one transaction, and transactions of one call. */
const ERASE_AT_ONCE = 500;
const BATCHES = 8;

type Parts = { ledger: Ledger; fanout: Fanout; receipts: ReceiptDesk; announcer: Announcer };

const NOTHING: ErasedCounts = { messages: 0, edits: 0, reactions: 0, invites: 0, historyRows: 0, searchEntries: 0 };

/**
 * Takes a person out of a conversation for ever: first they can append nothing more, then what they wrote loses its content, and the one
 * event that tells everybody comes last, so that who has heard it finds nothing any more. Each transaction leaves a state to go on from.
 */
export class ErasureDesk {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** A piece of the erasure of this user; to be called again until it is done. Repeating it is harmless. */
  erase(userId: UserId): Outcome<ErasedHere> {
    const state = this.parts.ledger.state;
    const member = state?.roster.get(userId);
    if (!state || !member) return refuse("not_found");
    const { store } = this.parts.ledger;
    const others = state.facts.kind === "direct" ? [...state.roster.keys()].filter((id) => id !== userId) : [];
    const begun = store.erasures.erased(userId) ?? this.begin(state, member);
    let erased = begun;
    for (let batch = 0; batch < BATCHES && !erased.done; batch++) erased = this.next(state, userId, erased);
    if (erased !== begun || store.tombstones.hasStale()) this.parts.announcer.announce(Date.now()); // history may have to get something in another form;
    return ok({ done: erased.done, counts: erased.counts, others });
  }

  /** [ER-4] Before anything is looked at, so that nothing comes behind it. */
  private begin(state: ConversationState, member: Membership): Erased {
    const erased: Erased = { through: 0, done: false, counts: NOTHING };
    const { ledger, fanout, receipts } = this.parts;
    ledger.write(() => {
      ledger.store.erasures.putErased(member.userId, erased);
      state.expel(member);
    });
    fanout.drop(member.userId);
    receipts.gone(member.userId);
    return erased;
  }

  private next(state: ConversationState, userId: UserId, { through, counts }: Erased): Erased {
    return this.parts.ledger.write(() => {
      const events = this.parts.ledger.store.erasures.writtenBy(userId, through, ERASE_AT_ONCE);
      for (const event of events) state.burials.erase(event);
      const done = events.length < ERASE_AT_ONCE;
      const taken = plus(counts, countsOf(events, through, state.checkpoint.shipped));
      const all = done ? { ...taken, invites: taken.invites + this.dropInvites(userId) } : taken;
      const erased = { through: events.at(-1)?.seq ?? through, done, counts: all };
      if (done) this.leave(state, userId, all);
      this.parts.ledger.store.erasures.putErased(userId, erased);
      return erased;
    });
  }

  private dropInvites(userId: UserId): number {
    const own = this.parts.ledger.store.entries.invites().filter(({ makerId }) => makerId === userId);
    for (const { code } of own) this.parts.ledger.store.entries.dropInvite(code);
    return own.length;
  }

  /** [ER-9] [ER-11] One event tells everybody, however much they wrote; nothing where they had left and there was nothing to take away. */
  private leave(state: ConversationState, userId: UserId, { messages, edits, reactions }: ErasedCounts): void {
    const now = Date.now();
    const wasIn = state.head > 0 && state.roster.get(userId)?.spans.at(-1)?.[1] === null; // one that never began stays unseen [BL-9]
    const heir = wasIn && state.facts.kind === "group" ? heirOf(state.roster) : undefined;
    const { avatarMediaId } = state.facts;
    const isTheirs = avatarMediaId && state.store.log.setterOf(avatarMediaId) === userId;
    if (isTheirs) state.set(userId, { avatarMediaId: null }, now); // [ER-17] its bytes go with the rest of their media
    if (heir) state.change(userId, { kind: "member", userId: heir.userId, change: "role", role: "admin" }, now);
    if (wasIn || messages + edits + reactions > 0)
      state.change(userId, { kind: "member", userId, change: "left", erased: true }, now);
    state.dropStates(userId);
  }

  /** [ER-7] What is left of somebody who was erased. */
  leftOf(userId: UserId): Outcome<LeftHere> {
    const state = this.parts.ledger.state;
    const member = state?.roster.get(userId);
    if (!state || !member) return refuse("not_found");
    const { store } = this.parts.ledger;
    const { stale, ...content } = store.erasures.contentCounts(userId);
    const { checkpoint } = state;
    const isUnsettled = !store.erasures.erased(userId)?.done || isCurrent(member) || checkpoint.leaving !== "";
    const isKept =
      state.trails.has(userId) ||
      [...checkpoint.pushes, ...checkpoint.held.map(([id]) => ({ userId: id }))].some((one) => one.userId === userId);
    const invites = store.entries.invites().filter(({ makerId }) => makerId === userId).length;
    const left = { ...content, invites, historyRows: stale, conversations: isUnsettled || isKept ? 1 : 0 };
    return ok({ left, shard: checkpoint.shard });
  }
}

type Written = MessageEvent | EditEvent | ReactionEvent;

/** `shipped`: history has everything up to this seq, and an entry of its index for each chunk that is whole. */
function countsOf(events: readonly Written[], through: number, shipped: number): ErasedCounts {
  const of = (kind: Written["kind"]) => events.filter((event) => event.kind === kind).length;
  const inHistory = events.filter(({ seq }) => seq <= shipped);
  const chunkOf = (seq: number) => Math.floor((seq - 1) / CHUNK);
  const chunks = new Set(inHistory.flatMap(({ kind, seq }) => (kind === "reaction" ? [] : chunkOf(seq))));
  if (through > 0) chunks.delete(chunkOf(through)); // it was counted with what is before it
  const whole = [...chunks].filter((chunk) => (chunk + 1) * CHUNK <= shipped);
  return {
    ...NOTHING,
    ...{ messages: of("message"), edits: of("edit"), reactions: of("reaction") },
    ...{ historyRows: inHistory.length, searchEntries: whole.length },
  };
}

const plus = (a: ErasedCounts, b: ErasedCounts): ErasedCounts =>
  Object.fromEntries(Object.entries(a).map(([what, n]) => [what, n + b[what as keyof ErasedCounts]])) as ErasedCounts;
