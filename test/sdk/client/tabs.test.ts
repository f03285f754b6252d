import { expect, onTestFinished, test } from "vitest";
import type { Client } from "../../../src/sdk/client/api.ts";
import { createClientIn } from "../../../src/sdk/client/client.ts";
import { type Fake, fakeServer } from "../../../src/sdk/testing.ts";
import { live, PASSWORD, signUp, texts, until } from "./support/people.ts";
import { FakeBrowser } from "./support/tabs.ts";

/** Tabs of one browser, and somebody to talk to. */
async function browser(server: Fake = fakeServer()) {
  const place = new FakeBrowser();
  const openTab = async (): Promise<{ tab: Client; crash: () => void; skew: (ms: number) => void }> => {
    const { environment, crash, skew, ...parts } = place.openTab(server.options.WebSocket);
    const tab = await createClientIn(environment, { ...server.options, ...parts });
    onTestFinished(() => crash());
    return { tab, crash, skew };
  };
  const first = await openTab();
  await first.tab.signUp({ handle: "alice", password: PASSWORD });
  await live(first.tab);
  const bob = await signUp(server, "bob");
  const { id } = await first.tab.conversations.openDirect((await first.tab.people.find("bob")).userId);
  return { server, place, openTab, first, bob, id };
}

test("[CL-48] tabs share one socket, show the same, and each may write", async () => {
  const { place, openTab, first, bob, id } = await browser();
  const second = await openTab();
  await live(second.tab);
  expect(second.tab.session).toMatchObject({ is: "signed_in", handle: "alice" });
  const sending = second.tab.conversations.get(id).send("from the second");
  expect(texts(second.tab, id)).toEqual(["from the second"]); // at once
  expect(await sending.sent).toBe(3);
  await first.tab.conversations.get(id).send("from the first").sent;
  await bob.conversations.get(id).send("from bob").sent;
  await until(() => texts(second.tab, id).length === 3 && texts(first.tab, id).length === 3);
  const shown = ({ tab }: typeof first) =>
    JSON.stringify([tab.conversations.get(id).messages(), tab.conversations.list()]);
  await until(() => shown(first) === shown(second));
  expect(second.tab.connection).toEqual(first.tab.connection);
  expect(place.sockets).toBe(1);
});

test("[CL-14] [CL-48] what a tab writes stays in its order, whatever keys its clock makes", async () => {
  const { server, openTab, first, id } = await browser();
  const second = await openTab();
  await live(second.tab);
  await first.tab.conversations.get(id).send("a").sent;
  const chat = second.tab.conversations.get(id);
  const sendings = [-3_600_000, 3_600_000, 0].map((ms, n) => {
    second.skew(ms);
    return chat.send("bcd".charAt(n));
  });
  await Promise.all(sendings.map(({ sent }) => sent));
  const logged = server
    .log(id)
    .flatMap((e) => (e.kind === "message" && e.content.type === "text" ? [e.content.text] : []));
  expect(logged).toEqual(["a", "b", "c", "d"]);
  await until(() => texts(second.tab, id).length === 4);
  const ids = chat.messages().flatMap((line) => (line.is === "message" ? [line.id] : []));
  expect(ids.slice(1)).toEqual(sendings.map((sending) => sending.id)); // [CL-47]
});

test("[CL-48] a message is told once in every tab, and typing and presence are shown in all", async () => {
  const { openTab, first, bob, id } = await browser();
  const second = await openTab();
  await live(second.tab);
  const told: string[] = [];
  for (const [name, { tab }] of Object.entries({ first, second }))
    tab.on("message", ({ message }) => told.push(`${name} ${message.text}`));
  const bobId = bob.session.is === "signed_in" ? bob.session.userId : "";
  second.tab.watch([bobId]);
  await until(() => second.tab.presenceOf(bobId)?.state === "online");
  bob.conversations.get(id).typing(true);
  await until(() => second.tab.conversations.get(id).snapshot().typing.length === 1);
  await bob.conversations.get(id).send("news").sent;
  await until(() => told.length === 2);
  expect(told.sort()).toEqual(["first news", "second news"]);
});

test("[CL-48] when the tab that leads closes, another takes over", async () => {
  const { place, openTab, first, bob, id } = await browser();
  const second = await openTab();
  await live(second.tab);
  await first.tab.close();
  await until(() => place.sockets === 2);
  await live(second.tab);
  await second.tab.conversations.get(id).send("still here").sent;
  await until(() => texts(bob, id).length === 1);
});

test("[CL-45] [CL-48] when the tab that leads dies, nothing that was written in any tab is lost, or said twice", async () => {
  const { server, openTab, first, id } = await browser();
  const [second, third] = [await openTab(), await openTab()];
  await Promise.all([live(second.tab), live(third.tab)]);
  const sendings = [1, 2, 3, 4, 5, 6].map((n) => {
    const { tab } = n % 2 ? second : third;
    if (n === 4) first.crash(); // in the middle: some were stored, some were sent, some are on their way to it
    return tab.conversations.get(id).send(`text ${n}`);
  });
  await Promise.all(sendings.map(({ sent }) => sent));
  const logged = server
    .log(id)
    .flatMap((e) => (e.kind === "message" && e.content.type === "text" ? [e.content.text] : []));
  expect(logged.toSorted()).toEqual([1, 2, 3, 4, 5, 6].map((n) => `text ${n}`));
  for (const own of [
    [1, 3, 5],
    [2, 4, 6],
  ])
    expect(logged.filter((text) => own.includes(Number(text.at(-1))))).toEqual(own.map((n) => `text ${n}`));
  await until(() => texts(second.tab, id).length === 6 && texts(third.tab, id).length === 6);
});

test("[CL-63] what was flushed in a tab that follows is on the disk: it goes out though every tab dies at once", async () => {
  const { server, openTab, first, id } = await browser();
  const second = await openTab();
  await live(second.tab);
  second.tab.conversations.get(id).send("flushed");
  await second.tab.flush();
  first.crash();
  second.crash();
  const third = await openTab();
  await until(() => texts(third.tab, id).length === 1 && third.tab.connection.is === "live");
  await until(() => server.log(id).some((event) => event.kind === "message"));
  expect(server.log(id).filter(({ kind }) => kind === "message")).toHaveLength(1);
});

test("[CL-63] a tab that no tab leads yet flushes when one does", async () => {
  const { openTab, first, id } = await browser();
  const second = await openTab();
  await live(second.tab);
  first.crash();
  second.tab.conversations.get(id).send("between two leaders");
  let isFlushed = false;
  const flushed = second.tab.flush().then(() => {
    isFlushed = true;
  });
  await Promise.resolve();
  expect(isFlushed).toBe(false);
  await flushed;
  second.crash();
  const third = await openTab();
  await until(() => texts(third.tab, id).includes("between two leaders"));
});

test("[CL-41] [CL-48] signing out in one tab signs out all of them", async () => {
  const { openTab, first } = await browser();
  const second = await openTab();
  await live(second.tab);
  await second.tab.signOut();
  await until(() => first.tab.session.is === "signed_out" && second.tab.session.is === "signed_out");
  expect(first.tab.conversations.list()).toEqual([]);
  await until(() => second.tab.conversations.list().length === 0);
  await second.tab.signIn({ handle: "alice", password: PASSWORD });
  await live(first.tab);
});

test("[CL-42] tabs that need a new token at the same moment get one between them", async () => {
  const { server, openTab, first } = await browser();
  const second = await openTab();
  await live(second.tab);
  server.expireTokens();
  const tabs = [first.tab, second.tab, first.tab, second.tab];
  const answers = await Promise.all(tabs.map((tab) => tab.profile.load()));
  expect(answers.map(({ handle }) => handle)).toEqual(["alice", "alice", "alice", "alice"]);
  expect(first.tab.session.is).toBe("signed_in");
});

test("[CL-48] what a new event says of its conversation shows in every tab", async () => {
  const { openTab, first, bob } = await browser();
  const bobId = bob.session.is === "signed_in" ? bob.session.userId : "";
  const group = await first.tab.conversations.createGroup({ title: "Before", memberIds: [bobId] });
  await group.members.put(bobId, "admin");
  const second = await openTab();
  await live(second.tab);
  await until(() => bob.conversations.list().some(({ id }) => id === group.id));
  await bob.conversations.get(group.id).change({ title: "After" });
  await until(() => group.snapshot().title === "After");
  await until(() => second.tab.conversations.get(group.id).snapshot().title === "After");
});
