import type { Hono } from "hono";
import { whileChanging } from "../domain/privacy.ts";
import { liveSince } from "../domain/session.ts";
import { tryCall } from "../platform/calls.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { deviceView, endSession, meOf } from "../platform/sessions.ts";
import { inboxOf } from "../platform/stubs.ts";
import { tellUntilSame } from "../platform/tell.ts";
import { DOORS } from "../protocol/http.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { Self } from "../protocol/states.ts";
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

type Kept = { self: Self; version: number };
function keptOf(account: Account): Kept {
  const { displayName, privacy } = meOf(account);
  return { self: { displayName, privacy }, version: account.version };
}

/**
 * The inbox has a copy of the privacy, because it authorises by it. What is hidden more strictly it is told before the row is written,
 * what is shown more widely after: a crash in between leaves the inbox showing less than the row allows, never more. The wish was not
 * answered then; repeating it is harmless.
 */
async function changeMe({ env, caller, body: { displayName, privacy } }: Visit<typeof DOORS.changeMe>) {
  const { userId, deviceId } = caller;
  const held = await accountById(env.DIRECTORY, userId);
  if (!held) return answerMe(held);
  const tell = ({ self, version }: Kept) =>
    tryCall(async () => await inboxOf(env, userId).setProfile(self, deviceId, version)); // [CT-13]
  const told = privacy ? await tell(keptOf({ ...held, ...whileChanging(held, privacy) })) : ok(undefined); // [CT-9]
  if (!told.ok) return told;
  const { lastSeen, readReceipts, conversations, findable } = privacy ?? {};
  const change = { displayName, lastSeen, readReceipts, conversations, findable };
  const changed = await changeAccount(env.DIRECTORY, userId, change); // [AC-28]
  if (!changed) return answerMe(changed);
  const read = async () => keptOf((await accountById(env.DIRECTORY, userId)) ?? changed);
  const settled = await tellUntilSame(keptOf(changed), tell, read); // [CT-10] another device may be changing it, too
  return settled.ok ? answerMe(changed) : settled;
}

/** Repeating it is harmless; what is not mine is not there. */
async function revokeDevice({ env, caller, params }: Visit<typeof DOORS.revokeDevice>) {
  if (!(await deviceOf(env.DIRECTORY, caller.userId, params.deviceId))) return refuse("not_found"); // [AC-9]
  const ended = await endSession(env, caller.userId, params.deviceId, Date.now());
  return ended.ok ? ok({ status: 204 as const, body: null }) : ended;
}
