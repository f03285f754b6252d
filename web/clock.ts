/** [AP-37] Making a formatter takes longer than using it a hundred times: there is one of each, until the device is in another time zone. */
function formatterOf(options: Intl.DateTimeFormatOptions): (date: Date) => string {
  let made: { offset: number; format: Intl.DateTimeFormat } | null = null;
  return (date) => {
    const offset = new Date().getTimezoneOffset();
    if (made?.offset !== offset) made = { offset, format: new Intl.DateTimeFormat(undefined, options) };
    return made.format.format(date);
  };
}
const timeOf = formatterOf({ hour: "numeric", minute: "2-digit" });
const dayOf = formatterOf({ day: "numeric", month: "short" });
const DAY_MS = 86_400_000;

/** The time of day where that is today, else the day. `at`: epoch ms. */
export function clock(at: number): string {
  const date = new Date(at);
  return date.toDateString() === new Date().toDateString() ? timeOf(date) : dayOf(date);
}

/** How many midnights lie between: 0 is the same day, 1 the one before `now`. Not each day has 24 hours. Epoch ms. */
function daysBack(at: number, now: number): number {
  const midnight = (date: Date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return (midnight(new Date(now)) - midnight(new Date(at))) / DAY_MS;
}
const NAMES: Record<number, string> = { 0: "today", 1: "yesterday", [-1]: "tomorrow" };

/** “today at 14:05”, “yesterday at 14:05”, “12 Nov at 14:05”. Epoch ms. */
export function moment(at: number, now: number): string {
  const date = new Date(at);
  return `${NAMES[daysBack(at, now)] ?? dayOf(date)} at ${timeOf(date)}`;
}

/** The time of day to the second, for what happened within moments. `at`: epoch ms. */
export const exact = (at: number): string => new Date(at).toLocaleTimeString().replace(/\s/, "\u00a0");

/** “Today”, “Yesterday”, “Monday, 12 November”, with the year where it is another one. Epoch ms. */
export function dayName(at: number, now: number): string {
  const date = new Date(at);
  const back = daysBack(at, now);
  if (back === 0) return "Today";
  if (back === 1) return "Yesterday";
  const year = date.getFullYear() === new Date(now).getFullYear() ? {} : ({ year: "numeric" } as const);
  return date.toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long", ...year });
}

/** The time of day. `at`: epoch ms. */
export const timeOfDay = (at: number): string => timeOf(new Date(at));

/** “1:05”, “1:02:05”. Ms. */
export function lengthText(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const two = (n: number) => `${n}`.padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}
