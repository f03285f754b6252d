import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { Client } from "../../../src/sdk/client/api.ts";
import { createClientIn } from "../../../src/sdk/client/client.ts";
import type { Environment } from "../../../src/sdk/client/environment.ts";
import { memoryStorage } from "../../../src/sdk/client/memory-storage.ts";
import type { Storage } from "../../../src/sdk/client/storage.ts";
import { type Fake, fakeServer } from "../../../src/sdk/testing.ts";
import { impatient, live, open, PASSWORD, signUp, texts, until } from "./support/people.ts";
import { FakeBrowser } from "./support/tabs.ts";

const DAY_MS = 86_400_000;

async function pair(environment = impatient) {
  const server = fakeServer();
  const storage = memoryStorage();
  const alice = await signUp(server, "alice", { environment, storage });
  const bob = await signUp(server, "bob");
  const chat = await alice.conversations.openDirect((await alice.people.find("bob")).userId);
  return { server, storage, alice, bob, chat, id: chat.id };
}

/** Another device of alice's signs this one out for good, as the list of devices lets her; it hears of that when it is connected. */
async function revoke(server: Fake, alice: Client): Promise<void> {
  if (alice.session.is !== "signed_in") throw new Error("nobody is signed in");
  const { deviceId } = alice.session;
  const other = await open(server);
  await other.signIn({ handle: "alice", password: PASSWORD });
  await other.devices.revoke(deviceId);
  alice.connect();
  await until(() => alice.session.is === "signed_out");
}
/** What is sent now is appended, and the answer is lost with the socket; there is no other one for now. */
async function loseAnswer(server: Fake, alice: Client, send: () => unknown): Promise<void> {
  const end = alice.on("connection", ({ is }) => is === "waiting" && alice.disconnect());
  server.cutBefore("ack");
  send();
  await until(() => alice.connection.is === "offline");
  end();
}
/** Whether it has left: what is shown does not tell that from waiting. */
const hasLeft = ({ state }: Client, id: string): boolean =>
  state.replica.outbox.some(({ wishId, standing }) => wishId === id && (standing as { sent?: boolean }).sent === true);
const signInAgain = (alice: Client) => alice.signIn({ handle: "alice", password: PASSWORD });
const rowsOf = async (server: Fake, storage: Storage) => (await storage.open(`default@${server.options.url}`)).read("");
const logged = (server: Fake, id: string) =>
  server.log(id).flatMap((e) => (e.kind === "message" && e.content.type === "text" ? [e.content.text] : []));

test("[CL-57] a device that was revoked keeps nothing but what was written, at once and in all it shows", async () => {
  const { server, storage, alice, chat, id } = await pair();
  await chat.send("the server has it").sent;
  await alice.contacts.load();
  alice.disconnect();
  chat.send("written in the tunnel");
  await alice.flush();
  expect(JSON.stringify(await rowsOf(server, storage))).toContain("the server has it");
  await revoke(server, alice);
  await until(() => texts(alice, id).length === 1);
  expect(alice.conversations.list().map(({ title, peer }) => ({ title, peer }))).toEqual([]);
  expect(alice.contacts.list()).toEqual([]);
  const rows = await rowsOf(server, storage);
  expect(rows.map(([key]) => key.replace(/\/.*/, "/"))).toEqual(["meta", "out/", "session"]);
  const text = JSON.stringify(rows);
  expect(text).toContain("written in the tunnel");
  for (const gone of ["the server has it", "bob", "Token"]) expect(text).not.toContain(gone);
});

test("[CL-57] a device that died before it could let go of it does so when it is opened, and shows nothing before", async () => {
  const { server, storage, alice, chat, id } = await pair();
  await chat.send("the server has it").sent;
  await alice.close();
  const store = await storage.open(`default@${server.options.url}`);
  const [[, kept] = []] = await store.read("session");
  await store.write([{ key: "session", value: { ...(kept as object), tokens: null } }]); // as an older version wrote it, too
  const client = await createClientIn(impatient, { ...server.options, storage, glimpse: true });
  const { about, people, replica } = client.state;
  expect([about, people, replica.conversations]).toEqual([{}, {}, {}]);
  await client.close();
  const again = await open(server, { environment: impatient, storage });
  expect(again.conversations.list()).toEqual([]);
  expect(texts(again, id)).toEqual([]);
  await again.flush();
  expect((await rowsOf(server, storage)).map(([key]) => key)).toEqual(["meta", "session"]);
});

test("[CL-57] a device whose tokens have only run out keeps what it has, and comes back as it was", async () => {
  const { server, alice, bob, chat, id } = await pair();
  await chat.send("before").sent;
  await until(() => bob.conversations.get(id).snapshot().title !== ""); // bob asks for nothing more
  const before = alice.session;
  server.expireTokens();
  server.refuseNext("refresh", "token_expired");
  server.close(4003, "alice");
  await until(() => alice.session.is === "signed_out");
  expect(texts(alice, id)).toEqual(["before"]);
  await signInAgain(alice);
  expect(alice.session).toEqual(before);
});

test("[CL-44] [CL-58] what waits when a device is revoked goes out in order, once, when its person comes back as another device", async () => {
  const { server, alice, bob, chat, id } = await pair();
  const before = alice.session;
  await chat.send("one").sent;
  alice.disconnect();
  const sendings = ["two", "three"].map((text) => chat.send(text));
  await revoke(server, alice);
  sendings.push(chat.send("four"));
  await signInAgain(alice);
  expect(alice.session).toMatchObject({ is: "signed_in", handle: "alice" });
  expect(alice.session).not.toEqual(before);
  expect(await Promise.all(sendings.map(({ sent }) => sent))).toEqual([4, 5, 6]);
  await live(alice);
  await until(() => texts(alice, id).length === 4 && texts(bob, id).length === 4);
  for (const each of [texts(alice, id), texts(bob, id), logged(server, id)])
    expect(each).toEqual(["one", "two", "three", "four"]);
  const ids = chat.messages().flatMap((line) => (line.is === "message" ? [line.id] : []));
  expect(ids.slice(1)).toEqual(sendings.map((sending) => sending.id)); // [CL-47]
});

test("[CL-58] what was sent and whose answer was lost with the device is found in the log, and not sent again", async () => {
  const { server, alice, chat, id } = await pair();
  const failed: string[] = [];
  alice.on("failed", ({ id }) => failed.push(id));
  await loseAnswer(server, alice, () => chat.send("did arrive"));
  const sending = chat.send("never left");
  await revoke(server, alice);
  await signInAgain(alice);
  await sending.sent;
  await live(alice);
  await until(() => texts(alice, id).length === 2);
  expect(logged(server, id)).toEqual(["did arrive", "never left"]);
  expect(texts(alice, id)).toEqual(["did arrive", "never left"]);
  await until(() => chat.messages().every((line) => line.is !== "message" || line.state?.is !== "queued"));
  expect(failed).toEqual([]);
});

test("[CL-58] it is found however far the conversation has gone on since, and past what is kept here", async () => {
  const server = fakeServer();
  const alice = await signUp(server, "alice", { environment: impatient, keep: 300 });
  const bob = await signUp(server, "bob");
  const failed: string[] = [];
  alice.on("failed", ({ id }) => failed.push(id));
  const chat = await alice.conversations.openDirect((await alice.people.find("bob")).userId);
  await until(() => bob.conversations.list().length === 1);
  const theirs = bob.conversations.get(chat.id);
  const goOn = () => Promise.all(Array.from({ length: 260 }, (_, n) => theirs.send(`${n}`).sent));
  alice.disconnect();
  await goOn();
  chat.send("long ago");
  await loseAnswer(server, alice, () => alice.connect());
  await goOn();
  await goOn();
  await revoke(server, alice);
  await signInAgain(alice);
  await live(alice);
  await until(() => texts(alice, chat.id).length === 300);
  await until(() => !texts(alice, chat.id).includes("long ago"));
  expect(failed).toEqual([]);
  expect(logged(server, chat.id).filter((text) => text === "long ago")).toHaveLength(1);
});

test("[CL-58] what left and is not in the log is shown as failed, and goes out again when its person says so", async () => {
  const { server, alice, chat, id } = await pair();
  server.refuseNext("send", "unavailable", DAY_MS); // it has left, and was not appended
  const sending = chat.send("lost on its way");
  const reaction = chat.react(1, "👍");
  await alice.flush();
  await until(() => hasLeft(alice, sending.id));
  await sleep(200); // and has been refused
  await revoke(server, alice);
  await signInAgain(alice);
  await expect(sending.sent).rejects.toMatchObject({ code: "device_revoked" });
  expect(chat.messages().at(-1)).toMatchObject({ text: "lost on its way", state: { is: "failed" } });
  await expect(reaction.sent).rejects.toMatchObject({ code: "invalid_request" }); // seq 1 is no message: it went out again by itself
  await alice.retry(sending.id).sent;
  expect(logged(server, id)).toEqual(["lost on its way"]);
});

test("[CL-58] [CL-75] a log that cannot be read just now is read on when its refusal says, and nothing waits for that", async () => {
  const AGAIN_MS = 77_000;
  const waits: (() => void)[] = [];
  const after: Environment["after"] = (ms, act) => (ms === AGAIN_MS ? hold(act) : impatient.after(ms, act));
  const hold = (act: () => void) => {
    waits.push(act);
    return () => void waits.splice(waits.indexOf(act), 1);
  };
  const { server, alice, chat } = await pair({ ...impatient, after });
  server.refuseNext("send", "unavailable", DAY_MS);
  const sending = chat.send("lost on its way");
  await alice.flush();
  await until(() => hasLeft(alice, sending.id));
  await sleep(200); // and has been refused
  await revoke(server, alice);
  for (const code of ["rate_limited", "unavailable"] as const) server.refuseNext("history", code, AGAIN_MS);
  await signInAgain(alice);
  await live(alice);
  await until(() => waits.length === 1);
  await alice.flush();
  expect(sending.state).toEqual({ is: "queued" });
  waits.shift()?.();
  await until(() => waits.length === 1); // refused once more
  expect(sending.state).toEqual({ is: "queued" });
  waits.shift()?.();
  await expect(sending.sent).rejects.toMatchObject({ code: "device_revoked" });
});

test("[CL-75] a search that waits is called off with the connection, and asked for on the next", async () => {
  const waits: number[] = [];
  const after: Environment["after"] = (ms, act) => {
    if (ms !== DAY_MS) return impatient.after(ms, act);
    waits.push(ms);
    return () => void waits.pop();
  };
  const { server, alice, chat } = await pair({ ...impatient, after });
  server.refuseNext("send", "unavailable", 2 * DAY_MS);
  const sending = chat.send("lost on its way");
  await alice.flush();
  await sleep(200);
  await revoke(server, alice);
  server.refuseNext("history", "unavailable", DAY_MS);
  await signInAgain(alice);
  await until(() => waits.length === 1);
  server.cut("alice");
  await expect(sending.sent).rejects.toMatchObject({ code: "device_revoked" });
  expect(waits).toEqual([]);
});

test("[CL-41] [CL-58] what was written by one person never goes out as another, nor after they have signed out", async () => {
  const { server, storage, alice, chat, id } = await pair();
  await revoke(server, alice);
  chat.send("alice's own words");
  await alice.signUp({ handle: "carol", password: PASSWORD });
  await live(alice);
  expect(texts(alice, id)).toEqual([]);
  expect(JSON.stringify(await rowsOf(server, storage))).not.toContain("own words");
  await alice.signOut();
  await signInAgain(alice);
  await live(alice);
  expect(logged(server, id)).toEqual([]);
});

test("[CL-48] [CL-57] [CL-58] all tabs of a revoked device let go, and what was written in any of them goes out once", async () => {
  const server = fakeServer();
  const place = new FakeBrowser();
  const openTab = async () => {
    const { environment, crash, skew: _, ...parts } = place.openTab(server.options.WebSocket);
    onTestFinished(() => crash());
    return createClientIn(environment, { ...server.options, ...parts });
  };
  const first = await openTab();
  await first.signUp({ handle: "alice", password: PASSWORD });
  await live(first);
  const second = await openTab();
  await live(second);
  await signUp(server, "bob");
  const { id } = await first.conversations.openDirect((await first.people.find("bob")).userId);
  await first.conversations.get(id).send("kept by the server").sent;
  await until(() => texts(second, id).length === 1);
  await revoke(server, first);
  await until(() => second.session.is === "signed_out");
  await until(() => texts(first, id).length === 0 && texts(second, id).length === 0);
  const sendings = [first, second].map((tab, n) => tab.conversations.get(id).send(`tab ${n}`));
  await signInAgain(second);
  await Promise.all(sendings.map(({ sent }) => sent));
  await until(() => texts(first, id).length === 3 && texts(second, id).length === 3);
  expect(logged(server, id).toSorted()).toEqual(["kept by the server", "tab 0", "tab 1"]);
});
