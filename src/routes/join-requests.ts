import type { Hono } from "hono";
import { ask } from "../platform/calls.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { conversationOf } from "../platform/stubs.ts";
import { DOORS } from "../protocol/http.ts";
import { ok, refuse } from "../protocol/result.ts";
import { existingUsers } from "../storage/directory.ts";

/** Who waits to be let into a group, and what its admins say to it. */
export function mountJoinRequests(app: Hono<AppEnv>): void {
  mount(app, DOORS.joinRequests, async ({ env, caller, params }) => {
    const requests = await ask(() => conversationOf(env, params.id).joinRequests(caller.userId));
    return requests.ok ? ok({ status: 200, body: { requests: requests.value } }) : requests;
  });
  mount(app, DOORS.acceptRequest, accept);
  mount(app, DOORS.dropRequest, async ({ env, caller, params: { id, userId } }) => {
    const dropped = await ask(() => conversationOf(env, id).dropRequest({ actorId: caller.userId, userId }));
    return dropped.ok ? ok({ status: 204, body: null }) : dropped;
  });
}

async function accept({ env, caller, params: { id, userId } }: Visit<typeof DOORS.acceptRequest>) {
  const known = await existingUsers(env.DIRECTORY, [userId]);
  if (!known.has(userId)) return refuse("not_found"); // [ER-4] erased while they waited
  const accepted = await ask(() => conversationOf(env, id).acceptRequest({ actorId: caller.userId, userId }));
  if (!accepted.ok) return accepted;
  const conversation = await ask(() => conversationOf(env, id).describe(caller.userId));
  if (!conversation.ok) return conversation;
  const status = accepted.value.added ? (201 as const) : (200 as const);
  return ok({ status, body: { conversation: conversation.value } });
}
