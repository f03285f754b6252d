import { isWished } from "../domain/life.ts";
import type { Event } from "../protocol/events.ts";
import type { ConversationId, IdempotencyKey } from "../protocol/ids.ts";
import type { Link, Welcome } from "./link.ts";
import type { Entry } from "./state.ts";
import type { Turn } from "./turn.ts";

/** [CL-9] A wish leaves the outbox when its event is in the log, in the same step: it is never shown twice, nor not at all. */
export function settleArrived(turn: Turn, link: Welcome, id: ConversationId, events: readonly Event[]): void {
  const own = ownKeys(link, events);
  const covered = turn.covered(id);
  for (const entry of turn.state.outbox) {
    if (entry.conversationId !== id) continue;
    const { standing } = entry;
    const seq =
      (entry.leftAs ? seqIn(events, entry) : own.get(entry.idempotencyKey)) ??
      (standing.is === "acked" ? standing.seq : Number.POSITIVE_INFINITY);
    if (seq <= covered) arrived(turn, link, entry, seq);
  }
}

/** The event in the log is the best ack there is, whichever comes first. */
export function arrived(turn: Turn, link: Link | null, entry: Entry, seq: number): void {
  const { wishId, standing } = entry;
  if (standing.is !== "acked") turn.outcomes.push({ wishId, seq });
  link?.lanes.seen(entry, turn.time);
  turn.change({ type: "left", wishId });
}

/** It was appended with this seq: until its event is here, it is shown as sent. */
export function settleAs(turn: Turn, link: Link | null, entry: Entry, seq: number): void {
  if (turn.covered(entry.conversationId) >= seq) {
    arrived(turn, link, entry, seq);
    return;
  }
  turn.outcomes.push({ wishId: entry.wishId, seq });
  turn.change({ type: "entry", entry: { ...entry, standing: { is: "acked", seq } } });
}

/** [CL-58] Where the event of a wish is that left as a device that is no more. */
export const seqIn = (events: readonly Event[], { leftAs, idempotencyKey }: Entry): number | undefined =>
  events.find((event) => isWished(event) && event.deviceId === leftAs && event.idempotencyKey === idempotencyKey)?.seq;

/** This device's own wishes among the events: their seqs by their keys. */
export const ownKeys = ({ me }: Welcome, events: readonly Event[]): Map<IdempotencyKey, number> =>
  new Map(
    events.flatMap((event) =>
      isWished(event) && event.deviceId === me.deviceId ? [[event.idempotencyKey, event.seq] as const] : [],
    ),
  );
