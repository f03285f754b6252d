import { TIMES } from "../../protocol/limits.ts";
import { afterClose } from "../reconnect.ts";
import type { StopReason } from "./api.ts";

/** The connection as a pure machine: a state and an event make the next state and what is to be done. Its shell is `connection.ts`. */

/** A token or a socket that is not there by then never will be. Ms. */
export const OPEN_WITHIN_MS = 15_000;
/** A socket is taken for dead when nothing came in this time after a ping. Ms. */
export const PONG_WITHIN_MS = 6_000;
/** The same while the device says that it has no network. Ms. */
export const DOUBT_WITHIN_MS = 2_500;
/** A timer that is this late means that the machine slept, or that the page was frozen. Ms. */
export const ASLEEP_MS = 5_000;
/** What a socket that went without a word is said to be closed with. */
const WITHOUT_A_WORD = 1006;

/** What to do before the next socket: get a new token, or ask whether the one there is is taken at all. */
export type How = "usual" | "refresh" | "check";
/** `attempt`: sockets lost in a row that never caught up. */
type Trying = { readonly attempt: number };
type Open = Trying & {
  /** Opened while nobody looked. */
  readonly background: boolean;
  /** When the next ping is due; and when the last one must have been answered, infinite: it was. */
  readonly pingAt: number;
  readonly deadAt: number;
};
export type State =
  /** Nobody is signed in, or the app wants no connection; `wanted`: it does, and there is no network. */
  | { readonly is: "offline"; readonly wanted: boolean }
  | ({ readonly is: "readying"; readonly deadline: number } & Trying)
  | ({ readonly is: "dialling"; readonly deadline: number } & Trying)
  | ({ readonly is: "catching_up" } & Open)
  | ({ readonly is: "live" } & Open)
  | ({ readonly is: "waiting"; readonly retryAt: number; readonly how: How } & Trying)
  | { readonly is: "stopped"; readonly why: StopReason };

export type Event =
  /** The app wants to be connected, now. */
  | { readonly type: "connect" }
  /** The app wants no connection, for now. */
  | { readonly type: "disconnect" }
  | { readonly type: "token"; readonly outcome: "ready" | "unavailable" | "signed_out" }
  | { readonly type: "opened" }
  /** Everything that the server had is here. */
  | { readonly type: "caught_up" }
  /** Something came over the socket. */
  | { readonly type: "heard" }
  | { readonly type: "closed"; readonly code: number }
  /** The server does not want this client at all. */
  | { readonly type: "refused"; readonly why: StopReason }
  /** The time of `wakeAt` has come. */
  | { readonly type: "woke" }
  /** The device's network has come, or gone. */
  | { readonly type: "network"; readonly up: boolean }
  /** Somebody looks at the app now, or nobody does. */
  | { readonly type: "visible"; readonly visible: boolean }
  /** Whoever signs in begins anew. */
  | { readonly type: "reset" };

/** `hang_up` lets go of the socket, whatever state it is in, and of what a token was fetched for. */
export type Act = { readonly do: "get_token"; readonly how: How } | { readonly do: "dial" | "hang_up" | "ping" };
/** `now`: epoch ms that never go back. `random` in [0, 1). `visible`: somebody looks. */
export type Facts = { readonly now: number; readonly random: number; readonly visible: boolean };
export type Step = { readonly state: State; readonly acts: readonly Act[] };

type In<S extends State["is"]> = Extract<State, { is: S }>;
type Of<E extends Event["type"]> = Extract<Event, { type: E }>;
type Table = {
  readonly [S in State["is"]]: {
    readonly [E in Event["type"]]: (state: In<S>, event: Of<E>, facts: Facts) => Step;
  };
};

export const OFFLINE: State = { is: "offline", wanted: false };

const stay = (state: State): Step => ({ state, acts: [] });
const stop = (_: State, { why }: { why: StopReason }): Step => ({ state: { is: "stopped", why }, acts: [HANG_UP] });
const HANG_UP: Act = { do: "hang_up" };
const leave = (): Step => ({ state: OFFLINE, acts: [HANG_UP] });
const noNetwork = (): Step => ({ state: { is: "offline", wanted: true }, acts: [HANG_UP] });

const begin = (attempt: number, how: How, { now }: Facts): Step => ({
  state: { is: "readying", attempt, deadline: now + OPEN_WITHIN_MS },
  acts: [HANG_UP, { do: "get_token", how }],
});
const restart = (_: State, __: Event, facts: Facts): Step => begin(0, "usual", facts);

/** [CL-15] [CL-16] [CL-43] The socket, or the try for one, has gone. */
function lost({ attempt }: Trying, code: number, how: How, { now, random }: Facts): Step {
  const after = afterClose(code, attempt, random);
  if (after.act === "stop") return stop(OFFLINE, { why: after.why === "protocol_error" ? "refused" : after.why });
  const next = after.act === "refresh" ? "refresh" : how;
  return { state: { is: "waiting", attempt: attempt + 1, retryAt: now + after.delayMs, how: next }, acts: [HANG_UP] };
}

const ping = (state: In<"catching_up"> | In<"live">, { now }: Facts, withinMs = PONG_WITHIN_MS): Step => ({
  state: { ...state, pingAt: now + TIMES.heartbeatMs, deadAt: Math.min(state.deadAt, now + withinMs) },
  acts: [{ do: "ping" }],
});

/** [CL-43] A timer that comes far too late says nothing of the socket: it is asked anew, with its whole time to answer. */
function beat(state: In<"catching_up"> | In<"live">, _: Event, facts: Facts): Step {
  const { now } = facts;
  if (now > Math.min(state.deadAt, state.pingAt) + ASLEEP_MS) return ping({ ...state, deadAt: NEVER }, facts);
  if (state.deadAt <= now) return lost(state, WITHOUT_A_WORD, "usual", facts);
  return state.pingAt <= now ? ping(state, facts) : stay(state);
}
const NEVER = Number.POSITIVE_INFINITY;

/** [CL-34] A socket that was opened while nobody looked does not count as being online, so another is opened. */
const looked = (state: In<"catching_up"> | In<"live">, { visible }: Of<"visible">, facts: Facts): Step => {
  if (!visible) return stay(state);
  return state.background ? begin(state.attempt, "usual", facts) : ping(state, facts);
};

const open = {
  connect: (state, _, facts) => ping(state, facts),
  disconnect: leave,
  token: stay,
  opened: stay,
  caught_up: (state) => stay({ ...state, is: "live", attempt: 0 }),
  heard: (state) => stay({ ...state, deadAt: NEVER }),
  closed: (state, { code }, facts) => lost(state, code, "usual", facts),
  refused: stop,
  woke: beat,
  network: (state, { up }, facts) => ping(state, facts, up ? PONG_WITHIN_MS : DOUBT_WITHIN_MS), // the device may be wrong: the ping tells
  visible: looked,
  reset: restart,
} as const satisfies {
  [E in Event["type"]]: (state: In<"catching_up"> | In<"live">, event: Of<E>, facts: Facts) => Step;
};

/** A try: for a token, or for a socket. `how`: what to do before the next one. */
const trying = (how: How) =>
  ({
    connect: stay,
    disconnect: leave,
    caught_up: stay,
    heard: stay,
    refused: stop,
    woke: (state, _, facts) => (state.deadline <= facts.now ? lost(state, WITHOUT_A_WORD, how, facts) : stay(state)),
    network: (_, { up }) => (up ? stay(_) : noNetwork()),
    visible: stay,
    reset: restart,
  }) as const satisfies {
    [E in Exclude<Event["type"], "token" | "opened" | "closed">]: (
      state: In<"readying"> | In<"dialling">,
      event: Of<E>,
      facts: Facts,
    ) => Step;
  };

const ended = {
  connect: stay,
  disconnect: stay,
  token: stay,
  opened: stay,
  caught_up: stay,
  heard: stay,
  closed: stay,
  refused: stay,
  woke: stay,
  network: stay,
  visible: stay,
} as const;

/** [CL-43] What each event does in each state: a pair that is left out does not compile. */
const TABLE: Table = {
  offline: {
    ...ended,
    connect: restart,
    disconnect: () => stay(OFFLINE),
    network: (state, { up }, facts) => (up && state.wanted ? restart(state, { type: "connect" }, facts) : stay(state)),
    reset: restart,
  },
  readying: {
    ...trying("usual"),
    token: (state, { outcome }, facts) => {
      if (outcome === "signed_out") return stop(state, { why: "signed_out" });
      if (outcome === "unavailable") return lost(state, WITHOUT_A_WORD, "usual", facts);
      return { state: { ...state, is: "dialling", deadline: facts.now + OPEN_WITHIN_MS }, acts: [{ do: "dial" }] };
    },
    opened: stay,
    closed: stay,
  },
  dialling: {
    ...trying("check"),
    token: stay,
    opened: ({ attempt }, _, { now, visible }) => ({
      state: {
        ...{ is: "catching_up", attempt, background: !visible },
        ...{ pingAt: now + TIMES.heartbeatMs, deadAt: now + PONG_WITHIN_MS },
      } as State,
      acts: [{ do: "ping" }],
    }),
    // A browser is not told why a socket was refused: it may be that the server does not take the token.
    closed: (state, { code }, facts) => lost(state, code, "check", facts),
  },
  catching_up: open,
  live: { ...open, caught_up: stay },
  waiting: {
    ...ended,
    connect: ({ attempt, how }, _, facts) => begin(attempt, how, facts),
    disconnect: leave,
    refused: stop,
    woke: (state, _, facts) => (state.retryAt <= facts.now ? begin(state.attempt, state.how, facts) : stay(state)),
    network: ({ how }, { up }, facts) => (up ? begin(0, how, facts) : noNetwork()), // [CL-43] back at once
    visible: (state, { visible }, facts) => (visible ? begin(state.attempt, state.how, facts) : stay(state)),
    reset: restart,
  },
  stopped: { ...ended, reset: restart },
};

export function step(state: State, event: Event, facts: Facts): Step {
  const handle = TABLE[state.is][event.type] as (state: State, event: Event, facts: Facts) => Step;
  return handle(state, event, facts);
}

/** When to say `woke`; infinite: never. */
export function wakeAt(state: State): number {
  switch (state.is) {
    case "readying":
    case "dialling":
      return state.deadline;
    case "catching_up":
    case "live":
      return Math.min(state.pingAt, state.deadAt);
    case "waiting":
      return state.retryAt;
    default:
      return NEVER;
  }
}
