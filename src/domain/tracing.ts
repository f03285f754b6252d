import type { EventReceipts, Trace, TracedMember } from "../protocol/http.ts";
import type { Delivery } from "./delivery.ts";
import type { Viewer } from "./visibility.ts";
import { mayShow } from "./visibility.ts";

/** One member's part in the trace of an event, before it is settled what its sender may know of their reading. */
export type RawTraced = Omit<TracedMember, "state"> & {
  state: Exclude<TracedMember["state"], "read" | "delivered">;
  contactsReadAt?: number;
};
export type RawTrace = Omit<Trace, "members"> & { crowd: boolean; members: RawTraced[] };

type Come = { inboxAt: number | undefined; socketAt: number | undefined; rung: boolean; mode: Delivery["mode"] };

/** [TR-1] How far an event has come to a member, before any device has acked it: the furthest that is known. */
export function traceState({ inboxAt, socketAt, rung, mode }: Come): RawTraced["state"] {
  if (socketAt !== undefined) return "socket";
  if (rung) return "pushed";
  if (mode === "parked") return "parked";
  if (inboxAt !== undefined) return "inbox";
  return mode === "lagging" ? "retrying" : "waiting";
}

/** [TR-3] As the sender may see it: reading shows as far as receipts show it. */
function memberSeen(viewer: Viewer, { contactsReadAt, readAt: openReadAt, ...traced }: RawTraced): TracedMember {
  const contact = viewer.isContact(traced.userId);
  const theirs = contact ? contactsReadAt : openReadAt;
  const readAt = mayShow("everyone", viewer.readReceipts, contact) ? theirs : undefined;
  if (readAt !== undefined) return { ...traced, state: "read", readAt };
  return traced.deliveredAt === undefined ? traced : { ...traced, state: "delivered" };
}

export function traceSeen(viewer: Viewer, { crowd: _, members, ...trace }: RawTrace): Trace {
  return { ...trace, members: members.map((member) => memberSeen(viewer, member)) };
}

/** [RC-10] Who has it and since when; above a number of members only how many. */
export function receiptsSeen(viewer: Viewer, { seq, crowd, members }: RawTrace): EventReceipts {
  const seen = members.map((member) => memberSeen(viewer, member));
  const counts = {
    seq,
    memberCount: seen.length,
    deliveredCount: seen.filter(({ deliveredAt }) => deliveredAt !== undefined).length,
    readCount: seen.filter(({ readAt }) => readAt !== undefined).length,
  };
  if (crowd) return counts;
  const named = seen.map(({ userId, deliveredAt, readAt }) => ({
    userId,
    ...(deliveredAt === undefined ? {} : { deliveredAt }),
    ...(readAt === undefined ? {} : { readAt }),
  }));
  return { ...counts, members: named };
}
