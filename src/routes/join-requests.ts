import type { Hono } from "hono";
import { tryCall } from "../platform/calls.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { conversationOf } from "../platform/stubs.ts";
import { DOORS } from "../protocol/http.ts";
import { ok, refuse } from "../protocol/result.ts";
import { existingUsers } from "../storage/directory.ts";

/** Who waits to be let into a group, and what its admins say to it. */
export function mountJoinRequests(app: Hono<AppEnv>): void {
  mount(app, DOORS.joinRequests, async ({ env, caller, params }) => {
    const asked = await tryCall(() => conversationOf(env, params.id).joinRequests(caller.userId));
    const requests = asked.ok ? asked.value : asked;
    return requests.ok ? ok({ status: 200, body: { requests: requests.value } }) : requests;
  });
  mount(app, DOORS.acceptRequest, accept);
  mount(app, DOORS.dropRequest, async ({ env, caller, params: { id, userId } }) => {
    const asked = await tryCall(() => conversationOf(env, id).dropRequest({ actorId: caller.userId, userId }));
    const dropped = asked.ok ? asked.value : asked;
    return dropped.ok ? ok({ status: 204, body: null }) : dropped;
  });
}

async function accept({ env, caller, params: { id, userId } }: Visit<typeof DOORS.acceptRequest>) {
  const known = await existingUsers(env.DIRECTORY, [userId]);
  if (!known.has(userId)) return refuse("not_found"); // [ER-4] erased while they waited
  const asked = await tryCall(() => conversationOf(env, id).acceptRequest({ actorId: caller.userId, userId }));
  const accepted = asked.ok ? asked.value : asked;
  if (!accepted.ok) return accepted;
  const shown = await tryCall(() => conversationOf(env, id).describe(caller.userId));
  const conversation = shown.ok ? shown.value : shown;
  if (!conversation.ok) return conversation;
  const status = accepted.value.added ? (201 as const) : (200 as const);
  return ok({ status, body: { conversation: conversation.value } });
}
