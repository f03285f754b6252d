import type { SendCommand } from "../domain/append.ts";
import { type Holds, holdAt, mayPass, refuseAt, releaseAt } from "../domain/lane.ts";
import { mediaOf } from "../domain/media.ts";
import { Deadlines, tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { log } from "../platform/log.ts";
import { conversationOf } from "../platform/stubs.ts";
import type { ConversationId, DeviceId } from "../protocol/ids.ts";
import { ok, type Refusal, type Result, refuse } from "../protocol/result.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Burden } from "./burden.ts";
import { CallNumbers } from "./call-order.ts";
import type { Holdings } from "./holdings.ts";
import { MediaDesk } from "./media-desk.ts";
import type { Appended, Outcome } from "./rpc.ts";

/** Wishes of one `append` call. */
const BATCH = 64;
/** Wishes that may wait behind a call in flight; past it a device is told to slow down. */
const WAITING = 1_024;

/** Lanes kept in memory; a device may name as many conversations as it likes, its own or not. */
const LANES = 1_000;

type Waiting = { command: SendCommand; since: number; settle: (outcome: Outcome<Appended>) => void };
type Lane = { waiting: Waiting[]; busy: boolean; holds: Holds; confirmed: number[] };

type Parts = { store: InboxStore; holdings: Holdings; arrivals: Arrivals; burden: Burden };

/** A user's sends: one lane a conversation, one call at a time in it; what piles up behind the call goes in the next as a batch. */
export class Sender {
  private readonly lanes = new Map<ConversationId, Lane>();
  private readonly env: Env;
  private readonly parts: Parts;
  private readonly media: MediaDesk;
  private readonly deadlines = new Deadlines();
  private readonly numbers = new CallNumbers();

  constructor(env: Env, parts: Parts) {
    this.env = env;
    this.parts = parts;
    this.media = new MediaDesk(env);
  }

  /** Answers once the wish is durable or refused; `unavailable` leaves open which, and the same key tells. */
  send(conversationId: ConversationId, command: SendCommand): Promise<Outcome<Appended>> {
    const lane = this.laneOf(conversationId);
    const now = Date.now();
    if (!mayPass(lane.holds, command, now)) {
      lane.holds = refuseAt(lane.holds, command, now);
      return Promise.resolve(refuse("unavailable", "an earlier send must be repeated first"));
    }
    if (lane.waiting.length >= WAITING) return Promise.resolve(this.turnAway(conversationId, command));
    lane.holds = releaseAt(lane.holds, command);
    return new Promise((settle) => {
      lane.waiting.push({ command, since: Date.now(), settle });
      if (!lane.busy) void this.run(conversationId, lane);
    });
  }

  /** Refuses a wish unread, for there were too many; those behind it must not overtake it either. [SD-2] */
  turnAway(
    conversationId: ConversationId,
    wish: Pick<SendCommand, "deviceId" | "idempotencyKey">,
  ): Refusal<"rate_limited"> {
    const lane = this.laneOf(conversationId);
    lane.holds = holdAt(lane.holds, [wish], Date.now());
    return refuse("rate_limited");
  }

  /** How long the wish that waits longest for its call has waited. Ms. */
  waitMs(now: number): number {
    let oldest = now;
    for (const { waiting } of this.lanes.values()) oldest = Math.min(oldest, waiting[0]?.since ?? now);
    return now - oldest;
  }

  private laneOf(conversationId: ConversationId): Lane {
    const known = this.lanes.get(conversationId);
    if (known) return known;
    if (this.lanes.size >= LANES) this.forgetIdleLanes();
    const lane: Lane = { waiting: [], busy: false, holds: new Map(), confirmed: [] };
    this.lanes.set(conversationId, lane);
    return lane;
  }

  /** An idle lane remembers only what was confirmed; without it the conversation's alarm delivers once more. */
  private forgetIdleLanes(): void {
    const now = Date.now();
    const isHeld = ({ holds }: Lane) => [...holds.values()].some((hold) => hold.until > now);
    for (const [id, lane] of this.lanes) if (!lane.busy && !isHeld(lane)) this.lanes.delete(id);
  }

  private async run(conversationId: ConversationId, lane: Lane): Promise<void> {
    lane.busy = true;
    while (lane.waiting.length > 0) {
      const batch = lane.waiting.splice(0, BATCH); // [SD-1]
      const reply = await this.call(conversationId, lane, batch);
      if (reply.ok) this.answer(conversationId, lane, batch, reply.value);
      else this.fail(lane, batch);
    }
    lane.busy = false;
    this.parts.burden.stage(Date.now()); // nothing waits any more in one conversation
  }

  /** [MD-10] The media of a batch is looked at here, in its turn, so that nothing behind it overtakes. */
  private async vetted(conversationId: ConversationId, commands: SendCommand[]): Promise<Result<SendCommand[]>> {
    try {
      return ok(await this.media.vet(conversationId, commands, Date.now()));
    } catch (error) {
      log.warn("media_not_vetted", { conversationId, error });
      return refuse("unavailable");
    }
  }

  private async call(
    conversationId: ConversationId,
    lane: Lane,
    batch: Waiting[],
  ): Promise<Result<Outcome<Appended>[]>> {
    const wishes = batch.map((w) => w.command);
    const hasMedia = wishes.some(({ event }) => mediaOf(event));
    const vetted = hasMedia ? await this.vetted(conversationId, wishes) : ok(wishes);
    if (!vetted.ok) return vetted;
    const commands = vetted.value;
    const [{ userId }] = commands as [SendCommand];
    const aloneAs = this.aloneAs(conversationId, new Set(commands.map((c) => c.deviceId)));
    const append = () => {
      const request = { commands, aloneAs, confirmed: lane.confirmed, call: this.numbers.next() };
      return conversationOf(this.env, conversationId).append(userId, request);
    };
    return tryCall(append, 3, this.deadlines.limit);
  }

  /**
   * [DL-5] How many devices the user has ever had, if nobody could miss the reply: there is no other device, and one that comes later finds
   * the conversation listed. Else null.
   */
  private aloneAs(conversationId: ConversationId, deviceIds: ReadonlySet<DeviceId>): number | null {
    const { store, holdings } = this.parts;
    if (holdings.isAsked) return null; // [LM-21] also the sender's device has to confirm what it sent
    if (deviceIds.size !== 1 || store.hasDeviceBeside(deviceIds)) return null;
    return store.position(conversationId) === undefined ? null : store.deviceCount();
  }

  private answer(conversationId: ConversationId, lane: Lane, batch: Waiting[], outcomes: Outcome<Appended>[]): void {
    lane.confirmed = outcomes.flatMap((o) => (o.ok && !o.value.ack.duplicate ? [o.value.ack.seq] : []));
    for (const [i, { command }] of batch.entries()) {
      const outcome = outcomes[i];
      if (outcome?.ok) this.parts.arrivals.reply(conversationId, command.deviceId, outcome.value.body);
    }
    for (const [i, { settle }] of batch.entries()) settle(outcomes[i] ?? refuse("internal"));
  }

  /** What waits behind a failed call fails with it, or it would overtake. */
  private fail(lane: Lane, batch: Waiting[]): void {
    const failed = [...batch, ...lane.waiting.splice(0)];
    lane.holds = holdAt(
      lane.holds,
      failed.map((w) => w.command),
      Date.now(),
    );
    for (const { settle } of failed) settle(refuse("unavailable"));
  }
}
