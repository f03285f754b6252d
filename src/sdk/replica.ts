import type { ServerFrame } from "../protocol/frames.ts";
import type { UserId } from "../protocol/ids.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import { Expiring } from "./burying.ts";
import { ForwardClock } from "./forward-clock.ts";
import type { Effects, Happening } from "./happenings.ts";
import { leaveOutbox, takeTraced } from "./inheriting.ts";
import { Link, type Welcome } from "./link.ts";
import { expire, hearLive, type Live, NOTHING_LIVE } from "./live.ts";
import { hearChanged, hearEvents, hearPage, pullDue, pullRefused, takeCursor } from "./reading.ts";
import { hearReceipts, hearSelf, keepTold, markRead, oweAll, receiptRefused, tellDue } from "./receipts.ts";
import { discard, hearAck, makeWish, sendDue, sendRefused, takeKeys } from "./sending.ts";
import { NOTHING_STORED, type ReplicaState } from "./state.ts";
import { type Frame, Turn } from "./turn.ts";
import { noteTyping } from "./typing.ts";
import { watchDue } from "./watching.ts";
import { prune, takeOlder } from "./window.ts";

/**
 * A device's copy of its conversations, and its outbox. Pure: it is told what happened and when, and answers what is to be done; it
 * has no socket, clock, storage or randomness of its own, so the same happenings always lead to the same end.
 *
 * A shell owns the socket: it says `opened`, hands over each frame in order, says `lost`, carries out the effects in their order, and
 * after a crash makes a new replica of the state that it stored last.
 */
export class Replica {
  #state: ReplicaState;
  #link: Link | null = null;
  /** Whom the screen shows: also while there is no socket to ask on. */
  #watching: readonly UserId[] = [];
  readonly #clock = new ForwardClock();
  readonly #expiring = new Expiring();

  readonly #keep: number;

  /** `keep`: events of each conversation; all of them unless it is said. [CL-39] */
  constructor(state: ReplicaState = NOTHING_STORED, { keep = Number.POSITIVE_INFINITY }: { keep?: number } = {}) {
    this.#state = state;
    this.#keep = keep;
  }

  /** What a crash must not lose: always the fold of what was given out to be stored. */
  get state(): ReplicaState {
    return this.#state;
  }

  /** Who types, who is there, what is left out: as far as this socket told, and until it ends. */
  get live(): Live {
    return this.#link?.live ?? NOTHING_LIVE;
  }

  /** Live: everything that the server had when the socket was opened is stored here, and what comes is heard as it comes. */
  get phase(): "offline" | "greeting" | "catching_up" | "live" {
    if (!this.#link) return "offline";
    if (!this.#link.isWelcome()) return "greeting";
    return this.#link.caughtUp ? "live" : "catching_up";
  }

  /** `now`: epoch ms by the device's clock. */
  handle(happening: Happening, now: number): Effects {
    const time = this.#clock.timeAt(now);
    const turn = new Turn(this.#state, now, time, this.#keep);
    this.#take(turn, happening);
    if (this.#link) advance(turn, this.#link, this.#watching);
    this.#expiring.due(turn);
    this.#state = turn.state;
    const { store, frames, mint, outcomes, refused } = turn;
    const next = this.#link?.nextAt(time) ?? Number.POSITIVE_INFINITY;
    const at = Math.min(now + (next - time), Math.max(this.#expiring.wakeAt, now));
    const wakeAt = Number.isFinite(at) ? at : null;
    return { store, frames, mint, outcomes, refused, wakeAt };
  }

  #learn({ serverTime, keepMs }: Frame<"welcome">, now: number): void {
    this.#expiring.learn(serverTime, keepMs, now);
  }

  #take(turn: Turn, happening: Happening): void {
    const link = this.#link;
    switch (happening.type) {
      case "opened":
      case "lost":
        this.#link = happening.type === "opened" ? new Link(happening.background ?? false) : null;
        break;
      case "frame":
        if (happening.frame.type === "welcome") this.#learn(happening.frame, turn.now);
        if (link) hear(turn, link, happening.frame);
        break;
      case "wish":
        makeWish(turn, happening);
        break;
      case "minted":
        takeKeys(turn, link, happening);
        break;
      case "left":
        leaveOutbox(turn, happening.deviceId);
        break;
      case "traced":
        takeTraced(turn, link, happening);
        break;
      case "discarded":
        discard(turn, happening);
        break;
      case "read":
        markRead(turn, link, happening.conversationId, happening.seq);
        break;
      case "typing":
        noteTyping(turn, link, happening);
        break;
      case "watching":
        this.#watching = happening.userIds;
        break;
      case "set":
        turn.change({ type: "marked", conversationId: happening.conversationId, marks: { mine: happening.mine } });
        break;
      case "older":
        takeOlder(turn, happening);
        break;
      case "pruned":
        prune(turn);
        break;
      case "woke": // what is due by now is done after every happening
    }
  }
}

function hear(turn: Turn, link: Link, frame: ServerFrame): void {
  if (frame.type === "welcome") welcomed(turn, link, frame);
  else if (frame.type === "error") refused(turn, link, frame);
  else if (link.isWelcome()) hearWelcome(turn, link, frame);
}

type AfterWelcome = Exclude<ServerFrame, { type: "welcome" | "error" }>;

function hearWelcome(turn: Turn, link: Welcome, frame: AfterWelcome): void {
  const asked = "id" in frame ? link.answered(frame.id) : undefined;
  if ("id" in frame && frame.id !== undefined && asked) keepTold(turn, link, frame.id);
  link.live = hearLive(link.live, frame, turn.time);
  switch (frame.type) {
    case "ack":
      if (asked?.type === "send") hearAck(turn, link, asked, frame);
      break;
    case "page":
      if (asked?.type === "pull" && frame.id !== undefined) hearPage(turn, link, frame.id, frame);
      break;
    case "events":
      hearEvents(turn, link, frame.conversationId, frame.events);
      break;
    case "changed":
      for (const changed of frame.conversations) hearChanged(turn, link, changed);
      break;
    case "caught_up":
      link.catchUp.offer(frame.cursor, turn.covered);
      break;
    case "receipts":
      hearReceipts(turn, link, frame);
      break;
    case "self":
      hearSelf(turn, frame);
  }
}

function welcomed(turn: Turn, link: Link, { id, userId, deviceId, mode }: Frame<"welcome">): void {
  if (link.answered(id)?.type !== "hello") return; // [CL-5]
  link.me = { userId, deviceId };
  if (mode === "reset") turn.change({ type: "forgot" }); // [CL-3]
  for (const { conversationId, standing } of turn.state.outbox)
    if (standing.is === "acked") link.catchUp.heard(conversationId, standing.seq);
  if (link.isWelcome()) oweAll(turn, link);
}

function refused(turn: Turn, link: Link, error: Frame<"error">): void {
  const { id, code, retryable } = error;
  const asked = link.answered(id);
  if (id === undefined && retryable) backOff(turn, link, error);
  if (asked?.type === "hello" && retryable) link.helloAt = turn.retryAt(error)(1);
  if (asked?.type === "hello" && !retryable) turn.refused = code;
  if (id === undefined || !link.isWelcome()) return;
  if (asked?.type === "pull") pullRefused(turn, link, { id, ...asked }, code, turn.retryAt(error));
  if (asked?.type === "receipt" && retryable) receiptRefused(turn, link, asked.conversationId, turn.retryAt(error));
  if (asked?.type === "watch" && retryable) link.watching.failed(turn.retryAt(error));
  if (asked?.type === "send") sendRefused(turn, link, asked, id, error);
}

/** [CL-20] A frame was refused unread, and nobody knows which: everything that is open is asked again. */
function backOff(turn: Turn, link: Link, error: Frame<"error">): void {
  const retryAt = turn.retryAt(error);
  if (!link.isWelcome()) link.helloAt = retryAt(1);
  link.lanes.failedAll(retryAt);
  link.catchUp.failedAll(retryAt);
  link.telling.forgetAll(retryAt(1));
  link.watching.failed(retryAt);
}

/** Whatever is due by now, whatever it was that happened. */
function advance(turn: Turn, link: Link, watching: readonly UserId[]): void {
  if (!link.isWelcome()) {
    greet(turn, link);
    return;
  }
  link.pace.begin(turn.time);
  takeCursor(turn, link);
  sendDue(turn, link);
  pullDue(turn, link);
  tellDue(turn, link);
  watchDue(turn, link, watching);
  link.live = expire(link.live, turn.time);
}

/** [CL-2] The cursor, once stored, is all that the server needs to know of what this device has. */
function greet(turn: Turn, link: Link): void {
  if (link.helloAt > turn.time) return;
  link.helloAt = Number.POSITIVE_INFINITY;
  const id = link.ask({ type: "hello" });
  const background = link.background ? { background: true } : {};
  turn.frames.push({ type: "hello", id, version: PROTOCOL_VERSION, cursor: turn.state.cursor, ...background });
}
