import { expect, test } from "vitest";
import type { Message } from "../../../src/sdk/client/api.ts";
import { createClientIn } from "../../../src/sdk/client/client.ts";
import { memoryStorage } from "../../../src/sdk/client/memory-storage.ts";
import { fakeServer } from "../../../src/sdk/testing.ts";
import { impatient, live, signUp, until } from "./support/people.ts";
import { slow } from "./support/slow.ts";

test("[CL-54] the list stands before the logs are read, with the last message as it is by now", async () => {
  const [server, storage] = [fakeServer(), memoryStorage()];
  const [alice, bob] = [await signUp(server, "alice", { storage }), await signUp(server, "bob")];
  const chat = await alice.conversations.openDirect((await alice.people.find("bob")).userId);
  for (let n = 0; n < 40; n++) chat.send(`number ${n}`);
  const seq = await chat.send("the last wrod").sent;
  await until(() => bob.conversations.get(chat.id).snapshot().preview?.text === "the last wrod");
  await chat.edit(seq, "the last word").sent;
  await bob.conversations.get(chat.id).react(seq, "👍").sent;
  await until(() => (chat.messages().at(-1) as Message).reactions.length === 1);
  chat.send("not sent yet");
  await until(() => chat.snapshot().preview?.text === "not sent yet");
  await alice.flush();
  await alice.close();

  const later = slow(storage);
  server.stop();
  const client = await createClientIn(impatient, { ...server.options, storage: later.storage, glimpse: true });
  expect(client.isWhole).toBe(false);
  expect(later.seen.asked.filter((prefix) => prefix.startsWith("log"))).toEqual([]);
  const [listed] = client.conversations.list();
  expect(listed).toMatchObject({ title: "bob", hasOlder: true });
  const tail = client.conversations.get(chat.id).messages() as Message[];
  expect(tail.map(({ text, edited, reactions }) => [text, edited, reactions.length])).toContainEqual(
    tail.length > 1 ? ["the last word", true, 1] : ["not sent yet", false, 0],
  );
  expect(tail.length).toBeLessThan(4);
  const sending = client.conversations.get(chat.id).send("written before the logs were read");
  expect(client.conversations.list()[0]?.preview?.text).toBe("written before the logs were read");
  void client.openWhole();
  later.open();
  await until(() => client.isWhole);
  await until(() => client.conversations.get(chat.id).messages().length > 40);
  server.start();
  await live(client);
  await sending.sent;
  await until(() => bob.conversations.get(chat.id).snapshot().preview?.text === "written before the logs were read");
  await client.close();
});

test("[CL-54] what is deleted is gone from what the list is drawn from", async () => {
  const [server, storage] = [fakeServer(), memoryStorage()];
  const [alice, bob] = [await signUp(server, "alice", { storage }), await signUp(server, "bob")];
  const chat = await alice.conversations.openDirect((await alice.people.find("bob")).userId);
  const seq = await chat.send("the secret word").sent;
  await until(() => bob.conversations.get(chat.id).snapshot().preview !== null);
  await chat.recall(seq).sent;
  await until(() => chat.snapshot().preview?.content.type === "gone");
  await alice.flush();
  await alice.close();
  const later = slow(storage);
  const client = await createClientIn(impatient, { ...server.options, storage: later.storage, glimpse: true });
  expect(client.conversations.list()[0]?.preview?.content.type).toBe("gone");
  expect(JSON.stringify(client.conversations.get(chat.id).messages())).not.toContain("secret");
  later.open();
  await client.close();
});
