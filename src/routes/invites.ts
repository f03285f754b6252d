import type { Hono } from "hono";
import { ask } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { groupOfInvite, newInviteCode } from "../platform/invite-codes.ts";
import { placeOf } from "../platform/media/media.ts";
import { storeOf } from "../platform/media/presign.ts";
import { conversationOf } from "../platform/stubs.ts";
import { DOORS, type MediaPlace } from "../protocol/http.ts";
import type { MediaId } from "../protocol/ids.ts";
import { ok } from "../protocol/result.ts";
import { mediaById } from "../storage/media.ts";

/** Ways into a group. The group keeps them: it is the one writer of who is in, so none lets in more than it may. */
export function mountInvites(app: Hono<AppEnv>): void {
  mount(app, DOORS.createInvite, async ({ env, caller, params, body }) => {
    const code = newInviteCode(params.id);
    const made = await ask(() => conversationOf(env, params.id).invite(caller.userId, code, body));
    return made.ok ? ok({ status: 201, body: made.value }) : made;
  });
  mount(app, DOORS.invites, async ({ env, caller, params }) => {
    const invites = await ask(() => conversationOf(env, params.id).invites(caller.userId));
    return invites.ok ? ok({ status: 200, body: { invites: invites.value } }) : invites;
  });
  mount(app, DOORS.revokeInvite, async ({ env, caller, params }) => {
    const revoked = await ask(() => conversationOf(env, params.id).revokeInvite(caller.userId, params.code));
    return revoked.ok ? ok({ status: 204, body: null }) : revoked;
  });
  mount(app, DOORS.join, join);
  mount(app, DOORS.invite, preview);
}

async function join({ env, caller, params: { code } }: Visit<typeof DOORS.join>) {
  const group = groupOfInvite(code);
  const joined = await ask(() => conversationOf(env, group).join(caller.userId, code));
  if (!joined.ok) return joined;
  if ("askedAt" in joined.value) {
    const { askedAt } = joined.value;
    return ok({ status: 202 as const, body: { state: "requested" as const, conversationId: group, askedAt } }); // [IV-7]
  }
  const { added, conversation } = joined.value;
  return ok({ status: added ? (201 as const) : (200 as const), body: { conversation } });
}

/** [IV-12] The picture is shown to whoever could join; a stranger cannot ask for it by its id. */
async function preview({ env, caller, params: { code } }: Visit<typeof DOORS.invite>) {
  const seen = await ask(() => conversationOf(env, groupOfInvite(code)).previewInvite(caller.userId, code));
  if (!seen.ok) return seen;
  const { avatarMediaId, ...shown } = seen.value;
  const avatar = avatarMediaId && (await placeOfMedia(env, avatarMediaId));
  return ok({ status: 200 as const, body: avatar ? { ...shown, avatar } : shown });
}

async function placeOfMedia(env: Env, mediaId: MediaId): Promise<MediaPlace | undefined> {
  const store = storeOf(env);
  const row = store && (await mediaById(env.DIRECTORY, mediaId));
  return row && placeOf(store, row, Date.now());
}
