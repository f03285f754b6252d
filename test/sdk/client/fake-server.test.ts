import { expect, test } from "vitest";
import { Problem } from "../../../src/protocol/errors.ts";
import { ExportLine } from "../../../src/protocol/export.ts";
import { ClientFrame, ServerFrame } from "../../../src/protocol/frames.ts";
import { DOORS, type DoorName } from "../../../src/protocol/http.ts";
import type { Fetch, SocketLike } from "../../../src/sdk/client/api.ts";
import { DOOR_TABLE } from "../../../src/sdk/client/door-table.ts";
import { memoryStorage } from "../../../src/sdk/client/memory-storage.ts";
import { type Fake, fakeServer } from "../../../src/sdk/testing.ts";
import { live, PASSWORD, signUp, texts, until } from "./support/people.ts";

/** Holds all that is said to and by the fake server against the contract's schemas. */
function watched(server: Fake): { server: Fake; seen: Set<string> } {
  const seen = new Set<string>();
  const { url, fetch, WebSocket } = server.options;
  class Watched extends WebSocket {
    override send(text: string): void {
      if (text !== "ping") seen.add(ClientFrame.parse(JSON.parse(text)).type);
      super.send(text);
    }
  }
  // What it hears is held against the schemas, and goes on to the client.
  const { addEventListener } = WebSocket.prototype as { addEventListener(type: string, listener: unknown): void };
  Watched.prototype.addEventListener = function (this: SocketLike, type: string, listener: (event: never) => void) {
    const heard = (event: { data: unknown }) => {
      if (event.data !== "pong") seen.add(ServerFrame.parse(JSON.parse(String(event.data))).type);
      listener(event as never);
    };
    addEventListener.call(this, type, type === "message" ? heard : listener);
  };
  const asking: Fetch = async (input, init) => {
    const name = doorOf(new URL(input).pathname, init?.method ?? "GET");
    const { body, answers } = DOORS[name] as (typeof DOORS)[DoorName] & { body?: { parse(value: unknown): void } };
    if (body) body.parse(JSON.parse(String(init?.body ?? "{}")));
    const response = await fetch(input, init);
    const text = await response.clone().text();
    const schemas = Object.values(answers as Record<number, { parse(value: unknown): void } | null>);
    if (!response.ok) Problem.parse(JSON.parse(text));
    else if (name === "exportMe") for (const line of text.trimEnd().split("\n")) ExportLine.parse(JSON.parse(line));
    else if (text !== "") schemas.find((schema) => schema !== null)?.parse(JSON.parse(text));
    seen.add(name);
    return response;
  };
  const options = { url, fetch: asking, WebSocket: Watched };
  return { server: { ...server, options }, seen }; // clients need nothing else of it
}

function doorOf(path: string, method: string): DoorName {
  const found = (Object.keys(DOOR_TABLE) as (keyof typeof DOOR_TABLE)[]).find((name) => {
    const pattern = new RegExp(`^${DOOR_TABLE[name].replaceAll(/\{\w+\}/g, "[^/]+")}$`);
    return pattern.test(`${method} ${path}`);
  });
  if (!found) throw new Error(`no door ${method} ${path}`);
  return found;
}

test("[CL-50] all that the fake server and its clients say to each other fits the contract", async () => {
  const fake = fakeServer();
  const { server, seen } = watched(fake);
  const [alice, bob] = [await signUp(server, "alice"), await signUp(server, "bob")];
  const bobId = (await alice.people.find("bob")).userId;
  const chat = await alice.conversations.openDirect(bobId);
  const group = await alice.conversations.createGroup({ title: "Friends", memberIds: [bobId] });
  const seq = await chat.send("hello").sent;
  await chat.edit(seq, "hello!").sent;
  await chat.react(seq, "👍").sent;
  await chat.recall(await chat.send("oops").sent).sent;
  await until(() => texts(bob, chat.id).length === 2);
  bob.conversations.get(chat.id).typing(true);
  await until(() => chat.snapshot().typing.length === 1);
  bob.conversations.get(chat.id).markRead();
  await until(() => chat.snapshot().ticks.read >= seq);
  alice.watch([bobId]);
  await until(() => alice.presenceOf(bobId)?.state === "online");
  await Promise.all([group.members.load(), group.change({ title: "Better friends" }), chat.set({ archived: true })]);
  await Promise.all([alice.profile.load(), alice.profile.change({ displayName: "A." }), alice.devices.load()]);
  await Promise.all([alice.contacts.put(bobId), alice.blocks.put(bobId), alice.search({ q: "hello" })]);
  await alice.call("history", { params: { id: chat.id }, query: { limit: 2 } });
  fake.loseCursors();
  fake.cut("alice");
  await until(() => alice.connection.is !== "live");
  await live(alice);
  await until(() => texts(alice, chat.id).length === 2);
  fake.refuseNext("me", "rate_limited", 5);
  await expect(alice.profile.load()).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 5, retryable: true });
  expect((await alice.export().blob()).size).toBeGreaterThan(1_000);
  await bob.erase({ password: PASSWORD });
  await until(() => bob.session.is === "signed_out");
  await until(() => texts(alice, chat.id).includes(""));
  const frames = ["welcome", "ack", "page", "events", "changed", "caught_up", "receipts", "typing", "presence"];
  expect([...seen]).toEqual(expect.arrayContaining([...frames, "hello", "send", "pull", "receipt", "cursor", "watch"]));
  expect([...seen]).toEqual(
    expect.arrayContaining(["signUp", "findUser", "createGroup", "history", "search", "exportMe", "eraseMe"]),
  );
});

test("[CL-50] [SO-2] [SO-9] at the fake server, too, a socket replaces another one when it speaks, and no later one", async () => {
  const server = fakeServer();
  const storage = memoryStorage();
  const alice = await signUp(server, "alice", { storage });
  const [[, kept] = []] = await (await storage.open(`default@${server.options.url}`)).read("session");
  const { tokens } = kept as { tokens: { accessToken: string } };
  const closes: number[] = [];
  const dial = () => {
    const socket = new server.options.WebSocket("", ["edgewise.v1", `bearer.${tokens.accessToken}`]);
    socket.addEventListener("close", ({ code }) => closes.push(code));
    return new Promise<typeof socket>((resolve) => socket.addEventListener("open", () => resolve(socket)));
  };
  const [second, third] = [await dial(), await dial()];
  await alice.contacts.load();
  expect(alice.connection.is).toBe("live");
  second.send(JSON.stringify({ type: "hello", version: 1, cursor: null }));
  await until(() => alice.connection.is === "stopped");
  expect(closes).toEqual([]);
  third.send(JSON.stringify({ type: "hello", version: 1, cursor: null }));
  await until(() => closes.length > 0);
  expect(closes).toEqual([4002]);
});
