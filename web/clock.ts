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

/** “today at 14:05”, “yesterday at 14:05”, “12 Nov at 14:05”. Epoch ms. */
export function moment(at: number, now: number): string {
  const date = new Date(at);
  const isOn = (day: number) => date.toDateString() === new Date(day).toDateString();
  const day = isOn(now) ? "today" : isOn(now - DAY_MS) ? "yesterday" : isOn(now + DAY_MS) ? "tomorrow" : dayOf(date);
  return `${day} at ${timeOf(date)}`;
}

/** The time of day to the second, for what happened within moments. `at`: epoch ms. */
export const exact = (at: number): string => new Date(at).toLocaleTimeString().replace(/\s/, "\u00a0");

/** “Today”, “Yesterday”, “Monday, 12 November”, with the year where it is another one. Epoch ms. */
export function dayName(at: number, now: number): string {
  const date = new Date(at);
  const isOn = (day: number) => date.toDateString() === new Date(day).toDateString();
  if (isOn(now)) return "Today";
  if (isOn(now - DAY_MS)) return "Yesterday";
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
