import { edited, isShownRung, mentionsOf } from "../domain/life.ts";
import { lineOf } from "../domain/media.ts";
import { canSee, isBlocking, isOpened, type Membership } from "../domain/membership.ts";
import type { Bell, Silence } from "../domain/ringing.ts";
import { standing } from "../domain/trail.ts";
import type { MessageEvent } from "../protocol/events.ts";
import type { UserId } from "../protocol/ids.ts";
import type { ConversationState } from "./conversation-state.ts";

/** What to ring a member with for the events of a range; null when nobody else said anything there. */
export function bellFor(state: ConversationState, userId: UserId, from: number, to: number): Bell | null {
  const member = state.roster.get(userId);
  if (!member || isBlocking(member)) return null; // [BL-2]
  const isNews = ({ seq }: MessageEvent) => canSee(member, seq) && !isOpened(member, seq); // [GR-14]
  const messages = state.recent.messagesOfOthers(userId, from, to).filter(isNews);
  const newest = messages.at(-1);
  if (!newest) return null;
  const { seq, senderId, expiresAt } = newest;
  const content = contentFor(state, member, newest);
  const { title } = state.facts;
  const mentioned = messages.some((message) => mentionsOf(message.content).includes(userId));
  const bell = { seq, senderId, unread: state.unread(member), mentioned };
  const text = content.type === "gone" ? undefined : lineOf(content); // [MD-14]
  const told = { ...(text === undefined ? {} : { text }), ...(title === undefined ? {} : { title }) };
  return { ...bell, ...told, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

/** [LM-23] What the message shows this member now. Its edits lie behind it, and behind most messages there is nothing yet. */
function contentFor(
  state: ConversationState,
  member: Membership,
  { seq, content }: MessageEvent,
): MessageEvent["content"] {
  if (content.type === "gone" || seq === state.head) return content;
  const edit = state.store.log.editsOf(seq).findLast((one) => canSee(member, one.seq))?.content;
  return edit === undefined || edit.type === "gone" ? content : edited(content, edit);
}

/** [LM-9] What a member's notification is to be taken down for: a recall among the events of a range. */
export function silenceFor(state: ConversationState, userId: UserId, from: number, to: number): Silence | null {
  const member = state.roster.get(userId);
  if (!member || !mayBeShown(state, userId)) return null;
  const recalls = state.recent.recalls(from, to).filter(({ seq }) => canSee(member, seq));
  const trail = state.trail(userId);
  const [rung, read] = [standing(trail, "rung"), standing(trail, "read")];
  const erased = state.store.erasures
    .erasures(from, to)
    .map((id) => state.store.erasures.newestGone(id, read + 1, rung)); // [ER-9]
  return silenceOf(state, member, [...recalls.map(({ targetSeq }) => targetSeq), ...erased]);
}

/** Whether something that rang is still to be read. */
export function mayBeShown(state: ConversationState, userId: UserId): boolean {
  const trail = state.trail(userId);
  return standing(trail, "rung") > standing(trail, "read");
}

/** [LM-9] [LM-18] What a member's notification is to be taken down for, when these messages are gone. */
export function silenceOf(state: ConversationState, member: Membership, gone: readonly number[]): Silence | null {
  const trail = state.trail(member.userId);
  const [rung, read] = [standing(trail, "rung"), standing(trail, "read")];
  const newest = state.store.log.newestOfOthers(member.userId, read + 1, rung);
  const seq = gone.find((one) => canSee(member, one) && isShownRung(one, { rung, read, newest }));
  return seq === undefined ? null : { seq, unread: state.unread(member) };
}
