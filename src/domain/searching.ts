import { ConversationId } from "../protocol/ids.ts";

/** Seqs that share one entry of the index. */
export const CHUNK = 32;
/** The index takes words of three characters or more apart. */
const GRAM = 3;
/** Trigrams asked of the index; the rows themselves decide. */
const GRAMS_ASKED = 32;
/** What a snippet shows before and after the words that were found, in characters. */
const BEFORE = 40;
const AFTER = 80;

/** By the capitals, where ß is SS like ss; the capital ẞ has to come down before it can go up so. */
const foldOne = (char: string): string => char.toLowerCase().toUpperCase().toLowerCase();
const composed = (text: string): string => text.normalize("NFC").toWellFormed().replaceAll("\0", " ");

/** [SE-3] As search compares words: without case, in every script alike, and however accents were typed. */
export const fold = (text: string): string => Array.from(composed(text), foldOne).join("");

/**
 * [SE-3] [SE-4] What to ask the index for these folded words: all their trigrams, quoted, so that nothing in them is syntax. Null: too
 * short for it.
 */
export function indexQuery(folded: string): string | null {
  const chars = Array.from(folded);
  if (chars.length < GRAM) return null;
  const grams = chars.slice(GRAM - 1).map((_, i) => chars.slice(i, i + GRAM).join(""));
  return [...new Set(grams)]
    .slice(0, GRAMS_ASKED)
    .map((gram) => `"${gram.replaceAll('"', '""')}"`)
    .join(" AND ");
}

/** Where in the text the words stand. `from`, `to`: UTF-16 units of `text`. */
export type Snippet = { text: string; from: number; to: number };

/** [SE-9] The words with some of what stands around them; null where the text does not hold them. */
export function snippetOf(text: string, words: string): Snippet | null {
  const chars = Array.from(composed(text));
  const folded = chars.map(foldOne);
  const at = folded.join("").indexOf(words);
  if (at < 0) return null;
  const [first, last] = [charAt(folded, at), charAt(folded, at + words.length - 1)];
  const [start, end] = [Math.max(0, first - BEFORE), Math.min(chars.length, last + 1 + AFTER)];
  const piece = (from: number, to: number) => chars.slice(from, to).join("");
  const before = (start > 0 ? "…" : "") + piece(start, first);
  const found = piece(first, last + 1);
  const rest = piece(last + 1, end) + (end < chars.length ? "…" : "");
  return { text: before + found + rest, from: before.length, to: before.length + found.length };
}

/** Which of the characters holds this unit of what they are together. */
function charAt(chars: readonly string[], unit: number): number {
  let passed = 0;
  return chars.findIndex((char) => {
    passed += char.length;
    return passed > unit;
  });
}

/** Where a conversation's entries lie in the index: 43 bits of its id, which is a hash. */
export function placeOf(id: ConversationId): number {
  const digits = Array.from(id.slice(-9), (digit) => CROCKFORD.indexOf(digit));
  return digits.reduce((sum, digit) => sum * 32 + digit, 0) % 2 ** 43;
}
const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Where a hit stands among all hits: by time, and by id and seq among those of one moment. */
export type Key = { receivedAt: number; conversationId: ConversationId; seq: number };

/** [SE-2] Newest first. */
export function newestFirst(a: Key, b: Key): number {
  if (a.receivedAt !== b.receivedAt) return b.receivedAt - a.receivedAt;
  if (a.conversationId !== b.conversationId) return a.conversationId < b.conversationId ? 1 : -1;
  return b.seq - a.seq;
}

/** Hits, newest first; `through`: the last key up to which these are all there are; null: to the very end. */
export type Found<H extends Key> = { hits: readonly H[]; through: Key | null };

/**
 * [SE-2] What several searches found, as one: no further than each of them is complete, and at most `limit`. `next`: the key to go on
 * after; null when that was all.
 */
export function merge<H extends Key>(all: readonly Found<H>[], limit: number): { hits: H[]; next: Key | null } {
  const ends = all.flatMap(({ through }) => through ?? []).toSorted(newestFirst);
  const [end] = ends;
  const known = new Map<string, H>();
  for (const hit of all.flatMap(({ hits }) => hits))
    if (!end || newestFirst(hit, end) <= 0) known.set(formatKey(hit), hit);
  const sorted = [...known.values()].toSorted(newestFirst);
  if (sorted.length > limit) return { hits: sorted.slice(0, limit), next: sorted[limit - 1] ?? null };
  return { hits: sorted, next: end ?? null };
}

/** A key as a client holds it; null for one that is not ours. */
export const formatKey = ({ receivedAt, conversationId, seq }: Key): string => `${receivedAt}.${conversationId}.${seq}`;
export function parseKey(text: string): Key | null {
  const [receivedAt = "", id, seq = ""] = text.split(".");
  const conversationId = ConversationId.safeParse(id);
  if (!conversationId.success || ![receivedAt, seq].every((digits) => /^\d{1,15}$/.test(digits))) return null;
  const key = { receivedAt: Number(receivedAt), conversationId: conversationId.data, seq: Number(seq) };
  return formatKey(key) === text ? key : null;
}
/** Before every hit. */
export const NEWEST: Key = { receivedAt: Number.MAX_SAFE_INTEGER, conversationId: "" as ConversationId, seq: 0 };
