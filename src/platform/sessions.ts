import { ulid } from "ulid";
import { decideRefresh, liveSince } from "../domain/session.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { Device, Me, Session } from "../protocol/http.ts";
import { DeviceId, type IdempotencyKey, type UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, type Refusal, type Result, refuse } from "../protocol/result.ts";
import { addDevice, deviceOf, markRevoked, returnDevice, rotateGeneration } from "../storage/devices.ts";
import type { Account, DeviceRow } from "../storage/directory-schema.ts";
import { erasureOf } from "../storage/erasures.ts";
import { tryCall } from "./calls.ts";
import type { Env } from "./env.ts";
import { limitRefresh } from "./rate-limit.ts";
import { rememberRevoked } from "./revocations.ts";
import { inboxOf } from "./stubs.ts";
import { type IssuedTokens, issueTokens, type RefreshClaims, verifyRefreshToken } from "./tokens.ts";

/** What signing in says of the device: with `id`, the one it was before. */
type WishedDevice = { name: string; id?: DeviceId | undefined };

const room = (now: number) => ({ max: LIMITS.devices, liveSince: liveSince(now) });

export function meOf({ userId, handle, displayName, avatarMediaId, createdAt, ...settings }: Account): Me {
  const { lastSeen, readReceipts, conversations, findable, picture } = settings;
  const privacy = { lastSeen, readReceipts, conversations, findable, picture };
  return { userId, handle, displayName, ...(avatarMediaId ? { avatarMediaId } : {}), privacy, createdAt };
}

export function deviceView({ deviceId, name, createdAt, lastUsedAt }: DeviceRow, asking: DeviceId): Device {
  return { deviceId, name, createdAt, lastUsedAt, current: deviceId === asking };
}

export function newDevice(userId: UserId, name: string, now: number): DeviceRow {
  const deviceId = DeviceId.parse(ulid(now));
  return { deviceId, userId, name, generation: 1, createdAt: now, lastUsedAt: now, revokedAt: null, renewedBy: null };
}

/** What signing in answers with, for a device whose row is written. */
export async function sessionOf(env: Env, account: Account, device: DeviceRow, now: number): Promise<Session> {
  const tokens = await issueTokens(env, device, now);
  return { user: meOf(account), device: deviceView(device, device.deviceId), ...tokens };
}

/** Signs a device of this account in: the one it names if that is theirs and not revoked, else a new one. */
export async function openSession(
  env: Env,
  account: Account,
  { id, name }: WishedDevice,
  now: number,
): Promise<Result<Session, "too_many_devices">> {
  const { userId } = account;
  const returned = id && (await returnDevice(env.DIRECTORY, { userId, deviceId: id, name, now }, room(now))); // [AC-12]
  const device = returned ?? newDevice(userId, name, now); // [AC-13]
  if (!returned && !(await addDevice(env.DIRECTORY, device, room(now)))) return refuse("too_many_devices");
  return ok(await sessionOf(env, account, device, now));
}

/** What a device renews its session with. `key`: of this trade, the same however often it is asked for. */
export type Renewal = { token: string; key: IdempotencyKey | undefined };
/** `deviceId`: whose they are. */
export type Renewed = { deviceId: DeviceId; tokens: IssuedTokens };

/** Trades a refresh token for a new pair. One that was traded before was copied by somebody: the device is signed out. */
export async function refreshSession(
  env: Env,
  { token, key }: Renewal,
  now: number,
): Promise<Result<Renewed, ErrorCode>> {
  const claims = await verifyRefreshToken(env, token, now); // [AC-5] only what we signed gets any further
  if (!claims.ok) return claims;
  const { userId, deviceId } = claims.value;
  const limited = await limitRefresh(env, deviceId);
  if (!limited.ok) return limited;
  const trade = { ...claims.value, key };
  const traded = (await tradeGeneration(env, trade, now)) ?? (await tradeGeneration(env, trade, now)); // [AC-33] lost to a twin of its own
  if (traded === "revoked") return revokedOf(env, userId);
  if (traded) return ok({ deviceId, tokens: await issueTokens(env, { userId, deviceId, generation: traded }, now) });
  const ended = await endSession(env, userId, deviceId, now); // [AC-6] used before, or by somebody else this moment
  return ended.ok ? refuse("refresh_reused") : ended;
}

type Trade = RefreshClaims & { key: IdempotencyKey | undefined };

/** The generation that this trade leads to; undefined: another one was faster, or the token was used before. */
async function tradeGeneration({ DIRECTORY }: Env, trade: Trade, now: number): Promise<number | "revoked" | undefined> {
  const { userId, deviceId, generation } = trade;
  const decision = decideRefresh(await deviceOf(DIRECTORY, userId, deviceId), trade);
  if (decision === "revoked") return "revoked";
  if (decision === "repeat") return generation + 1;
  const isTraded = decision === "rotate" && (await rotateGeneration(DIRECTORY, trade, now));
  return isTraded ? generation + 1 : undefined;
}

/** [ER-16] Whoever holds a token that we signed for a device of the person is told why it is good no more, if the directory can say. */
async function revokedOf(env: Env, userId: UserId): Promise<Refusal<"device_revoked">> {
  const erasure = await erasureOf(env.DIRECTORY, userId).catch(() => undefined);
  return erasure ? { ...refuse("device_revoked"), erased: true } : refuse("device_revoked");
}

/**
 * Signs a device out for ever: its sockets close at once, its tokens stop working. The inbox comes first, so that an attempt that
 * failed half-way leaves the device in the list, to be revoked again.
 */
export async function endSession(
  env: Env,
  userId: UserId,
  deviceId: DeviceId,
  now: number,
): Promise<Result<undefined, "unavailable">> {
  const told = await tryCall(async () => await inboxOf(env, userId).revoke(deviceId)); // [AC-9]
  if (!told.ok) return told;
  await markRevoked(env.DIRECTORY, userId, deviceId, now);
  rememberRevoked(deviceId);
  return ok(undefined);
}
