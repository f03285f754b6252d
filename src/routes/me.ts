import type { Hono } from "hono";
import { liveSince } from "../domain/session.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { deviceView, endSession, meOf } from "../platform/sessions.ts";
import { DOORS } from "../protocol/http.ts";
import { ok, refuse } from "../protocol/result.ts";
import { deviceOf, liveDevices } from "../storage/devices.ts";
import { accountById, changeAccount } from "../storage/directory.ts";
import type { Account } from "../storage/directory-schema.ts";

export function mountMe(app: Hono<AppEnv>): void {
  mount(app, DOORS.me, async ({ env, caller }) => answerMe(await accountById(env.DIRECTORY, caller.userId)));
  mount(app, DOORS.changeMe, changeMe);
  mount(app, DOORS.devices, async ({ env, caller }) => {
    const rows = await liveDevices(env.DIRECTORY, caller.userId, liveSince(Date.now()));
    return ok({ status: 200, body: { devices: rows.map((row) => deviceView(row, caller.deviceId)) } });
  });
  mount(app, DOORS.revokeDevice, revokeDevice);
}

/** A token outlives its user only where the database was put back to an earlier moment. */
const answerMe = (account: Account | undefined) =>
  account ? ok({ status: 200 as const, body: meOf(account) }) : refuse("unauthenticated");

async function changeMe({ env, caller, body }: Visit<typeof DOORS.changeMe>) {
  const { displayName, privacy } = body;
  const change = { displayName, lastSeen: privacy?.lastSeen, readReceipts: privacy?.readReceipts };
  return answerMe(await changeAccount(env.DIRECTORY, caller.userId, change)); // [AC-28]
}

/** Repeating it is harmless; what is not mine is not there. */
async function revokeDevice({ env, caller, params }: Visit<typeof DOORS.revokeDevice>) {
  if (!(await deviceOf(env.DIRECTORY, caller.userId, params.deviceId))) return refuse("not_found"); // [AC-9]
  const ended = await endSession(env, caller.userId, params.deviceId, Date.now());
  return ended.ok ? ok({ status: 204 as const, body: null }) : ended;
}
