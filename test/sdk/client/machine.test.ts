import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CLOSE } from "../../../src/protocol/close.ts";
import { TIMES } from "../../../src/protocol/limits.ts";
import {
  ASLEEP_MS,
  DOUBT_WITHIN_MS,
  type Event,
  type Facts,
  OFFLINE,
  OPEN_WITHIN_MS,
  PONG_WITHIN_MS,
  type State,
  type Step,
  step,
  wakeAt,
} from "../../../src/sdk/client/machine.ts";

const NOW = 1_700_000_000_000;
const facts = (more: Partial<Facts> = {}): Facts => ({ now: NOW, random: 0.5, visible: true, ...more });

/** What comes of these events, one after the other; `at` is ms after the start. */
function run(...told: (Event | [at: number, event: Event])[]): Step {
  return told.reduce<Step>(
    ({ state }, each) => {
      const [at, event] = Array.isArray(each) ? each : [0, each];
      return step(state, event, facts({ now: NOW + at }));
    },
    { state: OFFLINE, acts: [] },
  );
}
const READY: Event = { type: "token", outcome: "ready" };
const OPEN: Event[] = [{ type: "connect" }, READY, { type: "opened" }];
const LIVE: Event[] = [...OPEN, { type: "caught_up" }, { type: "heard" }];
const doneBy = ({ acts }: Step) => acts.map((act) => act.do);

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.constantFrom<Event>(
    ...([{ type: "connect" }, { type: "disconnect" }, { type: "opened" }, { type: "caught_up" }] as const),
    ...([{ type: "heard" }, { type: "woke" }, { type: "reset" }] as const),
  ),
  fc.record({
    type: fc.constant("token" as const),
    outcome: fc.constantFrom("ready" as const, "unavailable" as const, "signed_out" as const),
  }),
  fc.record({
    type: fc.constant("closed" as const),
    code: fc.constantFrom(1000, 1006, 1012, 4000, 4001, 4002, 4003, 4008),
  }),
  fc.record({ type: fc.constant("refused" as const), why: fc.constantFrom("refused" as const, "signed_out" as const) }),
  fc.record({ type: fc.constant("network" as const), up: fc.boolean() }),
  fc.record({ type: fc.constant("visible" as const), visible: fc.boolean() }),
);
const told = fc.array(
  fc.record({
    event,
    pass: fc.nat(40_000),
    random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    visible: fc.boolean(),
  }),
  {
    maxLength: 60,
  },
);

/** Every step of a life, with the time at which it was made. */
function life(events: { event: Event; pass: number; random: number; visible: boolean }[]) {
  let [state, now]: [State, number] = [OFFLINE, NOW];
  return events.map(({ event, pass, random, visible }) => {
    now += pass;
    const before = state;
    const made = step(state, event, { now, random, visible });
    state = made.state;
    return { before, event, now, ...made };
  });
}

describe("[CL-43] the connection", () => {
  test("[CL-43] whatever happens, it is stopped for good, offline by wish, or has a time at which it goes on", () => {
    fc.assert(
      fc.property(told, (events) => {
        for (const { state, now } of life(events)) {
          const at = wakeAt(state);
          if (state.is === "stopped" || state.is === "offline") expect(at).toBe(Number.POSITIVE_INFINITY);
          else {
            expect(at - now).toBeLessThanOrEqual(30_000); // never longer than that without looking
            expect(Number.isFinite(at)).toBe(true);
          }
        }
      }),
    );
  });

  test("[CL-15] [CL-43] what is final is left by a new session alone", () => {
    fc.assert(
      fc.property(told, (events) => {
        for (const { before, event, state, acts } of life(events)) {
          if (before.is === "stopped" && event.type !== "reset")
            expect({ state, acts }).toEqual({ state: before, acts: [] });
          const isFinal =
            event.type === "closed" && Object.values(CLOSE).some(({ code, final }) => final && code === event.code);
          const hasSocket = ["dialling", "catching_up", "live"].includes(before.is);
          if (isFinal && hasSocket) expect(state.is).toBe("stopped");
        }
      }),
    );
  });

  test("[CL-43] one socket at a time: another is dialled only after the one before was let go of", () => {
    fc.assert(
      fc.property(told, (events) => {
        let [tokens, sockets] = [0, 0];
        for (const { acts } of life(events))
          for (const act of acts) {
            if (act.do === "hang_up") [tokens, sockets] = [0, 0];
            if (act.do === "get_token") tokens += 1;
            if (act.do === "dial") sockets += 1;
            expect(Math.max(tokens, sockets)).toBeLessThanOrEqual(1);
            if (act.do === "ping") expect(sockets).toBe(1);
          }
      }),
    );
  });

  test("[CL-16] back-off grows with full jitter, half a minute at most, and starts anew once it was caught up", () => {
    const delays = (random: number) => {
      let [state, now]: [State, number] = [OFFLINE, NOW];
      return Array.from({ length: 12 }, (_, n) => {
        const begun: Event = n === 0 ? { type: "connect" } : { type: "woke" };
        for (const each of [begun, READY, { type: "closed", code: 1006 } as const])
          state = step(state, each, facts({ now, random })).state;
        const delay = (state.is === "waiting" ? state.retryAt : 0) - now;
        now += delay;
        return delay;
      });
    };
    expect(delays(0.999_999)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, ...Array(6).fill(30_000)]);
    expect(Math.max(...delays(0))).toBeLessThanOrEqual(500);
    expect(run(...LIVE, { type: "closed", code: 1006 }).state).toMatchObject({ is: "waiting", attempt: 1 });
  });

  test("[CL-16] an expired token is renewed at once; a try that never opened asks whether the token is taken", () => {
    const expired = run(...LIVE, { type: "closed", code: 4003 });
    expect(expired.state).toMatchObject({ is: "waiting", retryAt: NOW, how: "refresh" });
    expect(step(expired.state, { type: "woke" }, facts()).acts).toContainEqual({ do: "get_token", how: "refresh" });
    const unopened = run({ type: "connect" }, READY, { type: "closed", code: 1006 });
    expect(unopened.state).toMatchObject({ is: "waiting", how: "check" });
    expect(run(...LIVE, { type: "closed", code: 1006 }).state).toMatchObject({ how: "usual" });
  });

  test("[CL-35] [CL-43] it pings at every heartbeat, and a socket that does not answer in time is dead", () => {
    expect(doneBy(run(...OPEN))).toEqual(["ping"]);
    const idle = run(...LIVE);
    expect(wakeAt(idle.state)).toBe(NOW + TIMES.heartbeatMs);
    const beaten = step(idle.state, { type: "woke" }, facts({ now: NOW + TIMES.heartbeatMs }));
    expect(doneBy(beaten)).toEqual(["ping"]);
    const deadAt = NOW + TIMES.heartbeatMs + PONG_WITHIN_MS;
    expect(wakeAt(beaten.state)).toBe(deadAt);
    expect(step(beaten.state, { type: "woke" }, facts({ now: deadAt })).state.is).toBe("waiting");
    const heard = step(beaten.state, { type: "heard" }, facts({ now: deadAt - 1 })).state;
    expect(step(heard, { type: "woke" }, facts({ now: deadAt })).state.is).toBe("live");
  });

  test("[CL-43] a machine that slept asks the socket anew, and gives it its whole time to answer", () => {
    const slept = NOW + TIMES.heartbeatMs + PONG_WITHIN_MS + ASLEEP_MS + 3_600_000;
    const asked = step(run(...LIVE).state, { type: "woke" }, facts({ now: NOW + TIMES.heartbeatMs })).state;
    const woken = step(asked, { type: "woke" }, facts({ now: slept }));
    expect(woken.state).toMatchObject({ is: "live", deadAt: slept + PONG_WITHIN_MS });
    expect(doneBy(woken)).toEqual(["ping"]);
    expect(step(woken.state, { type: "woke" }, facts({ now: slept + PONG_WITHIN_MS })).state.is).toBe("waiting");
  });

  test("[CL-43] where the device says that its network is gone, the socket is asked, and taken for dead soon", () => {
    const asked = run(...LIVE, { type: "network", up: false });
    expect(doneBy(asked)).toEqual(["ping"]);
    expect(asked.state.is).toBe("live");
    const later = (ms: number) => ({ ...facts(), now: facts().now + ms });
    const heard = step(asked.state, { type: "heard" }, facts()).state;
    expect(step(heard, { type: "woke" }, later(DOUBT_WITHIN_MS)).state.is).toBe("live"); // it was wrong
    expect(step(asked.state, { type: "woke" }, later(DOUBT_WITHIN_MS - 1)).state.is).toBe("live");
    expect(step(asked.state, { type: "woke" }, later(DOUBT_WITHIN_MS)).state.is).toBe("waiting");
  });

  test("[CL-43] a network that comes back is used at once; while there is none nothing is tried", () => {
    const gone = run(...LIVE, { type: "closed", code: 1006 }, { type: "network", up: false });
    expect(gone.state).toEqual({ is: "offline", wanted: true });
    expect(step(gone.state, { type: "network", up: true }, facts()).state.is).toBe("readying");
    expect(run(...LIVE, { type: "closed", code: 1006 }, { type: "network", up: true }).state).toMatchObject({
      is: "readying",
      attempt: 0,
    });
    expect(doneBy(run(...LIVE, { type: "network", up: true }))).toEqual(["ping"]);
    expect(run({ type: "connect" }, { type: "disconnect" }, { type: "network", up: true }).state).toEqual(OFFLINE);
  });

  test("[CL-34] [CL-43] a socket that was opened while nobody looked is opened anew when somebody does", () => {
    const unseen = [{ type: "connect" } as Event, READY].reduce(
      (state, each) => step(state, each, facts()).state,
      OFFLINE,
    );
    const background = step(unseen, { type: "opened" }, facts({ visible: false })).state;
    expect(background).toMatchObject({ background: true });
    expect(step(background, { type: "visible", visible: true }, facts()).state.is).toBe("readying");
    expect(run(...LIVE, { type: "visible", visible: true }).state.is).toBe("live");
    expect(run(...LIVE, { type: "closed", code: 1006 }, { type: "visible", visible: true }).state.is).toBe("readying");
  });

  test("[CL-43] a token or a socket that does not come in time is given up", () => {
    expect(run({ type: "connect" }, [OPEN_WITHIN_MS, { type: "woke" }]).state).toMatchObject({
      is: "waiting",
      how: "usual",
    });
    expect(run({ type: "connect" }, READY, [OPEN_WITHIN_MS, { type: "woke" }]).state).toMatchObject({
      is: "waiting",
      how: "check",
    });
    expect(run({ type: "connect" }, { type: "token", outcome: "signed_out" }).state).toEqual({
      is: "stopped",
      why: "signed_out",
    });
  });
});
