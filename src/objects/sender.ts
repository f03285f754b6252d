import type { SendCommand } from "../domain/append.ts";
import { type Holds, holdAt, mayPass, refuseAt, releaseAt } from "../domain/lane.ts";
import { mediaOf } from "../domain/media.ts";
import { Deadlines, tryCall } from "../platform/calls.ts";
import { log } from "../platform/log.ts";
import type { ConversationId, DeviceId } from "../protocol/ids.ts";
import { ok, type Refusal, type Result, refuse } from "../protocol/result.ts";
import type { Appended, AppendRequest, Outcome } from "./rpc.ts";

/** Wishes of one `append` call. */
const BATCH = 64;
/** Wishes that may wait behind a call in flight; past it a device is told to slow down. */
const WAITING = 1_024;

/** Lanes kept in memory; a device may name as many conversations as it likes, its own or not. */
const LANES = 1_000;

type Waiting = { command: SendCommand; since: number; settle: (outcome: Outcome<Appended>) => void };
type Lane = { waiting: Waiting[]; busy: boolean; holds: Holds; confirmed: number[] };

type Ports = {
  append: (conversationId: ConversationId, request: AppendRequest) => Promise<Outcome<Appended>[]>;
  /** How many devices the user has ever had, if these senders are all that is left of them in one; else null. */
  aloneAs: (conversationId: ConversationId, deviceIds: ReadonlySet<DeviceId>) => number | null;
  /** Nothing waits any more in one conversation. */
  drained: () => void;
  /** The same wishes, marked where their media is unfit. Throws when it could not be found out. Only called for wishes with media. */
  vet: (conversationId: ConversationId, commands: SendCommand[]) => Promise<SendCommand[]>;
  /** Called in log order, before anybody is answered. */
  appended: (conversationId: ConversationId, command: SendCommand, appended: Appended) => void;
};

/** A user's sends: one lane a conversation, one call at a time in it; what piles up behind the call goes in the next as a batch. */
export class Sender {
  private readonly lanes = new Map<ConversationId, Lane>();
  private readonly ports: Ports;
  private readonly deadlines = new Deadlines();
  /** The last call's number; starts from the clock, so that it is past those of an earlier life of this inbox. */
  private calls = 0;

  constructor(ports: Ports) {
    this.ports = ports;
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
    this.ports.drained();
  }

  /** [MD-10] The media of a batch is looked at here, in its turn, so that nothing behind it overtakes. */
  private async vetted(conversationId: ConversationId, commands: SendCommand[]): Promise<Result<SendCommand[]>> {
    try {
      return ok(await this.ports.vet(conversationId, commands));
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
    const aloneAs = this.ports.aloneAs(conversationId, new Set(commands.map((c) => c.deviceId)));
    const append = () => {
      this.calls = Math.max(this.calls + 1, Date.now() * 1_000);
      return this.ports.append(conversationId, { commands, aloneAs, confirmed: lane.confirmed, call: this.calls });
    };
    return tryCall(append, 3, this.deadlines.limit);
  }

  private answer(conversationId: ConversationId, lane: Lane, batch: Waiting[], outcomes: Outcome<Appended>[]): void {
    lane.confirmed = outcomes.flatMap((o) => (o.ok && !o.value.ack.duplicate ? [o.value.ack.seq] : []));
    for (const [i, { command }] of batch.entries()) {
      const outcome = outcomes[i];
      if (outcome?.ok) this.ports.appended(conversationId, command, outcome.value);
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
