import { ERRORS } from "../src/protocol/errors.ts";
import type { ExportProgress } from "../src/sdk/client/index.ts";
import { moment } from "./clock.ts";
import type { ErrorCode, Mine, Presence, ReportWish, Shed } from "./wire.ts";

/** What stands for a message whose content is gone. */
export const GONE = {
  recalled: "This message was deleted",
  expired: "This message has disappeared",
  delivered: "This message is only on the devices that got it",
} as const;

const DAY_MS = 86_400_000;
/** What messages may be kept for, as the page offers it. Ms; 0: for ever. */
export const RETENTIONS = [0, DAY_MS, 7 * DAY_MS, 90 * DAY_MS] as const;

/** A duration in its greatest whole unit. */
export function durationText(ms: number): string {
  const units = [
    ["day", DAY_MS],
    ["hour", 3_600_000],
    ["minute", 60_000],
  ] as const;
  const [unit, unitMs] = units.find(([, unitMs]) => ms >= unitMs && ms % unitMs === 0) ?? ["second", 1_000];
  const count = Math.round(ms / unitMs);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

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

/** A size in its greatest unit. */
export function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const counted = (count: number, one: string, many: string): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** What has come of all that is mine. */
export function takeoutText({ conversations, events, bytes }: ExportProgress): string {
  if (bytes === 0) return "Asking the server …";
  const parts = [counted(conversations, "conversation", "conversations"), counted(events, "entry", "entries")];
  return [...parts, sizeText(bytes)].join(" · ");
}

/** “ben, cleo and 3 others”: so many at most, who are not named being counted as one of them. */
export function namesText(names: readonly string[], most: number): string {
  const [first] = names;
  if (first !== undefined && names.length === 1) return first;
  const shown = names.length > most ? [...names.slice(0, most - 1), `${names.length - most + 1} others`] : names;
  return new Intl.ListFormat("en-GB").format(shown);
}

export const membersText = (count: number): string => `${count} member${count === 1 ? "" : "s"}`;

/** [BL-3] What comes of blocking somebody. */
export const BLOCKED =
  "What they write to you alone will not reach you, and they are not told. In groups you see each other as before.";

/** What somebody may be reported for, as it is offered. */
export const REASONS = {
  spam: "Spam",
  scam: "A scam or fraud",
  harassment: "Bullying or harassment",
  threat: "Threats or violence",
  hate: "Hate",
  sexual: "Something sexual that I do not want",
  child_safety: "A child is in danger",
  self_harm: "Somebody may harm themselves",
  impersonation: "They pretend to be somebody else",
  other: "Something else",
} as const satisfies Record<ReportWish["reason"], string>;

/** What stands over a message that was passed on; `most`: as often as is counted. Empty for one's own words. */
export const forwardedText = (forwards: number, most: number): string =>
  forwards === 0 ? "" : forwards < most ? "Forwarded" : "Forwarded many times";

/** A line that begins with me begins a sentence; a handle stays as its owner writes it. */
export const sentence = (line: string): string => line.replace(/^you /, "You ");

/** How many ask to be let in. */
export const waitingText = (count: number): string => `${count} ${count === 1 ? "person asks" : "people ask"} to join`;

const SIGNED_OUT = "This device has been signed out";
const TOO_OLD = "This page is too old for the server: reload it";
const AGAIN = "This did not go through";

/** What the contract says in the words of those who build with it. */
const PLAIN: Partial<Record<ErrorCode, string>> = {
  ...{ unauthenticated: SIGNED_OUT, token_expired: SIGNED_OUT, refresh_reused: SIGNED_OUT },
  ...{ unsupported_version: TOO_OLD, method_not_allowed: TOO_OLD, hello_required: TOO_OLD, upgrade_required: TOO_OLD },
  ...{ idempotency_conflict: AGAIN, key_out_of_order: AGAIN, receipt_ahead: AGAIN },
  invalid_request: "The server does not take this",
  forbidden: "You may not do this",
  not_found: "This is not here any more",
  too_many_deletions: "Too much is deleted here already: clear the conversation instead",
  push_not_offered: "This server sends no notifications",
  media_not_offered: "This server keeps no pictures and files",
  media_not_uploaded: "The file has not arrived: send it again",
  media_too_large: "This file is too large",
  payload_too_large: "This is too long",
  rate_limited: "Too much at once: wait a moment",
  internal: "Something broke on the server",
  unavailable: "The server did not answer",
};

/** [AP-46] Why something was refused, to a person. */
export const refusalText = (code: ErrorCode): string => PLAIN[code] ?? ERRORS[code].title;
