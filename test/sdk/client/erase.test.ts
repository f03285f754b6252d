import { expect, onTestFinished, test } from "vitest";
import type { Client, ClientOptions, Fetch } from "../../../src/sdk/client/api.ts";
import { createClientIn } from "../../../src/sdk/client/client.ts";
import { memoryStorage } from "../../../src/sdk/client/memory-storage.ts";
import { type Fake, fakeServer } from "../../../src/sdk/testing.ts";
import { impatient, live, open, PASSWORD, signUp, texts, until } from "./support/people.ts";
import { FakeBrowser } from "./support/tabs.ts";

const ERASED = { is: "signed_out", because: "erased", handle: null };
const nameOf = (server: Fake) => `default@${server.options.url}`;

/** Alice on a device whose storage can be looked into, and bob, who have talked. */
async function talked(more: Partial<ClientOptions> = {}) {
  const server = fakeServer();
  const storage = memoryStorage();
  const alice = await signUp(server, "alice", { environment: impatient, storage, ...more });
  const bob = await signUp(server, "bob", { environment: impatient });
  const chat = await alice.conversations.openDirect((await alice.people.find("bob")).userId);
  await chat.send("secret").sent;
  await bob.conversations.get(chat.id).send("bob's").sent;
  await until(() => texts(alice, chat.id).length === 2);
  const kept = async () => (await storage.open(nameOf(server))).read("");
  return { server, storage, alice, bob, chat, id: chat.id, kept };
}

test("[CL-56] the account ends: nothing is left on the device, it says why, and the other one keeps what is theirs", async () => {
  const { server, alice, bob, chat, id, kept } = await talked();
  const told: unknown[] = [];
  alice.on("session", (session) => told.push(session));
  await alice.erase({ password: PASSWORD });
  expect(alice.session).toEqual(ERASED);
  expect(told).toEqual([ERASED]); // at no time does it look as if it had been revoked
  expect(alice.connection).toEqual({ is: "stopped", why: "signed_out" });
  expect(alice.conversations.list()).toEqual([]);
  expect(await kept()).toEqual([]);
  await until(() => texts(bob, id).includes(""));
  expect(texts(bob, id)).toEqual(["", "bob's"]);
  expect(server.log(chat.id).at(-1)).toMatchObject({ kind: "member", change: "left", erased: true });
  await expect(alice.signIn({ handle: "alice", password: PASSWORD })).rejects.toMatchObject({
    code: "invalid_credentials",
  });
  await expect(alice.signUp({ handle: "Alice", password: PASSWORD })).rejects.toMatchObject({ code: "handle_taken" });
  await alice.signUp({ handle: "alicia", password: PASSWORD });
  await live(alice);
});

test("[CL-56] with a wrong password nothing is lost", async () => {
  const { alice, chat, id, kept } = await talked();
  const before = await kept();
  await expect(alice.erase({ password: "wrong password" })).rejects.toMatchObject({ code: "invalid_credentials" });
  expect(alice.session).toMatchObject({ is: "signed_in", handle: "alice" });
  expect(alice.connection).toEqual({ is: "live" });
  expect(await kept()).toEqual(before);
  await chat.send("still here").sent;
  expect(texts(alice, id)).toEqual(["secret", "bob's", "still here"]);
  expect(texts(alice, id)).toHaveLength(3);
});

test("[CL-56] without a network nothing is lost, and what was asked for is not done later by itself", async () => {
  const { server, alice, id } = await talked();
  server.stop();
  await expect(alice.erase({ password: PASSWORD })).rejects.toMatchObject({ code: "unavailable", retryable: true });
  expect(texts(alice, id)).toHaveLength(2);
  server.start();
  await live(alice);
  expect(alice.session.is).toBe("signed_in");
});

test("[CL-56] an answer that is lost: the device is told by its socket, and it ends as if the answer had come", async () => {
  const { server, alice, kept } = await talked();
  server.loseNext("eraseMe");
  await alice.erase({ password: PASSWORD }).catch((error) => expect(error).toMatchObject({ code: "unavailable" }));
  await until(() => alice.session.is === "signed_out");
  expect(alice.session).toEqual(ERASED);
  await until(() => alice.conversations.list().length === 0);
  expect(await kept()).toEqual([]);
});

/** Answers the door of erasures long after its sockets were closed; `lost`: or not at all. */
function slow(server: Fake, lost: boolean): { fetch: Fetch; refreshes: () => number } {
  let refreshes = 0;
  const fetch: Fetch = async (url, init) => {
    if (url.endsWith("/refresh")) refreshes += 1;
    const answer = await server.options.fetch(url, init);
    if (init?.method !== "DELETE") return answer;
    await new Promise((resolve) => setTimeout(resolve, 60));
    if (lost) throw new TypeError("fetch failed");
    return answer;
  };
  return { fetch, refreshes: () => refreshes };
}

test.each([true, false])("[CL-56] the socket is closed before the answer comes, which is lost: %s", async (lost) => {
  const server = fakeServer();
  const { fetch, refreshes } = slow(server, lost);
  const alice = await signUp(server, "alice", { environment: impatient, fetch });
  const told: unknown[] = [];
  alice.on("session", (session) => told.push(session));
  await alice.erase({ password: PASSWORD });
  expect(alice.session).toEqual(ERASED);
  expect(refreshes()).toBe(lost ? 1 : 0); // who has the answer does not ask why
  expect(told.at(-1)).toEqual(ERASED);
  expect(told.every((session) => (session as typeof ERASED).because === "erased")).toBe(true);
});

test("[CL-56] a device that dies before the answer ends as erased when it is opened again", async () => {
  const { server, storage, alice, kept } = await talked();
  server.loseNext("eraseMe");
  const asked = alice.erase({ password: PASSWORD }).catch(() => {});
  const store = await storage.open(nameOf(server));
  const rows = (await store.read("")).map(([key, value]) => ({ key, value }));
  await asked;
  await alice.close();
  await store.write(rows); // as they lay when it died
  const again = await open(server, { environment: impatient, storage });
  expect(again.session).toMatchObject({ is: "signed_in" });
  await until(() => again.session.is === "signed_out");
  expect(again.session).toEqual(ERASED);
  expect(await kept()).toEqual([]);
});

test("[CL-56] one that died before its store was cleared clears it when it is opened again", async () => {
  const { server, storage, alice, kept } = await talked();
  await alice.close();
  const store = await storage.open(nameOf(server));
  const [[key, session] = []] = await store.read("session");
  await store.write([{ key: key ?? "", value: { ...(session as object), tokens: null, end: "erased" } }]);
  const again = await open(server, { environment: impatient, storage });
  await until(() => again.conversations.list().length === 0);
  expect(again.session).toEqual(ERASED);
  expect(await kept()).toEqual([]);
});

test("[CL-56] asking again after a lost answer is harmless, whatever stands between", async () => {
  const { server, alice } = await talked();
  const second = await open(server, { environment: impatient });
  await second.signIn({ handle: "alice", password: PASSWORD });
  await live(second);
  second.disconnect(); // no socket tells it anything
  await alice.erase({ password: PASSWORD });
  await second.erase({ password: PASSWORD });
  expect(second.session).toEqual(ERASED);
});

test("[CL-56] the person's other devices end as erased: one that is there, and one that comes back", async () => {
  const { server, alice } = await talked();
  const storages = [memoryStorage(), memoryStorage()] as const;
  const enter = async (storage: (typeof storages)[number]): Promise<Client> => {
    const client = await open(server, { environment: impatient, storage });
    await client.signIn({ handle: "alice", password: PASSWORD });
    await live(client);
    await until(() => client.conversations.list().length === 1);
    await client.flush();
    return client;
  };
  const here = await enter(storages[0]);
  await (await enter(storages[1])).close();
  await alice.erase({ password: PASSWORD });
  await until(() => here.session.is === "signed_out");
  expect(here.session).toEqual(ERASED);
  const back = await open(server, { environment: impatient, storage: storages[1] });
  await until(() => back.session.is === "signed_out");
  expect(back.session).toEqual(ERASED);
  for (const storage of storages) expect(await (await storage.open(nameOf(server))).read("")).toEqual([]);
});

test("[CL-44] [CL-56] a device that was only revoked is not erased, and still knows whose it was", async () => {
  const { server, alice, kept } = await talked();
  const second = await open(server, { environment: impatient });
  await second.signIn({ handle: "alice", password: PASSWORD });
  const deviceId = alice.session.is === "signed_in" ? alice.session.deviceId : "";
  await second.devices.revoke(deviceId);
  await until(() => alice.session.is === "signed_out");
  expect(alice.session).toEqual({ is: "signed_out", because: "revoked", handle: "alice" });
  expect((await kept()).map(([key]) => key)).toContain("session");
});

test("[CL-44] [CL-57] a device that gets no answer why waits no longer than seconds; what comes later brings nothing back", async () => {
  const server = fakeServer();
  let answer = () => {};
  const hanging = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const fetch: Fetch = async (input, init) => {
    if (!String(input).endsWith("/v1/auth/refresh")) return server.options.fetch(input, init);
    await hanging;
    return Response.json({ accessToken: "new", refreshToken: "new", accessExpiresAt: Date.now() + 900_000 });
  };
  const alice = await open(server, { environment: impatient, fetch });
  await alice.signUp({ handle: "alice", password: PASSWORD });
  await live(alice);
  const second = await open(server, { environment: impatient });
  await second.signIn({ handle: "alice", password: PASSWORD });
  await second.devices.revoke(alice.session.is === "signed_in" ? alice.session.deviceId : "");
  await until(() => alice.session.is === "signed_out");
  answer();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(alice.session).toEqual({ is: "signed_out", because: "revoked", handle: "alice" });
});

/** Two tabs of one browser. */
async function tabs() {
  const server = fakeServer();
  const place = new FakeBrowser();
  const openTab = async (): Promise<Client> => {
    const { environment, crash, ...parts } = place.openTab(server.options.WebSocket);
    const tab = await createClientIn(environment, { ...server.options, ...parts });
    onTestFinished(() => crash());
    return tab;
  };
  const first = await openTab();
  await first.signUp({ handle: "alice", password: PASSWORD });
  await live(first);
  const second = await openTab();
  await live(second);
  return { server, first, second, openTab };
}

test.each([
  ["the one that leads", 0],
  ["one that follows", 1],
] as const)("[CL-56] [CL-48] asked for in %s, all tabs end as erased and stay so", async (_, which) => {
  const { first, second, openTab } = await tabs();
  const asking = [first, second][which] as Client;
  const told: unknown[] = [];
  for (const tab of [first, second]) tab.on("session", (session) => told.push(session));
  await asking.erase({ password: PASSWORD });
  await until(() => told.length === 2);
  for (const tab of [first, second]) expect(tab.session).toEqual(ERASED);
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (const tab of [first, second]) expect(tab.session).toEqual(ERASED);
  expect(told).toEqual([ERASED, ERASED]);
  const fresh = await openTab();
  expect(fresh.session).toEqual({ is: "signed_out", because: null, handle: null });
});

test("[CL-56] [CL-48] where the tab that leads is not connected, the one that asks a door learns of it for all", async () => {
  const { server, first, second } = await tabs();
  const other = await open(server, { environment: impatient });
  await other.signIn({ handle: "alice", password: PASSWORD });
  first.disconnect();
  await until(() => first.connection.is === "offline");
  await other.erase({ password: PASSWORD });
  await expect(second.profile.load()).rejects.toMatchObject({ code: "device_revoked" });
  await until(() => [first, second].every(({ session }) => session.is === "signed_out" && session.handle === null));
  for (const tab of [first, second]) expect(tab.session).toEqual(ERASED);
});

test("[CL-41] [CL-48] signed out in the tab that leads, the one that follows is told why as well", async () => {
  const { first, second } = await tabs();
  await first.signOut();
  await until(() => second.session.is === "signed_out");
  expect(second.session).toEqual({ is: "signed_out", because: "signed_out", handle: null });
});
