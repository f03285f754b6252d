import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { ERRORS, type ErrorCode } from "../../../src/protocol/errors.ts";
import type { ConversationSnapshot, Message } from "../../../src/sdk/client/api.ts";
import { EdgewiseError, isRetryable } from "../../../src/sdk/client/errors.ts";
import { memoryStorage } from "../../../src/sdk/client/memory-storage.ts";
import { fakeServer } from "../../../src/sdk/testing.ts";
import { impatient, live, open, PASSWORD, signUp, texts, until } from "./support/people.ts";

async function pair(more = {}) {
  const server = fakeServer();
  const [alice, bob] = [await signUp(server, "alice", more), await signUp(server, "bob", more)];
  const chat = await alice.conversations.openDirect((await alice.people.find("bob")).userId);
  return { server, alice, bob, chat, id: chat.id };
}

test("[CL-47] two people talk: what is sent answers at once, and goes from queued to read", async () => {
  const { alice, bob, chat, id } = await pair();
  const states: string[] = [];
  const sending = chat.send("Hello!");
  expect(sending.state).toEqual({ is: "queued" });
  expect(texts(alice, id)).toEqual(["Hello!"]);
  chat.subscribe(() => states.push(sending.state.is));
  expect(await sending.sent).toBe(3);
  await until(() => texts(bob, id).includes("Hello!"));
  const theirs = bob.conversations.get(id);
  await until(() => theirs.snapshot().title !== "");
  expect(theirs.snapshot()).toMatchObject({ kind: "direct", title: "alice", unread: 1, preview: { text: "Hello!" } });
  await until(() => sending.state.is === "delivered");
  theirs.markRead();
  await until(() => sending.state.is === "read");
  expect(theirs.snapshot().unread).toBe(0);
  expect([...new Set(states)]).toEqual(["queued", "sent", "delivered", "read"]);
  expect(chat.messages().at(-1)).toMatchObject({ id: sending.id, seq: 3, mine: true, state: { is: "read", seq: 3 } });
  expect(theirs.messages().at(-1)).toMatchObject({ mine: false, state: null });
});

test("[CL-47] edits, recalls, reactions and replies show on both sides", async () => {
  const { alice, bob, chat, id } = await pair();
  const seq = await chat.send("helo").sent;
  await chat.edit(seq, "hello").sent;
  const other = await chat.send("oops").sent;
  await chat.recall(other).sent;
  await until(() => texts(bob, id).length === 2);
  const theirs = bob.conversations.get(id);
  await theirs.react(seq, "👍").sent;
  await theirs.send("hi", { replyTo: seq }).sent;
  await until(() => texts(alice, id).includes("hi"));
  const lines = chat.messages().filter((line): line is Message => line.is === "message");
  expect(lines.map(({ text, edited }) => [text, edited])).toEqual([
    ["hello", true],
    ["", false],
    ["hi", false],
  ]);
  expect(lines[0]?.reactions).toEqual([
    { emoji: "👍", userIds: [bob.session.is === "signed_in" && bob.session.userId] },
  ]);
  expect(lines[2]?.content).toMatchObject({ replyTo: seq });
});

test("[CL-45] what is written without a network is kept, also past a reload, and goes out once and in order", async () => {
  const server = fakeServer();
  const storage = memoryStorage();
  const alice = await signUp(server, "alice", { storage });
  await signUp(server, "bob");
  const { id } = await alice.conversations.openDirect((await alice.people.find("bob")).userId);
  server.stop();
  for (let n = 1; n <= 20; n++) alice.conversations.get(id).send(`text ${n}`);
  const wanted = Array.from({ length: 20 }, (_, n) => `text ${n + 1}`);
  expect(texts(alice, id)).toEqual(wanted);
  await alice.flush();
  await alice.close();
  const again = await open(server, { storage, environment: impatient });
  expect(again.session).toMatchObject({ is: "signed_in", handle: "alice" });
  expect(texts(again, id)).toEqual(wanted);
  expect(again.conversations.list()).toMatchObject([{ id, title: "bob" }]);
  server.start();
  await until(() =>
    again.conversations
      .get(id)
      .messages()
      .every((line) => line.is === "note" || line.seq !== null),
  );
  const logged = server
    .log(id)
    .flatMap((e) => (e.kind === "message" && e.content.type === "text" ? [e.content.text] : []));
  expect(logged).toEqual(wanted);
});

test("[CL-45] nothing leaves before it is on the disk", async () => {
  const inner = memoryStorage();
  let release: (() => void) | null = null;
  let isHeld = false;
  const storage: typeof inner = {
    open: async (name) => {
      const store = await inner.open(name);
      const write: typeof store.write = async (batch) => {
        if (isHeld) await new Promise<void>((resolve) => (release = resolve));
        await store.write(batch);
      };
      return { read: (prefix) => store.read(prefix), write, clear: () => store.clear(), close: () => store.close() };
    },
  };
  const server = fakeServer();
  const alice = await signUp(server, "alice", { storage });
  await signUp(server, "bob");
  const chat = await alice.conversations.openDirect((await alice.people.find("bob")).userId);
  await alice.flush();
  isHeld = true;
  const sending = chat.send("on paper first");
  await sleep(50);
  expect(server.log(chat.id).filter(({ kind }) => kind === "message")).toEqual([]);
  isHeld = false;
  (release as (() => void) | null)?.();
  expect(await sending.sent).toBe(3);
});

test("[CL-45] a message whose ack was lost with the socket is not sent twice", async () => {
  const { server, chat, id } = await pair({ environment: impatient });
  server.cutBefore("ack");
  const sending = chat.send("once");
  expect(await sending.sent).toBe(3);
  expect(server.log(id).filter(({ kind }) => kind === "message")).toHaveLength(1);
});

test("[CL-12] [CL-47] what is refused for good says why, and can be retried or discarded", async () => {
  const { server, alice, chat, id } = await pair();
  const told: string[] = [];
  alice.on("failed", ({ error }) => told.push(error.code));
  server.refuseNext("send", "forbidden");
  const sending = chat.send("not now");
  await expect(sending.sent).rejects.toMatchObject({ name: "EdgewiseError", code: "forbidden", retryable: false });
  expect(sending.state).toEqual({ is: "failed", code: "forbidden", retryable: false });
  expect(chat.messages().at(-1)).toMatchObject({ text: "not now", state: { is: "failed" } });
  await alice.retry(sending.id).sent;
  expect(texts(alice, id)).toEqual(["not now"]);
  server.refuseNext("send", "forbidden");
  const other = chat.send("never");
  await until(() => other.state.is === "failed");
  alice.discard(other.id);
  expect(texts(alice, id)).toEqual(["not now"]);
  server.refuseNext("send", "too_late");
  const late = chat.react(3, "👍");
  await expect(late.sent).rejects.toMatchObject({ code: "too_late" });
  expect(chat.messages().at(-1)).toMatchObject({ reactions: [] });
  expect(told).toEqual(["forbidden", "forbidden", "too_late"]);
  expect(() => alice.discard(other.id)).toThrow(EdgewiseError);
});

test("[CL-42] an access token that the server takes no more is renewed, once for all who wait, and the call goes on", async () => {
  const { server, alice } = await pair();
  server.expireTokens();
  const answers = await Promise.all([alice.profile.load(), alice.devices.load(), alice.people.find("bob")]);
  expect(answers[0]).toMatchObject({ handle: "alice" });
  await expect(alice.profile.load()).resolves.toBeDefined();
  expect(alice.session.is).toBe("signed_in");
});

test("[CL-42] a socket that is closed for its token comes back with a new one", async () => {
  const { server, alice, chat } = await pair({ environment: impatient });
  server.expireTokens();
  server.close(4003);
  await until(() => alice.connection.is !== "live");
  await live(alice);
  await chat.send("back").sent;
});

test("[CL-44] a device that is signed out elsewhere is told so, keeps what was written, and goes on when its person comes back", async () => {
  const { server, alice, chat, id } = await pair({ environment: impatient });
  const sessions: string[] = [];
  alice.on("session", (session) => sessions.push(session.is));
  server.refuseNext("send", "unavailable");
  const before = alice.session;
  server.close(4001, "alice");
  await until(() => alice.session.is === "signed_out");
  expect(alice.session).toEqual({ is: "signed_out", because: "revoked", handle: "alice" });
  await until(() => alice.connection.is === "stopped");
  expect(alice.connection).toEqual({ is: "stopped", why: "signed_out" });
  const sending = chat.send("while away");
  await expect(alice.profile.load()).rejects.toMatchObject({ code: "unauthenticated" });
  await alice.signIn({ handle: "alice", password: PASSWORD });
  expect(alice.session).toEqual(before);
  await sending.sent;
  expect(texts(alice, id)).toEqual(["while away"]);
  expect(sessions).toEqual(["signed_out", "signed_in"]);
});

test("[CL-43] 4002 is final: another program is this device", async () => {
  const { server, alice } = await pair();
  server.close(4002, "alice");
  await until(() => alice.connection.is === "stopped");
  expect(alice.connection).toEqual({ is: "stopped", why: "replaced" });
  expect(alice.session.is).toBe("signed_in");
});

test("[CL-41] signing out clears the store wholly, also where the server is away", async () => {
  const server = fakeServer();
  const storage = memoryStorage();
  const alice = await signUp(server, "alice", { storage });
  await signUp(server, "bob");
  const { id } = await alice.conversations.openDirect((await alice.people.find("bob")).userId);
  await alice.conversations.get(id).send("secret").sent;
  server.stop();
  await alice.signOut();
  expect(alice.session).toEqual({ is: "signed_out", because: "signed_out", handle: null });
  expect(alice.conversations.list()).toEqual([]);
  await alice.close();
  const store = await storage.open(`default@${server.options.url}`);
  expect(await store.read("")).toEqual([]);
});

test("[CL-41] a store holds one device: another person finds nothing of the one before", async () => {
  const { server, alice, chat, id } = await pair();
  await chat.send("secret").sent;
  server.close(4001, "alice");
  await until(() => alice.session.is === "signed_out");
  await alice.signUp({ handle: "carol", password: PASSWORD });
  await live(alice);
  expect(alice.conversations.list()).toEqual([]);
  expect(texts(alice, id)).toEqual([]);
  expect(alice.people.known("nobody")).toBeNull();
});

test("wrong passwords and taken handles reject with their code", async () => {
  const { server } = await pair();
  const client = await open(server);
  const refused = client.signIn({ handle: "alice", password: "wrong" });
  await expect(refused).rejects.toMatchObject({ code: "invalid_credentials", retryable: false });
  await expect(client.signUp({ handle: "alice", password: PASSWORD })).rejects.toMatchObject({ code: "handle_taken" });
  expect(client.session.is).toBe("signed_out");
  server.stop();
  await expect(client.signIn({ handle: "alice", password: PASSWORD })).rejects.toMatchObject({
    code: "unavailable",
    retryable: true,
  });
});

test("[LM-26] [CL-61] a message is deleted for one person, on each of their devices and past a restart, and the list shows the one before", async () => {
  const { server, alice, bob, chat, id } = await pair();
  const storage = memoryStorage();
  const laptop = await open(server, { storage });
  await laptop.signIn({ handle: "bob", password: PASSWORD });
  await chat.send("one").sent;
  const two = await chat.send("two").sent;
  await until(() => [bob, laptop].every((client) => texts(client, id).length === 2));
  await laptop.close();
  const theirs = bob.conversations.get(id);
  await expect(theirs.deleteForMe(99)).rejects.toMatchObject({ code: "not_found" });
  await theirs.deleteForMe(two);
  await until(() => texts(bob, id).length === 1);
  expect(theirs.snapshot()).toMatchObject({ preview: { text: "one" }, unread: 1 });
  await chat.edit(two, "two, again").sent;
  await chat.send("three").sent;
  await until(() => texts(bob, id).length === 2);
  expect(texts(bob, id)).toEqual(["one", "three"]);
  expect(texts(alice, id)).toEqual(["one", "two, again", "three"]);
  const again = await open(server, { storage });
  await until(() => texts(again, id).includes("three"));
  expect(texts(again, id)).toEqual(["one", "three"]);
  await again.close();
  server.stop();
  const stored = await open(server, { storage });
  expect(texts(stored, id)).toEqual(["one", "three"]);
});

test("[CL-47] what did not change is the same object, in the list and in the lines", async () => {
  const { alice, bob, chat, id } = await pair();
  const group = await alice.conversations.createGroup({
    title: "Friends",
    memberIds: [(await alice.people.find("bob")).userId],
  });
  const seq = await chat.send("one").sent;
  await until(() => texts(bob, id).length === 1 && chat.snapshot().ticks.delivered >= seq);
  let before: unknown;
  do {
    before = alice.conversations.list();
    await sleep(300); // receipts gather
  } while (before !== alice.conversations.list());
  const [list, quiet, lines] = [alice.conversations.list(), group.snapshot(), chat.messages()];
  expect(alice.conversations.list()).toBe(list);
  expect(chat.messages()).toBe(lines);
  const told: (string | ConversationSnapshot)[] = [];
  alice.on("conversation", (snapshot) => told.push(snapshot.id));
  await bob.conversations.get(id).send("two").sent;
  await until(() => texts(alice, id).length === 2);
  expect(alice.conversations.list()).not.toBe(list);
  expect(group.snapshot()).toBe(quiet);
  expect(chat.messages().slice(0, -1)).toEqual(lines);
  for (const [i, line] of lines.entries()) expect(chat.messages()[i]).toBe(line);
  expect(new Set(told)).toEqual(new Set([id]));
});

test("[CL-47] message, typing, presence and connection are told", async () => {
  const { server, alice, bob, chat, id } = await pair({ environment: impatient });
  const told: unknown[] = [];
  const aliceId = alice.session.is === "signed_in" ? alice.session.userId : "";
  bob.on("message", ({ message }) => told.push(message.text));
  bob.on("typing", ({ userIds }) => told.push(userIds));
  bob.watch([aliceId]);
  await until(() => bob.presenceOf(aliceId)?.state === "online");
  chat.typing(true);
  await until(() => bob.conversations.get(id).snapshot().typing.length === 1);
  await chat.send("typed").sent;
  await until(() => told.length === 3);
  expect(told).toEqual([[aliceId], [], "typed"]);
  const states: string[] = [];
  bob.on("connection", ({ is }) => states.push(is));
  server.cut("bob");
  await until(() => states.at(-1) === "live");
  expect(states).toEqual(["waiting", "connecting", "catching_up", "live"]);
});

test("[CL-39] a new device has the newest messages, counts what is unread below them, and fetches older ones when asked", async () => {
  const { server, alice, chat, id } = await pair();
  for (let n = 1; n <= 30; n++) await chat.send(`text ${n}`).sent;
  const bob = await open(server, { keep: 10 });
  await bob.signIn({ handle: "bob", password: PASSWORD });
  await live(bob);
  const theirs = bob.conversations.get(id);
  expect(texts(bob, id)).toEqual(Array.from({ length: 10 }, (_, n) => `text ${n + 21}`));
  expect(theirs.snapshot()).toMatchObject({ hasOlder: true, unread: 30 });
  await chat.send("text 31").sent;
  await until(() => theirs.snapshot().unread === 31);
  expect(await theirs.loadOlder()).toBe(21); // from where bob came in
  expect(texts(bob, id)).toHaveLength(31);
  expect(theirs.snapshot().hasOlder).toBe(false);
  expect(await theirs.loadOlder()).toBe(0);
  theirs.markRead();
  expect(theirs.snapshot().unread).toBe(0);
  expect(theirs.searchLocal("TEXT 1")).toHaveLength(11);
  expect(alice.connection.is).toBe("live");
});

test("[CL-39] what is more than is to be kept is let go when the store is opened", async () => {
  const server = fakeServer();
  const storage = memoryStorage();
  const alice = await signUp(server, "alice", { storage });
  await signUp(server, "bob");
  const { id } = await alice.conversations.openDirect((await alice.people.find("bob")).userId);
  for (let n = 1; n <= 50; n++) await alice.conversations.get(id).send(`text ${n}`).sent;
  await alice.close();
  const again = await open(server, { storage, keep: 5 });
  expect(texts(again, id)).toHaveLength(5);
  await again.flush();
  await again.close();
  const third = await open(server, { storage });
  expect(texts(third, id)).toEqual(["text 46", "text 47", "text 48", "text 49", "text 50"]);
  await live(third);
  await third.conversations.get(id).send("text 51").sent;
  await third.conversations.get(id).loadOlder();
  expect(texts(third, id)).toHaveLength(51);
});

test("[CL-3] a cursor that means nothing any more is answered by syncing anew", async () => {
  const { server, alice, chat, id } = await pair({ environment: impatient });
  await chat.send("kept").sent;
  server.loseCursors();
  server.cut("alice");
  await until(() => alice.connection.is !== "live");
  await live(alice);
  await until(() => texts(alice, id).length === 1);
  expect(chat.snapshot().title).toBe("bob");
});

test("[CL-46] what another version stored is fetched anew, and what was written there goes out", async () => {
  const server = fakeServer();
  const storage = memoryStorage();
  const alice = await signUp(server, "alice", { storage });
  await signUp(server, "bob");
  const { id } = await alice.conversations.openDirect((await alice.people.find("bob")).userId);
  await alice.conversations.get(id).send("first").sent;
  server.stop();
  alice.conversations.get(id).send("second");
  await alice.flush();
  await alice.close();
  const store = await storage.open(`default@${server.options.url}`);
  const [[key, meta] = []] = await store.read("meta");
  await store.write([{ key: key ?? "", value: { ...(meta as object), shape: 99 } }]);
  server.start();
  const again = await open(server, { storage });
  expect(texts(again, id)).toEqual(["second"]);
  await until(() => texts(again, id).length === 2);
  expect(texts(again, id)).toEqual(["first", "second"]);
});

test("groups, members, contacts, blocks, mine and search, by their names", async () => {
  const { alice, bob, chat } = await pair();
  const [a, b] = [alice.session, bob.session].map((session) => (session.is === "signed_in" ? session.userId : ""));
  const group = await alice.conversations.createGroup({ title: "Friends", memberIds: [b ?? ""] });
  await until(() => bob.conversations.get(group.id).snapshot().title === "Friends");
  expect(group.snapshot()).toMatchObject({ kind: "group", role: "admin", memberCount: 2 });
  await group.members.remove(b ?? "");
  await until(() => group.snapshot().members?.length === 1);
  await until(() => bob.conversations.get(group.id).snapshot().role === null);
  await bob.contacts.put(a ?? "");
  expect(await alice.contacts.load()).toMatchObject([{ handle: "bob", state: "incoming" }]);
  await alice.contacts.put(b ?? "");
  expect(alice.contacts.list()).toMatchObject([{ handle: "bob", state: "accepted" }]);
  await alice.blocks.put(b ?? "");
  expect(await alice.blocks.load()).toMatchObject([{ handle: "bob" }]);
  await chat.set({ pinned: true });
  expect(alice.conversations.list()[0]).toMatchObject({ id: chat.id, mine: { pinned: true } });
  await chat.send("find me").sent;
  expect((await alice.search({ q: "FIND" })).hits).toHaveLength(1);
  await expect(alice.call("trace", { params: { id: chat.id, seq: 1 } })).rejects.toMatchObject({ code: "unavailable" });
});

test("[CL-49] the codes that may be tried again are those of the contract", () => {
  for (const [code, { retryable }] of Object.entries(ERRORS))
    expect(isRetryable(code as ErrorCode), code).toBe(retryable);
});
