import type { ClientFrame } from "../protocol/frames.ts";
import { TIMES } from "../protocol/limits.ts";
import type { Presence } from "../protocol/states.ts";

/** Two heartbeats and some: a socket without a sign of life for longer is not there any more. Ms. */
export const ALIVE_MS = 2 * TIMES.heartbeatMs + 10_000;
export const isAlive = (heardAt: number, now: number): boolean => now - heardAt <= ALIVE_MS;
/** Somebody whose last socket has gone is still online for this long: tunnels, deploys and reloads do not flicker. Ms. */
export const GRACE_MS = 30_000;

/**
 * The user's last time online: open while `openedAt` is later than `closedAt`. `lastSeenAt`: the last sign of life of it, which is before
 * `closedAt` when the network was gone first. Epoch ms; 0: never.
 */
export type Session = {
  readonly openedAt: number;
  readonly closedAt: number;
  readonly lastSeenAt: number;
};
export const NO_SESSION: Session = { openedAt: 0, closedAt: 0, lastSeenAt: 0 };
export const isOpen = ({ openedAt, closedAt }: Session): boolean => openedAt > closedAt;

/** [PR-3] Written when the first device comes and when the last one goes: what lies between leaves no row. */
export const opened = (session: Session, now: number): Session =>
  isOpen(session) ? session : { ...session, openedAt: Math.max(now, session.closedAt + 1) };
/** When a socket counts as gone: at its last sign of life if that is so old that it was offline already; otherwise now, and the grace begins. */
export const goneAt = (heardAt: number, now: number): number => (isAlive(heardAt, now) ? now : heardAt);
/** `heardAt`: the last sign of life of the last socket. `leftAt`: when another one had gone before it; 0: none had. */
export function closed(session: Session, heardAt: number, now: number, leftAt = 0): Session {
  const within = (at: number) => Math.max(Math.min(at, now), session.openedAt);
  const closedAt = Math.max(goneAt(within(heardAt), now), within(leftAt));
  return { ...session, closedAt, lastSeenAt: within(Math.max(heardAt, leftAt)) };
}

/**
 * What is known. `heardAt`: the newest sign of life on the sockets of devices that somebody looks at; null: there is no such socket. `leftAt`:
 * when another one went and left these behind; 0: none did.
 */
export type Signs = { heardAt: number | null; leftAt: number; session: Session };

/** [PR-1] [PR-2] Online: a live socket within the window, or one that was there a moment ago. */
export function presenceAt({ heardAt, leftAt, session }: Signs, now: number): Omit<Presence, "userId"> {
  if (heardAt !== null && isAlive(heardAt, now)) return { state: "online" };
  if (leftAt > 0 && now - leftAt <= GRACE_MS) return { state: "online" };
  if (heardAt !== null && isOpen(session)) return { state: "offline", lastSeenAt: Math.max(heardAt, leftAt) };
  const { closedAt, lastSeenAt } = session;
  if (closedAt === 0) return { state: "offline" };
  return now - closedAt <= GRACE_MS ? { state: "online" } : { state: "offline", lastSeenAt };
}

/** [PR-6] Done by a person who looks, not by an app that was woken up to fetch. */
export function showsPerson(frame: ClientFrame): boolean {
  if (frame.type === "receipt") return (frame.read ?? 0) > 0;
  return frame.type === "send" || frame.type === "typing" || frame.type === "watch";
}
