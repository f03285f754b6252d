import * as fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { DOORS, type Door, type Session } from "../../src/protocol/http.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { ask, codeOf, freshHandle, PASSWORD, signUp } from "./support/accounts.ts";

/** The password work is not what is tried here, and would make each run 50 ms longer. */
vi.mock("../../src/platform/passwords.ts", () => ({
  hashPassword: async () => "none",
  verifyPassword: async () => false,
}));

const NAMES = [
  "signUp",
  "signIn",
  "exchange",
  "refresh",
  "changeMe",
  "findUser",
  "user",
  "revokeDevice",
  "contacts",
  "putContact",
  "removeContact",
] as const;
let session: Session;
let other: Session;
beforeAll(async () => {
  [session, other] = [await signUp(), await signUp()];
});

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ maxLength: 40 }),
  fc.constantFrom("", " ", "\0", "\ud800", "' OR 1=1 --", "__proto__", "🌊".repeat(200), "alice", "x".repeat(5_000)),
);
const id = () =>
  fc.constantFrom(session.device.deviceId, session.user.userId, other.user.userId, "01JAAAAAAAAAAAAAAAAAAAAAAA");
const token = () => fc.constantFrom(session.accessToken, "a.b.c", `${session.accessToken.slice(0, -3)}AAA`);
const leaf = fc.oneof(
  text,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constant([]),
  fc.object({ maxDepth: 2 }),
);
/** Bodies that are near to right: the fields of all these doors, some missing, some of another kind, some too many. */
const nearBody = () => {
  const value = fc.oneof(leaf, id(), token());
  const device = fc.oneof(fc.record({ name: value, id: value, extra: leaf }, { requiredKeys: [] }), leaf);
  const privacy = fc.oneof(fc.record({ lastSeen: value, readReceipts: value }, { requiredKeys: [] }), leaf);
  const fields = {
    handle: value,
    password: value,
    displayName: value,
    device,
    token: value,
    refreshToken: value,
    privacy,
    extra: leaf,
  };
  return fc.oneof(
    fc.record(fields, { requiredKeys: [] }),
    fc.record({ handle: text, password: text, displayName: text, device }),
    leaf,
  );
};
const body = () =>
  fc.oneof(
    nearBody().map((value) => JSON.stringify(value) ?? ""),
    text,
    fc.json(),
  );
const pathOf = (door: Door) =>
  fc.tuple(fc.oneof(text, id()), fc.oneof(text, id()), fc.boolean()).map(([part, query, asked]) => {
    const path = door.path.replaceAll(/\{\w+\}/g, encodeURIComponent(part.toWellFormed().slice(0, 200)) || "_");
    return asked ? `${path}?handle=${encodeURIComponent(query.toWellFormed())}` : path;
  });

describe("whatever is sent, the answer has a code and the fault is the sender's", () => {
  test.each(NAMES)(
    "[AC-31] %s",
    async (name) => {
      const door: Door = DOORS[name];
      await fc.assert(
        fc.asyncProperty(pathOf(door), body(), async (path, content) => {
          const method = door.method.toUpperCase();
          const answered = await ask(method, path, {
            token: session.accessToken,
            ...(method === "GET" ? {} : { text: content }),
          });
          expect(answered.status).toBeLessThan(500);
          if (answered.status >= 400) codeOf(answered);
          else door.answers[answered.status]?.parse(answered.json);
          expect(answered.text).not.toMatch(/SELECT|INSERT|D1_|at .*\.ts:/);
          if (answered.status === 204 && name === "revokeDevice") session = await signUp();
        }),
        { numRuns: 150 },
      );
    },
    60_000,
  );
});

test("[AC-31] a body over the limit is refused before it is read to its end", async () => {
  const huge = JSON.stringify({ handle: "x".repeat(LIMITS.bodyBytes) });
  expect(codeOf(await ask("POST", "/v1/auth/sign-in", { text: huge }))).toBe("payload_too_large");
});

test("[AC-31] a name of any characters comes back as it was sent, without the blanks around it", async () => {
  const name = fc
    .string({ unit: "binary", minLength: 1, maxLength: 50 })
    .filter((s) => s.isWellFormed() && s.trim().length > 0);
  await fc.assert(
    fc.asyncProperty(name, name, async (displayName, deviceName) => {
      const body = { handle: freshHandle(), password: PASSWORD, displayName, device: { name: deviceName } };
      const { status, json } = await ask("POST", "/v1/auth/sign-up", { body });
      expect([status, json.user.displayName, json.device.name]).toEqual([201, displayName.trim(), deviceName.trim()]);
      expect((await ask("GET", "/v1/me", { token: json.accessToken })).json).toEqual(json.user);
    }),
    { numRuns: 60 },
  );
});
