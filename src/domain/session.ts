import { DOORS } from "../protocol/http.ts";
import { LIMITS } from "../protocol/limits.ts";

const HOUR_MS = 3_600_000;
/** Life of an access token. Ms. */
export const ACCESS_LIFE_MS = HOUR_MS; // [AC-26]
/** Life of a refresh token, and so of a device that is not used: each refresh starts it anew. Ms. */
export const REFRESH_LIFE_MS = 90 * 24 * HOUR_MS; // [AC-26]

type DeviceFacts = { generation: number; lastUsedAt: number; revokedAt: number | null; renewedBy: string | null };
/** What is presented to be traded. `key`: one for a trade, however often it is asked for. */
type Trade = { generation: number; key: string | undefined };

/**
 * What a refresh token that we signed does, by its generation. `device` undefined: its row is gone. A generation ahead of the
 * row's means that the database was put back to an earlier moment: the token is ours and newer, so it counts.
 */
export function decideRefresh(
  device: DeviceFacts | undefined,
  { generation, key }: Trade,
): "rotate" | "repeat" | "reused" | "revoked" {
  if (!device || device.revokedAt !== null) return "revoked"; // [AC-8]
  const isLast = generation === device.generation - 1;
  if (isLast && key !== undefined && key === device.renewedBy) return "repeat"; // [AC-33]
  return generation < device.generation ? "reused" : "rotate"; // [AC-6]
}

/** Devices last used at or before this have no refresh token that is good any more: neither listed nor counted. */
export const liveSince = (now: number): number => now - REFRESH_LIFE_MS; // [AC-11]

/** What wrong passwords are counted by: the handle, anew after each success, so that successes never add up to a lock-out. */
export const attemptKey = (handle: string, signedInAt: number | undefined): string => `${handle} ${signedInAt ?? 0}`; // [AC-16]

/** What an address is limited by. One network has a whole IPv6 /64 to itself, so those count as one address. */
export function addressKey(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address.slice(address.lastIndexOf(":") + 1); // [AC-18]
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<string>(zeros).fill("0"), ...after];
  return groups.slice(0, 4).map(withoutLeadingZeros).join(":");
}
const withoutLeadingZeros = (group: string): string => group.toLowerCase().replace(/^0+(?=.)/, "");

const { handle: Handle, displayName: DisplayName } = DOORS.signUp.body.shape;

/**
 * Handles to try in turn for a user whom the outside issuer vouches for: the one preferred there when it is a valid handle, then
 * it with a suffix. `suffixes` are random, of letters and digits.
 */
export function handleCandidates(preferred: string | undefined, suffixes: readonly string[]): string[] {
  const asked = Handle.safeParse(preferred);
  const cleaned = (preferred ?? "")
    .toLowerCase()
    .split("@", 1)[0]
    ?.replaceAll(/[^a-z0-9._-]/g, "")
    .replace(/^[._-]+/, "");
  const stem = cleaned ? cleaned.slice(0, 40) : "user";
  return [...(asked.success ? [asked.data] : []), ...suffixes.map((suffix) => `${stem}-${suffix.toLowerCase()}`)];
}

/** The name the outside issuer gives, cut to what a display name may be; the handle where it gives none. */
export function displayNameFrom(name: string | undefined, handle: string): string {
  const cut = (name ?? "")
    .trim()
    .slice(0, LIMITS.displayNameLength)
    .replace(/[\uD800-\uDBFF]$/, "");
  const parsed = DisplayName.safeParse(cut);
  return parsed.success ? parsed.data : handle;
}
