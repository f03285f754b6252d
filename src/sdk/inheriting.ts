import type { DeviceId } from "../protocol/ids.ts";
import { settleAs } from "./arrivals.ts";
import type { Happening } from "./happenings.ts";
import type { Link } from "./link.ts";
import type { Entry } from "./state.ts";
import type { Turn } from "./turn.ts";

/** What a device that was signed out leaves to the one that its person signs in next: what was written, once. */

type Of<T extends Happening["type"]> = Extract<Happening, { type: T }>;

/**
 * [CL-57] What the server has is let go of, and what was written stays. [CL-58] What never left goes out under its key, which is new to
 * the server for another device; what has left is unsure from now on, because another device could only append it once more.
 */
export function leaveOutbox(turn: Turn, leftAs: DeviceId): void {
  for (const entry of turn.state.outbox) {
    const { standing, conversationId } = entry;
    if (standing.is !== "waiting" || !standing.sent) continue;
    // All that is covered was looked through for it already.
    const after = turn.covered(conversationId);
    turn.change({ type: "entry", entry: { ...entry, leftAs, standing: { is: "unsure", after } } });
  }
  turn.change({ type: "forgot" });
}

/** [CL-58] The log was looked through for wishes that may have been appended. */
export function takeTraced(
  turn: Turn,
  link: Link | null,
  { conversationId, wishIds, found, reached }: Of<"traced">,
): void {
  for (const wishId of wishIds) {
    const entry = turn.entry(wishId);
    if (entry?.standing.is !== "unsure" || entry.conversationId !== conversationId) continue;
    const seq = found.find((other) => other.wishId === wishId)?.seq;
    if (seq !== undefined) settleAs(turn, link, entry, seq);
    else if (reached === undefined) takeMissing(turn, entry);
    else turn.change({ type: "entry", entry: { ...entry, standing: { is: "unsure", after: reached } } }); // [CL-66]
  }
}

/**
 * It is not in the log, and may yet come if it was on its way when the device was signed out. So a message is sent again only when its person
 * says so. What is said of a message is sent again here: said twice it changes nothing.
 */
function takeMissing(turn: Turn, entry: Entry): void {
  const { leftAs: _, ...own } = entry;
  const { wishId, event } = entry;
  if (event.kind !== "message") {
    turn.change({ type: "entry", entry: { ...own, standing: { is: "waiting", sent: false } } });
    return;
  }
  const code = "device_revoked";
  turn.outcomes.push({ wishId, code });
  turn.change({ type: "entry", entry: { ...entry, standing: { is: "failed", code } } });
}
