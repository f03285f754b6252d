import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import * as fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { bellFor } from "../../src/objects/bells.ts";
import type { ChangeIndex } from "../../src/objects/change-index.ts";
import { Conversation } from "../../src/objects/conversation.ts";
import type { ConversationState } from "../../src/objects/conversation-state.ts";
import type { Event } from "../../src/protocol/events.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import type { Visibility } from "../../src/protocol/states.ts";
import { watchRows } from "./meters.ts";
import {
  bindings,
  command,
  conversation,
  inbox,
  newDeviceId,
  newUserId,
  nextCall,
  OPEN,
  openDirect,
  openGroup,
  read,
  TestSocket,
  until,
  VISIT,
} from "./support.ts";

const stubOf = (id: ConversationId) => bindings.CONVERSATIONS.getByName(id);
afterEach(() => vi.restoreAllMocks());

/** Open sockets of a user. */
const connected = (userId: UserId) =>
  runInDurableObject(
    bindings.INBOXES.getByName(userId),
    (_, state) => state.getWebSockets().filter((socket) => socket.readyState === WebSocket.OPEN).length,
  );
const privacy = (readReceipts: Visibility) => ({
  displayName: "x",
  privacy: { ...OPEN, readReceipts },
});
const say = (id: ConversationId, userId: UserId, words: string) =>
  conversation(id).append(userId, {
    commands: [command(userId, newDeviceId(), words)],
    aloneAs: 1,
    confirmed: [],
    call: nextCall(),
  });

test("[RC-5] [RC-9] [UN-2] in a group ticks rise when everybody has it, and what is read on one device is read on all", async () => {
  const { maker, members, id } = await openGroup(4);
  const [, bob, cat, dan] = members as [UserId, UserId, UserId, UserId];
  const phone = await TestSocket.caughtUp(maker, newDeviceId());
  const [bobs, bobsTablet] = [
    await TestSocket.caughtUp(bob, newDeviceId()),
    await TestSocket.caughtUp(bob, newDeviceId()),
  ];
  const cats = await TestSocket.caughtUp(cat, newDeviceId());
  const dans = await TestSocket.caughtUp(dan, newDeviceId());
  const { seq } = (await phone.say(id, "hello")) as { seq: number };
  for (const socket of [bobs, cats]) socket.send({ type: "receipt", conversationId: id, read: seq });
  await until(() => phone.of("receipts").flatMap((f) => f.receipts).length >= 2);
  expect(phone.of("receipts").at(-1)?.ticks?.read).toBeLessThan(seq);
  dans.send({ type: "receipt", conversationId: id, delivered: seq });
  await until(() => phone.of("receipts").at(-1)?.ticks?.delivered === seq);
  expect(phone.of("receipts").at(-1)?.ticks?.read).toBeLessThan(seq);
  dans.send({ type: "receipt", conversationId: id, read: seq });
  await until(() => phone.of("receipts").at(-1)?.ticks?.read === seq);
  const self = await bobsTablet.waitFor("self");
  expect(self.conversations).toEqual([{ conversationId: id, readSeq: seq, unread: 0 }]);
  expect(bobs.of("self")).toEqual([]);
});

test("[RC-7] [IX-7] an author who was away learns by the summary alone what was received meanwhile, and nothing is replayed", async () => {
  const { alice, bob, id } = await openDirect();
  const device = newDeviceId();
  const phone = await TestSocket.caughtUp(alice, device);
  await phone.say(id, "did you read this?");
  await runDurableObjectAlarm(stubOf(id)); // the author's reply is confirmed, their inbox needs nothing
  phone.socket.close(1000);
  const back = await TestSocket.caughtUp(alice, device, phone.cursor);
  const { cursor } = back;
  back.socket.close(1000);
  await until(async () => (await connected(alice)) === 0);
  const bobs = await TestSocket.caughtUp(bob, newDeviceId());
  const top = () =>
    runInDurableObject(
      bindings.INBOXES.getByName(alice),
      (object) => (object as unknown as { store: { top: number } }).store.top,
    );
  const before = await top();
  bobs.send({ type: "receipt", conversationId: id, read: 1 });
  await until(async () => (await top()) > before);
  const again = await TestSocket.caughtUp(alice, device, cursor);
  const changed = again.of("changed").flatMap((f) => f.conversations);
  expect(changed).toMatchObject([
    {
      conversationId: id,
      head: 1,
      receipts: [{ userId: bob, delivered: 1, read: 1 }],
      ticks: { delivered: 1, read: 1 },
    },
  ]);
  expect(again.of("events")).toEqual([]);
});

test("[IX-7] ticks that were on their way when the wire died are in the summary of the next hello", async () => {
  const { alice, bob, id } = await openDirect();
  const deviceId = newDeviceId();
  await (await TestSocket.caughtUp(alice, deviceId)).say(id, "one");
  const phone = await TestSocket.caughtUp(alice, deviceId); // knows it from here on
  const { cursor } = phone;
  await conversation(id).receipt(bob, read(1));
  await until(() => phone.of("receipts").at(-1)?.ticks?.read === 1); // told; but say that the frame was lost
  phone.socket.send("ping"); // a sign of life that had left before it would have come
  await until(() => phone.pongs === 1);
  const back = await TestSocket.caughtUp(alice, deviceId, cursor);
  expect(back.of("changed").flatMap((f) => f.conversations)).toMatchObject([{ ticks: { delivered: 1, read: 1 } }]);
});

test("[RC-12] [IX-8] ticks that were on their way when the author's inbox crashed are in the summary of the next hello, for no row a message", async () => {
  const { alice, bob, id } = await openDirect();
  const deviceId = newDeviceId();
  const first = await TestSocket.caughtUp(alice, deviceId);
  for (const words of ["one", "two", "three"]) await first.say(id, words);
  const phone = await TestSocket.caughtUp(alice, deviceId); // its cursor is past the conversation's row
  const { cursor } = phone;
  const rows: number[] = [];
  await runInDurableObject(bindings.INBOXES.getByName(alice), (object) =>
    watchRows(object as never, ({ rowsWritten }) => rows.push(rowsWritten)),
  );
  for (const seq of [1, 2, 3]) {
    await conversation(id).receipt(bob, read(seq));
    await until(() => phone.of("receipts").at(-1)?.ticks?.read === seq); // told; but say that the frames were lost
  }
  expect(rows.reduce((sum, n) => sum + n, 0)).toBe(1);
  await evictDurableObject(bindings.INBOXES.getByName(alice), { webSockets: "close" });
  const back = await TestSocket.caughtUp(alice, deviceId, cursor);
  expect(back.of("changed").flatMap((f) => f.conversations)).toMatchObject([{ ticks: { delivered: 3, read: 3 } }]);
});

test("[RC-12] [IX-8] a device at which nobody looks has its ticks listed as they are told", async () => {
  const { alice, bob, id } = await openDirect();
  const deviceId = newDeviceId();
  await (await TestSocket.caughtUp(alice, deviceId)).say(id, "one");
  const { cursor } = await TestSocket.caughtUp(alice, deviceId);
  const woken = await TestSocket.open(alice, deviceId);
  woken.send({ type: "hello", version: 1, cursor, background: true });
  await woken.waitFor("caught_up");
  await conversation(id).receipt(bob, read(1));
  await until(() => woken.of("receipts").at(-1)?.ticks?.read === 1);
  await evictDurableObject(bindings.INBOXES.getByName(alice), { webSockets: "close" });
  const back = await TestSocket.caughtUp(alice, deviceId, cursor);
  expect(back.of("changed").flatMap((f) => f.conversations)).toMatchObject([{ ticks: { delivered: 1, read: 1 } }]);
});

test("[IX-8] of more conversations than the row names none is missed", async () => {
  const [alice, deviceId] = [newUserId(), newDeviceId()];
  const ids = Array.from({ length: 40 }, (_, i) => `d${`${i}`.padStart(26, "0")}` as ConversationId);
  for (const id of ids) await inbox(alice).track(id);
  const phone = await TestSocket.caughtUp(alice, deviceId);
  await runInDurableObject(bindings.INBOXES.getByName(alice), (object) => {
    const { index } = object as unknown as { index: ChangeIndex };
    for (const id of [...ids, ...ids.slice(-5)])
      index.tellLive(id, { type: "receipts", conversationId: id, receipts: [] }, Date.now());
  });
  await until(() => phone.of("receipts").length === 45);
  await evictDurableObject(bindings.INBOXES.getByName(alice), { webSockets: "close" });
  const back = await TestSocket.caughtUp(alice, deviceId, phone.cursor);
  const listed = back.of("changed").flatMap((f) => f.conversations.map((one) => one.conversationId));
  expect(listed.sort()).toEqual(ids);
});

test("[RC-9] who comes back, and who was alone, is told how ticks stand now", async () => {
  const { maker, members, id } = await openGroup(2);
  const bob = members[1] as UserId;
  const [anns, bobs] = [await TestSocket.caughtUp(maker, newDeviceId()), await TestSocket.caughtUp(bob, newDeviceId())];
  await bobs.say(id, "before");
  await conversation(id).removeMember({ actorId: maker, userId: bob });
  const alone = (await anns.say(id, "to nobody")) as { seq: number };
  await new Promise((resolve) => setTimeout(resolve, 500)); // what the removal has told is there
  const [annsBefore, bobsBefore] = [anns.of("receipts").length, bobs.of("receipts").length];
  await conversation(id).putMember({ actorId: maker, userId: bob, role: "member" });
  const since = (socket: TestSocket, count: number) => socket.of("receipts").slice(count);
  await until(() => since(anns, annsBefore).some(({ ticks }) => ticks !== undefined && ticks.delivered >= alone.seq));
  await until(() => since(bobs, bobsBefore).some(({ ticks }) => ticks !== undefined));
});

test("[IX-7] ticks that went to a wire that was dead are in the summary of the next hello", async () => {
  const { alice, bob, id } = await openDirect();
  const device = newDeviceId();
  const phone = await TestSocket.caughtUp(alice, device);
  await phone.say(id, "hello?");
  const { cursor } = await TestSocket.caughtUp(alice, device, phone.cursor); // a newer socket: the dead wire of this test
  const bobs = await TestSocket.caughtUp(bob, newDeviceId());
  await new Promise((resolve) => setTimeout(resolve, 5));
  bobs.send({ type: "receipt", conversationId: id, read: 1 });
  await until(() => phone.closed === 4002);
  await until(async () => {
    const seen = await inbox(alice).list(alice, Number.MAX_SAFE_INTEGER, 1);
    return seen.conversations[0]?.ticks?.read === 1;
  });
  await new Promise((resolve) => setTimeout(resolve, 300)); // the author's inbox has put it on that socket
  const back = await TestSocket.caughtUp(alice, device, cursor);
  expect(back.of("changed").flatMap((f) => f.conversations)).toMatchObject([{ ticks: { delivered: 1, read: 1 } }]);
});

test("[RC-6] above 256 members receipts wait for a call that is made anyway, and are counts", async () => {
  const { maker, members, id } = await openGroup(260);
  const readers = members.slice(1, 21);
  const sockets = await Promise.all(readers.map((m) => TestSocket.caughtUp(m, newDeviceId())));
  const phone = await TestSocket.caughtUp(maker, newDeviceId());
  const { calls } = vi.spyOn(Conversation.prototype, "receipt").mock;
  const first = (await phone.say(id, "first")) as { seq: number };
  await until(() => sockets.every((s) => s.texts.includes("first")));
  for (const socket of sockets) {
    socket.send({ type: "receipt", conversationId: id, delivered: first.seq });
    socket.send({ type: "receipt", conversationId: id, read: first.seq });
    await socket.ask({ type: "pull", conversationId: `d${"0".repeat(26)}` as ConversationId, after: 0 });
  }
  expect(calls).toHaveLength(0);
  const counted = async () => {
    const receipts = await inbox(maker).eventReceipts(maker, id, first.seq);
    return receipts.ok ? receipts.value : undefined;
  };
  await until(async () => (await counted())?.readCount === 20);
  expect(calls).toHaveLength(0);
  await phone.say(id, "second");
  await until(() => sockets.every((s) => s.texts.includes("second")));
  expect(await counted()).toEqual({ seq: first.seq, memberCount: 259, deliveredCount: 20, readCount: 20 });
  // What waits on a socket that closes goes at once.
  const second = first.seq + 1;
  sockets[0]?.send({ type: "receipt", conversationId: id, read: second });
  sockets[0]?.socket.close(1000);
  const reader = readers[0] as UserId;
  await until(async () => {
    const seen = await conversation(id).describe(reader);
    return seen.ok && seen.value.mine.read === second;
  });
  expect(calls).toHaveLength(1);
  const summary = await conversation(id).attend(reader, VISIT);
  expect(summary.ok && "ticks" in summary.value).toBe(false);
});

test("[RC-8] who hides their reading is seen to receive only, and does not see others read: live, listed and asked", async () => {
  const { alice, bob, id } = await openDirect();
  await inbox(bob).setProfile(privacy("nobody"), newDeviceId(), 1);
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  const bobs = await TestSocket.caughtUp(bob, newDeviceId());
  await phone.say(id, "hi");
  bobs.send({ type: "receipt", conversationId: id, read: 1 });
  expect((await phone.waitFor("receipts")).receipts).toMatchObject([{ userId: bob, delivered: 1, read: 0 }]);
  expect(phone.of("receipts")[0]?.ticks).toEqual({ delivered: 1, read: 0 });
  expect(await inbox(alice).eventReceipts(alice, id, 1)).toMatchObject({ value: { deliveredCount: 1, readCount: 0 } });
  await bobs.say(id, "you too?");
  phone.send({ type: "receipt", conversationId: id, read: 2 });
  expect((await bobs.waitFor("receipts")).receipts).toMatchObject([{ userId: alice, delivered: 2, read: 0 }]);
  const list = await inbox(bob).list(bob, Number.MAX_SAFE_INTEGER, 10);
  expect(list.conversations[0]).toMatchObject({
    unread: 0,
    readSeq: 1,
    receipts: [{ userId: alice, delivered: 2, read: 0 }],
  });
  // Shown from now on: what is read under the new choice tells, for contacts only where it says so.
  await inbox(bob).setProfile(privacy("contacts"), newDeviceId(), 1);
  for (const [one, other] of [
    [alice, bob],
    [bob, alice],
  ] as const)
    await inbox(one).setContact(other, true, 1, "none");
  await phone.say(id, "friends now");
  bobs.send({ type: "receipt", conversationId: id, read: 3 });
  await until(() => phone.of("receipts").at(-1)?.receipts[0]?.read === 3);
  expect(phone.of("receipts").at(-1)?.ticks).toEqual({ delivered: 3, read: 3 });
});

test("[TR-1] [TR-2] [RC-10] the sender of an event is told how it came to each member; nobody else is", async () => {
  const { maker, members, id } = await openGroup(4);
  const [, bob, cat, dan] = members as [UserId, UserId, UserId, UserId];
  const phone = await TestSocket.caughtUp(maker, newDeviceId());
  const bobs = await TestSocket.caughtUp(bob, newDeviceId());
  const cats = await TestSocket.caughtUp(cat, newDeviceId());
  const { seq, receivedAt } = (await phone.say(id, "where is it?")) as { seq: number; receivedAt: number };
  bobs.send({ type: "receipt", conversationId: id, read: seq });
  await cats.waitFor("events", 1);
  await until(() => phone.of("receipts").length > 0);
  const traced = async () => {
    const trace = await inbox(maker).traceEvent(maker, id, seq);
    if (!trace.ok) throw new Error(trace.code);
    return trace.value;
  };
  await until(async () => (await traced()).members.every((m) => m.state !== "waiting"));
  const trace = await traced();
  expect(trace).toMatchObject({ seq, appendedAt: receivedAt, inHistory: false });
  const of = (userId: UserId) => trace.members.find((m) => m.userId === userId);
  expect(of(bob)).toMatchObject({ state: "read", pushes: [] });
  for (const at of [of(bob)?.inboxAt, of(bob)?.socketAt, of(bob)?.deliveredAt, of(bob)?.readAt])
    expect(at).toBeGreaterThanOrEqual(receivedAt);
  expect(of(cat)).toMatchObject({ state: "socket" });
  expect(of(cat)).not.toHaveProperty("deliveredAt");
  expect(of(dan)).toMatchObject({ state: "parked" });
  expect(of(dan)).not.toHaveProperty("socketAt");
  const answer = { userId: dan, seq, at: 5, provider: "web" as const, answer: "201" };
  await conversation(id).pushed([answer]);
  await runDurableObjectAlarm(stubOf(id));
  await evictDurableObject(stubOf(id));
  const later = await traced();
  expect(later.inHistory).toBe(true);
  expect(later.members.find((m) => m.userId === dan)?.pushes).toEqual([{ seq, at: 5, provider: "web", answer: "201" }]);
  expect(later.members.find((m) => m.userId === bob)).toMatchObject({ state: "read", readAt: of(bob)?.readAt });
  expect(await inbox(bob).traceEvent(bob, id, seq)).toMatchObject({ code: "forbidden" });
  expect(await inbox(bob).eventReceipts(bob, id, seq)).toMatchObject({ code: "forbidden" });
  expect(await inbox(maker).traceEvent(maker, id, seq + 1)).toMatchObject({ code: "not_found" });
  expect(await inbox(alien).traceEvent(alien, id, seq)).toMatchObject({ code: "not_found" });
});
const alien = "01J00000000000000000000000" as UserId;

type Act = { by: number; what: "say" | "read" | "recall" | "edit" | "reaction"; evict: boolean };
const WHAT = ["say", "say", "say", "read", "read", "recall", "edit", "reaction"] as const;
/** About the first message that is there; a recall by its sender. */
async function speakOf(id: ConversationId, userId: UserId, what: "recall" | "edit" | "reaction"): Promise<void> {
  const log = await conversation(id).pull(userId, VISIT, 0, 100);
  const events = log.ok ? log.value.bodies.map((body): Event => JSON.parse(body)) : [];
  const target = events.find((e) => e.kind === "message" && e.content.type !== "gone");
  if (!target) return;
  const { seq: targetSeq, senderId } = target;
  const content = { type: "text" as const, text: "y" };
  const event =
    what === "edit"
      ? { kind: what, targetSeq, content }
      : what === "recall"
        ? { kind: what, targetSeq }
        : { kind: what, targetSeq, emoji: "👍" };
  const sent = await inbox(senderId).send(id, { ...command(senderId, newDeviceId(), "x"), event });
  if (!sent.ok) throw new Error(sent.code);
}
test("[UN-1] [LM-8] the list, `changed` and a push count alike, and as a count over the log and the cursors does", async () => {
  const acts = fc.array(
    fc.record({ by: fc.nat(2), what: fc.constantFrom(...WHAT), evict: fc.nat(9).map((n) => n === 0) }),
    {
      maxLength: 14,
    },
  );
  await fc.assert(
    fc.asyncProperty(acts, async (steps: Act[]) => {
      const { maker, members, id } = await openGroup(3);
      const reads = new Map<UserId, number>();
      for (const userId of members) await inbox(userId).track(id);
      for (const step of steps) {
        const userId = members[step.by] as UserId;
        const log = await conversation(id).pull(maker, VISIT, 0, 100);
        const head = log.ok ? log.value.head : 0;
        if (step.what === "read") reads.set(userId, head);
        if (step.what === "read") await conversation(id).receipt(userId, read(head));
        else if (step.what === "say") await say(id, userId, "x");
        else await speakOf(id, userId, step.what);
        if (step.evict) await runDurableObjectAlarm(stubOf(id));
        if (step.evict) await evictDurableObject(stubOf(id));
      }
      const log = await conversation(id).pull(maker, VISIT, 0, 100);
      const events = log.ok ? log.value.bodies.map((body): Event => JSON.parse(body)) : [];
      for (const userId of members) {
        const isUnread = (e: Event) =>
          e.kind === "message" &&
          e.content.type !== "gone" &&
          e.senderId !== userId &&
          e.seq > (reads.get(userId) ?? 0);
        const count = events.filter(isUnread).length;
        const list = await inbox(userId).list(userId, Number.MAX_SAFE_INTEGER, 10);
        const attended = await conversation(id).attend(userId, VISIT);
        const bell = await runInDurableObject(stubOf(id), (object) =>
          bellFor(
            (object as unknown as { ledger: { state: ConversationState } }).ledger.state,
            userId,
            1,
            events.length,
          ),
        );
        expect(list.conversations[0]?.unread).toBe(count);
        expect(attended.ok && attended.value.unread).toBe(count);
        if (bell) expect(bell.unread).toBe(count);
      }
    }),
    { numRuns: 12 },
  );
});
