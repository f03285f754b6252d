import type { ContactState } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";

/** [CT-1] What one of a pair sees. `askerId`: who of the two has asked; null once both have. */
export function contactState(askerId: UserId | null, viewerId: UserId): ContactState {
  if (askerId === null) return "accepted";
  return askerId === viewerId ? "requested" : "incoming";
}
