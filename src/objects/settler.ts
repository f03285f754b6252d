import type { PushReport } from "../domain/push.ts";
import { keepReceipts, nextSettleAt, SETTLE_AFTER_MS, SETTLE_RETRY_MS } from "../domain/settling.ts";
import { sheds } from "../domain/shedding.ts";
import type { Env } from "../platform/env.ts";
import { log } from "../platform/log.ts";
import type { UserId } from "../protocol/ids.ts";
import { within } from "../storage/reach.ts";
import type { AlarmClock } from "./alarm-clock.ts";
import type { ConversationState } from "./conversation-state.ts";
import type { Deliverer } from "./deliverer.ts";
import type { Fanout } from "./fanout.ts";
import { Forgetter } from "./forgetter.ts";
import type { Ledger } from "./ledger.ts";
import type { Load } from "./load.ts";
import { shipSafely } from "./shipper.ts";

/** The alarm waits this long for calls under way, so that one checkpoint tells it all; a busy conversation is never idle. Ms. */
const IDLE_WITHIN_MS = 1_000;
/** Messages whose content is taken away in one transaction. */
const EXPIRE_AT_ONCE = 500;

/** Whether history has something in an older form. */
const isHistoryStale = ({ checkpoint, store }: Pick<ConversationState, "checkpoint" | "store">): boolean =>
  checkpoint.forgottenInHistory < checkpoint.forgotten || store.tombstones.hasStale();

type Parts = {
  ledger: Ledger;
  clock: AlarmClock;
  fanout: Fanout;
  deliverer: Deliverer;
  load: Load;
};

/**
 * What a conversation does when its alarm rings, and when that is: ships history, takes away what has expired, repairs deliveries, writes the
 * checkpoint once for all of it, and rings again for what is left.
 */
export class Settler {
  private readonly env: Env;
  private readonly parts: Parts;
  private readonly forgetter: Forgetter;
  private mayHaveForgotten = false;
  private receiptsWrittenAt = 0;
  private unwritten = false;
  private settling = false;

  constructor(env: Env, parts: Parts) {
    this.env = env;
    this.parts = parts;
    this.forgetter = new Forgetter(env, parts);
  }

  /** The object is awake, or has read its state anew. */
  wake(state: ConversationState): void {
    const { clock } = this.parts;
    const now = Date.now();
    if (clock.isSet) this.ringForExpiry(state, now); // else it is ringing just now, or was cut short and rings again
    if (!this.hasWork(state)) return;
    this.mayHaveForgotten ||= !clock.isAtWork; // work without an alarm: its handler did not come to its end
    clock.ringBy(now + SETTLE_AFTER_MS, now);
  }

  /** Something was written that has to be told, shipped or checkpointed; in the same turn, so that a crash leaves both or none. */
  due(now: number): void {
    this.parts.clock.ringBy(now + SETTLE_AFTER_MS, now);
  }

  /** Something is to be rung for and nothing is set: an alarm did not come to its end, and with it what was not written down. */
  private setAgain(state: ConversationState, now: number): void {
    if (this.parts.clock.isSet || this.settling) return;
    if (state.burials.nextExpiry() === null && this.forgetter.nextAt(state) === null) return;
    this.mayHaveForgotten = true;
    this.parts.clock.ringBy(now + SETTLE_AFTER_MS, now);
  }

  /** A member looks, of whom this many devices have come so far. */
  attended(userId: UserId, devices: number, now: number): void {
    const { ledger, clock } = this.parts;
    const { state } = ledger;
    if (!state?.roster.has(userId)) return;
    if (state.lookedAt(userId, devices)) this.saveCheckpoint(now);
    const tryAt = this.forgetter.attended(state, now);
    if (tryAt !== null) clock.ringQuietlyBy(tryAt, now);
    this.setAgain(state, now);
  }

  /** What providers said to pushes of this conversation. */
  pushed(reports: readonly PushReport[]): void {
    const { state } = this.parts.ledger;
    if (!state) return;
    state.pushed(reports);
    this.keepReceipts(Date.now());
  }

  /** The trails have moved: they are written some time. */
  keepReceipts(now: number): void {
    this.unwritten = true;
    const act = keepReceipts(this.parts.clock.ringsBy(now + SETTLE_RETRY_MS), this.receiptsWrittenAt, now);
    if (act === "write") this.saveCheckpoint(now);
    if (act === "ring") this.parts.clock.ringBy(now + SETTLE_AFTER_MS, now);
  }

  /** Ships the whole log to history again, once for each `startedAt` (epoch ms). */
  reship(startedAt: number): void {
    const state = this.parts.ledger.state;
    if (!state || state.checkpoint.reshippedAt >= startedAt) return;
    Object.assign(state.checkpoint, { reshippedAt: startedAt, shipped: 0 }); // [HI-4]
    this.saveCheckpoint(Date.now());
    this.parts.clock.ringBy(Date.now(), Date.now());
  }

  private hasWork(state: ConversationState): boolean {
    const { checkpoint, head } = state;
    return checkpoint.delivered < head || checkpoint.shipped < head || this.unwritten || isHistoryStale(state);
  }

  saveCheckpoint(now: number): void {
    this.parts.ledger.state?.saveCheckpoint();
    this.receiptsWrittenAt = now;
    this.unwritten = false;
  }

  /** Never throws: after six throws the platform would never ring again. */
  async rang(info?: AlarmInvocationInfo): Promise<void> {
    if (this.parts.clock.rang(info?.scheduledTime)) this.mayHaveForgotten = true;
    this.settling = true;
    try {
      const state = this.parts.ledger.state;
      if (state) await this.remember(state);
      if (state) await this.settle(this.parts.ledger.state ?? state); // what it asked may have had the state read anew
    } catch (error) {
      log.error("settle_failed", { conversationId: this.parts.ledger.state?.facts.conversationId, error });
      this.parts.clock.ringBy(Date.now() + SETTLE_RETRY_MS, Date.now());
    } finally {
      this.settling = false;
    }
  }

  /** [RC-4] What an earlier life of this object had been told and not written down, members' devices tell again. */
  private async remember({ roster, isCrowd }: ConversationState): Promise<void> {
    const { fanout, deliverer } = this.parts;
    const here = isCrowd ? [] : [...roster.keys()].filter((userId) => !fanout.isAway(userId)); // receipts of a crowd wait in the inboxes
    if (this.mayHaveForgotten) await deliverer.tellAgain(here);
    this.mayHaveForgotten = false;
  }

  /** Does whatever is due, writes the checkpoint once, and rings again for what is left. */
  private async settle(state: ConversationState): Promise<void> {
    const { checkpoint, roster } = state;
    const isUnforgotten = () => checkpoint.forgottenInHistory < checkpoint.forgotten;
    const isBehind = () => checkpoint.delivered < state.head || checkpoint.shipped < state.head || isUnforgotten();
    if (!isBehind() && this.unwritten) this.saveCheckpoint(Date.now()); // [RC-4] before anything is awaited
    const wasBehind = isBehind(); // a receipt that comes meanwhile may be written by itself
    const expired = this.expire(state, Date.now());
    this.parts.fanout.noteAll({ type: "alarm", now: Date.now() });
    if (this.parts.load.stage(Date.now()) === 0) await this.parts.deliverer.ease();
    let shipped = sheds(this.parts.load.stage(Date.now()), "history") ? false : await shipSafely(this.env, state); // [OV-1]
    await within(IDLE_WITHIN_MS, this.parts.fanout.idle()).catch(() => {});
    await this.parts.deliverer.ringTheSilent(roster, Date.now());
    await this.parts.deliverer.hush(roster, expired);
    if (await this.forgetter.tryNow(state, Date.now())) {
      if (shipped && isUnforgotten()) shipped = await shipSafely(this.env, state);
      this.unwritten = true; // [LM-7] also where a receipt has had it written meanwhile, which knew nothing of what history has by now
    }
    checkpoint.delivered = this.parts.fanout.settledThrough(state.head);
    this.unwritten ||= wasBehind;
    if (this.unwritten) this.saveCheckpoint(Date.now());
    this.ringForWhatIsLeft(state, shipped, Date.now());
  }

  /** [LM-15] A batch a transaction, so that none is too large; what the platform cuts short is due again at once. */
  private expire(state: ConversationState, now: number): number[] {
    const all: number[] = [];
    for (;;) {
      const some = this.parts.ledger.write(() => state.burials.expire(now, EXPIRE_AT_ONCE));
      all.push(...some);
      if (some.length < EXPIRE_AT_ONCE) return all;
    }
  }

  private ringForExpiry(state: ConversationState, now: number): void {
    const expiry = state.burials.nextExpiry();
    if (expiry !== null) this.parts.clock.ringQuietlyBy(Math.max(expiry, now), now);
  }

  /** [LM-17] Asked of a conversation that may have slept since before the deployer set a time: being awake is what it takes. */
  awaken(): void {
    const now = Date.now();
    const state = this.parts.ledger.state;
    if (!state || this.settling) return;
    this.ringForExpiry(state, now);
    this.ringForForgetting(state, now);
  }

  private ringForForgetting(state: ConversationState, now: number): void {
    const tryAt = this.forgetter.nextAt(state);
    if (tryAt !== null) this.parts.clock.ringQuietlyBy(Math.max(tryAt, now + SETTLE_AFTER_MS), now);
  }

  private ringForWhatIsLeft(state: ConversationState, shipped: boolean, now: number): void {
    this.ringForExpiry(state, now);
    this.ringForForgetting(state, now);
    const doubtAt = this.parts.deliverer.nextDoubtAt(state.roster, now);
    if (doubtAt !== null) this.parts.clock.ringBy(doubtAt, now);
    if (!this.hasWork(state)) return;
    const retryAt = this.parts.fanout.nextRetryAt();
    const left = {
      failed: !shipped,
      shipped: state.checkpoint.shipped === state.head && !isHistoryStale(state),
      retryAt,
    };
    this.parts.clock.ringBy(nextSettleAt(left, now), now);
  }
}
