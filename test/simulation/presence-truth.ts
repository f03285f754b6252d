import type { UserId } from "../../src/protocol/ids.ts";
import type { Host } from "./host.ts";
import type { Server } from "./server.ts";
import type { ServerSocket } from "./sockets.ts";

// What was promised, said once more here: a changed constant is a broken promise. Ms.
const ALIVE_MS = 60_000;
const GRACE_MS = 30_000;
/** Clocks are read in whole milliseconds. Ms. */
const ROUNDING_MS = 5;

/** Who is really online as far as a server can know, next to what it says of them. */
export class PresenceTruth {
  readonly bugs: string[] = [];
  /** Until when a user may have been there at most. */
  private readonly maybeUntil = new Map<UserId, number>();
  /** Sockets that certainly are there, of devices that somebody looks at; and when the last one was seen that then ended. */
  private certain = new Map<ServerSocket, UserId>();
  private readonly endedAt = new Map<UserId, number>();
  /** Whose inbox died with sockets, and has not woken since: it cannot know how long ago. */
  private readonly cut = new Set<UserId>();
  private lookedAt = 0;
  private readonly server: Server;
  private readonly people: readonly UserId[];

  constructor(server: Server, people: readonly UserId[]) {
    this.server = server;
    this.people = people;
  }

  /** Before every step, and before anything is compared. */
  look(): void {
    const { now } = this.server;
    const certain = new Map<ServerSocket, UserId>();
    for (const userId of this.people) {
      for (const { socket } of this.server.inbox(userId).sockets) {
        if (!socket.greeted?.looked) continue;
        const { openedAt, pingedAt, frameAt } = socket.signs;
        this.maybe(userId, Math.min(now, Math.max(openedAt, pingedAt, frameAt) + ALIVE_MS));
        if (Math.max(openedAt, pingedAt) + ALIVE_MS > now + ROUNDING_MS) certain.set(socket, userId);
      }
    }
    for (const [socket, userId] of this.certain)
      if (socket.readyState !== WebSocket.OPEN) this.endedAt.set(userId, this.lookedAt);
    this.certain = certain;
    this.lookedAt = now;
  }

  private maybe(userId: UserId, until: number): void {
    this.maybeUntil.set(userId, Math.max(until, this.maybeUntil.get(userId) ?? 0));
  }

  isCertain(userId: UserId): boolean {
    return [...this.certain.values()].includes(userId);
  }

  woke = (userId: UserId): void => {
    if (this.cut.delete(userId)) this.maybe(userId, this.server.now);
  };

  crashed = (host: Host): void => {
    const userId = host.name.slice("inbox/".length) as UserId;
    if (host.sockets.some(({ socket }) => socket.wasLookedAt)) this.cut.add(userId);
  };

  ended = (userId: UserId, socket: ServerSocket, wasClean: boolean): void => {
    if (wasClean && socket.wasLookedAt) this.maybe(userId, this.server.now);
  };

  /** [PR-1] [PR-2] [PR-4] Nobody is told online who has long been gone, nor offline who is there, or was a moment ago. */
  said = (userId: UserId, state: string): void => {
    this.look();
    const { now } = this.server;
    const goneMs = now - (this.maybeUntil.get(userId) ?? 0);
    if (state === "online" && goneMs > GRACE_MS + ROUNDING_MS)
      this.bugs.push(`[PR] ${userId.slice(-4)} is called online and has been gone for ${goneMs} ms`);
    const endedMs = now - (this.endedAt.get(userId) ?? 0);
    if (state === "offline" && this.isCertain(userId))
      this.bugs.push(`[PR] ${userId.slice(-4)} is called offline and is there`);
    else if (state === "offline" && endedMs < GRACE_MS - ROUNDING_MS)
      this.bugs.push(`[PR] ${userId.slice(-4)} is called offline and was there ${endedMs} ms ago`);
  };
}
