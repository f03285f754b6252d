import fc from "fast-check";
import { expect, test } from "vitest";
import { nameWords, questionOf, rankPeople, wordsOf } from "../../src/domain/people.ts";
import type { FoundPerson } from "../../src/protocol/http.ts";
import type { UserId } from "../../src/protocol/ids.ts";
import { always } from "../property.ts";

test("[PE-2] words are compared without case and accents, in every script", () => {
  const same = (a: string, b: string) => expect(wordsOf(a)).toEqual(wordsOf(b));
  same("Zoë ÅNGSTRÖM", "zoe angstrom");
  same("Đặng Łukasz Ørsted", "dang lukasz orsted");
  same("STRAẞE Straße", "strasse strasse");
  same("İstanbul ıssız", "istanbul issiz");
  same("ΆΛΦΑ", "αλφα");
  same("Йосиф Ёлкин", "йосиф елкин");
  same("שָׁלוֹם", "שלום");
  same("مُحَمَّد", "محمد");
  same("Ａｄａ", "ada");
  expect(wordsOf("O'Brien-Smith, 3rd.")).toEqual(["o", "brien", "smith", "3rd"]);
  expect(wordsOf('" OR 1=1; -- %_*\0')).toEqual(["or", "1", "1"]);
  expect([wordsOf("🦊✨"), wordsOf("\ud800")]).toEqual([[], []]);
});

test("[PE-2] where no spaces are put, the given name is found, too", () => {
  expect(nameWords("王小明")).toEqual(["王小明", "小明", "明"]);
  expect(nameWords("김 민수")).toEqual(["김", "민수", "수"]);
  expect(nameWords("Ada ADA Lovelace")).toEqual(["ada", "lovelace"]);
});

test("[PE-2] [PE-7] a name has at most 12 words, whatever it is made of; asking for any of them, as a whole, finds them", () => {
  always(
    fc.property(fc.string({ unit: "binary", maxLength: 100 }), (name) => {
      const words = nameWords(name);
      expect(words.length).toBeLessThanOrEqual(12);
      for (const word of words) expect(wordsOf(word)).toEqual([word]);
    }),
  );
});

test("[PE-5] too few characters find a whole handle, and nobody by name or beginning", () => {
  expect(questionOf("@Ada")).toEqual({ handle: "ada", prefix: "ada", words: ["ada"], index: "ada" });
  expect(questionOf("ad")).toEqual({ handle: "ad", prefix: null, words: ["ad"], index: null });
  expect(questionOf("a b c d")).toMatchObject({ index: null });
  expect(questionOf("小")).toMatchObject({ prefix: null, index: null });
  expect(questionOf("小明")).toMatchObject({ prefix: null, index: "小明" });
  expect(questionOf("al lovelace")).toMatchObject({ words: ["al", "lovelace"], index: "lovelace" });
  expect(questionOf("%%%")).toMatchObject({ words: [], index: null });
});

test("[PE-1] the whole handle, contacts, beginnings of handles, names; everybody once, at most so many, and not oneself", () => {
  const one = (id: string): FoundPerson => ({ userId: id as UserId, handle: id, displayName: id, isContact: false });
  const hits = {
    exact: [one("a")],
    contacts: [one("c"), one("me")],
    prefix: [one("a"), one("p"), one("c")],
    named: [one("n"), one("p"), one("me")],
  };
  const ranked = (limit: number) => rankPeople(hits, "me" as UserId, limit).map(({ handle }) => handle);
  expect(ranked(20)).toEqual(["a", "c", "p", "n"]);
  expect(ranked(2)).toEqual(["a", "c"]);
});
