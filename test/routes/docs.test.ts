import { Hono } from "hono";
import { expect, test } from "vitest";
import type { AppEnv } from "../../src/platform/http.ts";
import { mountDocs } from "../../src/routes/docs.ts";

const app = new Hono<AppEnv>();
mountDocs(app);
const get = async (path: string) => {
  const response = await app.request(path);
  return { response, text: await response.text() };
};

test("[DC-5] the page's policy allows its own style, by hash, and nothing else", async () => {
  const { response, text } = await get("/docs");
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? "";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
  const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
  const policy = response.headers.get("content-security-policy");
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain(`style-src 'sha256-${hash}';`);
  expect(policy).not.toContain("unsafe");
});

test.each([
  ["/openapi.json", { openapi: "3.1.0" }],
  ["/asyncapi.json", { asyncapi: "3.0.0" }],
  ["/healthz", { status: "ok" }],
])("[DC-7] %s needs no token", async (path, holds) => {
  const { response, text } = await get(path);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  expect(JSON.parse(text)).toMatchObject(holds);
});
