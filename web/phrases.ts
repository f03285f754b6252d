import type { Mine, Presence, Shed } from "../src/protocol/states.ts";
import { moment } from "./clock.ts";

/** “typing …” where it is clear who does, else with names: of two at most. */
export function typingText(names: readonly string[], isGroup: boolean): string {
  const [first, second] = names;
  if (first === undefined) return "";
  if (!isGroup) return "typing …";
  if (second === undefined) return `${first} is typing …`;
  return names.length === 2 ? `${first} and ${second} are typing …` : `${names.length} people are typing …`;
}

/** Nothing where it is not known, or not shown to me. `now`: epoch ms. */
export function presenceText(presence: Presence | undefined, now: number): string {
  if (!presence || presence.state === "unknown") return "";
  if (presence.state === "online") return "online";
  return presence.lastSeenAt === undefined ? "offline" : `last seen ${moment(presence.lastSeenAt, now)}`;
}

/** Muted until the year 9999. Epoch ms. */
export const ALWAYS_AT = Date.UTC(9999, 0, 1);
const YEAR_MS = 365 * 86_400_000;

/** `now`: epoch ms, by the server's clock. */
export const isMuted = ({ mutedUntil = 0 }: Mine, now: number): boolean => mutedUntil > now;

/** Empty for what is not muted. `now`: epoch ms, by the server's clock. */
export function muteText(mine: Mine, now: number): string {
  const { mutedUntil = 0 } = mine;
  if (!isMuted(mine, now)) return "";
  return mutedUntil - now > YEAR_MS ? "Muted" : `Muted until ${moment(mutedUntil, now)}`;
}

const SHED: Record<Shed, string> = {
  typing: "who is typing",
  presence: "who is online",
  receipts: "new ticks",
  history: "old messages",
};

/** What an overloaded server leaves out, told to a person; empty for nothing. */
export function shedText(shed: readonly Shed[]): string {
  if (shed.length === 0) return "";
  const list = new Intl.ListFormat("en", { type: "conjunction" }).format(shed.map((what) => SHED[what]));
  return `The server is busy. Messages go through; ${list} may be late or missing.`;
}
