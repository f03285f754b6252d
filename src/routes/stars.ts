import type { Hono } from "hono";
import { ask, tryCall } from "../platform/calls.ts";
import { type AppEnv, mount } from "../platform/http.ts";
import { inboxOf } from "../platform/stubs.ts";
import { DOORS } from "../protocol/http.ts";
import { ok } from "../protocol/result.ts";

const PAGE = 50;

/** Stars are kept by their user's inbox. */
export function mountStars(app: Hono<AppEnv>): void {
  mount(app, DOORS.star, async ({ env, caller: { userId }, params: { id, seq } }) => {
    const starred = await ask(() => inboxOf(env, userId).star(userId, id, seq));
    return starred.ok ? ok({ status: 204, body: null }) : starred;
  });
  mount(app, DOORS.unstar, async ({ env, caller: { userId }, params: { id, seq } }) => {
    const unstarred = await ask(() => inboxOf(env, userId).unstar(userId, id, seq));
    return unstarred.ok ? ok({ status: 204, body: null }) : unstarred;
  });
  mount(app, DOORS.stars, async ({ env, caller: { userId }, query: { cursor, limit = PAGE } }) => {
    const below = cursor ?? Number.MAX_SAFE_INTEGER;
    const page = await tryCall(() => inboxOf(env, userId).starred(userId, below, limit));
    if (!page.ok) return page;
    const { stars, next, isWhole } = page.value;
    return ok({ status: 200, body: { stars, ...(next === null ? {} : { cursor: `${next}` }), incomplete: !isWhole } });
  });
}
