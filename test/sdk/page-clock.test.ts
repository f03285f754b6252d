import { afterEach, expect, test, vi } from "vitest";
import { clock, dayName, moment, timeOfDay } from "../../web/clock.ts";

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

test("a day is named by its date, also beside one that has 23 or 25 hours", () => {
  vi.stubEnv("TZ", "Europe/Berlin");
  const at = (month: number, day: number, hour: number, minute = 0) =>
    new Date(2026, month, day, hour, minute).getTime();
  const [march, october] = [2, 9] as const; // the clocks change on Sunday the 29th, and on Sunday the 25th
  const monday = at(march, 30, 0, 30);
  expect(dayName(at(march, 29, 12), monday)).toBe("Yesterday");
  expect(dayName(at(march, 28, 23, 45), monday)).toContain("28");
  expect(moment(at(march, 28, 23, 45), monday)).toMatch(/^\D*28\D* at /);
  const sunday = at(october, 25, 23, 30);
  expect(dayName(at(october, 25, 0, 30), sunday)).toBe("Today");
  expect(dayName(at(october, 24, 12), sunday)).toBe("Yesterday");
  expect(moment(at(october, 24, 12), sunday)).toMatch(/^yesterday at /);
  expect(moment(at(october, 26, 12), at(october, 25, 0, 30))).toMatch(/^tomorrow at /);
});
