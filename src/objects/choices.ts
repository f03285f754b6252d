import type { Endpoint, Subscription } from "../domain/push.ts";
import { changedMine, type MineChange } from "../domain/ringing.ts";
import { ask, CALL_WINDOW, mapWindowed } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { conversationOf } from "../platform/stubs.ts";
import type { ConversationId, DeviceId, UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { Mine } from "../protocol/states.ts";
import type { Asking, InboxStore } from "../storage/inbox-store.ts";
import type { AlarmClock } from "./alarm-clock.ts";
import { CallNumbers } from "./call-order.ts";
import type { ChangeIndex } from "./change-index.ts";
import type { OwnReceipts } from "./own-receipts.ts";
import type { Outcome, Standing, Visit } from "./rpc.ts";

/** Conversations that are asked in one turn: far fewer calls than the runtime lets one request make. */
const ASKED_AT_ONCE = 200;
/** Between two such turns, and before one that failed is tried again. Ms. */
const NEXT_TURN_MS = { done: 1_000, failed: 30_000 };

type Parts = { store: InboxStore; index: ChangeIndex; receipts: OwnReceipts; clock: AlarmClock };

/** What a user chooses: what they see of conversations, and what rings. Conversations that call no more because of what was chosen before are asked to call again. */
export class Choices {
  private readonly env: Env;
  private readonly parts: Parts;
  private readonly numbers = new CallNumbers();
  private last: Promise<unknown> = Promise.resolve();

  constructor(env: Env, parts: Parts) {
    this.env = env;
    this.parts = parts;
  }

  /** Mutes, pins or archives; `mutedUntil` null unmutes. Repeating it is harmless. */
  async setMine(userId: UserId, conversationId: ConversationId, change: MineChange): Promise<Outcome<Mine>> {
    const { store, index } = this.parts;
    const known = await this.attend(userId, conversationId);
    if (!known.ok) return known;
    const now = Date.now();
    const mine = changedMine(store.mine(conversationId), change, now);
    store.setMine(conversationId, mine);
    index.tellKept(conversationId, { type: "self", conversations: [{ conversationId, mine }] }, now);
    const asked = await this.attend(userId, conversationId); // [PU-4] it may be parked for what was set before
    return asked.ok ? ok(mine) : asked;
  }

  /** [LM-16] Clears a conversation, on all of the user's devices. Repeating it tells them again. */
  clear(userId: UserId, id: ConversationId): Promise<Outcome<null>> {
    return this.takeFromSight(id, (visit) => conversationOf(this.env, id).clear(userId, visit, this.numbers.next()));
  }

  /** [LM-26] Deletes a message on all of the user's devices, and its star with it. Repeating it tells them again. */
  deleteFor(userId: UserId, id: ConversationId, seq: number): Promise<Outcome<null>> {
    return this.takeFromSight(
      id,
      (visit) => conversationOf(this.env, id).deleteFor(userId, visit, seq),
      () => this.parts.store.stars.drop(id, seq),
    );
  }

  private async takeFromSight(
    id: ConversationId,
    take: (visit: Visit) => Promise<Outcome<Standing>>,
    also: () => void = () => {},
  ): Promise<Outcome<null>> {
    const { index, receipts } = this.parts;
    const visit = receipts.visit(id);
    const standing = await ask(() => take(visit));
    if (!standing.ok) return standing;
    also();
    index.tellKept(id, { type: "changed", conversations: [receipts.summaryOf(standing.value)] }, Date.now());
    return ok(null);
  }

  private attend(userId: UserId, id: ConversationId): Promise<Outcome<Standing>> {
    const visit = this.parts.receipts.visit(id);
    return ask(() => conversationOf(this.env, id).attend(userId, visit));
  }

  /**
   * Where to push for a device. With the first one, everything that had nobody to ring calls again: what changed last at once, the rest by
   * the alarm. One at a time: a repeat must not be told that all is well while the first try may still fail.
   */
  subscribe(userId: UserId, deviceId: DeviceId, subscription: Subscription): Promise<Outcome<null>> {
    const subscribed = this.last.then(() => this.subscribeNow(userId, deviceId, subscription));
    this.last = subscribed;
    return subscribed;
  }

  private async subscribeNow(userId: UserId, deviceId: DeviceId, subscription: Subscription): Promise<Outcome<null>> {
    const { store } = this.parts;
    if (store.isRevoked(deviceId)) return refuse("device_revoked");
    store.putSubscription(deviceId, subscription);
    if (store.isRinging) return ok(null);
    const ids = store.newestBelow(Number.MAX_SAFE_INTEGER, ASKED_AT_ONCE + 1).map((row) => row.conversationId);
    if (!(await this.askToCall(userId, ids.slice(0, ASKED_AT_ONCE)))) return refuse("unavailable");
    if (ids.length <= ASKED_AT_ONCE)
      store.setRinging(true); // durable only now: whatever happened before, the next try asks them all again
    else this.goOnLater({ userId, after: "" }, NEXT_TURN_MS.done);
    return ok(null);
  }

  unsubscribe(deviceId: DeviceId): void {
    this.parts.store.dropSubscription(deviceId);
  }

  /** The provider knows this endpoint no more; one that replaced it meanwhile stays. */
  endpointGone(deviceId: DeviceId, endpoint: Endpoint): void {
    const known = this.parts.store.subscriptions().get(deviceId);
    if (known && JSON.stringify(known.endpoint) === JSON.stringify(endpoint)) this.unsubscribe(deviceId);
  }

  /** [PU-8] False where one of them could not be asked. */
  private async askToCall(userId: UserId, ids: readonly ConversationId[]): Promise<boolean> {
    const asked = await mapWindowed(ids, CALL_WINDOW, (id) => this.attend(userId, id));
    return asked.every((outcome) => outcome.ok || outcome.code !== "unavailable");
  }

  private goOnLater(asking: Asking, ms: number): void {
    const now = Date.now();
    this.parts.store.setAsking(asking);
    this.parts.clock.ringBy(now + ms, now);
  }

  /** The alarm has gone off: the next of very many conversations are asked, in the order of their ids. */
  async goOn(): Promise<void> {
    const { store } = this.parts;
    const { asking } = store;
    if (asking === null) return;
    const ids = store.conversationsAfter(asking.after, ASKED_AT_ONCE);
    const isDone = await this.askToCall(asking.userId, ids);
    if (store.asking?.after !== asking.after) return; // the last subscription has gone meanwhile
    const last = ids.at(-1);
    if (!isDone) return this.goOnLater(asking, NEXT_TURN_MS.failed);
    if (ids.length < ASKED_AT_ONCE || last === undefined) store.setRinging(true);
    else this.goOnLater({ ...asking, after: last }, NEXT_TURN_MS.done);
  }
}
