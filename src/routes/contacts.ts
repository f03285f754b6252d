import type { Hono } from "hono";
import { anew, formatPlace, type Place, parsePlace, placeSince } from "../domain/contacts.ts";
import type { ContactNews } from "../objects/rpc.ts";
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
import {
  contactChanges,
  contactsHead,
  contactsOf,
  putContact,
  removeContact,
  type Standing,
  standingOf,
} from "../storage/contacts.ts";
import { existingUsers } from "../storage/directory.ts";

const ROOM = { contacts: LIMITS.contacts, requests: LIMITS.contactRequests, ended: LIMITS.contactsEnded };

/**
 * Contacts live in the directory. The inboxes of both keep a copy of who is accepted, because they authorise by it: between the two
 * writes, and after a crash between them, a copy may hold less than the directory, never more.
 */
export function mountContacts(app: Hono<AppEnv>): void {
  mount(app, DOORS.contacts, list);
  mount(app, DOORS.putContact, put);
  mount(app, DOORS.removeContact, remove);
}

async function list({ env, caller: { userId }, query: { since, cursor } }: Visit<typeof DOORS.contacts>) {
  if (since === undefined && cursor === undefined)
    return ok({ status: 200 as const, body: await contactsOf(env.DIRECTORY, userId) });
  const held = cursor === undefined ? undefined : parsePlace(cursor);
  if (held === null) return refuse("invalid_request", "cursor: not one of ours");
  const head = await contactsHead(env.DIRECTORY, userId); // before the page: what changes meanwhile is told again, never left out
  const from = placeSince(held?.began ?? since ?? 0, { head, now: Date.now() });
  const place = from ? (held ?? from) : anew(head);
  return ok({
    status: 200 as const,
    body: { ...(await page(env, userId, place, head)), ...(from ? {} : { reset: true as const }) },
  });
}

/** [CT-14] One page of changes. */
async function page(env: Env, userId: UserId, place: Place, head: number) {
  const changes = await contactChanges(env.DIRECTORY, userId, place, LIMITS.contactsPage + 1);
  const told = changes.slice(0, LIMITS.contactsPage);
  const last = told.at(-1);
  const contacts = told.flatMap(({ contact }) => contact ?? []);
  const removed = told.flatMap((change) => (change.contact ? [] : change.userId));
  if (!last || changes.length === told.length)
    return { contacts, removed, version: Math.max(head, last?.version ?? 0) };
  return { contacts, removed, version: last.version, cursor: formatPlace({ ...last, began: place.began }) };
}

async function put({ env, caller, params: { userId } }: Visit<typeof DOORS.putContact>) {
  if (userId === caller.userId) return refuse("invalid_request", "userId: nobody is their own contact"); // [CT-4]
  if (await isBlocked(env.DIRECTORY, caller.userId, userId)) return refuse("forbidden", "unblock this person first"); // [BL-6]
  const standing = await putContact(env.DIRECTORY, caller.userId, userId, ROOM);
  if (standing === "nobody") return refuse("not_found");
  if (standing === "full") return refuse("too_many_contacts");
  // [CT-6] The row first: had an inbox been told of a contact whose row was never written, no DELETE would be sent to take it back.
  const told = await settle(env, caller.userId, userId, standing, "asked");
  if (!told.ok) return told;
  return ok({
    status: 200 as const,
    body: { userId, state: standing.state },
  });
}

async function remove({ env, caller, params: { userId } }: Visit<typeof DOORS.removeContact>) {
  const nothing = ok({ status: 204 as const, body: null });
  if (userId === caller.userId || !(await existingUsers(env.DIRECTORY, [userId])).has(userId)) return nothing; // [CT-4]
  const ended = await endContact(env, caller.userId, userId, true);
  return ended.ok ? nothing : ended;
}

/** Whatever there is between the two ends; repeating it is harmless. `always`: devices are told also where there was nothing any more. */
export async function endContact(
  env: Env,
  userId: UserId,
  otherId: UserId,
  always: boolean,
): Promise<Result<undefined, "unavailable">> {
  const before = await standingOf(env.DIRECTORY, userId, otherId);
  // [CT-6] The inboxes first: whoever sees the contact gone from the list would not ask again for what was not told.
  const told = await tellBoth(env, userId, otherId, { ...before, state: "none" }, "none");
  if (!told.ok) return told;
  await removeContact(env.DIRECTORY, userId, otherId);
  const after = await standingOf(env.DIRECTORY, userId, otherId);
  return settle(env, userId, otherId, after, always || before.state !== "none" ? "changed" : "none"); // [BL-4]
}

/** [CT-7] Without it a PUT that crosses a DELETE could tell what is no longer so, and nobody would take it back. */
const settle = (env: Env, userId: UserId, otherId: UserId, standing: Standing, news: ContactNews) =>
  tellUntilSame(
    standing,
    (now) => tellBoth(env, userId, otherId, now, news),
    () => standingOf(env.DIRECTORY, userId, otherId),
  );

async function tellBoth(
  env: Env,
  userId: UserId,
  otherId: UserId,
  { state, version, theirVersion }: Standing,
  news: ContactNews,
): Promise<Result<unknown, "unavailable">> {
  const accepted = state === "accepted";
  const [mine, theirs] = await Promise.all([
    tryCall(async () => await inboxOf(env, userId).setContact(otherId, accepted, version, news)),
    tryCall(async () => await inboxOf(env, otherId).setContact(userId, accepted, theirVersion, news)),
  ]);
  return mine.ok ? theirs : mine;
}
