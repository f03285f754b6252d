import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import { bindings, conversation, newDeviceId, openDirect, TestSocket, until } from "./support.ts";

type Loaded = { load?: object; burden?: { own: object } };

/** Makes an object believe that its oldest message has waited for so long. */
const wait = (stub: DurableObjectStub, ms: number) =>
  runInDurableObject(stub, (object) => {
    const { load, burden } = object as unknown as Loaded;
    Reflect.set(load ?? burden?.own ?? {}, "waitMs", () => ms);
  });
const of = {
  conversation: (id: ConversationId) => bindings.CONVERSATIONS.getByName(id),
  inbox: (userId: UserId) => bindings.INBOXES.getByName(userId),
};

async function pair() {
  const { alice, bob, id } = await openDirect();
  const [phone, bobs] = [
    await TestSocket.caughtUp(alice, newDeviceId()),
    await TestSocket.caughtUp(bob, newDeviceId()),
  ];
  await phone.say(id, "hello");
  await bobs.waitFor("events");
  return { alice, bob, id, phone, bobs };
}
const shipped = (id: ConversationId) =>
  runInDurableObject(of.conversation(id), (object) => {
    const { state } = (object as unknown as { ledger: { state: { head: number; checkpoint: { shipped: number } } } })
      .ledger;
    return state.checkpoint.shipped === state.head;
  });
/** What the two see of each other in a conversation that waits for so long. */
async function observe(waitMs: number) {
  const { alice, bob, id, phone, bobs } = await pair();
  await runDurableObjectAlarm(of.conversation(id));
  await wait(of.conversation(id), waitMs);
  bobs.send({ type: "typing", conversationId: id, active: true });
  const { seq } = (await phone.say(id, "always")) as { seq: number };
  await until(() => bobs.texts.includes("always"));
  bobs.send({ type: "receipt", conversationId: id, read: seq });
  await until(async () => {
    const seen = await conversation(id).describe(bob);
    return seen.ok && seen.value.mine.read === seq;
  });
  await new Promise((resolve) => setTimeout(resolve, 400));
  await runDurableObjectAlarm(of.conversation(id));
  return {
    typing: phone.of("typing").length > 0,
    receipts: phone.of("receipts").some((f) => f.receipts.some((r) => r.read === seq)),
    history: await shipped(id),
    degraded: bobs.of("degraded").map((f) => f.shed),
    alice,
    id,
    bobs,
  };
}

test("[OV-1] a conversation leaves out typing, then receipts, then history, and never a message; [OV-3] devices are told", async () => {
  expect(await observe(0)).toMatchObject({ typing: true, receipts: true, history: true, degraded: [] });
  expect(await observe(1_000)).toMatchObject({ typing: false, receipts: true, history: true, degraded: [["typing"]] });
  expect(await observe(4_000)).toMatchObject({ typing: false, receipts: false, history: true });
  const worst = await observe(8_000);
  expect(worst).toMatchObject({ typing: false, receipts: false, history: false });
  expect(worst.degraded).toEqual([["typing", "presence", "receipts", "history"]]);
  await wait(of.conversation(worst.id), 0);
  await runDurableObjectAlarm(of.conversation(worst.id)); // what was put off is made up for, and devices are told
  await until(() => worst.bobs.of("degraded").at(-1)?.shed.length === 0);
  expect(await shipped(worst.id)).toBe(true);
});

test("[OV-1] [OV-3] an inbox leaves out typing, then presence, then receipts, and its devices are told", async () => {
  const { alice, bob, id, phone, bobs } = await pair();
  await wait(of.inbox(bob), 1_000);
  bobs.send({ type: "typing", conversationId: id, active: true });
  expect((await bobs.waitFor("degraded")).shed).toEqual(["typing"]);
  expect(await bobs.ask({ type: "watch", userIds: [alice] })).toMatchObject({ users: [{ state: "online" }] });
  await wait(of.inbox(bob), 2_000);
  expect(await bobs.ask({ type: "watch", userIds: [alice] })).toMatchObject({ users: [{ state: "unknown" }] });
  await wait(of.inbox(bob), 4_000);
  bobs.send({ type: "receipt", conversationId: id, read: 1 });
  await bobs.ask({ type: "watch", userIds: [] });
  expect(await conversation(id).describe(bob)).toMatchObject({ value: { mine: { read: 0 } } });
  await wait(of.inbox(bob), 0);
  await bobs.ask({ type: "watch", userIds: [] });
  expect(bobs.of("degraded").map((f) => f.shed.length)).toEqual([1, 2, 3, 0]);
  await phone.say(id, "the receipt goes with this call");
  await until(() => phone.of("receipts").some((f) => f.receipts.some((r) => r.read === 1)));
  expect(phone.of("typing")).toEqual([]);
});
