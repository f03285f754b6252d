import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { fakeServer } from "../../../src/sdk/testing.ts";
import { live, open, signUp, texts, until } from "./support/people.ts";
import { slow } from "./support/slow.ts";
import { FakeBrowser } from "./support/tabs.ts";

test("[CL-48] a tab that is closed while it still reads the logs neither dials nor writes, and the next one leads", async () => {
  const [server, browser] = [fakeServer(), new FakeBrowser()];
  const first = browser.openTab(server.options.WebSocket);
  const before = await signUp(server, "alice", first);
  const { id } = await before.conversations.createGroup({ title: "Garden", memberIds: [] });
  await before.conversations.get(id).send("hello").sent;
  await before.flush();
  await before.close();
  const dialled = browser.sockets;

  const second = browser.openTab(server.options.WebSocket);
  const later = slow(second.storage);
  const closing = await open(server, { ...second, storage: later.storage, glimpse: true });
  const going = closing.openWhole();
  await until(() => later.seen.asked.some((prefix) => prefix.startsWith("log")));
  const asked = closing.conversations.get(id).loadOlder();
  const refused = expect(asked).rejects.toMatchObject({ code: "unavailable" });
  await closing.close();
  await refused;
  const { writes } = later.seen;
  later.open();
  await going;
  await sleep(50);
  expect([browser.sockets - dialled, later.seen.writes - writes]).toEqual([0, 0]);
  expect(closing.connection.is).not.toBe("live");

  const third = await open(server, browser.openTab(server.options.WebSocket));
  await live(third);
  expect(browser.sockets - dialled).toBe(1);
  expect(texts(third, id)).toEqual(["hello"]);
  await third.conversations.get(id).send("and on").sent;
  expect(server.log(id).filter(({ kind }) => kind === "message")).toHaveLength(2);
});
