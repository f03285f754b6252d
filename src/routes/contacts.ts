import type { Hono } from "hono";
import { tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { inboxOf } from "../platform/stubs.ts";
import { tellUntilSame } from "../platform/tell.ts";
import { DOORS } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { isBlocked } from "../storage/blocks.ts";
import { contactStateOf, contactsOf, putContact, removeContact } from "../storage/contacts.ts";
import { existingUsers } from "../storage/directory.ts";

const ROOM = { contacts: LIMITS.contacts, requests: LIMITS.contactRequests };

/**
 * Contacts live in the directory. The inboxes of both keep a copy of who is accepted, because they authorise by it: between the two
 * writes, and after a crash between them, a copy may hold less than the directory, never more.
 */
export function mountContacts(app: Hono<AppEnv>): void {
  mount(app, DOORS.contacts, async ({ env, caller }) =>
    ok({ status: 200, body: { contacts: await contactsOf(env.DIRECTORY, caller.userId) } }),
  );
  mount(app, DOORS.putContact, put);
  mount(app, DOORS.removeContact, remove);
}

async function put({ env, caller, params: { userId } }: Visit<typeof DOORS.putContact>) {
  if (userId === caller.userId) return refuse("invalid_request", "userId: nobody is their own contact"); // [CT-4]
  if (await isBlocked(env.DIRECTORY, caller.userId, userId)) return refuse("forbidden", "unblock this person first"); // [BL-6]
  const state = await putContact(env.DIRECTORY, caller.userId, userId, ROOM);
  if (state === "nobody") return refuse("not_found");
  if (state === "full") return refuse("too_many_contacts");
  // [CT-6] The row first: had an inbox been told of a contact whose row was never written, no DELETE would be sent to take it back.
  const told = state === "accepted" ? await settle(env, caller.userId, userId, true) : ok(undefined);
  return told.ok ? ok({ status: 200 as const, body: { userId, state } }) : told;
}

async function remove({ env, caller, params: { userId } }: Visit<typeof DOORS.removeContact>) {
  const nothing = ok({ status: 204 as const, body: null });
  if (userId === caller.userId || !(await existingUsers(env.DIRECTORY, [userId])).has(userId)) return nothing; // [CT-4]
  const ended = await endContact(env, caller.userId, userId);
  return ended.ok ? nothing : ended;
}

/** Whatever there is between the two ends; repeating it is harmless. */
export async function endContact(env: Env, userId: UserId, otherId: UserId): Promise<Result<undefined, "unavailable">> {
  // [CT-6] The inboxes first: whoever sees the contact gone from the list would not ask again for what was not told.
  const told = await tellBoth(env, userId, otherId, false);
  if (!told.ok) return told;
  await removeContact(env.DIRECTORY, userId, otherId);
  return settle(env, userId, otherId, false);
}

/** [CT-7] Without it a PUT that crosses a DELETE could tell what is no longer so, and nobody would take it back. */
const settle = (env: Env, userId: UserId, otherId: UserId, accepted: boolean) =>
  tellUntilSame(
    accepted,
    (state) => tellBoth(env, userId, otherId, state),
    async () => (await contactStateOf(env.DIRECTORY, userId, otherId)) === "accepted",
  );

async function tellBoth(
  env: Env,
  userId: UserId,
  otherId: UserId,
  accepted: boolean,
): Promise<Result<unknown, "unavailable">> {
  const [mine, theirs] = await Promise.all([
    tryCall(async () => await inboxOf(env, userId).setContact(otherId, accepted)),
    tryCall(async () => await inboxOf(env, otherId).setContact(userId, accepted)),
  ]);
  return mine.ok ? theirs : mine;
}
