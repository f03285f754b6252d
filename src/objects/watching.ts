import { sheds } from "../domain/shedding.ts";
import { shows } from "../domain/visibility.ts";
import { CALL_WINDOW, mapWindowed, tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { inboxOf } from "../platform/stubs.ts";
import type { UserId } from "../protocol/ids.ts";
import { TIMES } from "../protocol/limits.ts";
import type { Presence as Told } from "../protocol/states.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import type { Burden } from "./burden.ts";
import type { Sockets } from "./sockets.ts";

type Parts = { store: InboxStore; sockets: Sockets; burden: Burden };

/** Whose presence this user's devices show. */
export class Watching {
  private readonly env: Env;
  private readonly store: InboxStore;
  private readonly sockets: Sockets;
  private readonly burden: Burden;
  /** What was heard while an asking is under way is newer than its answer. */
  private readonly asking = new Set<Map<UserId, Told>>();

  constructor(env: Env, { store, sockets, burden }: Parts) {
    this.env = env;
    this.store = store;
    this.sockets = sockets;
    this.burden = burden;
  }

  /** [PR-7] A device shows these people from now on, until its lease ends or it names others. */
  async watch(socket: WebSocket, userIds: UserId[], now: number): Promise<Told[]> {
    const until = now + TIMES.watchMs;
    const others = [...new Set(userIds)];
    this.sockets.change(socket, { watches: { userIds: others, until } });
    if (sheds(this.burden.stage(now), "presence")) return others.map(unknown); // [OV-1]
    return this.ask(this.sockets.of(socket).userId, others, until);
  }

  /** How these people are, as far as they show it to this user. */
  async ask(viewerId: UserId, userIds: readonly UserId[], until: number | null): Promise<Told[]> {
    const { lastSeen } = this.store.privacy;
    const heard = new Map<UserId, Told>();
    this.asking.add(heard);
    const answers = await mapWindowed(userIds, CALL_WINDOW, async (userId): Promise<Told> => {
      if (userId === viewerId) return { userId, state: "online" };
      if (this.store.people.isBlocked(userId)) return unknown(userId); // [BL-5]
      const answer = await tryCall(() => inboxOf(this.env, userId).watched({ viewerId, lastSeen, until }), 1);
      return answer.ok ? { userId, ...answer.value } : unknown(userId);
    });
    this.asking.delete(heard);
    return answers.map((told) => heard.get(told.userId) ?? told);
  }

  /** One who is watched has come or gone. */
  hear(told: Told, now: number): void {
    if (!shows(this.store.privacy.lastSeen, this.store.people.isContact(told.userId))) return; // [PR-5]
    if (this.store.people.isBlocked(told.userId)) return; // [BL-5]
    for (const heard of this.asking) heard.set(told.userId, told);
    if (sheds(this.burden.stage(now), "presence")) return; // [OV-1]
    for (const socket of this.sockets.ready(now)) {
      const { watches } = this.sockets.of(socket);
      const isShown = watches !== null && watches.until > now && watches.userIds.includes(told.userId);
      if (isShown) this.sockets.send(socket, { type: "presence", users: [told] });
    }
  }
}

const unknown = (userId: UserId): Told => ({ userId, state: "unknown" });
