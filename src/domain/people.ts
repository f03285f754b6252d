import type { FoundPerson } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";

/** How people are found by name: words in, words out. */

/** Words by which one name is found: each is a row. And letters of one word that count. */
const WORDS = 12;
const WORD_LENGTH = 40;
/** What is shorter finds nobody by name, or there would be names to leaf through. */
const LETTERS = 3;
const SIGNS = 2;

/** Accents of Latin, Greek and Cyrillic; vowel signs of Hebrew and Arabic, which most leave out. */
const ACCENTS = /[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]/gu;
/** Letters with a stroke are no letter and an accent to Unicode, and are to people. */
const STROKES: Readonly<Record<string, string>> = { ø: "o", ł: "l", đ: "d", ħ: "h", ŧ: "t", ı: "i", æ: "ae", œ: "oe" };
/** Scripts that put no spaces between words. */
const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/** [PE-2] The words of a name or of a question, as they are compared: without case, accents, and whatever is no letter or digit. */
export function wordsOf(text: string): string[] {
  const bare = text.toWellFormed().normalize("NFKD").replaceAll(ACCENTS, "").normalize("NFC");
  const lower = bare.toLowerCase().toUpperCase().toLowerCase().normalize("NFC");
  const plain = Array.from(lower, (letter) => STROKES[letter] ?? letter).join("");
  const words = plain.split(/[^\p{L}\p{N}\p{M}]+/u).filter((word) => word !== "");
  return words.map((word) => Array.from(word).slice(0, WORD_LENGTH).join(""));
}

/** [PE-2] What a name is found by: the beginnings of these. Where no spaces are put, the given name may stand anywhere. */
export function nameWords(displayName: string): string[] {
  const words = wordsOf(displayName).flatMap((word) => (SPACELESS.test(word) ? endsOf(word) : [word]));
  return [...new Set(words)].slice(0, WORDS);
}

function endsOf(word: string): string[] {
  const signs = Array.from(word);
  return signs.map((_, i) => signs.slice(i).join(""));
}

const isLong = (word: string): boolean => Array.from(word).length >= (SPACELESS.test(word) ? SIGNS : LETTERS);

/**
 * `handle`: as a whole handle, and, with `prefix`, as the beginning of one. `words`: each begins a word of the name; `index`: the one to
 * look up. Null where the question is too short to be asked of people who are no contacts.
 */
export type PeopleQuestion = { handle: string; prefix: string | null; words: string[]; index: string | null };

/** [PE-5] What to ask for. */
export function questionOf(q: string): PeopleQuestion {
  const handle = q.trim().replace(/^@/, "").toLowerCase();
  const words = wordsOf(q).slice(0, WORDS);
  const [longest = ""] = words.toSorted((a, b) => b.length - a.length);
  return {
    handle,
    prefix: Array.from(handle).length >= LETTERS ? handle : null,
    words,
    index: isLong(longest) ? longest : null,
  };
}

type Hits = Record<"exact" | "contacts" | "prefix" | "named", readonly FoundPerson[]>;

/** [PE-1] The whole handle, my contacts, those whose handle begins so, those with such a name; everybody once, and not myself. */
export function rankPeople(hits: Hits, me: UserId, limit: number): FoundPerson[] {
  const found = new Map<UserId, FoundPerson>();
  for (const person of [hits.exact, hits.contacts, hits.prefix, hits.named].flat())
    if (person.userId !== me && !found.has(person.userId)) found.set(person.userId, person);
  return [...found.values()].slice(0, limit);
}
