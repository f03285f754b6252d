import type { Hono } from "hono";
import { tryCall } from "../platform/calls.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { groupOfInvite, newInviteCode } from "../platform/invite-codes.ts";
import { conversationOf } from "../platform/stubs.ts";
import { DOORS } from "../protocol/http.ts";
import { ok } from "../protocol/result.ts";

/** Ways into a group. The group keeps them: it is the one writer of who is in, so none lets in more than it may. */
export function mountInvites(app: Hono<AppEnv>): void {
  mount(app, DOORS.createInvite, async ({ env, caller, params, body }) => {
    const code = newInviteCode(params.id);
    const asked = await tryCall(() => conversationOf(env, params.id).invite(caller.userId, code, body));
    const made = asked.ok ? asked.value : asked;
    return made.ok ? ok({ status: 201, body: made.value }) : made;
  });
  mount(app, DOORS.invites, async ({ env, caller, params }) => {
    const asked = await tryCall(() => conversationOf(env, params.id).invites(caller.userId));
    const invites = asked.ok ? asked.value : asked;
    return invites.ok ? ok({ status: 200, body: { invites: invites.value } }) : invites;
  });
  mount(app, DOORS.revokeInvite, async ({ env, caller, params }) => {
    const asked = await tryCall(() => conversationOf(env, params.id).revokeInvite(caller.userId, params.code));
    const revoked = asked.ok ? asked.value : asked;
    return revoked.ok ? ok({ status: 204, body: null }) : revoked;
  });
  mount(app, DOORS.join, join);
}

async function join({ env, caller, params: { code } }: Visit<typeof DOORS.join>) {
  const group = groupOfInvite(code);
  const asked = await tryCall(() => conversationOf(env, group).join(caller.userId, code));
  const joined = asked.ok ? asked.value : asked;
  if (!joined.ok) return joined;
  const { added, conversation } = joined.value;
  return ok({ status: added ? (201 as const) : (200 as const), body: { conversation } });
}
