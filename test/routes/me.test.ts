import { ulid } from "ulid";
import { describe, expect, test } from "vitest";
import { upgradeFor } from "../../src/platform/socket-caller.ts";
import { inboxOf } from "../../src/platform/stubs.ts";
import { Device, type Session } from "../../src/protocol/http.ts";
import { deviceOf } from "../../src/storage/devices.ts";
import { ask, codeOf, downInboxes, env, refresh, signIn, signUp, WholeSession } from "./support/accounts.ts";

const listOf = async (token: string): Promise<Device[]> =>
  Device.array().parse((await ask("GET", "/v1/me/devices", { token })).json.devices);
const second = async (first: Session): Promise<WholeSession> =>
  WholeSession.parse((await signIn(first.user.handle)).json);
const revoke = (token: string, deviceId: string, changed = {}) =>
  ask("DELETE", `/v1/me/devices/${deviceId}`, { token, env: changed });

/** Opens a socket of this device at its inbox; the promise tells the code that it is closed with. */
async function openSocket({ user, device, accessExpiresAt }: Session): Promise<Promise<number>[]> {
  const caller = { userId: user.userId, deviceId: device.deviceId, expiresAt: accessExpiresAt, subprotocol: false };
  const { webSocket } = await inboxOf(env, user.userId).fetch(upgradeFor(caller));
  if (!webSocket) throw new Error("no socket");
  webSocket.accept();
  return [
    new Promise((resolve) => webSocket.addEventListener("close", (event) => resolve(event.code), { once: true })),
  ];
}

describe("my profile", () => {
  test("[AC-28] what is given changes and the rest stays", async () => {
    const { user, accessToken: token } = await signUp();
    const patch = async (body: unknown) => (await ask("PATCH", "/v1/me", { token, body })).json;
    expect(await patch({})).toEqual(user);
    expect(await patch({ displayName: "  Ada  " })).toEqual({ ...user, displayName: "Ada" });
    expect(await patch({ privacy: { lastSeen: "nobody" } })).toMatchObject({
      displayName: "Ada",
      privacy: { lastSeen: "nobody", readReceipts: "everyone" },
    });
    const all = await patch({ displayName: "Countess", privacy: { lastSeen: "contacts", readReceipts: "nobody" } });
    expect(all).toEqual({
      ...user,
      displayName: "Countess",
      privacy: {
        lastSeen: "contacts",
        readReceipts: "nobody",
        conversations: "everyone",
        findable: "everyone",
        picture: "everyone",
      },
    });
    expect((await ask("GET", "/v1/me", { token })).json).toEqual(all);
  });

  test("[AC-28] what is not a profile is refused, and nothing of it is stored", async () => {
    const { user, accessToken: token } = await signUp();
    for (const body of [
      { displayName: " " },
      { displayName: "x".repeat(101) },
      { handle: "other" },
      { privacy: { lastSeen: "friends" } },
      { displayName: "fine", privacy: { lastSeen: "everyone", typing: "nobody" } },
      { userId: user.userId },
      null,
      [],
    ]) {
      expect(codeOf(await ask("PATCH", "/v1/me", { token, body }))).toBe("invalid_request");
    }
    expect((await ask("GET", "/v1/me", { token })).json).toEqual(user);
  });
});

describe("other people", () => {
  test("[AC-27] a profile is found by handle in any case, or by id, and tells no more than the profile and what presence is shown", async () => {
    const { accessToken: token } = await signUp();
    const { user } = await signUp("hedy.lamarr");
    const profile = { userId: user.userId, handle: "hedy.lamarr", displayName: "HEDY.LAMARR" };
    expect((await ask("GET", "/v1/users?handle=Hedy.Lamarr", { token })).json).toEqual(profile);
    const { presence: _, ...byId } = (await ask("GET", `/v1/users/${user.userId}`, { token })).json;
    expect(byId).toEqual(profile);
  });

  test("[AC-27] nobody is not found, and strangers may not look", async () => {
    const { accessToken: token, user } = await signUp();
    for (const path of ["/v1/users?handle=no-such-person", "/v1/users?handle=%00%F0%9F%8C%8A", `/v1/users/${ulid()}`]) {
      expect(codeOf(await ask("GET", path, { token }))).toBe("not_found");
    }
    for (const path of [
      "/v1/users",
      "/v1/users?handle=",
      "/v1/users?handle=a&handle=b",
      "/v1/users?handle=a&x=1",
      "/v1/users/me",
    ]) {
      expect(codeOf(await ask("GET", path, { token }))).toBe("invalid_request");
    }
    expect(codeOf(await ask("GET", `/v1/users/${user.userId}`))).toBe("unauthenticated");
  });
});

describe("my devices", () => {
  test("[AC-11] the list has those that are signed in, the one used last first, and says which one asks", async () => {
    const first = await signUp();
    const other = await second(first);
    await signUp();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await refresh(first.refreshToken);
    const listed = await listOf(first.accessToken);
    expect(listed.map(({ deviceId, current, name }) => [deviceId, current, name])).toEqual([
      [first.device.deviceId, true, "phone"],
      [other.device.deviceId, false, "laptop"],
    ]);
    expect(listed[0]?.lastUsedAt).toBeGreaterThan(first.device.lastUsedAt);
    await revoke(first.accessToken, other.device.deviceId);
    expect((await listOf(first.accessToken)).map((d) => d.deviceId)).toEqual([first.device.deviceId]);
  });

  test("[AC-9] revoking closes that device's sockets with 4001, ends its tokens, and leaves the others", async () => {
    const first = await signUp();
    const other = await second(first);
    const [closed] = await openSocket(other);
    const [mine] = await openSocket(first);
    expect((await revoke(first.accessToken, other.device.deviceId)).status).toBe(204);
    expect(await closed).toBe(4001);
    expect(codeOf(await ask("GET", "/v1/me", { token: other.accessToken }))).toBe("device_revoked");
    expect(codeOf(await refresh(other.refreshToken))).toBe("device_revoked");
    expect((await ask("GET", "/v1/me", { token: first.accessToken })).status).toBe(200);
    expect(await Promise.race([mine, new Promise((resolve) => setTimeout(resolve, 50, "open"))])).toBe("open");
    await revoke(first.accessToken, first.device.deviceId);
    expect(await mine).toBe(4001);
  });

  test("[AC-9] signing out does the same to the device that asks", async () => {
    const session = await signUp();
    const [closed] = await openSocket(session);
    expect((await ask("POST", "/v1/auth/sign-out", { token: session.accessToken })).status).toBe(204);
    expect(await closed).toBe(4001);
    expect(codeOf(await ask("POST", "/v1/auth/sign-out", { token: session.accessToken }))).toBe("device_revoked");
  });

  test("[AC-9] a reused refresh token closes the sockets, too", async () => {
    const session = await signUp();
    await refresh(session.refreshToken);
    const [closed] = await openSocket(session);
    expect(codeOf(await refresh(session.refreshToken))).toBe("refresh_reused");
    expect(await closed).toBe(4001);
  });

  test("[AC-9] revoking twice is revoking once; what is not mine is not there", async () => {
    const first = await signUp();
    const other = await second(first);
    const stranger = await signUp();
    expect((await revoke(first.accessToken, other.device.deviceId)).status).toBe(204);
    const at = (await deviceOf(env.DIRECTORY, first.user.userId, other.device.deviceId))?.revokedAt;
    expect((await revoke(first.accessToken, other.device.deviceId)).status).toBe(204);
    expect((await deviceOf(env.DIRECTORY, first.user.userId, other.device.deviceId))?.revokedAt).toBe(at);
    for (const id of [stranger.device.deviceId, ulid()])
      expect(codeOf(await revoke(first.accessToken, id))).toBe("not_found");
    expect(codeOf(await revoke(first.accessToken, "me"))).toBe("invalid_request");
    expect((await ask("GET", "/v1/me", { token: stranger.accessToken })).status).toBe(200);
  });

  test("[AC-9] while the inbox cannot be told, nothing is revoked: it can be tried again", async () => {
    const first = await signUp();
    const other = await second(first);
    const failed = await revoke(first.accessToken, other.device.deviceId, { INBOXES: downInboxes() });
    expect(codeOf(failed)).toBe("unavailable");
    expect(await listOf(first.accessToken)).toHaveLength(2);
    expect((await ask("GET", "/v1/me", { token: other.accessToken })).status).toBe(200);
    expect((await revoke(first.accessToken, other.device.deviceId)).status).toBe(204);
    expect(await listOf(first.accessToken)).toHaveLength(1);
  });
});
