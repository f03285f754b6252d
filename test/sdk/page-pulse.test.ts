import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TIMES } from "../../src/protocol/limits.ts";
import { Attention } from "../../web/attention.ts";
import { Pulse } from "../../web/pulse.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the pulse of a socket", () => {
  function begin() {
    const seen = { pings: 0, died: 0 };
    const send = () => {
      seen.pings += 1;
    };
    const pulse = new Pulse({ send }, () => {
      seen.died += 1;
    });
    return { seen, pulse };
  }

  test("[CL-35] beats from the start and at every heartbeat, however much comes meanwhile", () => {
    const { seen, pulse } = begin();
    for (let ms = 0; ms < 4 * TIMES.heartbeatMs; ms += 1_000) {
      pulse.heard();
      vi.advanceTimersByTime(1_000);
    }
    pulse.heard();
    expect(seen).toEqual({ pings: 5, died: 0 });
    pulse.stop();
    vi.advanceTimersByTime(10 * TIMES.heartbeatMs);
    expect(seen).toEqual({ pings: 5, died: 0 });
  });

  test("[CL-35] a socket from which nothing comes after a ping is dead, asked once or often", () => {
    const { seen, pulse } = begin();
    vi.advanceTimersByTime(5_000);
    pulse.ask();
    vi.advanceTimersByTime(1_000);
    expect(seen.died).toBe(1);
  });
});

describe("attention", () => {
  /** A page whose visibility the test sets, over a shell that only counts. */
  function pageThatIs(visibilityState: string) {
    const page = Object.assign(new EventTarget(), { visibilityState });
    const seen = { woke: 0, slept: 0, maySleep: true };
    const shell = {
      wake: () => {
        seen.woke += 1;
      },
      sleep: () => {
        if (seen.maySleep) seen.slept += 1;
        return seen.maySleep;
      },
    };
    const attention = new Attention(page, shell, () => {});
    const become = (state: string) => {
      page.visibilityState = state;
      page.dispatchEvent(new Event("visibilitychange"));
    };
    return { attention, become, seen };
  }

  test("[CL-34] after a minute unseen the page hangs up, if pushes come instead; seen again it wakes", () => {
    const { attention, become, seen } = pageThatIs("visible");
    attention.getsPushes = true;
    become("hidden");
    vi.advanceTimersByTime(59_000);
    become("visible");
    vi.advanceTimersByTime(600_000);
    expect(seen).toMatchObject({ woke: 1, slept: 0 });
    become("hidden");
    vi.advanceTimersByTime(60_000);
    expect(seen.slept).toBe(1);
    vi.advanceTimersByTime(600_000);
    expect(seen.slept).toBe(1);
    become("visible");
    expect(seen.woke).toBe(2);
  });

  test("[CL-34] without pushes it stays, and also while something is to be sent", () => {
    const { attention, seen } = pageThatIs("hidden");
    vi.advanceTimersByTime(600_000);
    expect(seen.slept).toBe(0);
    attention.getsPushes = true;
    seen.maySleep = false;
    vi.advanceTimersByTime(120_000);
    seen.maySleep = true;
    vi.advanceTimersByTime(60_000);
    expect(seen.slept).toBe(1);
  });
});
