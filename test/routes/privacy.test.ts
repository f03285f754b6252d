import * as fc from "fast-check";
import { ulid } from "ulid";
import { describe, expect, test } from "vitest";
import type { Session } from "../../src/protocol/http.ts";
import { newDeviceId, TestSocket, until } from "../objects/support.ts";
import { type Answered, ask, codeOf, downInboxes, signUp } from "./support/accounts.ts";
import { hide, isShown, profileFor } from "./support/privacy.ts";
import { type Call, directoryCutAt, gate, InboxWire, over, sleep } from "./support/wires.ts";

const pair = async () => [await signUp(), await signUp()] as const;

describe("my privacy at my inbox", () => {
  const settingsOf = async ({ accessToken: token }: Session) => (await ask("GET", "/v1/me", { token })).json.privacy;
  const lastTold = (wire: InboxWire, from = 0) =>
    wire.passed.slice(from).map(({ args: [self] }) => (self as { privacy: { lastSeen: string } }).privacy.lastSeen);

  test("[CT-9] what is hidden holds at once, before it is stored; what is shown, after", async () => {
    const [ann, bob] = await pair();
    const stored: string[] = [];
    const wire = new InboxWire(async () => stored.push((await settingsOf(bob)).lastSeen));
    await hide(bob, "nobody", over(wire));
    expect([lastTold(wire), stored]).toEqual([
      ["nobody", "nobody"],
      ["everyone", "nobody"],
    ]);
    expect(await isShown(ann, bob)).toBe(false);
    await hide(bob, "everyone", over(wire));
    expect([lastTold(wire, 2), stored.slice(2)]).toEqual([
      ["nobody", "everyone"],
      ["nobody", "everyone"],
    ]);
    expect(await isShown(ann, bob)).toBe(true);
  });

  test("[CT-9] a failure half-way is unavailable and never shows more than is stored", async () => {
    const [ann, bob] = await pair();
    expect(codeOf(await hide(bob, "nobody", { INBOXES: downInboxes() }))).toBe("unavailable");
    expect([(await settingsOf(bob)).lastSeen, await isShown(ann, bob)]).toEqual(["everyone", true]);
    expect(codeOf(await hide(bob, "nobody", { DIRECTORY: directoryCutAt("UPDATE") }))).toBe("unavailable");
    expect([(await settingsOf(bob)).lastSeen, await isShown(ann, bob)]).toEqual(["everyone", false]);
    expect((await hide(bob, "nobody")).status).toBe(200);
    expect(codeOf(await hide(bob, "everyone", { DIRECTORY: directoryCutAt("UPDATE") }))).toBe("unavailable");
    expect([(await settingsOf(bob)).lastSeen, await isShown(ann, bob)]).toEqual(["nobody", false]);
    expect((await hide(bob, "everyone")).status).toBe(200);
    expect([(await settingsOf(bob)).lastSeen, await isShown(ann, bob)]).toEqual(["everyone", true]);
  });

  test("[CT-13] a change reaches my other devices at once, and the one that made it by the answer alone", async () => {
    const { user, device, accessToken: token } = await signUp();
    const [mine, other] = [
      await TestSocket.caughtUp(user.userId, device.deviceId),
      await TestSocket.caughtUp(user.userId, newDeviceId()),
    ];
    const body = { displayName: "Countess", privacy: { readReceipts: "contacts" } };
    const { displayName, privacy } = (await ask("PATCH", "/v1/me", { token, body })).json;
    await until(() => other.of("self").at(-1)?.profile?.displayName === "Countess");
    expect(other.of("self").at(-1)?.profile).toEqual({ displayName, privacy });
    expect(mine.of("self")).toEqual([]);
  });

  test("[CT-10] a device that tells late, when another has hidden something since, does not show it again", async () => {
    const [ann, bob] = await pair();
    const [read, late] = [gate(), gate()];
    const wire = new InboxWire(() => {
      read.open();
      return late.passed;
    });
    const body = { displayName: "Robert" };
    const renamed = ask("PATCH", "/v1/me", { token: bob.accessToken, body, env: over(wire) });
    await read.passed;
    await hide(bob, "nobody");
    late.open();
    expect((await renamed).status).toBe(200);
    expect(await isShown(ann, bob)).toBe(false);
  });

  test("[CT-10] however changes by several devices cross, the inbox ends with what is stored", async () => {
    const visibility = fc.constantFrom("everyone", "contacts", "nobody");
    const body = fc.oneof(
      fc.record({ privacy: fc.record({ lastSeen: visibility, readReceipts: visibility }, { requiredKeys: [] }) }),
      fc.record({ displayName: fc.constantFrom("Ann", "Anna") }),
    );
    const wish = fc.record({ body, after: fc.nat(8), delays: fc.array(fc.nat(12)) });
    await fc.assert(
      fc.asyncProperty(fc.array(wish, { minLength: 2, maxLength: 4 }), async (wishes) => {
        const { accessToken: token, user } = await signUp();
        const arrived: Call[] = [];
        const answers = await Promise.all(
          wishes.map(async ({ body, after, delays }) => {
            let call = 0;
            const wire = new InboxWire(async (next) => {
              await sleep(delays[call++ % (delays.length || 1)] ?? 0);
              arrived.push(next);
            });
            await sleep(after);
            return ask("PATCH", "/v1/me", { token, body, env: over(wire) });
          }),
        );
        expect(answers.map(({ status }) => status).filter((status) => status !== 200)).toEqual([]);
        const { displayName, privacy } = (await ask("GET", "/v1/me", { token })).json;
        expect(arrived.at(-1)).toMatchObject({
          to: user.userId,
          args: [{ displayName, privacy }, expect.anything(), expect.any(Number)],
        });
      }),
      { numRuns: 40 },
    );
  });
});

describe("presence in a profile", () => {
  test("[CT-11] it is there when it is shown to me, and left out when not", async () => {
    const [ann, bob] = await pair();
    const { userId, handle, displayName } = bob.user;
    const shown = await profileFor(ann, userId);
    expect(shown.json).toMatchObject({ userId, handle, displayName, presence: { state: "offline" } });
    expect(shown.json.presence).not.toHaveProperty("userId");
    await hide(bob, "nobody");
    expect((await profileFor(ann, userId)).json).toEqual({ userId, handle, displayName });
    expect(codeOf(await profileFor(ann, ulid()))).toBe("not_found");
  });

  test("[CT-11] an inbox that fails or is silent costs the presence and not the profile", async () => {
    const [ann, bob] = await pair();
    const { userId, handle, displayName } = bob.user;
    for (const INBOXES of [downInboxes(), new InboxWire(() => new Promise(() => {})).inboxes]) {
      const startedAt = Date.now();
      const answered: Answered = await profileFor(ann, userId, { INBOXES });
      expect([answered.status, answered.json]).toEqual([200, { userId, handle, displayName }]);
      expect(Date.now() - startedAt).toBeLessThan(30_000); // it is not waited for long
    }
  });
});
