import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import {
  type ConversationId,
  type DeviceId,
  type IdempotencyKey,
  Seq,
  type UserId,
} from "../../../src/protocol/ids.ts";
import type { Client, Conversation, Fetch, Message, Past } from "../../../src/sdk/client/api.ts";
import { type Environment, environmentOf } from "../../../src/sdk/client/environment.ts";
import { FakeServer } from "../../../src/sdk/testing/fake-server.ts";
import { live, open, PASSWORD, signUp, until } from "./support/people.ts";

/** What becomes of messages while a window of the past shows them. */

const COUNT = 160;
/** The message that was looked for, and its seq: three events of the group's beginning lie before the first one. */
const WANTED = 20;
const seqOf = (n: number): number => n + 4 + Number(n >= EXPIRING) + Number(n > EXPIRING);
/** The one that disappears. */
const EXPIRING = 30;
const KEPT_MS = 600_000;

const idOf = (client: Client): UserId => (client.session as { userId: string }).userId as UserId;

/** A group of Alice and Bob in which he has written a lot: her device keeps the newest ten, and looks at one from the beginning. */
async function lookingBack({ lastsMs = KEPT_MS, environment = environmentOf() } = {}) {
  const server = new FakeServer();
  /** What holds pages of history up. */
  const gate = { isOpen: Promise.resolve() };
  const fetch: Fetch = async (url, init) => {
    const answer = await server.options.fetch(url, init);
    if (/\/events\?/.test(url)) await gate.isOpen;
    return answer;
  };
  const [bob, tablet] = [await signUp(server, "bob"), await signUp(server, "alice")];
  const theirs = await bob.conversations.createGroup({ title: "Garden", memberIds: [idOf(tablet)] });
  const { id } = theirs;
  const place = server.conversations.get(id as ConversationId);
  const [userId, { deviceId }] = [idOf(bob), bob.session as unknown as { deviceId: DeviceId }];
  for (let n = 0; n < COUNT; n++) {
    const isExpiring = n === EXPIRING;
    const now = Date.now() - (isExpiring ? KEPT_MS - lastsMs : 0);
    const body = { idempotencyKey: String(n).padStart(26, "0") as IdempotencyKey, composedAt: now, sentAt: now };
    const event = { kind: "message", content: { type: "text", text: `number ${n}` } } as const;
    if (isExpiring) place?.change(userId, { kind: "settings", retentionMs: KEPT_MS }, now);
    place?.append({ userId, deviceId }, { ...body, event }, now);
    if (isExpiring) place?.change(userId, { kind: "settings", retentionMs: 0 }, now);
  }
  server.cut();
  const alice = await open(server, { keep: 10, fetch, environment });
  await alice.signIn({ handle: "alice", password: PASSWORD });
  await Promise.all([live(alice), live(bob), live(tablet)]);
  const chat = alice.conversations.get(id);
  await until(() => chat.messages().length === 10);
  const past = await chat.around(seqOf(WANTED));
  if (!past) throw new Error("it is kept");
  expect(at(past, WANTED)).toMatchObject({ text: `number ${WANTED}` });
  expect([past.hasNewer, past.isOver, chat.messages().length]).toEqual([true, false, 10]);
  return { server, alice, tablet, bob, chat, theirs, past, id, gate };
}
const at = (past: Past, n: number) => past.messages().find((line) => line.seq === seqOf(n)) as Message | undefined;
/** What an app would find in it, drawn by the SDK or by itself. */
const allIn = (past: Past): string => JSON.stringify([past.messages(), past.events]);

/** Resolves when it is so, at one of the moments at which the conversation tells of a change. */
function told(chat: Conversation, test: () => boolean, withinMs = 60_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`it was never told that ${test}`)), withinMs);
    const end = chat.subscribe(() => {
      if (!test()) return;
      clearTimeout(late);
      end();
      resolve();
    });
  });
}

test("[CL-65] an edit and a reaction show in an open window, told at once", async () => {
  const { chat, theirs, past } = await lookingBack();
  const edited = told(chat, () => at(past, WANTED)?.text === "as it should be");
  const reacted = told(chat, () => at(past, 21)?.reactions[0]?.emoji === "👍");
  await theirs.edit(seqOf(WANTED), "as it should be").sent;
  await theirs.react(seqOf(21), "👍").sent;
  await Promise.all([edited, reacted]);
  expect(at(past, WANTED)).toMatchObject({ edited: true });
  expect(at(past, 22)).toMatchObject({ text: "number 22", edited: false, reactions: [] });
});

test("[CL-65] [LM-12] what is recalled is gone from an open window, its words too, and so it joins the log", async () => {
  const { chat, theirs, past } = await lookingBack();
  const gone = told(chat, () => at(past, WANTED)?.content.type === "gone");
  await theirs.recall(seqOf(WANTED)).sent;
  await gone;
  expect(allIn(past)).not.toContain(`number ${WANTED}"`);
  while (past.hasNewer) await past.loadNewer();
  const lines = chat.messages() as Message[];
  expect(lines.length).toBeGreaterThan(100);
  expect(lines.find(({ seq }) => seq === seqOf(WANTED))?.content).toEqual({ type: "gone", because: "recalled" });
});

/** From now on the answer to a pull says that these were recalled, as after a block, by events that are not this person's to see. */
function tellRecalled(server: FakeServer, recalled: number[]): void {
  const say = server.say.bind(server);
  server.say = (socket, frame) =>
    say(socket, frame.type === "page" ? { ...frame, recalled: recalled.map((seq) => Seq.parse(seq)) } : frame);
}
/** What is said meanwhile is pulled. */
async function goAwayAndBack(alice: Client, theirs: Conversation): Promise<void> {
  alice.disconnect();
  await theirs.send("meanwhile").sent;
  alice.connect();
  await live(alice);
}

test("[CL-65] [CL-77] [LM-19] what was recalled out of sight, by somebody who was blocked, is gone from an open window when a page tells it", async () => {
  const { server, alice, chat, theirs, past } = await lookingBack();
  tellRecalled(server, [seqOf(WANTED)]);
  const gone = told(chat, () => at(past, WANTED)?.content.type === "gone");
  await goAwayAndBack(alice, theirs);
  await gone;
  expect(at(past, WANTED)?.content).toEqual({ type: "gone", because: "recalled" });
  expect(allIn(past)).not.toContain(`number ${WANTED}"`);
  expect(at(past, 21)?.text).toBe("number 21");
  while (past.hasNewer) await past.loadNewer();
  const lines = chat.messages() as Message[];
  expect(lines.find(({ seq }) => seq === seqOf(WANTED))?.content).toEqual({ type: "gone", because: "recalled" });
});

test("[CL-77] nor does a page bring it that was on its way when that was told", async () => {
  const { server, alice, chat, theirs, past, gate } = await lookingBack();
  let open = () => {};
  gate.isOpen = new Promise((resolve) => {
    open = resolve;
  });
  const around = chat.around(seqOf(60));
  const older = chat.loadOlder();
  const newer = past.loadNewer();
  await sleep(100); // the server has answered
  tellRecalled(server, [60, 125, 155].map(seqOf));
  await goAwayAndBack(alice, theirs);
  await until(() => JSON.stringify(chat.messages()).includes("meanwhile"));
  open();
  const [other] = await Promise.all([around, older, newer]);
  const shown = [allIn(past), allIn(other as Past), JSON.stringify(chat.messages())];
  for (const each of shown) for (const n of [60, 125, 155]) expect(each).not.toContain(`number ${n}"`);
  expect(shown[2]).toContain('number 124"');
  expect(shown[1]).toContain(`number 59"`);
});

/** A clock that is put on, and its timers with it. */
function movableClock(): { environment: Environment; putOn: (ms: number) => void } {
  let aheadMs = 0;
  const now = () => Date.now() + aheadMs;
  const after: Environment["after"] = (ms, act) => {
    const due = now() + ms;
    const timer = setInterval(() => {
      if (now() < due) return;
      clearInterval(timer);
      act();
    }, 2);
    return () => clearInterval(timer);
  };
  const putOn = (ms: number) => {
    aheadMs += ms;
  };
  return { environment: { ...environmentOf(), now, after }, putOn };
}

test("[CL-65] what expires disappears from an open window on time, told by nobody else", async () => {
  const { environment, putOn } = movableClock();
  const { chat, past } = await lookingBack({ lastsMs: 20_000, environment });
  expect(at(past, EXPIRING)?.text).toBe(`number ${EXPIRING}`);
  const gone = told(chat, () => at(past, EXPIRING)?.content.type === "gone");
  putOn(20_000);
  await gone;
  expect(at(past, EXPIRING)?.content).toEqual({ type: "gone", because: "expired" });
  expect(at(past, 31)?.text).toBe("number 31");
});

test("[CL-65] [ER-9] all that somebody wrote who was erased is gone from an open window", async () => {
  const { alice, bob, chat, past } = await lookingBack();
  const gone = told(chat, () => past.messages().every((line) => line.is === "note" || line.content.type === "gone"));
  await bob.erase({ password: PASSWORD });
  await gone;
  expect(allIn(past)).not.toContain("number ");
  expect(alice.people.known(idOf(alice))).not.toBeNull();
});

test("[CL-65] [LM-26] what the person deletes for themselves on another device is gone from an open window", async () => {
  const { tablet, chat, past, id } = await lookingBack();
  await until(() => tablet.conversations.get(id).messages().length > 0);
  const gone = told(chat, () => at(past, WANTED) === undefined);
  await tablet.conversations.get(id).deleteForMe(seqOf(WANTED));
  await gone;
  expect(allIn(past)).not.toContain(`number ${WANTED}"`);
  expect(at(past, 21)?.text).toBe("number 21");
});

test("[CL-65] [LM-16] a clear ends an open window, and what was being fetched for it comes neither there nor into the log", async () => {
  const { tablet, chat, past, id, gate } = await lookingBack();
  let open = () => {};
  gate.isOpen = new Promise((resolve) => {
    open = resolve;
  });
  const over = told(chat, () => past.isOver);
  const fetching = [past.loadNewer(), past.loadOlder()];
  const older = chat.loadOlder();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await tablet.conversations.get(id).clear();
  await over;
  open();
  expect(await Promise.all(fetching)).toEqual([0, 0]);
  await older;
  expect([past.messages(), past.events, past.hasOlder, past.hasNewer]).toEqual([[], [], false, false]);
  expect(await past.loadNewer()).toBe(0);
  expect(chat.messages()).toEqual([]);
});

test("[CL-65] whoever is removed keeps what they saw, as in the log; a window from before they came back is over", async () => {
  const { alice, chat, theirs, past } = await lookingBack();
  const out = told(chat, () => chat.snapshot().role === null);
  await theirs.members.remove(idOf(alice));
  await out;
  expect([past.isOver, at(past, WANTED)?.text]).toEqual([false, `number ${WANTED}`]);
  const over = told(chat, () => past.isOver); // what was recalled meanwhile nobody tells them one by one
  await theirs.members.put(idOf(alice));
  await over;
  expect(allIn(past)).toBe("[[],[]]");
});

test("[CL-65] [CL-41] with the session the window ends: it shows nothing to whoever signs in next, the same person neither", async () => {
  const { server, alice, chat, past } = await lookingBack();
  const over = told(chat, () => past.isOver && allIn(past) === "[[],[]]");
  await alice.signOut();
  await over;
  await signUp(server, "cleo").then((cleo) => cleo.close());
  await alice.signIn({ handle: "cleo", password: PASSWORD });
  expect(allIn(past)).toBe("[[],[]]");
  await alice.signOut();
  await alice.signIn({ handle: "alice", password: PASSWORD });
  await until(() => chat.messages().length === 10);
  expect([allIn(past), past.isOver]).toEqual(["[[],[]]", true]);
});

test("[CL-65] a device that was away for more than it keeps knows no more of the window, and shows it no longer", async () => {
  const { server, alice, chat, theirs, past } = await lookingBack();
  alice.disconnect();
  await until(() => alice.connection.is === "offline");
  await theirs.recall(seqOf(WANTED)).sent;
  for (let n = 0; n < 20; n++) await theirs.send(`later ${n}`).sent;
  expect(at(past, WANTED)?.text).toBe(`number ${WANTED}`);
  const over = told(chat, () => past.isOver);
  alice.connect();
  await over;
  expect(allIn(past)).toBe("[[],[]]");
  expect(server.log(chat.id).length).toBeGreaterThan(COUNT);
});
