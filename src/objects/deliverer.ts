import type { Membership, Roster } from "../domain/membership.ts";
import { planDelivery } from "../domain/paging.ts";
import type { Park } from "../domain/ringing.ts";
import type { Stage } from "../domain/shedding.ts";
import type { Range } from "../domain/spans.ts";
import { standing } from "../domain/trail.ts";
import { CALL_WINDOW, Deadlines, mapWindowed, tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { inboxOf } from "../platform/stubs.ts";
import { eventsText } from "../protocol/frame-text.ts";
import type { UserId } from "../protocol/ids.ts";
import { bellFor, mayBeShown, silenceFor, silenceOf } from "./bells.ts";
import type { ConversationState } from "./conversation-state.ts";
import { isCrowd } from "./conversation-views.ts";
import type { DeliveryAnswer, ReceiptRequest } from "./rpc.ts";

/** Events of one `deliver` call; a device that sees a gap before them pulls. */
const DELIVER_EVENTS = 50;
/** A device that is there acks within this time; one that did not, and shows no other sign of life, is rung. Ms. */
const ACK_WITHIN_MS = 3_000;

type Ports = {
  state: () => ConversationState;
  stage: () => Stage;
  /** What a member has received, where it waited for a call. */
  received: (userId: UserId, held: ReceiptRequest) => void;
};

/** Put on a socket of this member at `at` (epoch ms), and acked up to `acked` only. */
type Doubt = { userId: UserId; acked: number; seq: number; at: number };

/** Brings events to members' inboxes, has their devices rung, and notes how far both came. */
export class Deliverer {
  private readonly env: Env;
  private readonly ports: Ports;
  private readonly deadlines = new Deadlines();
  private readonly frames = new Map<string, string>();
  private framesOf: { state: ConversationState | null; burials: number } = { state: null, burials: 0 };
  /** Whether some device of the member wants pushes; not known: it may. */
  private readonly subscribed = new Map<UserId, boolean>();
  /** Up to which seq a device without a sign of life was rung for. */
  private readonly doubted = new Map<UserId, number>();

  private readonly burdened = new Set<UserId>();

  constructor(env: Env, ports: Ports) {
    this.env = env;
    this.ports = ports;
  }

  /** Throws when the inbox was not reached. */
  async deliver(userId: UserId, after: number, through: number): Promise<Park | null> {
    const state = this.ports.state();
    const past = planDelivery(state.roster.get(userId) as Membership, after, through, DELIVER_EVENTS);
    const [first] = past;
    if (!first) return null;
    const frame = this.eventsFrame(past);
    const bell = this.subscribed.get(userId) === false ? null : bellFor(state, userId, first[0], through);
    const silence = this.subscribed.get(userId) === false ? null : silenceFor(state, userId, first[0], through);
    const { conversationId } = state.facts;
    const delivery = { userId, conversationId, frame, bell, silence, crowd: isCrowd(state), stage: this.ports.stage() };
    if (delivery.stage > 0) this.burdened.add(userId);
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
    const { conversationId } = this.ports.state().facts;
    const told = [...this.burdened];
    this.burdened.clear();
    await mapWindowed(told, CALL_WINDOW, (userId) => tryCall(() => inboxOf(this.env, userId).eased(conversationId), 1));
  }

  private note(userId: UserId, through: number, { told, rung, subscribed, held }: DeliveryAnswer): void {
    const state = this.ports.state();
    const now = Date.now();
    this.subscribed.set(userId, subscribed);
    state.mark(userId, "inbox", through, now); // [TR-2]
    if (told) state.mark(userId, "socket", through, now);
    if (rung === "rung") state.mark(userId, "rung", through, now);
    if (held) this.ports.received(userId, held);
  }

  /** False when the inbox or the queue was not reached. */
  private async ring(userId: UserId, from: number, through: number, silentMs: number | null): Promise<boolean> {
    const state = this.ports.state();
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
    const state = this.ports.state();
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
    if (isCrowd(this.ports.state())) return [];
    return [...roster.keys()].flatMap((userId) => this.doubtOf(userId) ?? []);
  }

  /** What was put on a socket of this member last, unless it was acked, or nobody wants a push. */
  private doubtOf(userId: UserId): Doubt | null {
    const trail = this.ports.state().trail(userId);
    const [seq, at] = trail.socket?.at(-1) ?? [0, 0];
    const acked = Math.max(standing(trail, "delivered"), this.doubted.get(userId) ?? 0);
    return seq > acked && this.subscribed.get(userId) !== false ? { userId, acked, seq, at } : null;
  }

  /**
   * [RC-4] A life of this object ended before it wrote down what it had been told: those who look are asked to tell again what they have.
   */
  async askAgain(roster: Roster, isParked: (userId: UserId) => boolean): Promise<void> {
    const { facts } = this.ports.state();
    if (isCrowd(this.ports.state())) return; // receipts of a crowd wait in the inboxes
    const asked = [...roster.keys()].filter((userId) => !isParked(userId));
    await mapWindowed(asked, CALL_WINDOW, (userId) =>
      tryCall(() => inboxOf(this.env, userId).tellAgain(facts.conversationId), 2),
    );
  }

  /** [LM-19] This member's devices are to pull, for pages tell what was recalled. Best effort: the next event makes them pull, too. */
  havePulled(userId: UserId): void {
    const { conversationId } = this.ports.state().facts;
    void tryCall(() => inboxOf(this.env, userId).tellAgain(conversationId), 2);
  }

  /** The same text for everybody who lacks the same events. */
  private eventsFrame(ranges: readonly Range[]): string {
    const state = this.ports.state();
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
