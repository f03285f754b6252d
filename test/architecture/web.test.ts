import { expect, test } from "vitest";
import { importsOf, read, typescript, withoutComments } from "./sources.ts";

/** What of web/ a component may use when it runs, besides other components: what it shows from, pure words, and of the SDK its pure rules. */
const ALLOWED =
  /^web\/(ui|model)\/|^web\/(blur|clock|emoji|items|naming|phrases|rows|shown|way|words)\.ts$|^src\/protocol\/|^src\/sdk\/drawing\.ts$/;
/** What only the seam may touch. */
const OUTSIDE = /\b(fetch|WebSocket|EventSource|localStorage|sessionStorage|indexedDB|caches|XMLHttpRequest)\b/;

test("[AP-2] components know the seam in web/model, and nothing of sockets, doors and storage", () => {
  const components = typescript("web/ui");
  expect(components.length).toBeGreaterThan(30);
  const wrong = components
    .flatMap(importsOf)
    .filter(({ to, ours, typeOnly }) => ours && !typeOnly && !ALLOWED.test(to));
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  expect(components.filter((path) => OUTSIDE.test(withoutComments(read(path))))).toEqual([]);
});

/** What the package `@edgewise/sdk` has of src/, and what has no schema of the contract: its codes, limits and results. */
const PACKAGE = /^src\/sdk\/(client\/index|drawing)\.ts$/;
const PLAIN = /^src\/protocol\/(errors|limits|result)\.ts$/;

test("[AP-38] the app lives on what an app developer gets: it imports the SDK through the package's entries alone", () => {
  const ours = typescript("web").flatMap(importsOf);
  const wrong = ours.filter(({ to }) => to.startsWith("src/") && !PACKAGE.test(to) && !PLAIN.test(to));
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  const entries = /const ENTRIES = \{([\s\S]*?)\} as const/.exec(read("scripts/build-sdk.ts"))?.[1] ?? "";
  const used = new Set(ours.map(({ to }) => to).filter((to) => PACKAGE.test(to)));
  expect([...used].filter((to) => !entries.includes(`"${to}"`))).toEqual([]);
  expect(used.size).toBe(2);
});

test("[AP-6] no text of a message becomes markup: nothing in the page sets any", () => {
  const markup =
    /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|DOMParser|\beval\(|new Function/;
  expect(typescript("web").filter((path) => markup.test(withoutComments(read(path))))).toEqual([]);
});
