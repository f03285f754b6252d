import type { UserId } from "../protocol/ids.ts";
import { LIMITS, TIMES } from "../protocol/limits.ts";
import type { Welcome } from "./link.ts";
import { presenceOf } from "./live.ts";
import type { RetryAt, Turn } from "./turn.ts";

/** The lease is renewed while a quarter of it is left. */
const RENEW_MS = TIMES.watchMs * 0.75;

/** Whom one socket has asked to be told of. */
export class Watching {
  #sent: readonly UserId[] = [];
  /** When to ask again; infinite: nobody is watched. */
  at = Number.POSITIVE_INFINITY;

  /** Whether the server is to be asked now. */
  isDue(wanted: readonly UserId[], time: number): boolean {
    return this.at <= time || wanted.length !== this.#sent.length || wanted.some((id) => !this.#sent.includes(id));
  }

  sent(userIds: readonly UserId[], time: number): void {
    this.#sent = userIds;
    this.at = userIds.length > 0 ? time + RENEW_MS : Number.POSITIVE_INFINITY;
  }

  /** It was refused for now, or may have been. */
  failed(retryAt: RetryAt): void {
    if (this.#sent.length > 0) this.at = retryAt(1);
  }
}

/** [CL-32] The server tells of those whom the screen shows, as long as it is told so. */
export function watchDue(turn: Turn, link: Welcome, userIds: readonly UserId[]): void {
  const wanted = userIds.slice(0, LIMITS.watched);
  if (!link.watching.isDue(wanted, turn.time) || !link.pace.admits(turn.time)) return;
  link.watching.sent(wanted, turn.time);
  link.live = presenceOf(link.live, wanted);
  turn.frames.push({ type: "watch", id: link.ask({ type: "watch" }), userIds: wanted });
}
