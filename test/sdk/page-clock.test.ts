import { afterEach, expect, test, vi } from "vitest";
import { clock, timeOfDay } from "../../web/clock.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const NOON = Date.UTC(2026, 4, 12, 12);
const DAY_MS = 86_400_000;

test("[AP-37] the times of five hundred conversations take one formatter each for times and days", () => {
  vi.useFakeTimers({ now: NOON });
  const today = new Date(NOON).toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" });
  const before = new Date(NOON - DAY_MS).toLocaleDateString(undefined, { day: "numeric", month: "short" });
  const made = vi.spyOn(Intl, "DateTimeFormat");
  const asked = [
    vi.spyOn(Date.prototype, "toLocaleTimeString"),
    vi.spyOn(Date.prototype, "toLocaleDateString"),
    vi.spyOn(Date.prototype, "toLocaleString"),
  ];
  for (let n = 0; n < 500; n++) expect([clock(NOON), clock(NOON - DAY_MS)]).toEqual([today, before]);
  expect(made.mock.calls.length).toBeLessThanOrEqual(2);
  for (const each of asked) expect(each).not.toHaveBeenCalled();
});

test("[AP-37] a device that comes to another time zone shows the times of that one", () => {
  const hours = (zone: string) => {
    vi.stubEnv("TZ", zone);
    return timeOfDay(NOON);
  };
  expect(hours("UTC")).toContain("12");
  expect(hours("Asia/Tokyo")).toMatch(/\b(9|21)\b/);
  expect(hours("UTC")).toContain("12");
});
