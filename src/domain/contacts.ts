import type { ContactState } from "../protocol/http.ts";
import { UserId } from "../protocol/ids.ts";
import { TIMES } from "../protocol/limits.ts";

/** [CT-1] What one of a pair sees. `askerId`: who of the two has asked; null once both have. */
export function contactState(askerId: UserId | null, viewerId: UserId): ContactState {
  if (askerId === null) return "accepted";
  return askerId === viewerId ? "requested" : "incoming";
}

/**
 * Where a listing of changes goes on: after this change. `began`: the version from which on what has ended is told; a client that lists
 * all anew has nothing that ended before.
 */
export type Place = { began: number; version: number; userId: UserId | "" };

/** After every change of this version. */
const AFTER_ALL = "~" as UserId;

/**
 * [CT-15] Where a client goes on that has everything up to `since`. Null: what has ended since then is told no more, or the version is not
 * one of these (the directory was put back to an earlier moment): it begins anew. `head`: the version by now; `now`: epoch ms.
 */
export function placeSince(since: number, { head, now }: { head: number; now: number }): Place | null {
  if (since < now - TIMES.contactsToldMs || since > head) return null;
  return { began: since, version: since, userId: AFTER_ALL };
}

/** Before every change, those of before there were versions included. */
export const anew = (head: number): Place => ({ began: head, version: -1, userId: "" });

/** A place as a client holds it; null for one that is not ours. */
export const formatPlace = ({ began, version, userId }: Place): string => `${began}.${version}.${userId}`;
export function parsePlace(text: string): Place | null {
  const [began = "", version = "", id] = text.split(".");
  const userId = UserId.safeParse(id);
  if (!userId.success || ![began, version].every((digits) => /^\d{1,15}$/.test(digits))) return null;
  const place = { began: Number(began), version: Number(version), userId: userId.data };
  return formatPlace(place) === text ? place : null;
}
