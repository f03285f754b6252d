import { expect, test } from "vitest";
import type { Fetch } from "../../../src/sdk/client/api.ts";
import { memoryStorage } from "../../../src/sdk/client/memory-storage.ts";
import type { Storage } from "../../../src/sdk/client/storage.ts";
import type { FakeServer } from "../../../src/sdk/testing/fake-server.ts";
import { type Fake, fakeServer } from "../../../src/sdk/testing.ts";
import { impatient, live, open, PASSWORD, signUp, texts, until } from "./support/people.ts";
import { FakeBrowser } from "./support/tabs.ts";

const rowsOf = async (server: Fake, storage: Storage) => (await storage.open(`default@${server.options.url}`)).read("");
/** How often each device's tokens were renewed. */
const generations = (server: Fake) =>
  [...(server as FakeServer).people.devices.values()].map(({ generation }) => generation);

test("[CL-70] a renewal whose answer is lost, once or twice, is asked for again, and the session goes on", async () => {
  const server = fakeServer();
  const alice = await signUp(server, "alice", { environment: impatient });
  server.expireTokens();
  server.loseNext("refresh");
  server.loseNext("refresh");
  for (let i = 0; i < 2; i++) await expect(alice.profile.load()).rejects.toMatchObject({ code: "unavailable" });
  await expect(alice.profile.load()).resolves.toMatchObject({ handle: "alice" });
  expect(generations(server)).toEqual([1]);
  server.expireTokens();
  await expect(alice.profile.load()).resolves.toMatchObject({ handle: "alice" }); // the next one is another trade
  expect(generations(server)).toEqual([2]);
  expect(alice.session.is).toBe("signed_in");
});

test("[CL-70] so does a device that dies before it has the answer", async () => {
  const server = fakeServer();
  const storage = memoryStorage();
  const alice = await signUp(server, "alice", { environment: impatient, storage });
  server.expireTokens();
  server.loseNext("refresh");
  await alice.profile.load().catch(() => {});
  await alice.close();
  expect(generations(server)).toEqual([1]);
  const again = await open(server, { environment: impatient, storage });
  await live(again);
  await expect(again.profile.load()).resolves.toMatchObject({ handle: "alice" });
  expect(generations(server)).toEqual([1]);
});

test("[CL-70] and a tab that takes over from one that died while it renewed", async () => {
  const server = fakeServer();
  const browser = new FakeBrowser();
  const [first, second] = [browser.openTab(server.options.WebSocket), browser.openTab(server.options.WebSocket)];
  const lead = await signUp(server, "alice", first);
  const other = await open(server, second);
  await live(other);
  server.expireTokens();
  server.loseNext("refresh");
  await lead.profile.load().catch(() => {});
  first.crash();
  await expect(other.profile.load()).resolves.toMatchObject({ handle: "alice" });
  expect(generations(server)).toEqual([1]);
});

/** As a browser fetches for a page of the server's own: what the server keeps from scripts is in its jar. */
function jarOver(server: Fake): { fetch: Fetch; jar: Map<string, string> } {
  const jar = new Map<string, string>();
  const fetch: Fetch = async (url, init) => {
    const asked = typeof init?.body === "string" ? JSON.parse(init.body) : {};
    const isOfCookie = url.endsWith("/v1/auth/refresh") && typeof asked.deviceId === "string";
    const { deviceId, ...rest } = asked;
    const body = isOfCookie ? { ...rest, refreshToken: jar.get(deviceId) ?? "none" } : asked;
    const answer = await server.options.fetch(url, init?.body ? { ...init, body: JSON.stringify(body) } : init);
    if (!url.includes("/v1/auth/") || !answer.ok || answer.status === 204) return answer;
    if (!isOfCookie && asked.refreshTokenIn !== "cookie") return answer;
    const { refreshToken, ...told } = (await answer.json()) as { refreshToken: string };
    jar.set(refreshToken.split(".")[1] ?? "", refreshToken);
    return Response.json(told, { headers: answer.headers });
  };
  return { fetch, jar };
}

test("[CL-71] where the browser keeps the refresh token, none is in the store, and sessions are renewed without it", async () => {
  const server = fakeServer();
  const storage = memoryStorage();
  const { fetch, jar } = jarOver(server);
  const alice = await signUp(server, "alice", { environment: impatient, storage, fetch });
  expect([...jar.values()]).toEqual([expect.stringMatching(/^refresh\./)]);
  expect(JSON.stringify(await rowsOf(server, storage))).not.toContain("refresh.");
  for (let generation = 1; generation <= 2; generation++) {
    server.expireTokens();
    await expect(alice.profile.load()).resolves.toMatchObject({ handle: "alice" });
    expect(generations(server)).toEqual([generation]);
  }
  expect(JSON.stringify(await rowsOf(server, storage))).not.toContain("refresh.");
  await alice.close();
  server.expireTokens();
  const again = await open(server, { environment: impatient, storage, fetch });
  await live(again);
  expect(generations(server)).toEqual([3]);
});

test("[CL-71] a token that lies in the store from before leaves it with the next renewal", async () => {
  const server = fakeServer();
  const storage = memoryStorage();
  const before = await signUp(server, "alice", { storage });
  expect(JSON.stringify(await rowsOf(server, storage))).toContain("refresh.");
  await before.close();
  const { fetch } = jarOver(server);
  const alice = await open(server, { environment: impatient, storage, fetch });
  server.expireTokens();
  await expect(alice.profile.load()).resolves.toMatchObject({ handle: "alice" });
  expect(JSON.stringify(await rowsOf(server, storage))).not.toContain("refresh.");
  expect(alice.session.is).toBe("signed_in");
});

test("[CL-71] [CL-44] a browser that has lost its cookies signs the device out, with all that is here, and its person goes on by signing in", async () => {
  const server = fakeServer();
  const { fetch, jar } = jarOver(server);
  const alice = await signUp(server, "alice", { environment: impatient, fetch });
  const bob = await signUp(server, "bob");
  const bobId = bob.session.is === "signed_in" ? bob.session.userId : "";
  const chat = await alice.conversations.openDirect(bobId);
  await chat.send("kept").sent;
  const before = alice.session;
  jar.clear();
  server.expireTokens();
  server.refuseNext("refresh", "unauthenticated"); // what the server says where no cookie comes
  server.close(4003, "alice");
  await until(() => alice.session.is === "signed_out");
  expect(alice.session).toMatchObject({ because: "expired", handle: "alice" });
  expect(texts(alice, chat.id)).toEqual(["kept"]);
  const id = before.is === "signed_in" ? before.deviceId : "";
  await alice.signIn({ handle: "alice", password: PASSWORD });
  await live(alice);
  expect(alice.session).toMatchObject({ deviceId: id });
});
