import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";
import { ALIVE_MS, GRACE_MS } from "../../src/domain/presence.ts";
import type { Inbox } from "../../src/objects/inbox.ts";
import type { UserId } from "../../src/protocol/ids.ts";
import { TIMES } from "../../src/protocol/limits.ts";
import type { Presence, Visibility } from "../../src/protocol/states.ts";
import {
  bindings,
  conversation,
  inbox,
  newDeviceId,
  newUserId,
  OPEN,
  openDirect,
  openGroup,
  TestSocket,
  until,
} from "./support.ts";

const stubOf = (userId: UserId): DurableObjectStub<Inbox> => bindings.INBOXES.getByName(userId);
const see = async (viewer: UserId, userId: UserId) => (await inbox(viewer).look(viewer, [userId]))[0] as Presence;
const shows = (lastSeen: Visibility) => ({
  displayName: "x",
  privacy: { ...OPEN, lastSeen },
});
afterEach(() => vi.useRealTimers());

/** Does something in an inbox as if `ms` had passed. */
const later = <T>(userId: UserId, ms: number, act: (object: Inbox) => T | Promise<T>) =>
  runInDurableObject(stubOf(userId), async (object) => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
    try {
      return await act(object);
    } finally {
      vi.useRealTimers();
    }
  });
const request = (viewerId: UserId, until: number | null = null) => ({
  viewerId,
  lastSeen: "everyone" as const,
  until,
});
const openSockets = (userId: UserId) =>
  runInDurableObject(
    stubOf(userId),
    (_, state) => state.getWebSockets().filter((s) => s.readyState === WebSocket.OPEN).length,
  );
async function hangUp(userId: UserId, socket: TestSocket): Promise<void> {
  const before = await openSockets(userId);
  socket.socket.close(1000);
  await until(async () => (await openSockets(userId)) < before);
}

test("[PR-1] [PR-2] [PR-3] who watches is told of coming at once, and of going when the grace is over; who comes back meanwhile never went", async () => {
  const [alice, bob] = [newUserId(), newUserId()];
  const device = newDeviceId();
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  expect(await phone.ask({ type: "watch", userIds: [bob] })).toMatchObject({
    users: [{ userId: bob, state: "offline" }],
  });
  const first = await TestSocket.caughtUp(bob, device);
  expect(await phone.ask({ type: "watch", userIds: [bob] })).toMatchObject({ users: [{ state: "online" }] });
  await hangUp(bob, first);
  expect((await see(alice, bob)).state).toBe("online");
  const second = await TestSocket.caughtUp(bob, device);
  await later(bob, GRACE_MS + 2_000, (object) => object.alarm());
  expect((await see(alice, bob)).state).toBe("online");
  await hangUp(bob, second);
  const leftAt = Date.now();
  await later(bob, GRACE_MS + 2_000, (object) => object.alarm());
  await until(() =>
    phone.of("presence").some((f) => f.users[0]?.state === "offline" && f.users[0].lastSeenAt !== undefined),
  );
  const told = phone
    .of("presence")
    .filter((f) => f.id === undefined)
    .map((f) => f.users[0]);
  expect(told).toMatchObject([
    { userId: bob, state: "online" },
    { userId: bob, state: "offline" },
  ]);
  expect(Math.abs((told[1]?.lastSeenAt ?? 0) - leftAt)).toBeLessThan(20_000); // the clock was put on by more
});

test("[PR-1] coming online is told at once, also by an inbox that has slept meanwhile", async () => {
  const [alice, bob] = [newUserId(), newUserId()];
  await hangUp(bob, await TestSocket.caughtUp(bob, newDeviceId()));
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  await phone.ask({ type: "watch", userIds: [bob] });
  await evictDurableObject(stubOf(bob));
  await evictDurableObject(stubOf(alice));
  await later(bob, GRACE_MS + 2_000, async (object) =>
    expect(object.watched(request(alice))).toMatchObject({ state: "offline" }),
  );
  // The clock is the real one again, and bob is back within his grace: nothing to tell. After it there is.
  await runInDurableObject(stubOf(bob), (object) => {
    const { store } = object as unknown as { store: { setSession(s: object, u: UserId): void } };
    store.setSession({ openedAt: 1, closedAt: 2, lastSeenAt: 2 }, bob);
  });
  await TestSocket.caughtUp(bob, newDeviceId());
  await until(() => phone.of("presence").some((f) => f.id === undefined && f.users[0]?.state === "online"));
});

test("[PR-2] a crash or a deploy that drops every socket makes nobody offline", async () => {
  const [alice, bob] = [newUserId(), newUserId()];
  await TestSocket.caughtUp(bob, newDeviceId());
  await evictDurableObject(stubOf(bob), { webSockets: "close" });
  expect(await see(alice, bob)).toEqual({ userId: bob, state: "online" });
  await evictDurableObject(stubOf(bob));
  const gone = await later(bob, GRACE_MS + 1_000, (object) => object.watched(request(alice)));
  expect(gone).toMatchObject({ state: "offline" });
  expect(Date.now() - (gone.lastSeenAt ?? 0)).toBeLessThan(20_000);
});

/** The runtime's record of the last ping, moved. */
const pinged = (userId: UserId, at: number) =>
  runInDurableObject(stubOf(userId), (object) => {
    const { ctx } = object as unknown as { ctx: DurableObjectState };
    Reflect.set(ctx, "getWebSocketAutoResponseTimestamp", () => new Date(at));
    type Peek = { frameAt: WeakMap<WebSocket, number>; change(s: WebSocket, c: object): void };
    const { sockets } = object as unknown as { sockets: Peek };
    sockets.frameAt = new WeakMap();
    for (const socket of ctx.getWebSockets()) sockets.change(socket, { openedAt: at });
    const { store } = object as unknown as { store: { setSession(s: object, u: UserId): void } };
    store.setSession({ openedAt: at - 1, closedAt: 0, lastSeenAt: 0 }, userId);
  });

test("[PR-4] a socket that used to ping and has fallen silent is not there: closed at the next look, and offline by its last ping", async () => {
  const { alice, bob, id } = await openDirect();
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  const bobs = await TestSocket.caughtUp(bob, newDeviceId());
  const heardAt = Date.now() - ALIVE_MS - 1_000;
  await pinged(bob, heardAt);
  expect(await see(alice, bob)).toMatchObject({ state: "offline", lastSeenAt: heardAt });
  await phone.say(id, "are you there?");
  await until(() => bobs.closed === 4008);
  expect(bobs.texts).toEqual([]);
  expect(await see(alice, bob)).toMatchObject({ state: "offline" });
  expect(await conversation(id).pull(bob, { devices: 1, held: null }, 0, 10)).toMatchObject({ value: { head: 1 } });
});

test("[PR-5] presence shows to those whom both choose: everyone, contacts, nobody", async () => {
  const [alice, bob] = [newUserId(), newUserId()];
  await TestSocket.caughtUp(bob, newDeviceId());
  expect((await see(alice, bob)).state).toBe("online");
  await inbox(bob).setProfile(shows("contacts"), newDeviceId(), 1);
  expect(await see(alice, bob)).toEqual({ userId: bob, state: "unknown" });
  for (const [one, other] of [
    [alice, bob],
    [bob, alice],
  ] as const)
    await inbox(one).setContact(other, true, 1, "none");
  expect((await see(alice, bob)).state).toBe("online");
  await inbox(alice).setProfile(shows("nobody"), newDeviceId(), 1);
  expect((await see(alice, bob)).state).toBe("unknown"); // who hides does not see
  await inbox(alice).setProfile(shows("everyone"), newDeviceId(), 1);
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  await phone.ask({ type: "watch", userIds: [bob] });
  await inbox(bob).setProfile(shows("nobody"), newDeviceId(), 1);
  await runInDurableObject(stubOf(bob), (object) => {
    (object as unknown as { presence: { tellWatchers(now: number): void } }).presence.tellWatchers(Date.now());
  });
  await inbox(bob).setContact(alice, false, 2, "none");
  expect(await phone.ask({ type: "watch", userIds: [bob] })).toMatchObject({ users: [{ state: "unknown" }] });
  expect(phone.of("presence").filter((f) => f.id === undefined)).toEqual([]); // a lease does not outlive the permission
});

test("[PR-6] an app that was woken up to fetch does not make its user online; a person who does something does", async () => {
  const { alice, bob, id } = await openDirect();
  const bobs = await TestSocket.open(bob, newDeviceId());
  bobs.send({ type: "hello", version: 1, cursor: null, background: true });
  await bobs.waitFor("caught_up");
  expect((await see(alice, bob)).state).toBe("offline");
  bobs.send({ type: "receipt", conversationId: id, delivered: 0 });
  await bobs.ask({ type: "pull", conversationId: id, after: 0 });
  expect((await see(alice, bob)).state).toBe("offline");
  await bobs.say(id, "here I am");
  expect((await see(alice, bob)).state).toBe("online");
});

test("[PR-7] only those who watch are told, as long as their lease lasts, and of those whom they named last", async () => {
  const [alice, bob, cat] = [newUserId(), newUserId(), newUserId()];
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  const cats = await TestSocket.caughtUp(cat, newDeviceId());
  await phone.ask({ type: "watch", userIds: [bob, alice] });
  expect(phone.of("presence")[0]?.users.find((u) => u.userId === alice)?.state).toBe("online");
  await TestSocket.caughtUp(bob, newDeviceId());
  await until(() => phone.of("presence").length === 2);
  expect(cats.of("presence")).toEqual([]);
  await phone.ask({ type: "watch", userIds: [cat] });
  const tell = () =>
    runInDurableObject(stubOf(bob), (object) => {
      (object as unknown as { presence: { tellWatchers(now: number): void } }).presence.tellWatchers(Date.now());
    });
  await tell();
  await phone.ask({ type: "watch", userIds: [] });
  expect(phone.of("presence").filter((f) => f.id === undefined)).toHaveLength(1);
  const watchers = (ms: number) =>
    later(bob, ms, (object) =>
      (object as unknown as { store: { people: { watchersAt(n: number): UserId[] } } }).store.people.watchersAt(
        Date.now(),
      ),
    );
  expect([await watchers(0), await watchers(TIMES.watchMs + 1)]).toEqual([[alice], []]);
  expect(await phone.ask({ type: "watch", userIds: Array.from({ length: 101 }, newUserId) })).toMatchObject({
    code: "invalid_request",
  });
});

test("[PR-8] asking how somebody is who never was here leaves nothing behind", async () => {
  const [alice, nobody] = [newUserId(), newUserId()];
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  expect(await phone.ask({ type: "watch", userIds: [nobody] })).toMatchObject({
    users: [{ userId: nobody, state: "offline" }],
  });
  const tables = await runInDurableObject(stubOf(nobody), (_, state) =>
    state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'").toArray(),
  );
  expect(tables).toEqual([]);
});

test("[TY-1] [TY-2] typing reaches those who look, ends by itself, with the message and with the socket", async () => {
  const { maker, members, id } = await openGroup(4);
  const [, bob, cat] = members as [UserId, UserId, UserId];
  const [phone, bobs, cats] = [
    await TestSocket.caughtUp(maker, newDeviceId()),
    await TestSocket.caughtUp(bob, newDeviceId()),
    await TestSocket.caughtUp(cat, newDeviceId()),
  ];
  await bobs.ask({ type: "pull", conversationId: id, after: 0 }); // bob looks at the group; cat is elsewhere
  for (let i = 0; i < 3; i++) phone.send({ type: "typing", conversationId: id, active: true });
  await bobs.waitFor("typing");
  phone.send({ type: "typing", conversationId: id, active: false });
  await bobs.waitFor("typing", 2);
  expect(bobs.of("typing")).toEqual([
    { type: "typing", conversationId: id, userId: maker, active: true },
    { type: "typing", conversationId: id, userId: maker, active: false },
  ]);
  phone.send({ type: "typing", conversationId: id, active: true });
  await bobs.waitFor("typing", 3);
  await hangUp(maker, phone);
  await bobs.waitFor("typing", 4);
  const again = await TestSocket.caughtUp(maker, newDeviceId());
  again.send({ type: "typing", conversationId: id, active: true });
  await bobs.waitFor("typing", 5);
  await new Promise((resolve) => setTimeout(resolve, TIMES.typingMs));
  await bobs.waitFor("typing", 6);
  expect(bobs.of("typing").map((f) => f.active)).toEqual([true, false, true, false, true, false]);
  expect(cats.of("typing")).toEqual([]);
  const stranger = await TestSocket.caughtUp(newUserId(), newDeviceId());
  stranger.send({ type: "typing", conversationId: id, active: true });
  await stranger.ask({ type: "pull", conversationId: id, after: 0 });
  expect(bobs.of("typing")).toHaveLength(6);
});

test("[TY-2] [SO-9] who writes goes on writing when a socket of their device goes on which nothing was said", async () => {
  const { alice, bob, id } = await openDirect();
  const device = newDeviceId();
  const [phone, bobs] = [await TestSocket.caughtUp(alice, device), await TestSocket.caughtUp(bob, newDeviceId())];
  await bobs.ask({ type: "pull", conversationId: id, after: 0 });
  const ghost = await TestSocket.open(alice, device);
  phone.send({ type: "typing", conversationId: id, active: true });
  await bobs.waitFor("typing");
  ghost.socket.close(1000);
  await until(() => ghost.closed !== undefined);
  await phone.say(id, "done");
  await bobs.waitFor("events");
  expect(bobs.of("typing").map(({ active }) => active)).toEqual([true]);
});
