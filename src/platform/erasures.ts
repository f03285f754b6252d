import type { Erasure } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { allDevices } from "../storage/devices.ts";
import { accountById } from "../storage/directory.ts";
import type { Account } from "../storage/directory-schema.ts";
import { eraseAccount, erasureOf, handleHashOf, openErasure, openErasures } from "../storage/erasures.ts";
import { CALL_WINDOW, mapWindowed, tryCall } from "./calls.ts";
import type { Env } from "./env.ts";
import { log } from "./log.ts";
import { rememberRevoked } from "./revocations.ts";
import { inboxOf } from "./stubs.ts";

/** Records of one query. */
const PAGE = 100;

/**
 * [ER-2] [ER-5] Begins a person's erasure: the record, from which the hourly look winds up whatever is stuck; then the inbox, which has the
 * plan from then on and closes all sockets; then, at once, the account. Repeating it is harmless. Throws `Unavailable`.
 */
export async function beginErasure(
  env: Env,
  userId: UserId,
  askedBy: Erasure["askedBy"],
  now: number,
): Promise<Result<Erasure, "not_found" | "unavailable">> {
  const account = await accountById(env.DIRECTORY, userId);
  const known = account ? undefined : await erasureOf(env.DIRECTORY, userId);
  if (!account && !known) return refuse("not_found");
  if (known?.state === "done") return ok(known);
  const record = await openErasure(env.DIRECTORY, { userId, askedBy, begunAt: now });
  const told = await tryCall(async () => await inboxOf(env, userId).erase(record));
  if (!told.ok) return told;
  if (account) await endAccount(env, account);
  return ok(record);
}

/** The plan does it anyway; here it is done before the answer. */
async function endAccount(env: Env, { userId, handle }: Account): Promise<void> {
  try {
    const devices = await allDevices(env.DIRECTORY, userId);
    await eraseAccount(env.DIRECTORY, userId, await handleHashOf(handle));
    for (const { deviceId } of devices) rememberRevoked(deviceId);
  } catch (error) {
    log.warn("account_not_ended_at_once", { userId, error });
  }
}

/** [ER-5] Winds up every erasure that is not done: one whose alarm is set goes on as it would have. */
export async function rearmErasures(env: Env): Promise<void> {
  for (let after = ""; ; ) {
    const records = await openErasures(env.DIRECTORY, after, PAGE);
    await mapWindowed(records, CALL_WINDOW, (record) =>
      tryCall(async () => await inboxOf(env, record.userId).erase(record)),
    );
    const last = records.at(-1);
    if (!last || records.length < PAGE) return;
    after = last.userId;
  }
}
