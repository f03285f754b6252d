import type { Hono } from "hono";
import { questionOf, rankPeople } from "../domain/people.ts";
import { tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { limitPeopleSearch } from "../platform/rate-limit.ts";
import { inboxOf } from "../platform/stubs.ts";
import { DOORS } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { Presence } from "../protocol/states.ts";
import { profileByHandle, profilesOf } from "../storage/directory.ts";
import { findPeople } from "../storage/people.ts";
import { within } from "../storage/reach.ts";

/** A profile does not wait longer for the presence in it. Ms. */
const PRESENCE_WITHIN_MS = 2_000;

export function mountUsers(app: Hono<AppEnv>): void {
  mount(app, DOORS.findUser, async ({ env, caller, query }) => {
    const profile = await profileByHandle(env.DIRECTORY, caller.userId, query.handle);
    return profile ? ok({ status: 200, body: profile }) : refuse("not_found");
  });
  mount(app, DOORS.findPeople, findPeopleDoor);
  mount(app, DOORS.user, async ({ env, caller, params }) => {
    const profile = (await profilesOf(env.DIRECTORY, caller.userId, [params.userId])).get(params.userId);
    if (!profile) return refuse("not_found");
    return ok({ status: 200, body: { ...profile, ...(await presenceOf(env, caller.userId, params.userId)) } });
  });
}

async function findPeopleDoor({ env, caller: { userId }, query }: Visit<typeof DOORS.findPeople>) {
  if (env.PEOPLE_SEARCH === "off") return refuse("people_search_not_offered"); // [PE-6]
  const allowed = await limitPeopleSearch(env, userId);
  if (!allowed.ok) return allowed;
  const hits = await findPeople(env.DIRECTORY, userId, questionOf(query.q), LIMITS.peoplePage);
  return ok({ status: 200 as const, body: { users: rankPeople(hits, userId, LIMITS.peoplePage) } });
}

/** [CT-11] As the viewer's own inbox tells it; nothing where it does not know or does not answer. */
async function presenceOf(
  env: Env,
  viewerId: UserId,
  userId: UserId,
): Promise<{ presence?: Omit<Presence, "userId"> }> {
  const looked = await tryCall(
    async () => await inboxOf(env, viewerId).look(viewerId, [userId]),
    1,
    (answer) => within(PRESENCE_WITHIN_MS, answer),
  );
  const seen = looked.ok ? looked.value.find((one) => one.userId === userId) : undefined;
  if (!seen || seen.state === "unknown") return {};
  const { userId: _, ...presence } = seen;
  return { presence };
}
