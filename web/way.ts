import { exact } from "./clock.ts";
import type { EventReceipts, Trace, TracedMember, UserId } from "./wire.ts";

type Person = { userId: UserId; at: number | null };
export type Group = { title: string; people: Person[] };

/** Who has read it, who has only received it, and who has not; the latest first. Empty groups are left out. */
export function receiptGroups({ members = [] }: EventReceipts): Group[] {
  const newestFirst = (a: Person, b: Person) => (b.at ?? 0) - (a.at ?? 0);
  const group = (title: string, people: (Person | null)[]): Group => ({
    title,
    people: people.filter((person) => person !== null).sort(newestFirst),
  });
  return [
    group(
      "Read by",
      members.map(({ userId, readAt }) => (readAt === undefined ? null : { userId, at: readAt })),
    ),
    group(
      "Delivered to",
      members.map(({ userId, readAt, deliveredAt }) =>
        readAt !== undefined || deliveredAt === undefined ? null : { userId, at: deliveredAt },
      ),
    ),
    group(
      "Not delivered yet",
      members.map(({ userId, readAt, deliveredAt }) =>
        readAt !== undefined || deliveredAt !== undefined ? null : { userId, at: null },
      ),
    ),
  ].filter(({ people }) => people.length > 0);
}

export const countsText = ({ memberCount, deliveredCount, readCount }: EventReceipts): string =>
  `Delivered to ${deliveredCount} and read by ${readCount} of ${memberCount}`;

const STATE: Record<TracedMember["state"], string> = {
  waiting: "is waiting to be told",
  retrying: "could not be reached; it is tried again",
  parked: "has no device there: it waits for them",
  inbox: "has it in the inbox; no device has taken it",
  pushed: "was sent a push",
  socket: "was sent it; no device has confirmed it",
  delivered: "has it on a device",
  read: "has read it",
};

/** `userId` null: the server itself. */
export type Line = { userId: UserId | null; state: string; steps: string[] };

/** The way of an event, a line for the server and one for each member. */
export function traceLines({ appendedAt, inHistory, members }: Trace): Line[] {
  const kept = inHistory ? "kept it and has put it into history" : "kept it; history comes later";
  return [
    { userId: null, state: kept, steps: [`appended ${exact(appendedAt)}`] },
    ...members.map((member) => ({ userId: member.userId, state: STATE[member.state], steps: stepsOf(member) })),
  ];
}

function stepsOf(member: TracedMember): string[] {
  const times = [
    ["inbox", member.inboxAt],
    ["socket", member.socketAt],
    ["delivered", member.deliveredAt],
    ["read", member.readAt],
    ["next try", member.retryAt],
  ] as const;
  const known = times.flatMap(([what, at]) => (at === undefined ? [] : [`${what}\u00a0${exact(at)}`]));
  const pushes = member.pushes.map(({ at, provider, answer }) => `push by ${provider} answered ${answer} ${exact(at)}`);
  const failures = member.failures ? [`${member.failures} calls failed`] : [];
  return [known.join(" · "), ...pushes, ...failures].filter((step) => step !== "");
}
