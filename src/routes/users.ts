import type { Hono } from "hono";
import { type AppEnv, mount } from "../platform/http.ts";
import { DOORS, type Profile } from "../protocol/http.ts";
import { ok, refuse } from "../protocol/result.ts";
import { profileByHandle, profilesOf } from "../storage/directory.ts";

export function mountUsers(app: Hono<AppEnv>): void {
  mount(app, DOORS.findUser, async ({ env, query }) => answer(await profileByHandle(env.DIRECTORY, query.handle)));
  mount(app, DOORS.user, async ({ env, params }) =>
    answer((await profilesOf(env.DIRECTORY, [params.userId])).get(params.userId)),
  );
}

const answer = (profile: Profile | undefined) =>
  profile ? ok({ status: 200 as const, body: profile }) : refuse("not_found");
