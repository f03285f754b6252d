import type { ConversationId, DeviceId, IdempotencyKey, UserId } from "../protocol/ids.ts";
import { CatchUp } from "./catch-up.ts";
import { Lanes } from "./lanes.ts";
import { liveUntil, NOTHING_LIVE } from "./live.ts";
import { Pace } from "./pace.ts";
import { Telling } from "./telling.ts";
import type { Typed } from "./typing.ts";
import { Watching } from "./watching.ts";

/** What a frame asked for, so that its answer is understood. */
export type Asked =
  | { type: "hello" }
  | { type: "pull"; conversationId: ConversationId }
  | { type: "watch" }
  | { type: "receipt"; conversationId: ConversationId }
  | { type: "send"; conversationId: ConversationId; wishId: IdempotencyKey; sentAt: number };

/** A receipt is answered only if it is refused, and then it may be after others that left later: so many frames it is remembered. [CL-18] */
const RECEIPT_FRAMES = 256;

/** All that is known of one socket; nothing of it outlives the socket. */
export class Link {
  readonly catchUp = new CatchUp();
  readonly lanes = new Lanes();
  readonly pace = new Pace();
  readonly telling = new Telling();
  readonly watching = new Watching();
  live = NOTHING_LIVE;
  /** What the server was last told of the person's typing. */
  typed: Typed | null = null;
  /** Whose socket the server says this is; null until it is welcomed. */
  me: { userId: UserId; deviceId: DeviceId } | null = null;
  caughtUp = false;
  /** Whether somebody may be looking. */
  readonly background: boolean;
  /** When to say hello (again); infinite while its answer is out. */
  helloAt = 0;
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;

  constructor(background: boolean) {
    this.background = background;
  }

  /** The id for a frame that asks something. */
  ask(asked: Asked): number {
    this.#lastId += 1;
    this.#asked.set(this.#lastId, asked);
    const past = this.#lastId - RECEIPT_FRAMES;
    if (this.#asked.get(past)?.type === "receipt") this.answered(past);
    return this.#lastId;
  }

  /** What the frame with this id asked for, unless it has been answered: there is one answer to each. [CL-5] */
  answered(id: number | undefined): Asked | undefined {
    const asked = id === undefined ? undefined : this.#asked.get(id);
    if (id !== undefined) this.#asked.delete(id);
    return asked;
  }

  isWelcome(): this is Welcome {
    return this.me !== null;
  }

  /** The next time at which something is due; infinite: never. */
  nextAt(time: number): number {
    if (!this.isWelcome()) return this.helloAt; // nothing else can be done before the welcome
    const next = [this.telling.at, this.pace.at, this.watching.at, liveUntil(this.live)];
    return Math.min(this.helloAt, ...next, this.catchUp.nextAt(time), this.lanes.nextAt(time));
  }
}

export type Welcome = Link & { me: NonNullable<Link["me"]> };
