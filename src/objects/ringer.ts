import type { PushJob, Subscription } from "../domain/push.ts";
import { goneJob, messageJob, type Park, parkFor, readJob, rings, type Silence } from "../domain/ringing.ts";
import type { Env } from "../platform/env.ts";
import { log } from "../platform/log.ts";
import type { ConversationId, DeviceId, UserId } from "../protocol/ids.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import type { RingRequest, Rung } from "./rpc.ts";
import type { Sockets } from "./sockets.ts";

/** Decides, for each of a user's devices, whether it rings; what is decided goes into the queue. */
export class Ringer {
  private readonly env: Env;
  private readonly store: InboxStore;
  private readonly sockets: Sockets;
  /** By device and conversation, the seq it was last rung for. */
  private readonly rung = new Map<string, number>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(env: Env, store: InboxStore, sockets: Sockets) {
    this.env = env;
    this.store = store;
    this.sockets = sockets;
  }

  get isWanted(): boolean {
    return this.store.subscriptions().size > 0;
  }

  /** Whether the conversation need not call. `live`: some device was there to be told. */
  park(conversationId: ConversationId, live: boolean, now: number): Park | null {
    return parkFor({ live, subscribed: this.isWanted, mine: this.store.mine(conversationId), now });
  }

  /**
   * [PU-1] Rings the devices that want it and are not connected, each once for a message. One at a time: a repeat of the call waits
   * to hear what became of the first.
   */
  ring(request: RingRequest, now: number): Promise<Rung> {
    const rung = this.last.then(() => this.ringNow(request, now));
    this.last = rung;
    return rung;
  }

  private async ringNow({ userId, conversationId, bell, silentMs }: RingRequest, now: number): Promise<Rung> {
    if (!this.isWanted || !rings(this.store.mine(conversationId), bell.mentioned, now)) return "none";
    const connected = this.connected(silentMs, now);
    const jobs: PushJob[] = [];
    for (const [deviceId, subscription] of this.store.subscriptions()) {
      if (connected.has(deviceId) || (this.rung.get(`${deviceId} ${conversationId}`) ?? 0) >= bell.seq) continue;
      jobs.push(messageJob({ userId, deviceId, subscription, conversationId, now }, bell));
    }
    if (jobs.length === 0) return "none";
    if (!(await this.put(jobs))) return "failed";
    for (const { deviceId, seq } of jobs) this.rung.set(`${deviceId} ${conversationId}`, seq);
    return "rung";
  }

  /** Connected devices; with `silentMs` only those that have shown a sign of life within it. [PU-7] */
  private connected(silentMs: number | null, now: number): ReadonlySet<DeviceId> {
    const sockets = this.sockets.ready(now);
    const alive = sockets.filter((socket) => silentMs === null || this.sockets.heardAt(socket) > now - silentMs);
    return new Set(alive.map((socket) => this.sockets.of(socket).deviceId));
  }

  /** [PU-6] Takes down, on the devices that are not connected, what rang and was read up to `seq` elsewhere. */
  async quiet(userId: UserId, conversationId: ConversationId, seq: number, unread: number, now: number): Promise<void> {
    await this.put(this.away(now).map((to) => readJob({ userId, conversationId, now, ...to }, seq, unread)));
  }

  /** [LM-9] Takes down, on the devices that are not connected, what rang for a message that was recalled. False: try again. */
  unring(userId: UserId, conversationId: ConversationId, silence: Silence, now: number): Promise<boolean> {
    return this.put(this.away(now).map((to) => goneJob({ userId, conversationId, now, ...to }, silence)));
  }

  private away(now: number): { deviceId: DeviceId; subscription: Subscription }[] {
    const connected = this.connected(null, now);
    return [...this.store.subscriptions()]
      .filter(([deviceId]) => !connected.has(deviceId))
      .map(([deviceId, subscription]) => ({ deviceId, subscription }));
  }

  private async put(jobs: PushJob[]): Promise<boolean> {
    try {
      if (jobs.length > 0) await this.env.PUSHES.sendBatch(jobs.map((body) => ({ body })));
      return true;
    } catch (error) {
      log.warn("push_not_queued", { error });
      return false;
    }
  }
}
