import type { Hono } from "hono";
import { type AppEnv, mount } from "../platform/http.ts";
import { DOORS } from "../protocol/http.ts";
import { ok } from "../protocol/result.ts";

export function mountDocs(app: Hono<AppEnv>): void {
  mount(app, DOORS.health, async () => ok({ status: 200, body: { status: "ok" } }));
}
