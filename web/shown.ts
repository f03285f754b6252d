import { dayName } from "./clock.ts";
import { GONE } from "./phrases.ts";
import type { MessageRow, Row } from "./rows.ts";
import type { UserId } from "./wire.ts";
import type { Mentioned } from "./words.ts";

/** Messages of one person within this time stand together. Ms. */
const TOGETHER_MS = 5 * 60_000;

export type Quote = { seq: number; sender: string; text: string };
/** What stands above a row: a day begins, or what had not been read when the conversation was opened. */
type Above = { day: string; unread: number };
export type ShownMessage = MessageRow &
  Above & {
    /** The sender's name above the first of theirs in a group. */
    sender: string;
    /** Whose face stands beside it: the last of what one of the others says in one go in a group. */
    face: UserId | null;
    /** It begins or ends what one person says in one go. */
    first: boolean;
    last: boolean;
    quote: Quote | null;
    starred: boolean;
    mentioned: Mentioned[];
  };
export type ShownNote = Extract<Row, { is: "note" }> & Above & { note: string };
export type Shown = ShownMessage | ShownNote;

export type Speaking = {
  me: UserId;
  isGroup: boolean;
  now: number;
  /** What was new when the conversation was opened begins at this key; null: nothing. `count`: how much that is. */
  unreadFrom: { key: string; count: number } | null;
  /** The seqs of those that I have starred. */
  starred?: readonly number[];
  nameOf: (userId: UserId) => string;
  handleOf: (userId: UserId) => string;
  noteOf: (row: Extract<Row, { is: "note" }>) => string;
};

/** The last `count` rows as they stand on the screen: by days, by who speaks, with what each answers. */
export function shownRows(rows: readonly Row[], count: number, how: Speaking): Shown[] {
  const from = Math.max(0, rows.length - count);
  const told = gathered(rows.slice(from));
  const bySeq = new Map(rows.flatMap((row) => (row.is === "message" && row.seq !== null ? [[row.seq, row]] : [])));
  return told.map((row, i): Shown => {
    const [before, after] = [i === 0 ? rows[from - 1] : told[i - 1], told[i + 1]];
    const day = i > 0 && before && isSameDay(before, row) ? "" : dayName(row.at, how.now);
    const unread = how.unreadFrom?.key === row.key ? how.unreadFrom.count : 0;
    if (row.is === "note") return { ...row, day, unread, note: how.noteOf(row) };
    const first = day !== "" || unread > 0 || !isTogether(before, row);
    const last = !after || !isTogether(row, after) || !isSameDay(row, after);
    const sender = how.isGroup && !row.isMine && first ? how.nameOf(row.senderId) : "";
    return {
      ...row,
      day,
      unread,
      first,
      last,
      sender,
      face: how.isGroup && !row.isMine && last ? row.senderId : null,
      starred: row.seq !== null && how.starred?.includes(row.seq) === true,
      quote: quoteOf(row, bySeq, how),
      mentioned: mentionedIn(row, how),
    };
  });
}

const isSameDay = (a: Row, b: Row): boolean => new Date(a.at).toDateString() === new Date(b.at).toDateString();
const isTogether = (a: Row | undefined, b: Row): boolean =>
  a?.is === "message" && b.is === "message" && a.senderId === b.senderId && b.at - a.at < TOGETHER_MS;

/** [AP-50] Those whom one person brings in in one go are told in one line; it stands where the last of them came. */
function gathered(rows: readonly Row[]): Row[] {
  const told: Row[] = [];
  for (const row of rows) {
    const before = told.at(-1);
    if (before?.is !== "note" || row.is !== "note" || !isOneGo(before, row)) told.push(row);
    else
      told[told.length - 1] = {
        ...row,
        at: before.at,
        event: before.event,
        also: [...(before.also ?? []), ...brought(row)],
      };
  }
  return told;
}

type Note = Extract<Row, { is: "note" }>;
const isOneGo = (before: Note, row: Note): boolean =>
  before.event.senderId === row.event.senderId &&
  brought(before).length + brought(row).length === 2 &&
  row.at - before.at < TOGETHER_MS &&
  isSameDay(before, row);
/** Whom somebody else brought in; nobody, where the note is of something else. */
const brought = ({ event }: Note): UserId[] =>
  event.kind === "member" && event.change === "added" && event.userId !== event.senderId && !event.erased
    ? [event.userId]
    : [];

function quoteOf({ replyTo, gone }: MessageRow, bySeq: ReadonlyMap<number, MessageRow>, how: Speaking): Quote | null {
  if (replyTo === null || gone) return null;
  const answered = bySeq.get(replyTo);
  if (!answered) return { seq: replyTo, sender: "", text: "A message that is not here" };
  const sender = answered.isMine ? "You" : how.nameOf(answered.senderId);
  return { seq: replyTo, sender, text: (answered.gone ? GONE[answered.gone] : answered.text).slice(0, 200) };
}

const mentionedIn = ({ mentions }: MessageRow, { handleOf, me }: Speaking): Mentioned[] =>
  mentions.map((userId) => ({ name: handleOf(userId), me: userId === me }));
