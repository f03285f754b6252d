import { textOf } from "../../../src/domain/life.ts";
import type { Event, MessageEvent } from "../../../src/protocol/events.ts";
import { canonical } from "./log.ts";
import type { Acked, Wish } from "./outbox.ts";

/** A copy of a conversation's log that somebody saw: a device, or a walk through the history door. */
export type Sight = { who: string; conversationId: string; floor: number; events: readonly Event[] };
/** Everything the clients know about a run. */
export type Facts = {
  sights: readonly Sight[];
  /** The heads that the server told at the end. */
  heads: ReadonlyMap<string, number>;
  acked: readonly (Acked & { deviceId: string })[];
  /** Wishes that were never acked; they may be in the log once, or not. */
  unacked: readonly (Wish & { deviceId: string })[];
};

/** Judges a run by what its clients saw. Each line is a broken promise; none, and the promises held. Pure. */
export function checkHistory(facts: Facts): string[] {
  const logs = referenceLogs(facts.sights);
  const faults = facts.sights.flatMap((sight) => checkSight(sight, logs, facts.heads));
  const messages = [...logs.values()].flat().filter((event) => event.kind === "message");
  return [
    ...faults,
    ...facts.acked.flatMap((wish) => checkAcked(wish, logs)),
    ...checkOnce(messages),
    ...checkWished(messages, facts),
    ...checkOrder(messages),
    ...[...logs.values()].flat().flatMap(checkTimes),
  ];
}

/** One log a conversation: by seq, the first sight of each event. */
function referenceLogs(sights: readonly Sight[]): Map<string, Event[]> {
  const logs = new Map<string, Event[]>();
  for (const { conversationId, events } of sights) {
    const log = logs.get(conversationId) ?? [];
    for (const event of events) log[event.seq - 1] ??= event;
    logs.set(conversationId, log);
  }
  return logs;
}

/** [CR-2] [CR-3] Gapless to the head, and the same for everybody. */
function checkSight(sight: Sight, logs: Map<string, Event[]>, heads: ReadonlyMap<string, number>): string[] {
  const { who, conversationId, floor, events } = sight;
  const faults: string[] = [];
  const log = logs.get(conversationId) ?? [];
  events.forEach((event, i) => {
    const what = `${who} ${conversationId} seq ${event.seq}`;
    if (event.seq !== floor + i) faults.push(`${what}: stands at place ${floor + i}`);
    if (event.conversationId !== conversationId) faults.push(`${what}: belongs to ${event.conversationId}`);
    if (canonical(event) !== canonical(log[event.seq - 1])) faults.push(`${what}: differs from another's sight`);
  });
  const head = heads.get(conversationId) ?? 0;
  const held = floor - 1 + events.length;
  return held === head ? faults : [...faults, `${who} ${conversationId}: holds up to ${held}, the head is ${head}`];
}

/** [CR-1] What was acked is there, where and as it was acked. */
function checkAcked({ ack, ...wish }: Facts["acked"][number], logs: Map<string, Event[]>): string[] {
  const event = logs.get(wish.conversationId)?.[ack.seq - 1];
  const what = `acked ${wish.text} at ${wish.conversationId} seq ${ack.seq}`;
  if (event?.kind !== "message") return [`${what}: is not there`];
  const { duplicate: _, ...envelope } = ack;
  const { deviceId, composedAt } = wish;
  const expected = {
    ...envelope,
    deviceId,
    composedAt,
    idempotencyKey: wish.key,
    content: { type: "text", text: wish.text },
  };
  return canonical({ ...event, ...expected }) === canonical(event) ? [] : [`${what}: is ${canonical(event)}`];
}

/** [CR-4] No key and no wish is in the log twice; the load gives each wish a text of its own. */
function checkOnce(messages: readonly MessageEvent[]): string[] {
  const seen = new Map<string, number>();
  return messages.flatMap(({ conversationId, seq, deviceId, idempotencyKey, content }) =>
    [`key ${deviceId} ${idempotencyKey}`, `text ${conversationId} ${textOf(content)}`].flatMap((what) => {
      const before = seen.get(what);
      seen.set(what, seq);
      return before === undefined ? [] : [`${conversationId} ${what}: at ${before} and at ${seq}`];
    }),
  );
}

/** [CR-4] Nothing is in the log that nobody wished for. */
function checkWished(messages: readonly MessageEvent[], { acked, unacked }: Facts): string[] {
  const wished = new Set([...acked, ...unacked].map((w) => `${w.conversationId} ${w.deviceId} ${w.text}`));
  return messages
    .filter((m) => !wished.has(`${m.conversationId} ${m.deviceId} ${textOf(m.content)}`))
    .map((m) => `${m.conversationId} seq ${m.seq}: nobody wished for ${textOf(m.content)}`);
}

/** [CR-5] One device's keys rise along the log. */
function checkOrder(messages: readonly MessageEvent[]): string[] {
  const newest = new Map<string, string>();
  return messages.flatMap(({ conversationId, seq, deviceId, idempotencyKey }) => {
    const chain = `${conversationId} ${deviceId}`;
    const before = newest.get(chain) ?? "";
    newest.set(chain, idempotencyKey);
    return idempotencyKey > before ? [] : [`${chain} seq ${seq}: key ${idempotencyKey} after ${before}`];
  });
}

/** [CR-6] The three times agree. */
function checkTimes(event: Event): string[] {
  const { conversationId, seq, receivedAt, occurredAt } = event;
  const meant = event.kind === "message" ? event.composedAt + (receivedAt - event.sentAt) : receivedAt;
  const expected = Math.min(receivedAt, meant);
  return occurredAt === expected ? [] : [`${conversationId} seq ${seq}: occurred at ${occurredAt}, not ${expected}`];
}
