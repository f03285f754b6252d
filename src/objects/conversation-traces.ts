import { canSee, currentMembers, isCurrent, isHidden, isOpened, type Membership } from "../domain/membership.ts";
import { isWithin } from "../domain/spans.ts";
import { type RawTrace, type RawTraced, traceState } from "../domain/tracing.ts";
import { passedAt } from "../domain/trail.ts";
import { Event } from "../protocol/events.ts";
import type { UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { ConversationState } from "./conversation-state.ts";
import { memberOf } from "./conversation-views.ts";
import type { Fanout } from "./fanout.ts";
import type { Outcome } from "./rpc.ts";

/** [TR-1] How one event has come to each member whom it was for; its sender alone may ask. */
export function traceOf(
  state: ConversationState | undefined,
  fanout: Fanout,
  userId: UserId,
  seq: number,
): Outcome<RawTrace> {
  const found = memberOf(state, userId);
  if (!found.ok) return found;
  const { member, state: known } = found.value;
  if (!isCurrent(member)) return refuse("not_member");
  const [body] = seq <= known.head && canSee(member, seq) ? known.recent.bodies(seq, seq) : [];
  if (body === undefined) return refuse("not_found");
  const event = Event.parse(JSON.parse(body));
  if (event.senderId !== userId) return refuse("forbidden", "only its sender may ask");
  const others = currentMembers(known.roster).filter((m) => m.userId !== userId && wasFor(m, seq));
  return ok({
    seq,
    appendedAt: event.receivedAt,
    inHistory: known.checkpoint.shipped >= seq,
    crowd: known.isCrowd,
    members: others.map((m) => memberTrace(known, fanout, m, seq)),
  });
}

/** Also for who blocks its sender [BL-4], and who has taken it from their own sight since [LM-28]. */
const wasFor = (m: Membership, seq: number): boolean => !isOpened(m, seq) && isWithin(m.spans, seq); // [GR-14]

function memberTrace(state: ConversationState, fanout: Fanout, member: Membership, seq: number): RawTraced {
  const { userId } = member;
  if (isHidden(member, seq)) return { userId, state: "parked", pushes: [] };
  const trail = state.trail(userId);
  const at = (mark: Parameters<typeof passedAt>[1]) => passedAt(trail, mark, seq);
  const delivery = fanout.stateOf(userId);
  const pushes = state.checkpoint.pushes
    .filter((report) => report.userId === userId && report.seq >= seq)
    .map(({ userId: _, ...push }) => push);
  const times = {
    inboxAt: at("inbox"),
    socketAt: at("socket"),
    deliveredAt: at("delivered"),
    readAt: at("shownRead"),
    contactsReadAt: at("contactsRead"),
  };
  const lags = delivery?.mode === "lagging" ? { failures: delivery.failures, retryAt: delivery.retryAt } : {};
  return {
    userId,
    state: traceState({ ...times, rung: at("rung") !== undefined, mode: delivery?.mode ?? "idle" }),
    ...happened(times),
    pushes,
    ...lags,
  };
}

/** Without what has not happened. */
const happened = <T extends Record<string, number | undefined>>(times: T): { [K in keyof T]?: number } =>
  Object.fromEntries(Object.entries(times).filter(([, at]) => at !== undefined)) as { [K in keyof T]?: number };
