import type { Hono } from "hono";
import { whileChanging } from "../domain/privacy.ts";
import { liveSince } from "../domain/session.ts";
import { tryCall } from "../platform/calls.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { fitsAsPicture, setPicture } from "../platform/media/pictures.ts";
import { deviceView, endSession, meOf } from "../platform/sessions.ts";
import { inboxOf } from "../platform/stubs.ts";
import { tellUntilSame } from "../platform/tell.ts";
import { DOORS } from "../protocol/http.ts";
import type { MediaId } from "../protocol/ids.ts";
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
  const { displayName, privacy, avatarMediaId } = meOf(account);
  const self = { displayName, privacy, ...(avatarMediaId ? { avatarMediaId } : {}) };
  return { self, version: account.version };
}

type Changing = Visit<typeof DOORS.changeMe>;
/** Tells the inbox; it tells my other devices. [CT-13] */
const teller =
  ({ env, caller: { userId, deviceId } }: Changing) =>
  ({ self, version }: Kept) =>
    tryCall(async () => await inboxOf(env, userId).setProfile(self, deviceId, version));

/**
 * The inbox has a copy of the privacy, because it authorises by it. What is hidden more strictly it is told before the row is written,
 * what is shown more widely after: a crash in between leaves the inbox showing less than the row allows, never more. The wish was not
 * answered then; repeating it is harmless.
 */
async function changeMe(visit: Changing) {
  const { env, caller, body } = visit;
  const { displayName, privacy, avatarMediaId } = body;
  const held = await accountById(env.DIRECTORY, caller.userId);
  if (!held) return answerMe(held);
  const fits = avatarMediaId ? await fitsAsPicture(env, caller.userId, avatarMediaId) : ok(null);
  if (!fits.ok) return fits; // before anything is changed
  const told = privacy ? await teller(visit)(keptOf({ ...held, ...whileChanging(held, privacy) })) : ok(undefined); // [CT-9]
  if (!told.ok) return told;
  const { lastSeen, readReceipts, conversations, findable, picture } = privacy ?? {};
  const change = { displayName, lastSeen, readReceipts, conversations, findable, picture };
  const changed = await changeAccount(env.DIRECTORY, caller.userId, change); // [AC-28]
  return avatarMediaId === undefined ? settle(visit, changed) : changePicture(visit, avatarMediaId);
}

/** [PF-4] After the privacy: whoever is not to see a new picture does not see it for a moment either. */
async function changePicture(visit: Changing, mediaId: MediaId | null) {
  const { env, caller } = visit;
  if (!(await setPicture(env, caller.userId, mediaId, Date.now()))) return refuse("unavailable"); // it is gone this moment
  return settle(visit, await accountById(env.DIRECTORY, caller.userId));
}

async function settle(visit: Changing, changed: Account | undefined) {
  if (!changed) return answerMe(changed);
  const { env, caller } = visit;
  const read = async () => keptOf((await accountById(env.DIRECTORY, caller.userId)) ?? changed);
  const settled = await tellUntilSame(keptOf(changed), teller(visit), read); // [CT-10] another device may be changing it, too
  return settled.ok ? answerMe(changed) : settled;
}

/** Repeating it is harmless; what is not mine is not there. */
async function revokeDevice({ env, caller, params }: Visit<typeof DOORS.revokeDevice>) {
  if (!(await deviceOf(env.DIRECTORY, caller.userId, params.deviceId))) return refuse("not_found"); // [AC-9]
  const ended = await endSession(env, caller.userId, params.deviceId, Date.now());
  return ended.ok ? ok({ status: 204 as const, body: null }) : ended;
}
