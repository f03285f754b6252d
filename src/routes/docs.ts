import type { Hono } from "hono";
import { type AppEnv, mount } from "../platform/http.ts";
import { asyncapi } from "../protocol/describe/asyncapi.ts";
import { openapi } from "../protocol/describe/openapi.ts";
import { protocolPage } from "../protocol/describe/page.ts";
import { STYLE } from "../protocol/describe/page-style.ts";
import { DOORS } from "../protocol/http.ts";
import { ok } from "../protocol/result.ts";

/** Health, and the contract in three forms: two documents for machines and a page for people. */
export function mountDocs(app: Hono<AppEnv>): void {
  mount(app, DOORS.health, async () => ok({ status: 200, body: { status: "ok" } }));
  const openapiText = once(() => JSON.stringify(openapi()));
  const asyncapiText = once(() => JSON.stringify(asyncapi()));
  const page = once(protocolPage);
  const policy = once(pagePolicy);
  app.get("/openapi.json", () => document(openapiText(), "application/json", {}));
  app.get("/asyncapi.json", () => document(asyncapiText(), "application/json", {}));
  app.get("/docs", async () =>
    document(page(), "text/html; charset=utf-8", { "content-security-policy": await policy() }),
  );
}

/** Made when first asked for, and kept while the isolate lives: most isolates never are. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const document = (text: string, type: string, headers: Record<string, string>): Response =>
  new Response(text, {
    headers: {
      "content-type": type,
      "cache-control": "public, max-age=300",
      "x-content-type-options": "nosniff",
      ...headers,
    },
  });

/** [DC-5] The page may use its own style, which its hash names, and nothing else at all. */
async function pagePolicy(): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(STYLE));
  const style = `'sha256-${btoa(String.fromCharCode(...new Uint8Array(hash)))}'`;
  return `default-src 'none'; style-src ${style}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}
