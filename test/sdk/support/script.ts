import { ERRORS, type ErrorCode } from "../../../src/protocol/errors.ts";
import type { MessageEvent } from "../../../src/protocol/events.ts";
import type { Ack, Changed, ClientFrame, ServerFrame } from "../../../src/protocol/frames.ts";
import { IdempotencyKey } from "../../../src/protocol/ids.ts";
import type { Effects, Happening } from "../../../src/sdk/happenings.ts";
import { Replica } from "../../../src/sdk/replica.ts";
import { applyChange, heldOf, NOTHING_STORED, type ReplicaState } from "../../../src/sdk/state.ts";
import { conversationId, deviceId, eventId, userId } from "./ids.ts";

export const ME = userId("ME");
export const OTHER = userId("THEM");
export const MY_DEVICE = deviceId(1);
export const HERE = conversationId(1);
export const START = 1_700_000_000_000;

export const key = (n: number): IdempotencyKey => IdempotencyKey.parse(`01HF${`${n}`.padStart(22, "0")}`);

/** A message of somebody else at this seq; or, with a key, one of this device. */
export const message = (seq: number, own?: IdempotencyKey): MessageEvent => ({
  conversationId: HERE,
  seq,
  eventId: eventId(seq),
  senderId: own ? ME : OTHER,
  deviceId: own ? MY_DEVICE : deviceId(2),
  idempotencyKey: own ?? key(1_000 + seq),
  composedAt: START,
  sentAt: START,
  receivedAt: START,
  occurredAt: START,
  kind: "message",
  content: { type: "text", text: `text ${seq}` },
});
export const messages = (from: number, to: number): MessageEvent[] =>
  Array.from({ length: to - from + 1 }, (_, i) => message(from + i));

export const summary = (head: number, more: Partial<Changed> = {}): Changed => ({
  conversationId: HERE,
  kind: "group",
  role: "member",
  head,
  floor: 1,
  readSeq: 0,
  unread: 0,
  memberCount: 3,
  mentionsPierce: false,
  pinned: false,
  archived: false,
  ...more,
});

type Typed<T extends ClientFrame["type"]> = Extract<ClientFrame, { type: T }>;

/** A replica that is told a story, frame by frame. */
export class Script {
  replica: Replica;
  disk: ReplicaState;
  now = START;
  readonly sent: ClientFrame[] = [];
  readonly outcomes: Effects["outcomes"][number][] = [];
  last: Effects | null = null;

  constructor(state: ReplicaState = NOTHING_STORED) {
    this.disk = state;
    this.replica = new Replica(state);
  }

  tell(happening: Happening): Effects {
    const effects = this.replica.handle(happening, this.now);
    this.disk = effects.store.reduce(applyChange, this.disk);
    this.sent.push(...effects.frames);
    this.outcomes.push(...effects.outcomes);
    this.last = effects;
    return effects;
  }

  hear(frame: ServerFrame): Effects {
    return this.tell({ type: "frame", frame });
  }

  /** The frames of this type that were sent so far. */
  all<T extends ClientFrame["type"]>(type: T): Typed<T>[] {
    return this.sent.filter((frame): frame is Typed<T> => frame.type === type);
  }

  newest<T extends ClientFrame["type"]>(type: T): Typed<T> {
    const frame = this.all(type).at(-1);
    if (!frame) throw new Error(`no ${type} was sent`);
    return frame;
  }

  /** Opens a socket and is welcomed. */
  open(mode: "resume" | "reset" = "resume"): this {
    this.tell({ type: "opened" });
    const id = this.newest("hello").id;
    this.hear({
      type: "welcome",
      ...(id === undefined ? {} : { id }),
      userId: ME,
      deviceId: MY_DEVICE,
      mode,
      serverTime: this.now,
    });
    return this;
  }

  wish(n: number): this {
    const event = { kind: "message", content: { type: "text", text: `text ${n}` } } as const;
    this.tell({ type: "wish", conversationId: HERE, idempotencyKey: key(n), composedAt: this.now, event });
    return this;
  }

  ack(send: Typed<"send">, seq: number, duplicate = false): Effects {
    const ack: Ack = {
      conversationId: HERE,
      seq,
      eventId: eventId(seq),
      receivedAt: START,
      occurredAt: START,
      duplicate,
    };
    return this.hear({ type: "ack", ...(send.id === undefined ? {} : { id: send.id }), ...ack });
  }

  page(from: number, to: number, head = to): Effects {
    const { id } = this.newest("pull");
    const page = { conversationId: HERE, events: messages(from, to), head, floor: 1 };
    return this.hear({ type: "page", ...(id === undefined ? {} : { id }), ...page });
  }

  refuse(frame: { id?: number | undefined }, code: ErrorCode, retryAfterMs?: number): Effects {
    const id = frame.id === undefined ? {} : { id: frame.id };
    const after = retryAfterMs === undefined ? {} : { retryAfterMs };
    return this.hear({ type: "error", ...id, code, detail: "", retryable: ERRORS[code].retryable, ...after });
  }

  /** Lets time pass and wakes the replica. */
  pass(ms: number): Effects {
    this.now += ms;
    return this.tell({ type: "woke" });
  }

  get seqs(): number[] {
    return heldOf(this.replica.state, HERE).events.map(({ seq }) => seq);
  }
  get covered(): number {
    return heldOf(this.replica.state, HERE).covered;
  }
  get outbox(): string[] {
    return this.replica.state.outbox.map(({ wishId, standing }) => `${wishId} ${standing.is}`);
  }
}
