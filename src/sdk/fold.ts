import { edited, isGone, tombstoneOf } from "../domain/life.ts";
import { lineOf } from "../domain/media.ts";
import type { EditEvent, EditedContent, Event, GoneContent, MessageEvent, Wish } from "../protocol/events.ts";
import type { UserId } from "../protocol/ids.ts";
import { groupBy } from "./group-by.ts";

/** What a person sees, from what lies in the log. Pure, so that every device that holds the same events shows the same. */

export type Reaction = { readonly emoji: string; readonly userIds: readonly UserId[] };
export type Line =
  | {
      readonly is: "message";
      readonly event: MessageEvent;
      /** As last edited. */
      readonly content: MessageEvent["content"];
      readonly edited: boolean;
      /** In the order in which each emoji first came. */
      readonly reactions: readonly Reaction[];
    }
  | { readonly is: "note"; readonly event: Extract<Event, { kind: "member" | "settings" }> };

type Message = {
  event: MessageEvent;
  content: MessageEvent["content"];
  edited: boolean;
  reactions: Map<UserId, string>;
};
/** `wishes`: mine that are on their way; they show as if they had come. `now`: epoch ms by the server's clock. */
type View = { me: UserId; wishes: readonly Wish[]; now: number };

/** [LM-11] The lines of a conversation, oldest first. What is said of a message that I may not see shows nothing. */
export function timelineOf(events: readonly Event[], { me, wishes, now }: View): Line[] {
  const erased = erasedIn(events);
  const lines: (Message | Extract<Line, { is: "note" }>)[] = [];
  const bySeq = new Map<number, Message>();
  for (const event of events) {
    if (event.kind === "message") {
      const isErased = erased.has(event.senderId) && !isGone(event.content); // [ER-9]
      const content = isErased ? goneBy("recalled") : contentAt(event, now);
      const message = { event, content, edited: false, reactions: new Map() };
      bySeq.set(event.seq, message);
      lines.push(message);
    } else if (event.kind === "member" || event.kind === "settings") lines.push({ is: "note", event });
    else if (event.kind !== "reaction" || !erased.has(event.senderId))
      apply(bySeq.get(event.targetSeq), event.senderId, event);
  }
  for (const wish of wishes) if (wish.kind !== "message") apply(bySeq.get(wish.targetSeq), me, wish);
  return lines.map((line) => ("is" in line ? line : shown(line)));
}

/** Whose words are gone, all of them: nobody writes anything after the event that says so. */
const erasedIn = (events: readonly Event[]): ReadonlySet<UserId> =>
  new Set(events.flatMap((event) => (event.kind === "member" && event.erased ? [event.userId] : [])));

/** [LM-12] Hidden on time, also where nobody can be asked. */
const contentAt = ({ content, expiresAt }: MessageEvent, now: number): MessageEvent["content"] =>
  !isGone(content) && expiresAt !== undefined && expiresAt <= now ? goneBy("expired") : content;
const goneBy = (because: GoneContent["because"]): GoneContent => ({ type: "gone", because });

type Late = Exclude<Extract<Event, { targetSeq: number }> | Wish, { kind: "message" }>;

function apply(message: Message | undefined, by: UserId, late: Late): void {
  if (!message || isGone(message.content)) return;
  if (late.kind === "recall") message.content = goneBy("recalled");
  if (late.kind === "edit" && late.content.type !== "gone") edit(message, late.content);
  if (late.kind !== "reaction") return;
  message.reactions.delete(by); // [LM-10] one a member; the order is that of the last choices
  if (late.emoji !== null) message.reactions.set(by, late.emoji);
}

function edit(message: Message, content: EditedContent): void {
  if (message.content.type === "gone") return;
  message.content = edited(message.content, content);
  message.edited = true;
}

function shown({ event, content, edited, reactions }: Message): Line {
  const isGone = content.type === "gone";
  return { is: "message", event, content, edited: edited && !isGone, reactions: isGone ? [] : grouped(reactions) };
}

function grouped(reactions: ReadonlyMap<UserId, string>): Reaction[] {
  const byEmoji = groupBy(reactions, ([, emoji]) => emoji);
  return [...byEmoji].map(([emoji, by]) => ({ emoji, userIds: by.map(([userId]) => userId) }));
}

/** Whether a person who has not read it has something to read. `now`: epoch ms by the server's clock. */
export const isReadable = (event: Event, now: number): event is MessageEvent =>
  event.kind === "message" && contentAt(event, now).type !== "gone";

/** The words of a line, where it has any. */
export const wordsOf = (line: Line): string | undefined =>
  line.is === "message" && line.content.type !== "gone" ? lineOf(line.content) : undefined;

/** When the next of these disappears by its own time; infinite: none does. `now`: as for `timelineOf`. */
export function nextExpiry(events: readonly Event[], now: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const event of events)
    if (event.kind === "message" && event.expiresAt !== undefined && event.expiresAt > now)
      next = Math.min(next, event.expiresAt);
  return next;
}

/** When a message's content goes: at its own time, or at the deployer's (`keepMs`); infinite: never. Epoch ms by the server's clock. */
export const expiryOfHeld = ({ expiresAt, receivedAt }: MessageEvent | EditEvent, keepMs: number): number =>
  Math.min(expiresAt ?? Number.POSITIVE_INFINITY, receivedAt + keepMs); // [LM-17]

/** `now`: epoch ms by the server's clock; null: nobody knows. `unheard`: [LM-19] what was recalled by events that are not mine to see. */
type By = { now: number | null; keepMs: number; unheard: readonly number[] };

/**
 * [LM-12] The tombstones that a device puts in the place of what it holds, as the server does: of what was recalled, of what has expired,
 * and of their edits; and of all that people wrote who were erased.
 */
export function tombstonesOf(events: readonly Event[], by: By): Event[] {
  const erased = erasedIn(events);
  const recalled = new Set(by.unheard);
  for (const event of events) if (event.kind === "recall") recalled.add(event.targetSeq);
  const gone = new Map<number, GoneContent["because"]>();
  const tombstones: Event[] = [];
  for (const event of events) {
    if (event.kind === "message") {
      const isErased = erased.has(event.senderId) && !isGone(event.content);
      const because = isErased ? "recalled" : becauseOf(event, recalled, by);
      if (because) gone.set(event.seq, because);
      if (because && !isGone(event.content)) tombstones.push(tombstoneOf(event, because));
    }
    if (event.kind === "reaction" && event.emoji !== null && erased.has(event.senderId))
      tombstones.push({ ...event, emoji: null }); // [ER-9]
    if (event.kind !== "edit" || isGone(event.content)) continue;
    const isOver = by.now !== null && expiryOfHeld(event, by.keepMs) <= by.now;
    const isTaken = recalled.has(event.targetSeq) || erased.has(event.senderId);
    const alone = isTaken ? "recalled" : isOver ? "expired" : undefined;
    const because = gone.get(event.targetSeq) ?? alone;
    if (because) tombstones.push(tombstoneOf(event, because));
  }
  return tombstones;
}

function becauseOf(event: MessageEvent, recalled: ReadonlySet<number>, { now, keepMs }: By) {
  if (isGone(event.content) && event.content.type === "gone") return event.content.because;
  if (recalled.has(event.seq)) return "recalled";
  return now !== null && expiryOfHeld(event, keepMs) <= now ? "expired" : undefined;
}

/** What is said in `kept` of the messages of a window that lies before it. */
export function laterThan(window: readonly Event[], kept: readonly Event[]): Event[] {
  const seqs = new Set(window.map(({ seq }) => seq));
  return kept.filter((event) => "targetSeq" in event && seqs.has(event.targetSeq) && !seqs.has(event.seq));
}
