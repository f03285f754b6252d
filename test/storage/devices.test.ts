import { expect, test } from "vitest";
import { deviceOf, markRevoked, rotateGeneration } from "../../src/storage/devices.ts";
import { env, signUp } from "../routes/support/accounts.ts";

const db = env.DIRECTORY;
const key = undefined;
async function someDevice() {
  const { user, device } = await signUp();
  const row = async () => deviceOf(db, user.userId, device.deviceId);
  return { userId: user.userId, deviceId: device.deviceId, row };
}

test("[AC-7] a generation is traded once, for the next", async () => {
  const { deviceId, row } = await someDevice();
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, () => rotateGeneration(db, { deviceId, generation: 1, key }, 5)),
  );
  expect(outcomes.filter(Boolean)).toHaveLength(1);
  expect(await row()).toMatchObject({ generation: 2, lastUsedAt: 5 });
});

test("[AC-7] a token ahead of a database that was put back is traded, and moves it forward", async () => {
  const { deviceId, row } = await someDevice();
  expect(await rotateGeneration(db, { deviceId, generation: 7, key }, 5)).toBe(true);
  expect((await row())?.generation).toBe(8);
  expect(await rotateGeneration(db, { deviceId, generation: 6, key }, 5)).toBe(false);
});

test("[AC-8] a device that is revoked between the look and the trade gets nothing", async () => {
  const { userId, deviceId, row } = await someDevice();
  await markRevoked(db, userId, deviceId, 1_000);
  const before = await row();
  expect(await rotateGeneration(db, { deviceId, generation: 1, key }, 2_000)).toBe(false);
  expect(await row()).toEqual(before);
  await markRevoked(db, userId, deviceId, 3_000);
  expect((await row())?.revokedAt).toBe(1_000);
});
