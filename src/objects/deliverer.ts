import type { Membership, Roster } from "../domain/membership.ts";
import { planDelivery } from "../domain/paging.ts";
import type { Park } from "../domain/ringing.ts";
import type { Range } from "../domain/spans.ts";
import { standing } from "../domain/trail.ts";
import { CALL_WINDOW, Deadlines, mapWindowed, tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { inboxOf } from "../platform/stubs.ts";
import { eventsText } from "../protocol/frame-text.ts";
import type { UserId } from "../protocol/ids.ts";
import { bellFor, mayBeShown, silenceFor, silenceOf } from "./bells.ts";
import type { ConversationState } from "./conversation-state.ts";
import type { Ledger } from "./ledger.ts";
import type { Load } from "./load.ts";
import type { ReceiptDesk } from "./receipt-desk.ts";
import type { DeliveryAnswer } from "./rpc.ts";

/** Events of one `deliver` call; a device that sees a gap before them pulls. */
const DELIVER_EVENTS = 50;
/** A device that is there acks within this time; one that did not, and shows no other sign of life, is rung. Ms. */
const ACK_WITHIN_MS = 3_000;

type Parts = { ledger: Ledger; load: Load; receipts: ReceiptDesk };

/** Put on a socket of this member at `at` (epoch ms), and acked up to `acked` only. */
type Doubt = { userId: UserId; acked: number; seq: number; at: number };

/** Brings events to members' inboxes, has their devices rung, and notes how far both came. */
export class Deliverer {
  private readonly env: Env;
  private readonly parts: Parts;
  private readonly deadlines = new Deadlines();
  private readonly frames = new Map<string, string>();
  private framesOf: { state: ConversationState | null; burials: number } = { state: null, burials: 0 };
  /** Whether some device of the member wants pushes; not known: it may. */
  private readonly subscribed = new Map<UserId, boolean>();
  /** Up to which seq a device without a sign of life was rung for. */
  private readonly doubted = new Map<UserId, number>();
  private readonly burdened = new Set<UserId>();

  constructor(env: Env, parts: Parts) {
    this.env = env;
    this.parts = parts;
  }

  private get state(): ConversationState {
    return this.parts.ledger.opened;
  }

  /** Throws when the inbox was not reached. */
  async deliver(userId: UserId, after: number, through: number): Promise<Park | null> {
    const { state } = this;
    const past = planDelivery(state.roster.get(userId) as Membership, after, through, DELIVER_EVENTS);
    const [first] = past;
    if (!first) return null;
    const frame = this.eventsFrame(past);
    const bell = this.subscribed.get(userId) === false ? null : bellFor(state, userId, first[0], through);
    const silence = this.subscribed.get(userId) === false ? null : silenceFor(state, userId, first[0], through);
    const { conversationId } = state.facts;
    const stage = this.parts.load.stage(Date.now());
    const delivery = { userId, conversationId, frame, bell, silence, crowd: state.isCrowd, stage };
    if (stage > 0) this.burdened.add(userId);
    const answer = await tryCall(() => inboxOf(this.env, userId).deliver(delivery), 2, this.deadlines.limit);
    if (!answer.ok) throw new Error("inbox not reached");
    if (answer.value.rung === "failed") throw new Error("push not queued");
    this.note(userId, through, answer.value);
    // A device has subscribed since the last call.
    if (answer.value.subscribed && !bell && !(await this.ring(userId, first[0], through, null)))
      throw new Error("not rung");
    return answer.value.park;
  }

  /** [OV-3] Those who were told that something is left out hear when it is so no more. */
  async ease(): Promise<void> {
    const { conversationId } = this.state.facts;
    const told = [...this.burdened];
    this.burdened.clear();
    await mapWindowed(told, CALL_WINDOW, (userId) => tryCall(() => inboxOf(this.env, userId).eased(conversationId), 1));
  }

  private note(userId: UserId, through: number, { told, rung, subscribed, held }: DeliveryAnswer): void {
    const { state } = this;
    const now = Date.now();
    this.subscribed.set(userId, subscribed);
    state.mark(userId, "inbox", through, now); // [TR-2]
    if (told) state.mark(userId, "socket", through, now);
    if (rung === "rung") state.mark(userId, "rung", through, now);
    if (held) this.parts.receipts.receive(userId, held);
  }

  /** False when the inbox or the queue was not reached. */
  private async ring(userId: UserId, from: number, through: number, silentMs: number | null): Promise<boolean> {
    const { state } = this;
    const bell = bellFor(state, userId, from, through);
    if (!bell) return true;
    const { conversationId } = state.facts;
    const rung = await tryCall(() => inboxOf(this.env, userId).ring({ userId, conversationId, bell, silentMs }), 2);
    if (rung.ok && rung.value === "rung") state.mark(userId, "rung", through, Date.now());
    return rung.ok && rung.value !== "failed";
  }

  /**
   * [PU-7] Has those rung on whose socket something was put a while ago and who have not acked it: the phone may have gone without a
   * word. In a crowd acks wait, so nothing can be told from their absence.
   */
  async ringTheSilent(roster: Roster, now: number): Promise<void> {
    for (const { userId, acked, seq, at } of this.doubts(roster)) {
      if (now - at < ACK_WITHIN_MS) continue;
      if (await this.ring(userId, acked + 1, seq, now - at)) this.doubted.set(userId, seq);
    }
  }

  /** [LM-18] Has taken down what rang for messages whose time is over. Best effort: no push outlives its message, and it says when to go. */
  async hush(roster: Roster, expired: readonly number[]): Promise<void> {
    const { state } = this;
    const mayShow = (m: Membership) => this.subscribed.get(m.userId) !== false && mayBeShown(state, m.userId);
    const rung = expired.length > 0 ? [...roster.values()].filter(mayShow) : [];
    const silences = rung.flatMap((m) => {
      const silence = silenceOf(state, m, expired);
      return silence ? [{ userId: m.userId, silence }] : [];
    });
    const { conversationId } = state.facts;
    await mapWindowed(silences, CALL_WINDOW, ({ userId, silence }) =>
      tryCall(() => inboxOf(this.env, userId).hush(userId, conversationId, silence), 2),
    );
  }

  /** When to look again for the silent (epoch ms); null: no doubt is left. */
  nextDoubtAt(roster: Roster, now: number): number | null {
    const times = this.doubts(roster).map(({ at }) => Math.max(at, now) + ACK_WITHIN_MS);
    return times.length > 0 ? Math.min(...times) : null;
  }

  private doubts(roster: Roster): Doubt[] {
    if (this.state.isCrowd) return [];
    return [...roster.keys()].flatMap((userId) => this.doubtOf(userId) ?? []);
  }

  /** What was put on a socket of this member last, unless it was acked, or nobody wants a push. */
  private doubtOf(userId: UserId): Doubt | null {
    const trail = this.state.trail(userId);
    const [seq, at] = trail.socket?.at(-1) ?? [0, 0];
    const acked = Math.max(standing(trail, "delivered"), this.doubted.get(userId) ?? 0);
    return seq > acked && this.subscribed.get(userId) !== false ? { userId, acked, seq, at } : null;
  }

  /** These members' devices are to look anew: they tell again what they have, and pages tell what was recalled. Best effort: the next event does it, too. */
  async tellAgain(userIds: readonly UserId[]): Promise<void> {
    const { conversationId } = this.state.facts;
    await mapWindowed(userIds, CALL_WINDOW, (userId) =>
      tryCall(() => inboxOf(this.env, userId).tellAgain(conversationId), 2),
    );
  }

  /** The same text for everybody who lacks the same events. */
  private eventsFrame(ranges: readonly Range[]): string {
    const { state } = this;
    if (this.framesOf.state !== state || this.framesOf.burials !== state.burials.count) this.frames.clear(); // [LM-5]
    this.framesOf = { state, burials: state.burials.count };
    const key = ranges.join();
    const known = this.frames.get(key);
    if (known) return known;
    const bodies = ranges.flatMap(([from, to]) => state.recent.bodies(from, to));
    const frame = eventsText(state.facts.conversationId, bodies);
    if (this.frames.size >= 8) this.frames.clear();
    this.frames.set(key, frame);
    return frame;
  }
}
