import type { ServerFrame } from "../protocol/frames.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import { TIMES } from "../protocol/limits.ts";
import type { Presence, Self, Shed } from "../protocol/states.ts";

/** How long an overloaded server is taken at its word. Ms. */
const SHED_MS = 60_000;

type Typing = { readonly conversationId: ConversationId; readonly userId: UserId; readonly until: number };

/** [CL-30] What is true for a moment: nothing of it is stored, and all of it ends with the socket. Times as those of a `Turn`. */
export type Live = {
  readonly typing: readonly Typing[];
  /** Of those who are watched, as far as the server told. */
  readonly presence: readonly Presence[];
  /** What the server leaves out just now. */
  readonly shed: readonly Shed[];
  readonly shedUntil: number;
  /** My profile, once another device of mine has changed it. */
  readonly profile: Self | null;
};
const NEVER = Number.POSITIVE_INFINITY;
export const NOTHING_LIVE: Live = { typing: [], presence: [], shed: [], shedUntil: NEVER, profile: null };

/** What a frame says of the moment; most say nothing of it. */
export function hearLive(live: Live, frame: ServerFrame, time: number): Live {
  switch (frame.type) {
    case "typing":
      return hearTyping(live, frame, time);
    case "events": // what was being typed has come
      return frame.events.reduce((next, { senderId }) => without(next, frame.conversationId, senderId), live);
    case "presence":
      return { ...live, presence: [...live.presence.filter((old) => !frame.users.some(isOf(old))), ...frame.users] };
    case "degraded":
      return { ...live, shed: frame.shed, shedUntil: frame.shed.length > 0 ? time + SHED_MS : NEVER };
    case "self":
      return frame.profile ? { ...live, profile: frame.profile } : live;
    default:
      return live;
  }
}

type TypingFrame = Extract<ServerFrame, { type: "typing" }>;
function hearTyping(live: Live, { conversationId, userId, active }: TypingFrame, time: number): Live {
  const others = without(live, conversationId, userId);
  if (!active) return others;
  return { ...others, typing: [...others.typing, { conversationId, userId, until: time + TIMES.typingMs }] };
}

function without(live: Live, id: ConversationId, userId: UserId): Live {
  const typing = live.typing.filter((other) => other.conversationId !== id || other.userId !== userId);
  return typing.length < live.typing.length ? { ...live, typing } : live;
}

const isOf =
  (one: Presence) =>
  ({ userId }: Presence): boolean =>
    userId === one.userId;

/** Whoever is not watched any more is not known to be online. [CL-32] */
export const presenceOf = (live: Live, watched: readonly UserId[]): Live => ({
  ...live,
  presence: live.presence.filter(({ userId }) => watched.includes(userId)),
});

/** What has not ended by this time. [CL-30] */
export function expire(live: Live, time: number): Live {
  if (liveUntil(live) > time) return live;
  const typing = live.typing.filter(({ until }) => until > time);
  return live.shedUntil > time ? { ...live, typing } : { ...live, typing, shed: [], shedUntil: NEVER };
}

/** When the next of it ends by itself; infinite: nothing does. */
export const liveUntil = ({ typing, shedUntil }: Live): number =>
  Math.min(shedUntil, ...typing.map(({ until }) => until));
