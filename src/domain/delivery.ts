import type { Park } from "./ringing.ts";

/**
 * One member's inbox as a cursor on the conversation's log. Pure: an occurrence in, the next state out; `mode: "calling"` tells the
 * shell to have one `deliver` call under way, carrying what lies past `delivered`.
 */
export type Delivery = {
  readonly mode: "idle" | "calling" | "lagging" | "parked";
  /** Everything up to this seq has reached the inbox, or need not. */
  readonly delivered: number;
  /** The last seq this member is to have. */
  readonly target: number;
  /** The inbox attended while the call was under way: an answer `parked` to it is out of date. */
  readonly attended: boolean;
  /** Calls failed in a row, and when the next may be made (epoch ms). */
  readonly failures: number;
  readonly retryAt: number;
  /** Something that is not delivered yet names this member. */
  readonly mentioned: boolean;
  /** While parked: for how long, and what ends it sooner. */
  readonly park: Park | null;
};

export type Occurrence =
  /** `mentions`: it names this member. */
  | { type: "appended"; target: number; now: number; mentions: boolean }
  /** The append's reply carried it to the member's own inbox; certain only when `confirmed`. */
  | { type: "answered"; seq: number; confirmed: boolean }
  | { type: "reached"; through: number; park: Park | null }
  | { type: "failed"; now: number; retryDelayMs: number }
  | { type: "attended" }
  | { type: "alarm"; now: number };

export const newDelivery = (delivered: number, target: number): Delivery => ({
  mode: "idle",
  delivered,
  target,
  attended: false,
  failures: 0,
  retryAt: 0,
  mentioned: false,
  park: null,
});

type Handler<T extends Occurrence["type"]> = (d: Delivery, o: Extract<Occurrence, { type: T }>) => Delivery;
type Row = { [T in Occurrence["type"]]: Handler<T> };

const stay = (d: Delivery): Delivery => d;
const call = (d: Delivery): Delivery =>
  d.delivered < d.target
    ? { ...d, mode: "calling", attended: false, mentioned: false }
    : { ...d, mode: "idle", mentioned: false };
/** [PU-4] Parked for a mute that has run out, or that lets a mention through. */
const isWanted = ({ park }: Delivery, { now, mentions }: { now: number; mentions: boolean }): boolean =>
  park !== null && ((park.until !== null && now >= park.until) || (mentions && park.unlessMentioned));
const aim: Handler<"appended"> = (d, o) => ({
  ...d,
  target: Math.max(d.target, o.target),
  mentioned: d.mentioned || o.mentions,
});
/** [DL-4] The reply is the delivery of the next event only; a reply that may be lost is left to the alarm. */
const answered: Handler<"answered"> = (d, o) => {
  const target = Math.max(d.target, o.seq);
  return { ...d, target, delivered: o.confirmed && d.delivered === o.seq - 1 ? o.seq : d.delivered };
};

/** Every mode meets every occurrence: a hole does not compile. */
const TABLE: Record<Delivery["mode"], Row> = {
  idle: {
    appended: (d, o) => call(aim(d, o)),
    answered,
    reached: stay,
    failed: stay,
    attended: stay,
    alarm: call, // [DL-2] also what a reply carried and nobody confirmed
  },
  calling: {
    appended: aim, // [DL-1] what piles up behind the call goes in the next one
    answered,
    reached: (d, o) => {
      const next = { ...d, delivered: Math.max(d.delivered, o.through), failures: 0 };
      const isOutdated = d.attended || (d.mentioned && o.park?.unlessMentioned);
      return o.park && !isOutdated ? { ...next, mode: "parked", park: o.park } : call(next); // [DL-3]
    },
    failed: (d, o) => ({ ...d, mode: "lagging", failures: d.failures + 1, retryAt: o.now + o.retryDelayMs }),
    attended: (d) => ({ ...d, attended: true }),
    alarm: stay,
  },
  lagging: {
    appended: aim,
    answered,
    reached: stay,
    failed: stay,
    attended: call, // it is there again
    alarm: (d, o) => (o.now >= d.retryAt ? call(d) : d), // [DL-2]
  },
  parked: {
    appended: (d, o) => (isWanted(d, o) ? call(aim(d, o)) : aim(d, o)), // [DL-3] costs nothing
    answered,
    reached: stay,
    failed: stay,
    attended: (d) => ({ ...d, mode: "idle", delivered: d.target, park: null }), // the inbox lists it and its devices pull
    alarm: stay,
  },
};

export function deliveryAfter(d: Delivery, o: Occurrence): Delivery {
  const row = TABLE[d.mode];
  return (row[o.type] as (d: Delivery, o: Occurrence) => Delivery)(d, o);
}

/** Through which seq this member needs nothing any more; the conversation's settled cursor is the lowest of these. */
export const settledThrough = (d: Delivery): number => (d.mode === "parked" ? d.target : d.delivered);
export const isSettled = (d: Delivery): boolean => settledThrough(d) >= d.target;
