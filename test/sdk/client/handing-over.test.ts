import { expect, onTestFinished, test } from "vitest";
import type { MessageEvent } from "../../../src/protocol/events.ts";
import type { Client } from "../../../src/sdk/client/api.ts";
import { createClientIn } from "../../../src/sdk/client/client.ts";
import type { Channel, Environment } from "../../../src/sdk/client/environment.ts";
import { Handings, headOf, piecesOf } from "../../../src/sdk/client/handing-over.ts";
import { applyClientChange, type ClientChange, type ClientState, NOTHING_KEPT } from "../../../src/sdk/client/state.ts";
import type { Storage } from "../../../src/sdk/client/storage.ts";
import { Encoder } from "../../../src/sdk/client/stored.ts";
import { Coming, headOver, wholeOf } from "../../../src/sdk/client/taking-over.ts";
import type { Told } from "../../../src/sdk/client/told.ts";
import { fakeServer } from "../../../src/sdk/testing.ts";
import { conversationId } from "../support/ids.ts";
import { message } from "../support/script.ts";
import { PASSWORD, texts, until } from "./support/people.ts";
import { FakeBrowser } from "./support/tabs.ts";

const CONVERSATIONS = 60;
const EACH = 100;
const PIECES = 6;

const eventsOf = (n: number, from: number, to: number): MessageEvent[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ ...message(from + i), conversationId: conversationId(n) }));
const kept = (): ClientChange[] =>
  Array.from({ length: CONVERSATIONS }, (_, i): ClientChange[] => [
    { type: "grew", conversationId: conversationId(i + 1), covered: EACH, events: eventsOf(i + 1, 1, EACH) },
    { type: "about", conversationId: conversationId(i + 1), about: { kind: "group", title: `Group ${i + 1}` } },
  ]).flat();
const stateAfter = (changes: readonly ClientChange[], before = NOTHING_KEPT): ClientState =>
  changes.reduce(applyClientChange, before);

test("[CL-60] a state that is taken apart is the same when it is put together, in pieces of a bounded size", () => {
  const state = stateAfter(kept());
  const pieces = piecesOf(state);
  expect(pieces).toHaveLength(PIECES);
  for (const piece of pieces) expect(piece.flatMap(({ events }) => events).length).toBeLessThanOrEqual(1_000);
  const head = headOf(state);
  expect(Object.values(head.replica.conversations).every(({ events }) => events.length === 1)).toBe(true);
  expect(wholeOf(head, pieces)).toEqual(state);
});

test("[CL-1] [CL-60] what changes while a state is handed over is in it, whichever log had come by then", () => {
  const before = stateAfter(kept());
  const ids = Array.from({ length: CONVERSATIONS }, (_, i) => conversationId(i + 1));
  const changes = ids.map((id, i): ClientChange => {
    const of = { conversationId: id };
    const said = eventsOf(i + 1, EACH + 1, EACH + 1);
    if (i % 5 === 0) return { type: "grew", ...of, covered: EACH + 1, events: said };
    if (i % 5 === 1) return { type: "trimmed", ...of, from: 40, passed: null };
    if (i % 5 === 2) return { type: "deleted", ...of, deleted: [[3, 98]], events: [] };
    if (i % 5 === 3) return { type: "cleared", ...of, through: 99 };
    return { type: "skipped", ...of, from: 200, passed: null };
  });
  const handings = new Handings();
  const { head, number, count } = handings.begin("tab", before, 0);
  const coming = new Coming(number, head, count);
  for (let at = 0; at < count; at++) {
    coming.changed(changes.slice(at * 10, at * 10 + 10));
    expect(coming.whole).toBeNull();
    const piece = handings.piece("tab", number, at, 0) ?? [];
    expect(coming.take(number + 1, at, piece)).toBe(false); // of another handing over
    expect(coming.take(number, at + 1, piece)).toBe(false); // out of its turn
    expect(coming.take(number, at, piece)).toBe(true);
    expect(coming.take(number, at, piece)).toBe(false); // twice
  }
  expect(coming.whole).toEqual(stateAfter(changes, before));
});

test("[CL-60] what a tab showed before stays on the screen while the logs come, but for a gap and what was deleted", () => {
  const [whole, ahead] = [stateAfter(kept()), conversationId(2)];
  const later: ClientChange[] = [
    { type: "deleted", conversationId: conversationId(1), deleted: [[5, 6]], events: [] },
    { type: "grew", conversationId: ahead, covered: EACH + 9, events: eventsOf(2, EACH + 1, EACH + 9) },
  ];
  const { conversations } = headOver(whole, headOf(stateAfter(later, whole))).replica;
  expect(conversations[conversationId(1)]?.events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, ...range(7, EACH)]);
  expect(conversations[conversationId(3)]).toEqual(whole.replica.conversations[conversationId(3)]);
  expect(conversations[ahead]).toMatchObject({ from: EACH + 9, events: [{ seq: EACH + 9 }] });
});
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("[CL-60] a tab that joined twice is served once, and one that has slept too long begins anew", () => {
  const [handings, state] = [new Handings(), stateAfter(kept())];
  const first = handings.begin("tab", state, 0);
  const second = handings.begin("tab", state, 0);
  expect(handings.piece("tab", first.number, 0, 0)).toBeNull();
  expect(handings.isUnderWay("tab")).toBe(true);
  expect(handings.piece("tab", second.number, 0, 0)).not.toBeNull();
  handings.begin("another", state, 200_000);
  expect(handings.isUnderWay("tab")).toBe(false);
});

/** Tabs of a browser whose store holds many messages, without a network; `blind` ones find no log in it. */
async function fullBrowser() {
  const [server, place] = [fakeServer(), new FakeBrowser()];
  const openTab = async (change: (parts: { environment: Environment; storage: Storage }) => object = () => ({})) => {
    const { crash, skew: _, ...parts } = place.openTab(server.options.WebSocket);
    const { environment, ...options } = { ...parts, ...change(parts) };
    const tab = await createClientIn(environment, { ...server.options, ...options });
    onTestFinished(crash);
    return { tab, crash };
  };
  const { tab, crash } = await openTab();
  await tab.signUp({ handle: "alice", password: PASSWORD });
  await tab.flush();
  crash();
  server.stop();
  const { storage, environment } = place.openTab(server.options.WebSocket);
  const name = `default@${server.options.url}`;
  const store = await storage.open(name);
  const [encoder, changes] = [new Encoder(), kept()];
  await store.write(encoder.encode(changes, stateAfter(changes)));
  return { openTab, channel: environment.channel?.(`edgewise.${name}`) as Channel };
}

/** What comes on the channel of a tab passes here; null: it does not come. And its store has no logs. */
const tapped =
  (pass: (told: Told, deliver: (told: Told) => void) => Told | null) =>
  ({ environment, storage }: { environment: Environment; storage: Storage }) => ({
    environment: { ...environment, channel: (name: string) => tap(environment.channel?.(name) as Channel, pass) },
    storage: {
      open: async (name: string) => {
        const store = await storage.open(name);
        const read = async (prefix: string) =>
          (await store.read(prefix)).filter(([key]) => !/^(log|held|about)\//.test(key));
        return {
          ...store,
          write: store.write.bind(store),
          clear: () => store.clear(),
          close: () => store.close(),
          read,
        };
      },
    },
  });
function tap(channel: Channel, pass: (told: Told, deliver: (told: Told) => void) => Told | null): Channel {
  return {
    post: (told) => channel.post(told),
    close: () => channel.close(),
    listen: (listener) =>
      channel.listen((told) => {
        const passed = pass(told as Told, listener);
        if (passed) listener(passed);
      }),
  };
}
const shown = (tab: Client): string =>
  JSON.stringify(tab.conversations.list().map(({ id }) => [id, tab.conversations.get(id).messages()]));

test("[CL-60] a tab that joins shows its list with the first message, and all of it in the end", async () => {
  const { openTab } = await fullBrowser();
  const first = await openTab();
  await until(() => texts(first.tab, conversationId(1)).length === EACH);
  const held: (() => void)[] = [];
  let isOpen = false;
  const { tab } = await openTab(
    tapped((told, deliver) => {
      if (told.type !== "piece" || isOpen) return told;
      held.push(() => deliver(told));
      return null;
    }),
  );
  await until(() => held.length === 1);
  expect(tab.conversations.list()).toHaveLength(CONVERSATIONS);
  expect(tab.conversations.list().every(({ preview }) => preview?.text === `text ${EACH}`)).toBe(true);
  const chat = tab.conversations.get(conversationId(1));
  chat.send("written meanwhile");
  await until(() => texts(first.tab, chat.id).at(-1) === "written meanwhile"); // the leader does other things, too
  expect(held).toHaveLength(1);
  isOpen = true;
  held[0]?.();
  await until(() => texts(tab, chat.id).length === EACH + 1);
  await until(() => shown(tab) === shown(first.tab));
});

test("[CL-48] [CL-60] when the tab that leads dies midway, the one that joins ends whole, whatever of the dead one comes late", async () => {
  const { openTab } = await fullBrowser();
  const first = await openTab();
  const second = await openTab();
  await until(() => texts(second.tab, conversationId(1)).length === EACH);
  const late: Extract<Told, { type: "piece" }>[] = [];
  const leaders = new Set<string>();
  const { tab } = await openTab(
    tapped((told, deliver) => {
      if (told.type === "state") leaders.add(told.leader);
      if (told.type === "state" && leaders.size === 2) {
        const { number = 0 } = told.parts ?? {}; // each leader counts for itself
        for (const each of late) setTimeout(() => deliver({ ...each, number }), 0);
      }
      if (told.type !== "piece" || leaders.size === 2) return told;
      late.push({ ...told, piece: told.piece.map((stretch) => ({ ...stretch, events: [] })) });
      if (told.at === 2) first.crash();
      return told.at === 2 ? null : told;
    }),
  );
  await until(() => leaders.size === 2);
  await until(() => shown(tab) === shown(second.tab));
  for (let n = 1; n <= CONVERSATIONS; n++) expect(texts(tab, conversationId(n))).toHaveLength(EACH);
});

test("[CL-60] a tab whose page is older than the pieces is given the whole at once", async () => {
  const { openTab, channel } = await fullBrowser();
  const { tab } = await openTab();
  await until(() => texts(tab, conversationId(1)).length === EACH);
  const heard: Told[] = [];
  const join = () => channel.post({ type: "join", from: "old" } satisfies Told);
  channel.listen((told) => {
    heard.push(told as Told);
    if ((told as Told).type === "lead") join(); // as a page does that asked before anybody led
  });
  join();
  await until(() => heard.some(({ type }) => type === "state"));
  const [told] = heard.filter((each) => each.type === "state");
  expect(told).not.toHaveProperty("parts");
  expect(Object.values(told?.state.replica.conversations ?? {}).flatMap(({ events }) => events)).toHaveLength(
    CONVERSATIONS * EACH,
  );
});

test("[CL-60] a tab that joins one whose page is older than the pieces takes the whole at once", async () => {
  const { openTab } = await fullBrowser();
  const first = await openTab();
  await until(() => texts(first.tab, conversationId(1)).length === EACH);
  const pieces: Told[] = [];
  const { tab } = await openTab((parts) => {
    const { environment, storage } = tapped((told) => {
      if (told.type === "piece") pieces.push(told);
      return told;
    })(parts);
    const channel = (name: string): Channel => {
      const inner = environment.channel(name);
      return { ...inner, post: (told) => inner.post({ ...(told as Told), inPieces: undefined }) }; // such a leader passes it over
    };
    return { storage, environment: { ...environment, channel } };
  });
  await until(() => texts(tab, conversationId(1)).length === EACH);
  await until(() => shown(tab) === shown(first.tab));
  expect(pieces).toEqual([]);
});
