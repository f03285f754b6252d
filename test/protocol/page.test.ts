import { expect, test } from "vitest";
import { protocolMarkdown } from "../../src/protocol/describe/markdown.ts";
import { protocolPage } from "../../src/protocol/describe/page.ts";
import { CLOSE, ERRORS } from "../../src/protocol/errors.ts";
import { ClientFrame, ServerFrame } from "../../src/protocol/frames.ts";
import { DOORS } from "../../src/protocol/http.ts";

const page = protocolPage();
const markdown = protocolMarkdown();
const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id ?? "");

test("[DC-4] every code has its anchor, where a refusal's `type` points", () => {
  expect(Object.keys(ERRORS).filter((code) => !ids.includes(code))).toEqual([]);
});

test("[DC-4] anchors are unique and every link on the page leads to one", () => {
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id ?? "");
  expect(links.length).toBeGreaterThan(100);
  expect(links.filter((id) => !ids.includes(id))).toEqual([]);
});

test("[DC-4] page and markdown hold every door, frame, code and close code", () => {
  for (const { path } of Object.values(DOORS)) {
    expect(page).toContain(`<code>${path}</code>`);
    expect(markdown).toContain(`${path}\``);
  }
  for (const { shape } of ClientFrame.options) expect(ids).toContain(`client-${shape.type.value}`);
  for (const { shape } of ServerFrame.options) expect(ids).toContain(`server-${shape.type.value}`);
  for (const { code } of Object.values(CLOSE)) {
    expect(ids).toContain(`close-${code}`);
    expect(markdown).toContain(`| ${code} |`);
  }
  for (const code of Object.keys(ERRORS)) expect(markdown).toContain(`| \`${code}\` |`);
});

test("[DC-4] every link in the markdown leads to a heading", () => {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, text]) =>
    (text ?? "").toLowerCase().replaceAll(" ", "-"),
  );
  const links = [...markdown.matchAll(/\]\(#([^)]+)\)/g)].map(([, id]) => id ?? "");
  expect(links.filter((id) => !headings.includes(id))).toEqual([]);
});

test("[DC-5] the page fetches nothing and runs nothing", () => {
  expect(page).not.toMatch(/<script|<link|<img|<iframe|\sstyle="|\son\w+="|url\(|@import/);
  expect(page.match(/https?:/g)).toBeNull();
});
