import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Found,
  fold,
  formatKey,
  indexQuery,
  type Key,
  merge,
  newestFirst,
  parseKey,
  placeOf,
  snippetOf,
} from "../../src/domain/searching.ts";
import { ConversationId } from "../../src/protocol/ids.ts";
import { always } from "../property.ts";

const ids = ["d", "g"].flatMap((kind) => ["0", "A", "Z"].map((digit) => ConversationId.parse(kind + digit.repeat(26))));
const key = fc.record(
  { receivedAt: fc.nat(6), conversationId: fc.constantFrom(...ids), seq: fc.integer({ min: 1, max: 4 }) },
  { noNullPrototype: true },
);

test("[SE-2] pages over several searches hold every hit once, newest first, however each search was cut", () => {
  const lists = fc.array(fc.uniqueArray(key, { selector: formatKey, maxLength: 12 }), { maxLength: 4 });
  always(
    fc.property(lists, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), (all, limit, cut) => {
      const sorted = all.map((hits) => hits.toSorted(newestFirst));
      const after = (before: Key | null): Found<Key>[] =>
        sorted.map((hits) => {
          const left = hits.filter((hit) => !before || newestFirst(before, hit) < 0);
          return { hits: left.slice(0, cut), through: left.length > cut ? (left[cut - 1] ?? null) : null };
        });
      const found: Key[] = [];
      let next: Key | null = null;
      do {
        const page: { hits: Key[]; next: Key | null } = merge(after(next), limit);
        expect(page.hits.length).toBeLessThanOrEqual(limit);
        found.push(...page.hits);
        next = page.next;
      } while (next);
      const expected = [...new Map(sorted.flat().map((hit) => [formatKey(hit), hit])).values()].toSorted(newestFirst);
      expect(found).toEqual(expected);
    }),
  );
});

test("[SE-2] a cursor is the key it was made of; nothing else is one", () => {
  always(fc.property(key, (one) => void expect(parseKey(formatKey(one))).toEqual(one)));
  always(fc.property(fc.string(), (text) => void expect(parseKey(text)).toBeNull()));
});

test("[SE-3] folded words are found in a text that holds them in any case, and stay as they are when folded again", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 40 });
  always(
    fc.property(text, text, text, (before, words, after) => {
      expect(fold(fold(words))).toBe(fold(words));
      const shown = snippetOf(`${before} ${words} ${after}`, fold(words));
      expect(shown === null).toBe(!fold(`${before} ${words} ${after}`).includes(fold(words)));
      if (shown && words !== "") expect(fold(shown.text.slice(shown.from, shown.to))).toContain(fold(words));
    }),
  );
});

test("[SE-3] every character that has a case stays as it is when folded again", () => {
  const unstable: string[] = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    const char = String.fromCodePoint(code);
    if (char === char.toLowerCase() && char === char.toUpperCase()) continue;
    const folded = fold(char);
    if (fold(folded) !== folded) unstable.push(char);
  }
  expect(unstable).toEqual([]);
  expect(["STRASSE", "Straße", "STRAẞE"].map(fold)).toEqual(["strasse", "strasse", "strasse"]);
});

test("[SE-4] one or two characters are too few for the index", () => {
  expect([indexQuery("ab"), indexQuery("你好"), indexQuery("👍🏽")]).toEqual([null, null, null]);
  expect(indexQuery('a"b')).toBe('"a""b"');
  expect(indexQuery("abcabc")).toBe('"abc" AND "bca" AND "cab"');
});

test("[SE-9] a snippet is no longer than the words and 122 characters", () => {
  always(
    fc.property(
      fc.string({ maxLength: 300 }),
      fc.string({ minLength: 1, maxLength: 10 }),
      fc.string({ maxLength: 300 }),
      (a, b, c) => {
        const shown = snippetOf(a + b + c, fold(b));
        if (shown) expect(Array.from(shown.text).length).toBeLessThanOrEqual(122 + Array.from(fold(b)).length);
      },
    ),
  );
});

test("a place is 43 bits of the id", () => {
  expect(placeOf(ids[0] as ConversationId)).toBe(0);
  expect(placeOf(ConversationId.parse(`d${"Z".repeat(26)}`))).toBe(2 ** 43 - 1);
});
