import type { Hono } from "hono";
import { mapWindowed, tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { type AppEnv, mount } from "../platform/http.ts";
import { conversationOf, inboxOf } from "../platform/stubs.ts";
import { DOORS } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import { usersAfter } from "../storage/directory.ts";

/** Users of one call, and calls under way; a page with its conversations stays far below the subrequest limit. */
const USERS = 20;
const WIDTH = 20;

/** What the deployer's operator may ask for. */
export function mountOperator(app: Hono<AppEnv>): void {
  mount(app, DOORS.rebuildHistory, ({ env, body }) => walk(env, body.cursor, (one) => one.reship(body.startedAt))); // [HI-4]
  mount(app, DOORS.applyRetention, ({ env, body }) => walk(env, body.cursor, (one) => one.awaken())); // [LM-17]
}

/** Asks each conversation of a page of users. The same page again does no harm. */
async function walk(
  env: Env,
  cursor: UserId | undefined,
  ask: (conversation: ReturnType<typeof conversationOf>) => Promise<void>,
) {
  const users = await usersAfter(env.DIRECTORY, cursor, USERS);
  const lists = await mapWindowed(users, WIDTH, (userId) => tryCall(() => inboxOf(env, userId).conversationIds()));
  if (lists.some((list) => !list.ok)) return refuse("unavailable");
  const ids = [...new Set(lists.flatMap((list) => (list.ok ? list.value : [])))];
  const asked = await mapWindowed(ids, WIDTH, (id) => tryCall(() => ask(conversationOf(env, id))));
  if (asked.some((answer) => !answer.ok)) return refuse("unavailable");
  const last = users.length === USERS ? users.at(-1) : undefined;
  return ok({
    status: 200 as const,
    body: { users: users.length, conversations: ids.length, ...(last ? { cursor: last } : {}) },
  });
}
