import { expect, test } from "vitest";
import { memoryStorage } from "../../../src/sdk/client/memory-storage.ts";
import { heldOf, timelineOf, wordsOf } from "../../../src/sdk/drawing.ts";
import { fakeServer } from "../../../src/sdk/testing.ts";
import { open, signUp, texts, until } from "./support/people.ts";

async function talk() {
  const server = fakeServer();
  const [alice, bob] = [await signUp(server, "alice"), await signUp(server, "bob")];
  const chat = await alice.conversations.openDirect((await alice.people.find("bob")).userId);
  await chat.send("hello").sent;
  await until(() => texts(bob, chat.id).length === 1);
  return { server, alice, bob, chat, theirs: bob.conversations.get(chat.id), id: chat.id };
}

test("[CL-64] the state is the same object until something changes, and then what has not changed is the same in it", async () => {
  const { alice, bob, chat, theirs, id } = await talk();
  const other = await alice.conversations.createGroup({ title: "Garden", memberIds: [] });
  await alice.flush();
  await until(() => alice.state.replica.outbox.length === 0 && heldOf(alice.state.replica, other.id).covered === 2);
  const before = alice.state;
  expect(alice.state).toBe(before);
  await theirs.send("and you?").sent;
  await until(() => texts(alice, id).length === 2);
  expect(alice.state).not.toBe(before);
  expect(alice.state.replica.conversations[other.id]).toBe(before.replica.conversations[other.id]);
  expect(alice.state.people).toBe(before.people);
  const live = alice.live;
  expect(alice.live).toBe(live);
  theirs.typing(true);
  await until(() => alice.live.typing.length === 1);
  expect(alice.live.typing[0]).toMatchObject({
    conversationId: id,
    userId: (bob.session as { userId: string }).userId,
  });
  expect(chat.snapshot().typing).toEqual(alice.live.typing.map(({ userId }) => userId));
});

test("[CL-64] what is drawn from the state by the package's functions is what its snapshots show, with what is on its way", async () => {
  const { server, alice, chat, theirs, id } = await talk();
  const seq = await theirs.send("wrod").sent;
  await theirs.edit(seq, "word").sent;
  await until(() => texts(alice, id).includes("word"));
  server.stop();
  chat.react(seq, "👍");
  chat.send("written in the tunnel");
  const { events } = heldOf(alice.state.replica, id);
  const wishes = alice.state.replica.outbox.map(({ event }) => event);
  const { userId: me } = alice.session as { userId: string };
  const lines = timelineOf(events, { me, wishes, now: alice.serverNow });
  const words = lines.flatMap((line) => (line.is === "message" ? [wordsOf(line)] : []));
  const waiting = alice.state.replica.outbox.flatMap(({ event }) =>
    event.kind === "message" && event.content.type === "text" ? [event.content.text] : [],
  );
  expect([...words, ...waiting]).toEqual(texts(alice, id));
  expect(texts(alice, id)).toEqual(["hello", "word", "written in the tunnel"]);
  const reacted = lines.find((line) => line.event.seq === seq);
  expect(reacted).toMatchObject({ edited: true, reactions: [{ emoji: "👍", userIds: [me] }] });
  expect(heldOf(alice.state.replica, "nowhere").events).toEqual([]);
});

test("[CL-54] a glimpse goes on once, however often it is told, and what was asked for before is done then", async () => {
  const [server, storage] = [fakeServer(), memoryStorage()];
  const before = await signUp(server, "alice", { storage });
  const chat = await before.conversations.createGroup({ title: "Garden", memberIds: [] });
  await before.close();
  let dialled = 0;
  class Counted extends server.options.WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      dialled += 1;
    }
  }
  const client = await open(server, { storage, glimpse: true, WebSocket: Counted });
  expect(client.isWhole).toBe(false);
  const sending = client.conversations.get(chat.id).send("written before");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([dialled, sending.state.is]).toEqual([0, "queued"]);
  await Promise.all([client.openWhole(), client.openWhole()]);
  await client.openWhole();
  expect(client.isWhole).toBe(true);
  await sending.sent;
  await client.close();
  await client.openWhole();
  expect(dialled).toBe(1);
});

test("[AP-39] [CL-53] a group that is asked for again after its answer was lost is made once", async () => {
  const { server, alice } = await talk();
  const wanted = { title: "Garden", memberIds: [], idempotencyKey: alice.newKey() };
  server.loseNext("createGroup");
  await expect(alice.conversations.createGroup(wanted)).rejects.toMatchObject({ code: "unavailable" });
  const made = await alice.conversations.createGroup(wanted);
  await until(() => made.snapshot().title === "Garden");
  expect(alice.conversations.list().filter(({ title }) => title === "Garden")).toHaveLength(1);
  const another = await alice.conversations.createGroup({ title: "Garden", memberIds: [] });
  expect(another.id).not.toBe(made.id);
});

test("[CL-53] who somebody is can be kept as it was told, and is known then without asking", async () => {
  const { server, alice } = await talk();
  await signUp(server, "cleo");
  const cleo = await alice.call("findUser", { query: { handle: "cleo" } });
  expect(alice.people.known(cleo.userId)).toBeNull();
  await alice.people.keep({ ...cleo, displayName: "Cleo" });
  expect(alice.people.known(cleo.userId)).toEqual({ ...cleo, displayName: "Cleo" });
  expect(alice.state.people[cleo.userId]).toBe(alice.people.known(cleo.userId));
});
