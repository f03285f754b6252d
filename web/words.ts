import type { UserId } from "./wire.ts";

/** A piece of a message's text. Nothing of a message is ever markup: each piece becomes a text node, a link becomes an `<a>` around one. */
export type Piece =
  | { is: "text"; text: string }
  | { is: "link"; text: string; href: string }
  | { is: "mention"; text: string; me: boolean };
/** Whom the message mentions, by the name that is written after the `@`. */
export type Mentioned = { name: string; me: boolean };

/** An address, up to what never belongs to one: spaces, quotes, brackets of markup, and marks that turn the direction of what follows. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giu;
/** What ends a sentence, not an address. */
const TRAILING = /[.,;:!?…»”’*_~]+$/u;

/** [AP-6] Links in a text, to http and https alone, and the people it mentions. */
export function piecesOf(text: string, mentioned: readonly Mentioned[] = []): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const found = trimmed(match[0]);
    const href = hrefOf(found);
    if (href === null) continue;
    pieces.push(...mentionsIn(text.slice(at, match.index), mentioned), { is: "link", text: found, href });
    at = match.index + found.length;
  }
  return [...pieces, ...mentionsIn(text.slice(at), mentioned)];
}

/** Without what closes the sentence or the bracket around it. */
function trimmed(address: string): string {
  const cut = address.replace(TRAILING, "");
  const closes = /[)\]}]$/.exec(cut)?.[0];
  if (closes === undefined) return cut;
  const opens = { ")": "(", "]": "[", "}": "{" }[closes] ?? "";
  return cut.split(opens).length < cut.split(closes).length ? trimmed(cut.slice(0, -1)) : cut;
}

/** Null for what is none, and for what names somebody before its host: `https://bank.example@elsewhere.example` leads elsewhere. */
function hrefOf(address: string): string | null {
  const url = URL.parse(address);
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:")) return null;
  return url.username === "" && url.password === "" ? url.href : null;
}

function mentionsIn(text: string, mentioned: readonly Mentioned[]): Piece[] {
  if (text === "") return [];
  const names = mentioned.map(({ name }) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  if (names.length === 0) return [{ is: "text", text }];
  const longestFirst = names.toSorted((a, b) => b.length - a.length).join("|");
  return text
    .split(new RegExp(String.raw`((?<![\w@.])@(?:${longestFirst})(?![\w-]|\.\w))`, "u"))
    .filter((part) => part !== "")
    .map((part): Piece => {
      const who = mentioned.find(({ name }) => part === `@${name}`);
      return who ? { is: "mention", text: part, me: who.me } : { is: "text", text: part };
    });
}

/** A name as it may stand beside other words: without marks that turn the direction of what follows, and breaks. [AP-6] */
export const plainName = (name: string): string =>
  name.replaceAll(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Cc}]/gu, "");

/** [AP-51] What somebody is called, as it may stand beside other words. Of those who have erased themselves there is none. */
export const nameOf = ({ handle, displayName }: { handle: string; displayName: string }): string =>
  handle === "" ? "" : plainName(displayName).trim() || handle;

/** What is being written after an `@` up to the caret, and where that begins; null: nothing is. */
export function mentionAt(text: string, caret: number): { from: number; query: string } | null {
  const found = /(?:^|\s)@([\w.-]*)$/u.exec(text.slice(0, caret));
  return found ? { from: caret - (found[1] ?? "").length - 1, query: (found[1] ?? "").toLowerCase() } : null;
}

/** Those of these people whom the text mentions. */
export const mentionsOf = (text: string, people: readonly { userId: UserId; name: string }[]): UserId[] =>
  people
    .filter(({ name, userId }) => piecesOf(text, [{ name, me: false }]).some(({ is }) => is === "mention") && userId)
    .map(({ userId }) => userId);
