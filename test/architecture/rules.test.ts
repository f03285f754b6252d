import { describe, expect, test } from "vitest";
import { read, typescript } from "./sources.ts";

const ID = /\[([A-Z]{2}-\d+)\]/g;
/** The first argument of `test(…)` or of `test.each(…)(…)`. */
const TITLE = /(?:\b(?:test|it|describe)(?:\.\w+)*|\))\(\s*(["'`])((?:\\.|(?!\1)[\s\S])*)\1/g;

const idsIn = (text: string): string[] => [...text.matchAll(ID)].map(([, id]) => id ?? "");
const titlesIn = (text: string): string[] => [...text.matchAll(TITLE)].map(([, , title]) => title ?? "");

const listed = [...read("docs/SPEC.md").matchAll(/^- \*\*([A-Z]{2}-\d+)\*\* /gm)].map(([, id]) => id ?? "");
const proven = new Set(
  typescript("test")
    .flatMap((path) => titlesIn(read(path)))
    .flatMap(idsIn),
);
const kept = new Set(typescript("src").flatMap((path) => idsIn(read(path))));

describe("[AR-5] rules, tests and code name the same ids", () => {
  test("each rule is listed once", () => {
    expect(listed.length).toBeGreaterThan(20);
    expect(listed.filter((id, index) => listed.indexOf(id) !== index)).toEqual([]);
  });

  test("every rule has a test", () => {
    expect(listed.filter((id) => !proven.has(id))).toEqual([]);
  });

  test("every id in a test's title is a rule", () => {
    expect([...proven].filter((id) => !listed.includes(id))).toEqual([]);
  });

  test("every id in the code is a rule", () => {
    expect([...kept].filter((id) => !listed.includes(id))).toEqual([]);
  });
});
