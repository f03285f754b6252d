import type { MineChange } from "../../src/domain/ringing.ts";
import type { Outcome } from "../../src/objects/rpc.ts";
import type { ConversationId, DeviceId, UserId } from "../../src/protocol/ids.ts";
import type { AnyDevice as Device } from "./any-device.ts";
import type { Clockwork } from "./clockwork.ts";

type Call = (userId: UserId, method: string, ...args: unknown[]) => Promise<unknown>;
type CallTo = (kind: "INBOXES" | "CONVERSATIONS", name: string, method: string, ...args: unknown[]) => Promise<unknown>;
type Choosing = { userId: UserId; id: ConversationId; until: number | null };

/** What people set, by doors that may fail: an app repeats what it was not told to be done, and goes on in order. */
export class Settings {
  private readonly works: Clockwork;
  private readonly call: Call;
  private readonly callTo: CallTo;
  private readonly turns = new Map<string, Promise<void>>();
  private readonly choosing: Choosing[] = [];
  private readonly since = new Map<DeviceId, number>();

  constructor(works: Clockwork, callTo: CallTo) {
    this.works = works;
    this.callTo = callTo;
    this.call = (userId, method, ...args) => callTo("INBOXES", userId, method, ...args);
  }

  private inTurn(of: string, act: () => Promise<void>): void {
    this.turns.set(of, (this.turns.get(of) ?? Promise.resolve()).then(act));
  }

  private async until(call: () => Promise<unknown>): Promise<void> {
    for (;;) {
      const answer = (await call().catch(() => null)) as Outcome<unknown> | null | undefined;
      if (answer !== null && answer?.ok !== false) return;
      await new Promise<void>((resolve) => this.works.after(500, resolve));
    }
  }

  choose(userId: UserId, id: ConversationId, change: MineChange): void {
    const choice: Choosing = { userId, id, until: null };
    this.choosing.push(choice);
    this.inTurn(`${userId} ${id}`, async () => {
      await this.until(() => this.call(userId, "setMine", userId, id, change));
      choice.until = this.works.now;
    });
  }

  clear(userId: UserId, id: ConversationId): void {
    this.inTurn(`clear ${userId} ${id}`, async () => {
      await this.untilNot("unavailable", () => this.call(userId, "clear", userId, id));
    });
  }

  deleteFor(userId: UserId, id: ConversationId, seq: number): void {
    this.inTurn(`clear ${userId} ${id}`, async () => {
      await this.untilNot("unavailable", () => this.call(userId, "deleteFor", userId, id, seq));
    });
  }

  /** Until it is answered otherwise: a refusal for good is not asked again. */
  private async untilNot(code: string, call: () => Promise<unknown>): Promise<void> {
    await this.until(async () => {
      const answer = (await call()) as Outcome<unknown>;
      return answer.ok || answer.code === code ? answer : { ok: true };
    });
  }

  block({
    userId,
    otherId,
    id,
    blocks,
  }: {
    userId: UserId;
    otherId: UserId;
    id: ConversationId;
    blocks: boolean;
  }): void {
    this.inTurn(`block ${id}`, async () => {
      await this.until(() => this.callTo("CONVERSATIONS", id, "setBlock", userId, blocks));
      await this.until(() => this.call(userId, "setBlocked", otherId, blocks));
    });
  }

  /** Whether the person was about to set something at this time or later. */
  wasChoosing(userId: UserId, id: ConversationId, at: number): boolean {
    return this.choosing.some((one) => one.userId === userId && one.id === id && (one.until ?? at) >= at);
  }

  subscribe({ userId, deviceId }: Device): void {
    const url = `https://push.example/${deviceId}/${this.works.pick(1_000)}`;
    const subscription = {
      endpoint: { provider: "web", url, p256dh: "p", auth: "a" },
      preview: this.works.chance(0.5),
    };
    this.inTurn(deviceId, async () => {
      await this.until(() => this.call(userId, "putSubscription", userId, deviceId, subscription));
      if (!this.since.has(deviceId)) this.since.set(deviceId, this.works.now);
    });
  }

  unsubscribe({ userId, deviceId }: Device): void {
    this.inTurn(deviceId, async () => {
      this.since.delete(deviceId);
      await this.until(() => this.call(userId, "dropSubscription", deviceId));
    });
  }

  /** Since when the device has been told that it is subscribed; null: it is not. */
  subscribedSince(deviceId: DeviceId): number | null {
    return this.since.get(deviceId) ?? null;
  }
}
