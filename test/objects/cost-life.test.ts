import { runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import type { Wish } from "../../src/protocol/events.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import { bill, costOf, meter, settle } from "./meters.ts";
import { bindings, conversation, inbox, newDeviceId, newKey, openDirect, TestSocket, until } from "./support.ts";

/** Two people who are there and have talked; every device has been handed the newest cursor. */
async function pair() {
  const { alice, bob, id } = await openDirect();
  const phone = await TestSocket.caughtUp(alice, newDeviceId());
  const bobs = await TestSocket.caughtUp(bob, newDeviceId());
  for (const words of ["one", "two"]) await phone.say(id, words);
  await until(() => bobs.texts.length === 2);
  await settle(id);
  for (const userId of [alice, bob])
    await runInDurableObject(bindings.INBOXES.getByName(userId), (object) => {
      const { index, store } = object as unknown as { index: { handed: number }; store: { top: number } };
      index.handed = store.top;
    });
  await meter(bindings.CONVERSATIONS.getByName(id));
  for (const userId of [alice, bob]) await meter(bindings.INBOXES.getByName(userId));
  return { alice, bob, id, phone, bobs };
}
type Pair = Awaited<ReturnType<typeof pair>>;

async function wish({ phone, bobs, id }: Pair, event: Wish): Promise<void> {
  const now = Date.now();
  const before = bobs.of("events").length;
  await phone.ask({ type: "send", conversationId: id, idempotencyKey: newKey(), composedAt: now, sentAt: now, event });
  await until(() => bobs.of("events").length > before);
  bill.frames += 1;
  await settle(id);
}
const expire = (id: ConversationId, ms: number) =>
  runInDurableObject(bindings.CONVERSATIONS.getByName(id), (_, { storage: { sql } }) => {
    sql.exec("UPDATE log SET expires_at = expires_at - ? WHERE expires_at NOT NULL", ms);
  });

test("[CO-6] what is said of a message costs what a message does; taking one away, its tombstones as well", async () => {
  const people = await pair();
  const content = { type: "text" as const, text: "zwei" };
  const edit = await costOf("edit of a 1:1 message, lone", () => wish(people, { kind: "edit", targetSeq: 2, content }));
  const react = await costOf("reaction to a 1:1 message, lone", () =>
    wish(people, { kind: "reaction", targetSeq: 1, emoji: "👍" }),
  );
  const recall = await costOf("recall of a 1:1 message that was edited once, lone", () =>
    wish(people, { kind: "recall", targetSeq: 2 }),
  );
  for (const { requests } of [edit, react, recall]) expect(requests).toBeLessThanOrEqual(4);
  expect(edit.rows).toBeLessThanOrEqual(7); // an edit is found by its message: one index entry more
  expect(react.rows).toBeLessThanOrEqual(5);
  expect(recall.rows).toBeLessThanOrEqual(5 + 2 * 4); // of both: the row, what history lacks, history, and that it has it
});

test("[CO-6] a message that disappears writes its tombstone, and calls nobody who was not rung", async () => {
  const people = await pair();
  await conversation(people.id).set(people.alice, { retentionMs: 60_000 });
  await wish(people, { kind: "message", content: { type: "text", text: "soon" } });
  await expire(people.id, 60_000);
  const { rows, requests } = await costOf("a message disappears", () => settle(people.id));
  expect(rows).toBeLessThanOrEqual(8);
  expect(requests).toBeLessThanOrEqual(1);
});

test("[CO-6] deleting for oneself, clearing and blocking write two rows or three", async () => {
  const people = await pair();
  const deleted = await costOf("deleting a message for oneself", async () => {
    bill.calls += 1; // the door's
    await inbox(people.bob).deleteFor(people.bob, people.id, 1);
  });
  expect(deleted.rows).toBeLessThanOrEqual(4); // the first time makes the table
  const cleared = await costOf("clearing a conversation for oneself", async () => {
    bill.calls += 1; // the door's
    await inbox(people.bob).clear(people.bob, people.id);
  });
  expect(cleared.rows).toBeLessThanOrEqual(5); // as there; and what was deleted is so no more
  const ask = async (userId: UserId, otherId: UserId, blocks: boolean) => {
    bill.calls += 2; // the door's
    await conversation(people.id).setBlock(userId, blocks);
    await inbox(userId).setBlocked(otherId, blocks);
  };
  const blocked = await costOf("blocking, without the directory's row", () => ask(people.bob, people.alice, true));
  const freed = await costOf("unblocking, without the directory's row", () => ask(people.bob, people.alice, false));
  expect(blocked.rows).toBeLessThanOrEqual(4); // as here
  expect(freed.rows).toBeLessThanOrEqual(3);
});

test("[CO-6] forgetting what was delivered costs two rows a message, and two requests a try", async () => {
  Object.assign(bindings, { FORGET_DELIVERED: "1" });
  const people = await pair();
  Object.assign(bindings, { FORGET_DELIVERED: "" });
  const confirm = (socket: TestSocket) => {
    socket.socket.addEventListener("message", ({ data }) => {
      const { type, cursor } = JSON.parse(data as string);
      if (type === "caught_up") socket.send({ type: "cursor", cursor });
    });
  };
  for (const socket of [people.phone, people.bobs]) confirm(socket);
  for (let n = 0; n < 20; n++) await people.phone.say(people.id, `secret ${n}`);
  await until(() => people.bobs.texts.length === 22);
  await runInDurableObject(bindings.CONVERSATIONS.getByName(people.id), (object) => {
    const { state } = (object as unknown as { ledger: { state: { checkpoint: { tries: { at: number } } } } }).ledger;
    state.checkpoint.tries.at = Date.now() + 3_600_000; // not with the settling of the burst
  });
  await settle(people.id);
  await runInDurableObject(bindings.CONVERSATIONS.getByName(people.id), (object) => {
    const { state } = (
      object as unknown as { ledger: { state: { checkpoint: { tries: { count: number; at: number } } } } }
    ).ledger;
    state.checkpoint.tries = { count: 0, at: 0 };
  });
  const { rows, requests } = await costOf("forgetting 22 messages that were delivered", async () => {
    bill.alarms += 1;
    await runInDurableObject(bindings.CONVERSATIONS.getByName(people.id), (object) => object.alarm());
  });
  const log = await runInDurableObject(bindings.CONVERSATIONS.getByName(people.id), (_, { storage: { sql } }) =>
    JSON.stringify(sql.exec("SELECT body FROM log").toArray()),
  );
  expect(log).not.toContain("secret");
  expect(rows).toBeLessThanOrEqual(22 * 2 + 6);
  expect(requests).toBeLessThanOrEqual(3 + 2);
});
