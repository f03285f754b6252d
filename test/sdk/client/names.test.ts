import { expect, test } from "vitest";
import type { Fetch, Message } from "../../../src/sdk/client/api.ts";
import { memoryStorage } from "../../../src/sdk/client/memory-storage.ts";
import { type Fake, fakeServer } from "../../../src/sdk/testing.ts";
import { live, open, signUp, until } from "./support/people.ts";

/** Answers these doors before the fake server does, and writes down what they were asked. */
function doors({ options }: Fake, answers: Record<string, unknown>) {
  const asked: unknown[] = [];
  const fetch: Fetch = async (url, init = {}) => {
    const what = `${init.method} ${url.slice(`${options.url}/v1`.length)}`;
    const answer = answers[what];
    if (answer === undefined) return options.fetch(url, init);
    asked.push(init.body === undefined ? what : [what, JSON.parse(String(init.body))]);
    return answer === null ? new Response(null, { status: 204 }) : new Response(JSON.stringify(answer));
  };
  return { fetch, asked };
}
const last = (messages: readonly unknown[]) => messages.at(-1) as Message;

test("[CL-52] contacts that were loaded once are kept, hear of changes, and ask for what they missed", async () => {
  const [server, storage] = [fakeServer(), memoryStorage()];
  const bob = await signUp(server, "bob");
  const alice = await signUp(server, "alice", { storage });
  const userIdOf = async (handle: string) => (await bob.people.find(handle)).userId;
  await bob.contacts.put(await userIdOf("alice"));
  expect(alice.contacts.list()).toEqual([]); // nobody asked for them
  const told: unknown[] = [];
  alice.on("contacts", (contacts) => told.push(contacts.map(({ state }) => state)));
  expect(await alice.contacts.load()).toMatchObject([{ handle: "bob", state: "incoming" }]);
  expect(alice.contacts.list()).toBe(alice.contacts.list());
  await alice.contacts.put(await userIdOf("bob"));
  await until(() => alice.contacts.list()[0]?.state === "accepted");
  await bob.contacts.remove(await userIdOf("alice"));
  await until(() => alice.contacts.list().length === 0);
  await bob.contacts.put(await userIdOf("alice"));
  await until(() => alice.contacts.list()[0]?.state === "incoming");
  expect(told[0]).toEqual(["incoming"]);
  await alice.close();
  server.stop();
  const offline = await open(server, { storage });
  expect(offline.contacts.list()).toMatchObject([{ handle: "bob", state: "incoming" }]);
  await offline.close();
  server.start();
  await live(bob);
  await bob.contacts.remove(await userIdOf("alice"));
  const back = await open(server, { storage });
  await until(() => back.contacts.list().length === 0);
});

test("[CL-52] changes come page by page, and count with the last page alone", async () => {
  const server = fakeServer();
  const person = (n: number) => ({
    ...{ userId: `0000000000000000000000000${n}`, handle: `p${n}`, displayName: "", state: "accepted" },
  });
  const answers: Record<string, unknown> = {
    "GET /contacts?since=0": { contacts: [person(1), person(2)], reset: true, version: 8, cursor: "next" },
    "GET /contacts?cursor=next": { contacts: [person(3)], removed: [], reset: true, version: 9 },
    "GET /contacts?since=9": { contacts: [], removed: [person(2).userId], version: 10 },
  };
  const { "GET /contacts?cursor=next": second } = answers;
  answers["GET /contacts?cursor=next"] = undefined;
  const { fetch, asked } = doors(server, answers);
  const alice = await signUp(server, "alice", { fetch });
  server.refuseNext("contacts", "unavailable");
  await expect(alice.contacts.load()).rejects.toMatchObject({ code: "unavailable" });
  answers["GET /contacts?cursor=next"] = second;
  asked.length = 0;
  const handles = async () => (await alice.contacts.load()).map(({ handle }) => handle);
  expect(await handles()).toEqual(["p1", "p2", "p3"]);
  expect(await handles()).toEqual(["p1", "p3"]);
  expect(asked).toEqual(["GET /contacts?since=0", "GET /contacts?cursor=next", "GET /contacts?since=9"]);
});

test("[CL-53] stars, reports, requests, invites and people are asked for by their names", async () => {
  const server = fakeServer();
  const id = "g00000000000000000000000009";
  const { fetch, asked } = doors(server, {
    [`PUT /conversations/${id}/events/3/star`]: null,
    [`DELETE /conversations/${id}/events/3/star`]: null,
    "GET /stars?limit=2": { stars: [], incomplete: false },
    "POST /reports": { reportId: "r" },
    [`GET /conversations/${id}/requests`]: { requests: [{ userId: "u", askedAt: 1 }] },
    [`DELETE /conversations/${id}/requests/u`]: null,
    "GET /invites/code": { title: "Friends" },
    "POST /invites/code/join": { state: "requested", conversationId: id, askedAt: 1 },
    "GET /users/search?q=al": { users: [] },
  });
  const alice = await signUp(server, "alice", { fetch });
  const chat = alice.conversations.get(id);
  await chat.star(3);
  expect(chat.snapshot().starred).toEqual([3]);
  await chat.unstar(3);
  expect(chat.snapshot().starred).toEqual([]);
  expect(await alice.stars({ limit: 2 })).toMatchObject({ stars: [] });
  await alice.reports.send({ conversationId: id, seqs: [3], reason: "spam" });
  expect(await chat.requests.load()).toMatchObject([{ userId: "u" }]);
  await chat.requests.decline("u");
  expect(await alice.invites.preview("code")).toMatchObject({ title: "Friends" });
  expect(await alice.conversations.join("code")).toEqual({ is: "requested", conversationId: id });
  expect(await alice.people.search("al")).toEqual([]);
  expect(asked).toHaveLength(9);
  expect(asked[3]).toMatchObject(["POST /reports", { reason: "spam", idempotencyKey: expect.any(String) }]);
});

test("[CL-53] a text is passed on as it is, media are claimed for the other conversation and not sent again", async () => {
  const server = fakeServer();
  const { fetch, asked } = doors(server, { "POST /media": { mediaId: "theirs" } });
  const alice = await signUp(server, "alice", { fetch });
  const [bob, carol] = [await signUp(server, "bob"), await signUp(server, "carol")];
  const from = await alice.conversations.openDirect((await alice.people.find("bob")).userId);
  const to = await alice.conversations.openDirect((await alice.people.find("carol")).userId);
  const mentions = [bob.session.is === "signed_in" ? bob.session.userId : ""];
  await from.send("hello", { mentions }).sent;
  await (await from.forward(last(from.messages()), to.id)).sent;
  expect(last(to.messages()).content).toEqual({ type: "text", text: "hello", forwards: 1 });
  await from.send({ type: "media", mediaId: "mine", contentType: "image/png", bytes: 5 }).sent;
  await (await from.forward(last(from.messages()), to.id)).sent;
  expect(asked).toEqual([["POST /media", { conversationId: to.id, from: "mine" }]]);
  expect(last(to.messages()).content).toMatchObject({ mediaId: "theirs", forwards: 1 });
  await from.recall(last(from.messages()).seq ?? 0).sent;
  await expect(from.forward(last(from.messages()), to.id)).rejects.toMatchObject({ code: "not_found" });
  await until(() => carol.conversations.get(to.id).messages().length > 2);
});
