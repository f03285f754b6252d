import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { textOf } from "../../src/domain/life.ts";
import { type Device, PASSWORD, signIn, signUp } from "./support/client.ts";
import { call, must } from "./support/door.ts";
import { walkHistory } from "./support/history.ts";
import { PATIENCE_MS } from "./support/patience.ts";
import { type Server, startServer } from "./support/server.ts";
import { shippedCounts } from "./support/shipped.ts";
import { tellAsStory } from "./support/story.ts";
import { openWire } from "./support/wire.ts";

let server: Server;
let url: string;
let alice: Device;
let aliceLaptop: Device;
let bob: Device;
let bobLaptop: Device;
let direct: string;

beforeAll(async () => {
  server = await startServer();
  url = server.url;
});
afterAll(() => server?.remove());

tellAsStory();

const everybody = () => [alice, aliceLaptop, bob, bobLaptop];
const texts = (device: Device) =>
  device.log(direct).events.map((event) => (event.kind === "message" ? (textOf(event.content) ?? "") : event.kind));
const faultless = () => everybody().flatMap((d) => [...d.faults, ...(d.wire?.strange ?? []), ...d.log(direct).faults]);

/** Polls until the expectation holds; its last failure is the test's. */
async function eventually(expectation: () => void | Promise<void>, withinMs = PATIENCE_MS): Promise<void> {
  for (const until = Date.now() + withinMs; ; await sleep(20)) {
    try {
      return await expectation();
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
}

test("[NC-1] two people sign up, and sign in on a second device each", async () => {
  alice = await signUp(url, "Alice");
  bob = await signUp(url, "bob");
  aliceLaptop = await signIn(url, "aLiCe", "laptop");
  bobLaptop = await signIn(url, "bob", "laptop");
  expect(alice.session.user.handle).toBe("alice");
  expect(aliceLaptop.userId).toBe(alice.userId);
  expect(aliceLaptop.deviceId).not.toBe(alice.deviceId);
  const { devices } = await must(url, "devices", { token: alice.token });
  const named = devices.map(({ deviceId, name, current }) => ({ deviceId, name, current }));
  expect(named).toHaveLength(2);
  expect(named).toContainEqual({ deviceId: alice.deviceId, name: "first", current: true });
  expect(named).toContainEqual({ deviceId: aliceLaptop.deviceId, name: "laptop", current: false });
});

test("[NC-1] each finds the other by handle, and both open the same conversation", async () => {
  const found = await must(url, "findUser", { query: { handle: "BOB" }, token: alice.token });
  expect(found).toEqual({ userId: bob.userId, handle: "bob", displayName: "bob" });
  const first = await call(url, "openDirect", { params: { userId: bob.userId }, token: alice.token });
  const second = await call(url, "openDirect", { params: { userId: alice.userId }, token: bob.token });
  expect([first.status, second.status]).toEqual([201, 200]);
  if (!first.ok || !second.ok) throw new Error("refused");
  expect(second.body.conversation.conversationId).toBe(first.body.conversation.conversationId);
  expect(first.body.conversation.members.map((m) => m.userId).sort()).toEqual([alice.userId, bob.userId].sort());
  direct = first.body.conversation.conversationId;
});

test("[NC-2] what each of four devices says reaches the other three live, in one order", async () => {
  for (const device of everybody()) await device.connect();
  await Promise.all(everybody().map((device) => device.caughtUp()));
  for (let n = 0; n < 5; n++) for (const device of everybody()) device.outbox.add(direct, `${device.name} ${n}`);
  await eventually(() => {
    for (const device of everybody()) expect(device.log(direct).events.length).toBe(20);
  });
  for (const device of everybody()) {
    expect(texts(device)).toEqual(texts(alice));
    const own = texts(alice).filter((text) => text.startsWith(`${device.name} `));
    expect(own).toEqual([0, 1, 2, 3, 4].map((n) => `${device.name} ${n}`));
  }
  expect(faultless()).toEqual([]);
});

test("[NC-3] the list tells the conversation, the peer, the head and what is unread", async () => {
  const { conversations } = await must(url, "conversations", { token: bob.token });
  expect(conversations).toHaveLength(1);
  const [listed] = conversations;
  expect(listed).toMatchObject({ conversationId: direct, kind: "direct", head: 20, readSeq: 0, unread: 10 });
  expect(listed?.peer).toMatchObject({ userId: alice.userId, handle: "alice" });
  expect(listed?.lastEvent).toEqual(bob.log(direct).events.at(-1));
});

test("[NC-3] history has the same events in both directions, page by page, before and after shipping", async () => {
  const walks = () =>
    Promise.all(
      (["after", "before"] as const).flatMap((direction) =>
        [1, 3, 20, 200].map((limit) =>
          walkHistory({ url, token: bobLaptop.token, conversationId: direct, direction, limit }),
        ),
      ),
    );
  for (const walk of await walks()) expect(walk.events).toEqual(alice.log(direct).events);
  await eventually(() => expect(shippedCounts(server.dataDir).get(direct)).toBe(20));
  for (const walk of await walks()) expect(walk.events).toEqual(alice.log(direct).events);
});

test("[NC-4] reading on one device reaches the peer and my other device, and empties what is unread", async () => {
  bob.wire?.tell({ type: "receipt", conversationId: direct, delivered: 20, read: 12 });
  await eventually(() => {
    for (const device of [alice, aliceLaptop, bobLaptop])
      expect(device.receipts.get(`${direct} ${bob.userId}`)).toMatchObject({ delivered: 20, read: 12 });
  });
  bobLaptop.wire?.tell({ type: "receipt", conversationId: direct, read: 20 });
  bobLaptop.wire?.tell({ type: "receipt", conversationId: direct, read: 3 });
  await eventually(async () => {
    const { conversation } = await must(url, "conversation", { params: { id: direct }, token: bob.token });
    expect(conversation.mine).toMatchObject({ delivered: 20, read: 20, unread: 0 });
    expect(alice.receipts.get(`${direct} ${bob.userId}`)).toMatchObject({ delivered: 20, read: 20 });
  });
});

test("[NC-5] a device that lost its socket resumes where it was", async () => {
  aliceLaptop.cut();
  const held = aliceLaptop.log(direct).held;
  for (let n = 0; n < 150; n++) bob.outbox.add(direct, `while you were away ${n}`);
  await eventually(() => expect(bob.outbox.waiting).toEqual([]));
  expect(aliceLaptop.log(direct).held).toBe(held);
  expect((await aliceLaptop.connect()).mode).toBe("resume");
  await aliceLaptop.caughtUp();
  // An inbox may be told after the sender was: then the last of it comes live.
  await eventually(() => {
    for (const device of [aliceLaptop, bob]) expect(device.log(direct).held).toBe(170);
  });
  expect(aliceLaptop.log(direct).events).toEqual(bob.log(direct).events);
});

test("[NC-5] a device that never was here, or holds a cursor nobody knows, ends up equal to the rest", async () => {
  for (const cursor of [null, "no-such-cursor"]) {
    const device = await signIn(url, "alice", "tablet");
    device.cursor = cursor;
    const { mode } = await device.connect();
    if (cursor !== null) expect(mode).toBe("reset");
    await device.caughtUp();
    expect(device.log(direct).events).toEqual(bob.log(direct).events);
    expect(device.faults).toEqual([]);
    device.cut();
  }
});

test("[NC-6] a newer socket of the same device replaces the older one", async () => {
  const older = alice.wire;
  await alice.connect();
  expect((await older?.closed)?.code).toBe(4002);
  await alice.caughtUp();
});

test("[NC-7] a revoked device's socket closes with 4001 at once, and every door refuses it", async () => {
  const { wire, token, session } = bobLaptop;
  const startedAt = Date.now();
  await must(url, "revokeDevice", { params: { deviceId: bobLaptop.deviceId }, token: bob.token });
  expect((await wire?.closed)?.code).toBe(4001);
  expect(Date.now() - startedAt).toBeLessThan(30_000); // at once, and not within the minute that the doors may take
  await expect(closeCodeOf(token)).resolves.toBe(4001);
  await eventually(async () => expect(await codeOf("me", { token })).toBe("device_revoked"));
  expect(await codeOf("refresh", { body: { refreshToken: session.refreshToken } })).toBe("device_revoked");
  const { devices } = await must(url, "devices", { token: bob.token });
  expect(devices.map((device) => device.deviceId)).toEqual([bob.deviceId]);
  expect(bob.wire?.isOpen).toBe(true);
});

/** A signed-out device's token may open a socket, but only to be told so. */
async function closeCodeOf(token: string): Promise<number> {
  const wire = await openWire(url, token);
  return (await wire.closed).code;
}

async function codeOf(...[name, sent]: [Parameters<typeof call>[1], Parameters<typeof call>[2]]): Promise<string> {
  const answer = await call(url, name, sent);
  return answer.ok ? `${answer.status}` : answer.problem.code;
}

test("[NC-8] refresh rotates, and a refresh token that is used again signs the device out", async () => {
  const phone = await signIn(url, "alice", "phone");
  const first = phone.session.refreshToken;
  const second = await must(url, "refresh", { body: { refreshToken: first } });
  expect(second.refreshToken).not.toBe(first);
  expect((await must(url, "me", { token: second.accessToken })).userId).toBe(alice.userId);
  const third = await must(url, "refresh", { body: { refreshToken: second.refreshToken } });
  phone.session = { ...phone.session, ...third };
  await phone.connect();
  expect(await codeOf("refresh", { body: { refreshToken: first } })).toBe("refresh_reused");
  expect((await phone.wire?.closed)?.code).toBe(4001);
  expect(await codeOf("refresh", { body: { refreshToken: third.refreshToken } })).toBe("device_revoked");
});

test("[NC-9] everything outlives a kill and a restart: passwords, tokens, logs, cursors", async () => {
  const before = texts(bob);
  await server.kill9();
  await server.start();
  alice.outbox.add(direct, "after the restart");
  for (const device of [alice, aliceLaptop, bob]) expect((await device.connect()).mode).toBe("resume");
  await eventually(() => {
    for (const device of [alice, aliceLaptop, bob]) expect(texts(device)).toEqual([...before, "after the restart"]);
  });
  expect(await codeOf("signIn", { body: { handle: "bob", password: "wrong password", device: { name: "x" } } })).toBe(
    "invalid_credentials",
  );
  const body = { handle: "bob", password: PASSWORD, device: { name: "old laptop", id: bob.deviceId } };
  expect((await must(url, "signIn", { body })).device.deviceId).toBe(bob.deviceId);
  expect(await codeOf("me", { token: bobLaptop.token })).toBe("device_revoked");
  expect(faultless()).toEqual([]);
});

test("[NC-10] signing out closes the device's own socket", async () => {
  await must(url, "signOut", { token: aliceLaptop.token });
  expect((await aliceLaptop.wire?.closed)?.code).toBe(4001);
  expect(await codeOf("me", { token: aliceLaptop.token })).toBe("device_revoked");
});
