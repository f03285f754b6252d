import { expect, test, vi } from "vitest";
import { isRevoked, REVOKED_WITHIN_MS, rememberRevoked } from "../../src/platform/revocations.ts";
import { markRevoked } from "../../src/storage/devices.ts";
import { downDatabase, env, signUp } from "../routes/support/accounts.ts";

async function someDevice() {
  const { user, device } = await signUp();
  return { userId: user.userId, deviceId: device.deviceId };
}

test("[AC-10] a revocation made elsewhere is noticed within 20 s, and D1 is asked no oftener", async () => {
  const { userId, deviceId } = await someDevice();
  const asked = vi.spyOn(env.DIRECTORY, "prepare");
  const at = (ms: number) => isRevoked(env.DIRECTORY, userId, deviceId, 1_000_000 + ms);
  expect(await at(0)).toBe(false);
  asked.mockClear();
  await markRevoked(env.DIRECTORY, userId, deviceId, 1);
  expect(asked).toHaveBeenCalledTimes(1);
  expect(await at(REVOKED_WITHIN_MS - 1)).toBe(false);
  expect(asked).toHaveBeenCalledTimes(1);
  expect(await at(REVOKED_WITHIN_MS)).toBe(true);
  expect(asked).toHaveBeenCalledTimes(2);
  expect(await at(10 * REVOKED_WITHIN_MS)).toBe(true);
  expect(asked).toHaveBeenCalledTimes(2);
  expect(REVOKED_WITHIN_MS).toBeLessThanOrEqual(60_000);
});

test("[AC-10] a device that is not there, or another user's, counts as revoked", async () => {
  const [mine, theirs] = [await someDevice(), await someDevice()];
  expect(await isRevoked(env.DIRECTORY, theirs.userId, mine.deviceId, 0)).toBe(true);
});

test("[AC-25] while D1 is away a device not known to be revoked passes, and one known to be does not", async () => {
  const [fine, gone] = [await someDevice(), await someDevice()];
  rememberRevoked(gone.deviceId);
  expect(await isRevoked(downDatabase(), fine.userId, fine.deviceId, 0)).toBe(false);
  expect(await isRevoked(downDatabase(), gone.userId, gone.deviceId, 0)).toBe(true);
});

test("[AC-25] a database that answers nothing holds nobody up for long", async () => {
  const { userId, deviceId } = await someDevice();
  const never = { prepare: () => ({ bind: () => ({ raw: () => new Promise(() => {}) }) }) } as unknown as D1Database;
  const began = Date.now();
  expect(await isRevoked(never, userId, deviceId, 0)).toBe(false);
  expect(Date.now() - began).toBeLessThan(30_000); // it gives up by itself after a moment
});

test("[AC-10] a look-up under way does not undo a revocation", async () => {
  const { userId, deviceId } = await someDevice();
  const lookUp = isRevoked(env.DIRECTORY, userId, deviceId, 0);
  rememberRevoked(deviceId);
  await lookUp;
  expect(await isRevoked(env.DIRECTORY, userId, deviceId, 1)).toBe(true);
});
