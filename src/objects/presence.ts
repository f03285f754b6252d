import { closed, GRACE_MS, goneAt, isAlive, isOpen, opened, presenceAt } from "../domain/presence.ts";
import { mayShow, shows } from "../domain/visibility.ts";
import { tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { inboxOf } from "../platform/stubs.ts";
import type { Presence as Told } from "../protocol/states.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import type { AlarmClock } from "./alarm-clock.ts";
import type { ChangeIndex } from "./change-index.ts";
import type { WatchRequest } from "./rpc.ts";
import type { Sockets } from "./sockets.ts";

type State = Omit<Told, "userId">;
type Parts = { store: InboxStore; sockets: Sockets; clock: AlarmClock; index: ChangeIndex };

/** Whether this user is online, and who is told when that changes: those with a lease, and nobody else. */
export class Presence {
  private readonly env: Env;
  private readonly store: InboxStore;
  private readonly sockets: Sockets;
  private readonly clock: AlarmClock;

  constructor(env: Env, { store, sockets, clock, index }: Parts) {
    this.env = env;
    this.store = store;
    this.sockets = sockets;
    this.clock = clock;
    if (sockets.foregroundHeardAt() === null) this.endIfCut(index, Date.now());
  }

  /** [PR-2] Woken without a socket: a session that is open was cut by a crash or a deploy. It ends now, and the grace begins. */
  private endIfCut(index: ChangeIndex, now: number): void {
    const { session, userId } = this.store;
    if (!isOpen(session) || !userId) return;
    this.store.setSession(closed(session, now, now), userId);
    index.cut();
  }

  private now(now: number, leaving?: WebSocket): State {
    const heardAt = this.sockets.foregroundHeardAt(leaving);
    return presenceAt({ heardAt, leftAt: this.sockets.foregroundLeftAt(leaving), session: this.store.session }, now);
  }

  /** A device that somebody looks at has said hello; `before`: how it was then. */
  arrive(socket: WebSocket, now: number): void {
    if (!this.sockets.isForeground(socket)) return; // [PR-6]
    const before = this.now(now, socket);
    const { session } = this.store;
    if (!isOpen(session)) this.store.setSession(opened(session, now), this.sockets.of(socket).userId);
    if (before.state === "offline") this.tellWatchers(now);
  }

  /** [PR-6] Somebody looks at a device that had connected in the background. */
  comeForward(socket: WebSocket, now: number): void {
    if (!this.sockets.of(socket).background) return;
    this.sockets.change(socket, { background: false });
    this.arrive(socket, now);
  }

  /** A socket has gone. `heardAt`: the last sign of life. Who watches is told when the grace is over. */
  leave(socket: WebSocket, heardAt: number, now: number): void {
    const others = this.sockets.foregroundHeardAt(socket);
    if (!this.sockets.isForeground(socket)) return;
    if (others !== null && isAlive(others, now)) {
      this.sockets.leaveBehind(socket, goneAt(heardAt, now));
      return;
    }
    const { session } = this.store;
    const { userId, leftAt } = this.sockets.of(socket);
    if (isOpen(session)) this.store.setSession(closed(session, heardAt, now, leftAt), userId);
    this.ringIfWatched(now);
  }

  private ringIfWatched(now: number): void {
    const { closedAt } = this.store.session;
    if (this.store.people.watchersAt(now).length > 0) this.clock.ringBy(closedAt + GRACE_MS + 1_000, now);
  }

  /** The alarm has gone off: whoever is still gone is offline now. */
  settle(now: number): void {
    const state = this.now(now);
    if (state.state === "offline") this.tellWatchers(now);
    else if (this.sockets.foregroundHeardAt() === null) this.ringIfWatched(now);
  }

  /** [PR-5] What this viewer may know, and a lease if they ask for one and it is theirs to have. */
  watched({ viewerId, lastSeen, until }: WatchRequest, now: number): State {
    if (this.store.people.isBlocked(viewerId) || this.store.erasure) return { state: "unknown" }; // [BL-5] [ER-4]
    if (!mayShow(this.store.privacy.lastSeen, lastSeen, this.store.people.isContact(viewerId)))
      return { state: "unknown" };
    if (until !== null) this.store.people.addWatcher(viewerId, until, now);
    const state = this.now(now);
    if (state.state === "online" && this.sockets.foregroundHeardAt() === null) this.ringIfWatched(now);
    return state;
  }

  private tellWatchers(now: number): void {
    const { userId } = this.store;
    if (!userId) return;
    const told = { userId, ...this.now(now) };
    for (const watcherId of this.store.people.watchersAt(now))
      if (
        !this.store.people.isBlocked(watcherId) &&
        shows(this.store.privacy.lastSeen, this.store.people.isContact(watcherId))
      )
        void tryCall(() => inboxOf(this.env, watcherId).hearPresence(told), 1);
  }
}
