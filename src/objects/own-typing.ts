import { tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { conversationOf } from "../platform/stubs.ts";
import type { ConversationId, DeviceId, UserId } from "../protocol/ids.ts";
import { TIMES } from "../protocol/limits.ts";

/** Repeats within this time are not passed on. Ms. */
const REPEAT_MS = 2_500;

type Writer = { userId: UserId; deviceId: DeviceId };
type Writing = {
  userId: UserId;
  conversationId: ConversationId;
  passedAt: number;
  timer: ReturnType<typeof setTimeout>;
};

/** [TY-2] Where this user's devices are writing: it ends by itself, and with the socket. Kept in memory alone. */
export class OwnTyping {
  private readonly writing = new Map<DeviceId, Writing>();
  private readonly env: Env;

  constructor(env: Env) {
    this.env = env;
  }

  set({ userId, deviceId }: Writer, conversationId: ConversationId, active: boolean, now: number): void {
    const before = this.writing.get(deviceId);
    const isSame = before?.conversationId === conversationId;
    if (!active || !isSame) this.end(deviceId);
    if (!active) return;
    const isRepeat = isSame && now - before.passedAt < REPEAT_MS;
    if (isSame) clearTimeout(before.timer);
    if (!isRepeat) this.pass({ userId, conversationId }, true);
    const timer = setTimeout(() => this.end(deviceId), TIMES.typingMs);
    this.writing.set(deviceId, { userId, conversationId, passedAt: isRepeat ? before.passedAt : now, timer });
  }

  /** The device has stopped, or has gone. */
  end(deviceId: DeviceId): void {
    const before = this.forget(deviceId);
    if (before) this.pass(before, false);
  }

  private pass({ userId, conversationId }: Pick<Writing, "userId" | "conversationId">, active: boolean): void {
    void tryCall(() => conversationOf(this.env, conversationId).typing(userId, active), 1);
  }

  /** Its message is there: that says it all. */
  forget(deviceId: DeviceId): Writing | undefined {
    const before = this.writing.get(deviceId);
    clearTimeout(before?.timer);
    this.writing.delete(deviceId);
    return before;
  }
}
