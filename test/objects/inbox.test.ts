import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import type { Park } from "../../src/domain/ringing.ts";
import type { Inbox } from "../../src/objects/inbox.ts";
import type { ClientFrame } from "../../src/protocol/frames.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import {
  bindings,
  command,
  conversation,
  inbox,
  newDeviceId,
  newKey,
  newUserId,
  nextCall,
  openDirect,
  openGroup,
  read,
  TestSocket,
  until,
  VISIT,
} from "./support.ts";

const stubOf = (id: UserId) => bindings.INBOXES.getByName(id) as DurableObjectStub<Inbox>;
const index = (id: UserId) =>
  runInDurableObject(stubOf(id), (_, state) =>
    state.storage.sql.exec("SELECT * FROM changes ORDER BY position").toArray(),
  );

test("[SO-1] hello comes first; what comes before it is refused and the socket lives on", async () => {
  const [alice, phone] = [newUserId(), newDeviceId()];
  const { id } = await openDirect();
  const socket = await TestSocket.open(alice, phone);
  expect(await socket.ask({ type: "pull", conversationId: id, after: 0 })).toMatchObject({
    type: "error",
    code: "hello_required",
  });
  expect(await socket.ask({ type: "hello", version: 2, cursor: null })).toMatchObject({ code: "unsupported_version" });
  expect(await socket.ask({ type: "hello", version: 1, cursor: null })).toMatchObject({
    type: "welcome",
    userId: alice,
    deviceId: phone,
  });
  expect(await socket.ask({ type: "hello", version: 1, cursor: null })).toMatchObject({ code: "invalid_request" });
});

test("[SO-2] a newer socket of a device replaces the older", async () => {
  const [alice, phone] = [newUserId(), newDeviceId()];
  const old = await TestSocket.caughtUp(alice, phone);
  await TestSocket.caughtUp(alice, phone);
  await until(() => old.closed === 4002);
});

const HELLO = { type: "hello", version: 1, cursor: null } satisfies ClientFrame;

test("[SO-9] a socket that was asked for by a page that has gone leaves the one alone that came before it", async () => {
  const [alice, phone] = [newUserId(), newDeviceId()];
  const living = await TestSocket.caughtUp(alice, phone);
  const ghost = await TestSocket.open(alice, phone);
  await evictDurableObject(stubOf(alice)); // what is known of sockets lies on them
  expect(await living.ask({ type: "watch", userIds: [] })).toMatchObject({ type: "presence" });
  ghost.socket.close(1000);
  await until(() => ghost.closed === 1000);
  expect(await living.ask({ type: "watch", userIds: [] })).toMatchObject({ type: "presence" });
  expect(living.closed).toBeUndefined();
});

test("[SO-9] a hello that comes late ends no socket that was dialled later, and the later one's ends it", async () => {
  const [alice, phone] = [newUserId(), newDeviceId()];
  const [first, second] = [await TestSocket.open(alice, phone), await TestSocket.open(alice, phone)];
  first.send(HELLO);
  await first.waitFor("caught_up");
  await evictDurableObject(stubOf(alice));
  second.send(HELLO);
  await second.waitFor("caught_up");
  await until(() => first.closed === 4002);
  expect(second.closed).toBeUndefined();
});

test("[SO-9] a hello that was on its way when its socket was replaced replaces nobody", async () => {
  const [alice, phone] = [newUserId(), newDeviceId()];
  const [first, second] = [await TestSocket.open(alice, phone), await TestSocket.open(alice, phone)];
  second.send(HELLO);
  first.send(HELLO);
  await until(() => first.closed === 4002);
  expect(await second.ask({ type: "watch", userIds: [] })).toMatchObject({ type: "presence" });
});

test("[SO-10] a device has four sockets that say nothing at most, and keeps the one on which it spoke", async () => {
  const [alice, phone] = [newUserId(), newDeviceId()];
  const living = await TestSocket.caughtUp(alice, phone);
  const silent: TestSocket[] = [];
  for (let i = 0; i < 6; i++) silent.push(await TestSocket.open(alice, phone));
  await until(() => silent[0]?.closed === 4008 && silent[1]?.closed === 4008);
  expect(await living.ask({ type: "watch", userIds: [] })).toMatchObject({ type: "presence" });
  expect([living, ...silent.slice(2)].map(({ closed }) => closed)).toEqual(Array(5).fill(undefined));
});

test("[SO-3] [SO-9] revoking closes the silent sockets of a device, too", async () => {
  const [alice, phone] = [newUserId(), newDeviceId()];
  const sockets = [await TestSocket.caughtUp(alice, phone), await TestSocket.open(alice, phone)];
  await inbox(alice).revoke(phone);
  await until(() => sockets.every(({ closed }) => closed === 4001));
});

test("[SO-8] a device that says good-bye is answered at once", async () => {
  const alice = newUserId();
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  phone.socket.close(1000);
  await until(() => phone.closed !== undefined);
  expect(phone.closed).toBe(1000); // one that is not answered is 1006, seconds later
});

test("[SO-3] revoking closes the device's socket at once, and the device is turned away for ever", async () => {
  const [alice, phone] = [newUserId(), newDeviceId()];
  const socket = await TestSocket.caughtUp(alice, phone);
  await inbox(alice).revoke(phone);
  await until(() => socket.closed === 4001);
  await evictDurableObject(stubOf(alice));
  const again = await TestSocket.open(alice, phone);
  await until(() => again.closed === 4001);
  const { id } = await openDirect();
  expect(await inbox(alice).send(id, command(alice, phone, "x"))).toMatchObject({ code: "device_revoked" });
});

test("[SO-4] a socket whose token has expired neither sends nor receives: 4003", async () => {
  const { alice, bob, id } = await openDirect();
  const sending = await TestSocket.caughtUp(alice, newDeviceId());
  const receiving = await TestSocket.caughtUp(bob, newDeviceId());
  for (const userId of [alice, bob])
    await runInDurableObject(stubOf(userId), (object, state) => {
      const { sockets } = object as unknown as { sockets: { change(s: WebSocket, c: object): void } };
      for (const socket of state.getWebSockets()) sockets.change(socket, { expiresAt: Date.now() - 1 }); // by now
    });
  sending.send({ type: "pull", conversationId: id, after: 0 });
  await until(() => sending.closed === 4003);
  await inbox(alice).send(id, command(alice, newDeviceId(), "secret"));
  await until(() => receiving.closed === 4003);
  expect([...sending.frames, ...receiving.frames].map((f) => f.type)).toEqual([
    "welcome",
    "caught_up",
    "welcome",
    "caught_up",
  ]);
});

test("[SO-7] unreadable frames are answered with a code and the frame's id; the socket lives on", async () => {
  const socket = await TestSocket.caughtUp(newUserId(), newDeviceId());
  const codes = async (raw: string | ArrayBuffer) => {
    const before = socket.of("error").length;
    socket.socket.send(raw);
    return (await socket.waitFor("error", before + 1)).code;
  };
  expect(await codes("not json")).toBe("invalid_request");
  expect(await codes("[]")).toBe("invalid_request");
  expect(await codes(new Uint8Array([1, 2]).buffer)).toBe("invalid_request");
  expect(await codes(`"${"x".repeat(200_000)}"`)).toBe("payload_too_large");
  expect(await codes('{"type":"dance","id":7}')).toBe("invalid_request");
  expect(socket.of("error").at(-1)?.id).toBe(7);
  expect(await codes('{"type":"hello","version":1,"cursor":null,"extra":1}')).toBe("invalid_request");
  expect(socket.closed).toBeUndefined();
});

test("[EV-2] a message reaches every other device of both sides live, and its own device as an ack", async () => {
  const { alice, bob, id } = await openDirect();
  const [phone, laptop] = [
    await TestSocket.caughtUp(alice, newDeviceId()),
    await TestSocket.caughtUp(alice, newDeviceId()),
  ];
  const [bobs, tablet] = [await TestSocket.caughtUp(bob, newDeviceId()), await TestSocket.caughtUp(bob, newDeviceId())];
  expect(await phone.say(id, "hi")).toMatchObject({ type: "ack", seq: 1, duplicate: false });
  for (const socket of [laptop, bobs, tablet])
    expect((await socket.waitFor("events")).events).toMatchObject([{ seq: 1, senderId: alice }]);
  expect(phone.texts).toEqual([]);
});

test("[SD-1] a burst on one socket arrives in the order sent", async () => {
  const { alice, bob, id } = await openDirect();
  const [phone, bobs] = [
    await TestSocket.caughtUp(alice, newDeviceId()),
    await TestSocket.caughtUp(bob, newDeviceId()),
  ];
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => phone.say(id, `${i}`)));
  expect(answers.map((a) => (a.type === "ack" ? a.seq : a))).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  await until(() => bobs.texts.length === 200);
  expect(bobs.texts).toEqual(Array.from({ length: 200 }, (_, i) => `${i}`));
});

test("[IX-1] [IX-2] the index is written once a cursor advance, not once a message", async () => {
  const { alice, bob, id } = await openDirect();
  await TestSocket.caughtUp(bob, newDeviceId());
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  for (let i = 0; i < 5; i++) await phone.say(id, `${i}`);
  await until(async () => (await index(bob)).length === 1);
  expect(await index(bob)).toMatchObject([{ position: 1 }]);
  await evictDurableObject(stubOf(bob)); // what was handed out is forgotten: it could have been anything
  await phone.say(id, "after");
  await until(async () => (await index(bob))[0]?.position === 2);
});

test("[IX-3] [IX-4] a device resumes from its cursor; an unknown one starts over and ends up equal", async () => {
  const { alice, bob, id } = await openDirect();
  const device = newDeviceId();
  const first = await TestSocket.caughtUp(bob, device);
  const { cursor } = first;
  first.socket.close(1000);
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  await phone.say(id, "while away");
  await until(async () => (await index(bob)).length === 1);
  const resumed = await TestSocket.caughtUp(bob, device, cursor);
  expect(resumed.of("welcome")[0]?.mode).toBe("resume");
  expect(resumed.of("changed").flatMap((f) => f.conversations)).toMatchObject([
    { conversationId: id, head: 1, unread: 1, readSeq: 0 },
  ]);
  const next = await TestSocket.caughtUp(bob, device, resumed.cursor);
  expect(next.of("changed")).toEqual([]);
  for (const unknown of ["nonsense", `${"0".repeat(26)}.1`, `${resumed.cursor.split(".")[0]}.99`]) {
    const reset = await TestSocket.caughtUp(bob, device, unknown);
    expect(reset.of("welcome")[0]?.mode).toBe("reset");
    expect(reset.of("changed").flatMap((f) => f.conversations)).toMatchObject([{ conversationId: id }]);
  }
});

test("[IX-6] [DL-3] nobody to tell: the inbox is parked, and called again once a device says hello", async () => {
  const { alice, bob, id } = await openDirect();
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  await phone.say(id, "1");
  await until(async () => (await index(bob)).length === 1);
  let calls = 0;
  await onDeliver(id, (deliver) => (...args) => {
    calls++;
    return deliver(...args);
  });
  for (let i = 2; i <= 6; i++) await phone.say(id, `${i}`);
  expect(calls).toBe(0);
  const bobs = await TestSocket.caughtUp(bob, newDeviceId());
  expect(bobs.of("changed").flatMap((f) => f.conversations)).toMatchObject([{ head: 6, unread: 6 }]);
  await phone.say(id, "7");
  expect((await bobs.waitFor("events")).events).toMatchObject([{ seq: 7 }]);
});

type Deliverer = { deliver: (userId: UserId, after: number, through: number) => Promise<Park | null> };

/** Puts something in the way of the conversation's calls to inboxes. */
const onDeliver = (id: ConversationId, wrap: (deliver: Deliverer["deliver"]) => Deliverer["deliver"]) =>
  runInDurableObject(bindings.CONVERSATIONS.getByName(id), (object) => {
    const { deliverer } = object as unknown as { deliverer: Deliverer };
    deliverer.deliver = wrap(deliverer.deliver.bind(deliverer));
  });

test("[DL-2] an inbox that failed is repaired by the alarm", async () => {
  const { alice, bob, id } = await openDirect();
  const bobs = await TestSocket.caughtUp(bob, newDeviceId());
  let failing = true;
  await onDeliver(
    id,
    (deliver) =>
      (...args) =>
        failing ? Promise.reject(new Error("injected")) : deliver(...args),
  );
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  expect(await phone.say(id, "hi")).toMatchObject({ type: "ack", seq: 1 });
  expect(bobs.texts).toEqual([]);
  failing = false;
  await runInDurableObject(bindings.CONVERSATIONS.getByName(id), async (object) => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    await object.alarm();
    vi.useRealTimers();
  });
  await until(() => bobs.texts.length === 1);
});

test("[SO-5] [CO-3] sockets outlive the object's memory: an evicted inbox delivers to them", async () => {
  const { alice, bob, id } = await openDirect();
  const [phone, bobs] = [
    await TestSocket.caughtUp(alice, newDeviceId()),
    await TestSocket.caughtUp(bob, newDeviceId()),
  ];
  await evictDurableObject(stubOf(bob));
  await evictDurableObject(stubOf(alice));
  expect(await phone.say(id, "awake?")).toMatchObject({ type: "ack" });
  await until(() => bobs.texts.length === 1);
});

test("[RC-1] [RC-2] [RC-3] [RC-5] receipts move forward only, reach the author, and clear the reader's other devices", async () => {
  const { alice, bob, id } = await openDirect();
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  const [bobs, tablet] = [await TestSocket.caughtUp(bob, newDeviceId()), await TestSocket.caughtUp(bob, newDeviceId())];
  for (const words of ["1", "2", "3"]) await phone.say(id, words);
  await bobs.waitFor("events", 1);
  bobs.send({ type: "receipt", conversationId: id, delivered: 3 });
  bobs.send({ type: "receipt", conversationId: id, read: 2 });
  bobs.send({ type: "receipt", conversationId: id, read: 1 });
  await until(() => phone.of("receipts").at(-1)?.receipts[0]?.read === 2);
  expect(phone.of("receipts").at(-1)?.receipts).toMatchObject([{ userId: bob, delivered: 3, read: 2 }]);
  await until(() => tablet.of("receipts").at(-1)?.receipts[0]?.read === 2);
  expect(await bobs.ask({ type: "receipt", conversationId: id, read: 4 })).toMatchObject({ code: "receipt_ahead" });
  expect(await conversation(id).describe(bob)).toMatchObject({ value: { mine: { delivered: 3, read: 2, unread: 1 } } });
});

test("[RC-4] receipts outlive an eviction", async () => {
  const { alice, bob, id } = await openDirect();
  await conversation(id).append(alice, {
    commands: [command(alice, newDeviceId(), "1")],
    aloneAs: 1,
    confirmed: [],
    call: nextCall(),
  });
  await conversation(id).receipt(bob, read(1));
  await runDurableObjectAlarm(bindings.CONVERSATIONS.getByName(id));
  await evictDurableObject(bindings.CONVERSATIONS.getByName(id));
  expect(await conversation(id).describe(bob)).toMatchObject({ value: { mine: { delivered: 1, read: 1, unread: 0 } } });
});

test("[DL-1] a group of 60 with everybody online: each has each message once and in order", async () => {
  const { maker, members, id } = await openGroup(60);
  const sockets = await Promise.all(members.map((m) => TestSocket.caughtUp(m, newDeviceId())));
  const phone = sockets[members.indexOf(maker)] as TestSocket;
  for (let i = 0; i < 10; i++) await phone.say(id, `${i}`);
  const others = sockets.filter((s) => s !== phone);
  await until(() => others.every((s) => s.texts.filter((t) => t !== "member").length >= 10));
  for (const socket of others) {
    const seqs = socket
      .of("events")
      .flatMap((f) => f.events.map((e) => e.seq))
      .filter((seq) => seq > 60);
    expect(seqs).toEqual(Array.from({ length: 10 }, (_, i) => 61 + i));
  }
});

test("[EO-2] a wish repeated over HTTP after the socket was lost answers the first ack", async () => {
  const { alice, id } = await openDirect();
  const device = newDeviceId();
  const phone = await TestSocket.caughtUp(alice, device);
  const key = newKey();
  const first = await phone.say(id, "once", key);
  expect(await inbox(alice).send(id, command(alice, device, "once", key))).toMatchObject({
    ok: true,
    value: { seq: (first as { seq: number }).seq, duplicate: true },
  });
});

test("[IX-5] a conversation that cannot be asked is listed by its id, and pulled", async () => {
  const { alice, bob, id } = await openDirect();
  await inbox(alice).send(id, command(alice, newDeviceId(), "hi"));
  await until(async () => (await index(bob)).length === 1);
  await runInDurableObject(stubOf(bob), (object) => {
    const { CONVERSATIONS } = bindings;
    const failing = { attend: () => Promise.reject(Object.assign(new Error("injected"), { overloaded: true })) };
    let calls = 0;
    const getByName = (name: string) => (calls++ === 0 ? failing : CONVERSATIONS.getByName(name));
    const { door } = object as unknown as { door: object };
    Object.assign(door, { env: { ...bindings, CONVERSATIONS: { getByName } } });
  });
  const socket = await TestSocket.caughtUp(bob, newDeviceId());
  expect(socket.of("changed").flatMap((f) => f.conversations)).toEqual([{ conversationId: id }]);
  expect(await socket.ask({ type: "pull", conversationId: id, after: 0 })).toMatchObject({ type: "page", head: 1 });
  expect(socket.of("changed").at(-1)?.conversations).toMatchObject([{ conversationId: id, head: 1, unread: 1 }]);
});

test("[SO-6] frames past the rate are refused, a flood closes the socket with 4008", async () => {
  const [alice, device] = [newUserId(), newDeviceId()];
  const socket = await TestSocket.caughtUp(alice, device);
  await runInDurableObject(stubOf(alice), (object) => {
    const { gate } = object as unknown as { gate: object };
    Object.assign(gate, { env: { ...bindings, RATE_LIMITS: "strict" } });
  });
  for (let i = 0; i < 2_000 && socket.closed === undefined; i++) {
    socket.socket.send("{}");
    if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await until(() => socket.closed === 4008);
  expect(socket.of("error").some((f) => f.code === "rate_limited" && f.retryable)).toBe(true);
});

type Gated = { gate: { buckets: Map<string, { tokens: number }> } };

test("[SD-2] [SO-6] a send that was refused unread holds up what is behind it, until it is sent again", async () => {
  const { alice, bob, id } = await openDirect();
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  const fill = (tokens: number) =>
    runInDurableObject(stubOf(alice), (object) => {
      for (const bucket of (object as unknown as Gated).gate.buckets.values())
        Object.assign(bucket, { tokens, at: Date.now() + 3_600_000 }); // and nothing comes in, however long this takes
    });
  const [first, second] = [newKey(), newKey()];
  await fill(-400);
  expect(await phone.say(id, "first", first)).toMatchObject({ type: "error", code: "rate_limited" });
  await fill(100);
  expect(await phone.say(id, "second", second)).toMatchObject({ type: "error", code: "unavailable" });
  expect(await phone.say(id, "first", first)).toMatchObject({ type: "ack", seq: 1 });
  expect(await phone.say(id, "second", second)).toMatchObject({ type: "ack", seq: 2 });
  expect(await conversation(id).pull(bob, VISIT, 0, 10)).toMatchObject({ value: { head: 2 } });
});
