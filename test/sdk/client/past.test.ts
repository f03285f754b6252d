import { expect, test } from "vitest";
import type { Fetch, Past } from "../../../src/sdk/client/api.ts";
import { fakeServer } from "../../../src/sdk/testing.ts";
import { live, open, PASSWORD, signUp, texts, until } from "./support/people.ts";

const HEAD = 602;

/** Six hundred messages lie in the conversation; this device keeps the last fifty, and counts what it fetches. */
async function longTalk() {
  const server = fakeServer();
  const [first, bob] = [await signUp(server, "alice"), await signUp(server, "bob")];
  const { id } = await first.conversations.openDirect((await first.people.find("bob")).userId);
  const theirs = bob.conversations.get(id);
  await Promise.all(Array.from({ length: HEAD - 2 }, (_, n) => theirs.send(`${n + 3}`).sent));
  let fetched = 0;
  const fetch: Fetch = (url, init) => {
    if (/events\?/.test(url)) fetched += 1;
    return server.options.fetch(url, init);
  };
  const alice = await open(server, { keep: 50, fetch });
  await alice.signIn({ handle: "alice", password: PASSWORD });
  await live(alice);
  const chat = alice.conversations.get(id);
  await until(() => chat.messages().length === 50);
  return { server, alice, bob, theirs, chat, id, fetched: () => fetched };
}
const seqsOf = (past: Past) => past.events.map(({ seq }) => seq);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
async function windowAt(chat: { around(seq: number): Promise<Past | null> }, seq: number): Promise<Past> {
  const past = await chat.around(seq);
  if (!past) throw new Error("it is kept");
  return past;
}

test("[CL-59] what lies around a message that is not kept comes in two pages, and what is kept stays as it is", async () => {
  const { chat, fetched } = await longTalk();
  const before = chat.messages();
  const past = await windowAt(chat, 300);
  expect(fetched()).toBe(2);
  expect(seqsOf(past)).toEqual(range(201, 400));
  expect([past.hasOlder, past.hasNewer]).toEqual([true, true]);
  expect(past.messages().map((line) => line.is === "message" && line.text)).toEqual(range(201, 400).map(String));
  expect(past.messages()).toBe(past.messages());
  expect(chat.messages()).toBe(before);
  expect(await chat.around(HEAD)).toBeNull();
  expect(fetched()).toBe(2);
});

test("[CL-39] [CL-59] it goes on both ways, and joins on without a gap where it meets what is kept", async () => {
  const { chat, theirs } = await longTalk();
  const past = await windowAt(chat, 300);
  const twice = await Promise.all([past.loadOlder(), past.loadOlder()]);
  expect(twice).toEqual([100, 0]);
  expect(seqsOf(past)).toEqual(range(101, 400));
  await theirs.send("meanwhile").sent;
  await past.loadNewer();
  expect([past.hasNewer, chat.messages().length]).toEqual([true, 51]);
  await past.loadNewer();
  expect(past.hasNewer).toBe(false);
  expect(chat.messages().map((line) => line.seq)).toEqual(range(101, HEAD + 1));
  expect(chat.snapshot().hasOlder).toBe(true);
  expect(await past.loadNewer()).toBe(0);
  while (past.hasOlder) await past.loadOlder();
  expect(seqsOf(past)[0]).toBe(1);
});

test("[CL-59] what is said now of a message in the window shows on it", async () => {
  const { chat, theirs, alice } = await longTalk();
  const past = await windowAt(chat, 10);
  expect(seqsOf(past)).toEqual(range(1, 110));
  const at = (seq: number) => past.messages().find((line) => line.seq === seq);
  const sending = chat.react(10, "👍");
  expect(at(10)).toMatchObject({ reactions: [{ emoji: "👍" }] }); // at once
  await sending.sent;
  expect(at(10)).toMatchObject({ reactions: [{ emoji: "👍" }] });
  await theirs.recall(11).sent;
  await until(() => (at(11) as { content?: { type: string } }).content?.type === "gone");
  expect(past.messages()).toHaveLength(110);
  expect(texts(alice, chat.id)).not.toContain("10");
});

test("[CL-59] a window that cannot be fetched just now says so, and stays as it was", async () => {
  const { server, chat } = await longTalk();
  server.refuseNext("history", "unavailable");
  await expect(chat.around(10)).rejects.toMatchObject({ code: "unavailable", retryable: true });
  const past = await windowAt(chat, 10);
  server.refuseNext("history", "unavailable");
  await expect(past.loadNewer()).rejects.toMatchObject({ code: "unavailable" });
  expect(seqsOf(past)).toEqual(range(1, 110));
});
