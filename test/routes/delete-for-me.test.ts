import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { Event } from "../../src/protocol/events.ts";
import { DOORS, type Session } from "../../src/protocol/http.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import { ConversationStore } from "../../src/storage/conversation-store.ts";
import { bindings, conversation, newDeviceId, newUserId, TestSocket, until, VISIT } from "../objects/support.ts";
import { signUp } from "./support/accounts.ts";
import { ask, groupOf, pairUp, say, settle, wishOf } from "./support/worker.ts";

const path = (id: ConversationId, seq: number | string) => `/v1/conversations/${id}/events/${seq}`;
const remove = (me: Session, id: ConversationId, seq: number | string) => ask(me, "DELETE", path(id, seq));
const codeOf = async (answer: ReturnType<typeof remove>) => {
  const { status, json } = await answer;
  return json?.code ?? status;
};
const edit = (me: Session, id: ConversationId, targetSeq: number, words: string) => {
  const event = { kind: "edit", targetSeq, content: { type: "text", text: words } };
  return ask(me, "POST", `/v1/conversations/${id}/events`, wishOf(event));
};
/** The seqs that a door of history and one of the log show. */
const history = async (me: Session, id: ConversationId) => {
  const { json } = await ask(me, "GET", `/v1/conversations/${id}/events?limit=100`);
  return DOORS.history.answers[200]
    .parse(json)
    .events.map(({ seq }) => seq)
    .toSorted();
};
const pulled = async (me: Session, id: ConversationId) => {
  const page = await conversation(id).pull(me.user.userId, VISIT, 0, 1_000);
  return page.ok ? page.value.bodies.map((body) => (JSON.parse(body) as Event).seq) : page.code;
};
const found = async (me: Session, words: string) => {
  const { json } = await ask(me, "GET", `/v1/search?q=${words}`);
  return DOORS.search.answers[200].parse(json).hits.map(({ seq }) => seq);
};
const listed = async (me: Session, id: ConversationId) => {
  const { json } = await ask(me, "GET", "/v1/conversations");
  return DOORS.conversations.answers[200].parse(json).conversations.find((one) => one.conversationId === id);
};
const evict = (id: ConversationId) => evictDurableObject(bindings.CONVERSATIONS.getByName(id));

describe("deleting a message for oneself", () => {
  test("[LM-26] takes it from every sight of one person for ever, with its edits and its star, and from nobody else", async () => {
    const { ann, bob, id } = await pairUp();
    for (const words of ["keepsake one", "keepsake two", "keepsake three"]) await say(ann, id, words);
    await edit(ann, id, 2, "keepsake two and a half");
    await settle(id);
    await ask(bob, "PUT", `${path(id, 2)}/star`);
    expect((await remove(bob, id, 2)).status).toBe(204);
    expect((await remove(bob, id, 2)).status).toBe(204); // again
    for (let round = 0; round < 2; round++) {
      expect(await pulled(bob, id)).toEqual([1, 3]);
      expect(await history(bob, id)).toEqual([1, 3]);
      expect(await found(bob, "keepsake")).toEqual([3, 1]);
      expect(await listed(bob, id)).toMatchObject({
        unread: 2,
        head: 4,
        deleted: [
          { from: 2, to: 2 },
          { from: 4, to: 4 },
        ],
      });
      expect((await listed(bob, id))?.starred).toBeUndefined();
      expect((await ask(bob, "GET", "/v1/stars")).json.stars).toEqual([]);
      await evict(id);
    }
    expect(await pulled(ann, id)).toEqual([1, 2, 3, 4]);
    expect(await history(ann, id)).toEqual([1, 2, 3, 4]);
    expect(await listed(ann, id)).not.toHaveProperty("deleted");
  });

  test("[LM-26] is told to the devices that are there and to those that come back, and the list shows what is left", async () => {
    const { ann, bob, id } = await pairUp();
    const laptop = newDeviceId();
    const phone = await TestSocket.caughtUp(bob.user.userId, newDeviceId());
    const other = await TestSocket.caughtUp(bob.user.userId, laptop);
    for (const words of ["one", "two"]) await say(ann, id, words);
    await until(() => phone.texts.length === 2 && other.texts.length === 2);
    const { cursor } = other;
    other.socket.close(1000, "bye");
    await remove(bob, id, 2);
    const told = { conversationId: id, deleted: [{ from: 2, to: 2 }], lastEvent: { seq: 1 }, head: 2 };
    await until(() => phone.of("changed").length > 0);
    expect(phone.of("changed").at(-1)?.conversations).toMatchObject([told]);
    const back = await TestSocket.caughtUp(bob.user.userId, laptop, cursor);
    expect(back.of("changed").flatMap(({ conversations }) => conversations)).toMatchObject([told]);
    expect(await back.ask({ type: "pull", conversationId: id, after: 0 })).toMatchObject({
      events: [{ seq: 1 }],
      deleted: told.deleted,
    });
  });

  test("[LM-27] an edit does not bring it back, nor stand in the way of what comes after", async () => {
    const { ann, bob, id } = await pairUp();
    const phone = await TestSocket.caughtUp(bob.user.userId, newDeviceId());
    await say(ann, id, "one");
    await until(() => phone.texts.length === 1);
    await remove(bob, id, 1);
    expect((await edit(ann, id, 1, "one, but better")).status).toBe(201);
    expect(await pulled(bob, id)).toEqual([]);
    await evict(id);
    expect(await pulled(bob, id)).toEqual([]);
    await say(ann, id, "two");
    await until(() => phone.texts.includes("two"));
    expect(phone.texts).toEqual(["one", "two"]);
    expect(await pulled(ann, id)).toEqual([1, 2, 3]);
    const react = { kind: "reaction", targetSeq: 1, emoji: "👍" };
    expect((await ask(bob, "POST", `/v1/conversations/${id}/events`, wishOf(react))).json.code).toBe("invalid_request");
  });

  test("[LM-28] its sender is told as before: ticks and traces stand", async () => {
    const { ann, bob, id } = await pairUp();
    const phone = await TestSocket.caughtUp(bob.user.userId, newDeviceId());
    await say(ann, id, "one");
    await until(() => phone.texts.length === 1);
    phone.send({ type: "receipt", conversationId: id, delivered: 1, read: 1 });
    await until(async () => (await listed(ann, id))?.ticks?.read === 1);
    const trace = async () => (await ask(ann, "GET", `${path(id, 1)}/trace`)).json.members;
    const before = await trace();
    expect(before).toMatchObject([{ userId: bob.user.userId, state: "read" }]);
    const ticks = (await listed(ann, id))?.ticks;
    await remove(bob, id, 1);
    expect(await trace()).toEqual(before);
    expect((await listed(ann, id))?.ticks).toEqual(ticks);
    await ask(bob, "DELETE", `/v1/conversations/${id}`);
    expect(await trace()).toEqual(before);
  });

  test("[LM-26] a stranger, a seq that is no message, one from before, and one hidden by a block are not found", async () => {
    const { ann, bob, id } = await pairUp();
    await say(ann, id, "one");
    await edit(ann, id, 1, "one!");
    const eve = await signUp();
    expect(await codeOf(remove(eve, id, 1))).toBe("not_found");
    for (const seq of [2, 3, 4]) expect(await codeOf(remove(bob, id, seq))).toBe("not_found"); // an edit, and what is not there
    for (const seq of ["0", "-1", "x", "1.5", "9007199254740993"])
      expect(await codeOf(remove(bob, id, seq))).toBe("invalid_request");
    await ask(bob, "PUT", `/v1/blocks/${ann.user.userId}`);
    const hidden = await say(ann, id, "you cannot see this");
    expect(await codeOf(remove(bob, id, hidden))).toBe("not_found");
    expect(await codeOf(remove(bob, id, 1))).toBe(204);
    const group = await groupOf(ann, bob);
    const seq = await say(ann, group, "before");
    await ask(ann, "PUT", `/v1/conversations/${group}/members/${eve.user.userId}`);
    expect(await codeOf(remove(eve, group, seq))).toBe("not_found");
    await ask(ann, "DELETE", `/v1/conversations/${group}/members/${bob.user.userId}`);
    const after = await say(ann, group, "after");
    expect(await codeOf(remove(bob, group, after))).toBe("not_found");
    expect(await codeOf(remove(bob, group, seq))).toBe(204); // what one has seen stays one's own to delete
    expect(await pulled(bob, group)).not.toContain(seq);
  });

  test("[LM-26] [LM-28] a tombstone may be deleted, a thousand gaps are as many as there may be, and clearing ends them", async () => {
    const { ann, bob, id } = await pairUp();
    const seqs = [];
    for (const words of ["one", "two", "three", "four", "five"]) seqs.push(await say(ann, id, words));
    await ask(ann, "POST", `/v1/conversations/${id}/events`, wishOf({ kind: "recall", targetSeq: 1 }));
    expect(await codeOf(remove(bob, id, 1))).toBe(204);
    const gaps = Array.from({ length: 999 }, (_, i): [number, number] => [100 + 2 * i, 100 + 2 * i]);
    await runInDurableObject(bindings.CONVERSATIONS.getByName(id), (_, { storage }) => {
      const store = new ConversationStore(storage.sql);
      const member = store.roster().get(bob.user.userId);
      if (member) store.sights.put("deleted", { ...member, deleted: [[1, 1], ...gaps] });
    });
    await evict(id);
    expect(await codeOf(remove(bob, id, 3))).toBe("too_many_deletions");
    expect(await codeOf(remove(bob, id, 2))).toBe(204); // next to another one
    expect(await pulled(bob, id)).toEqual([3, 4, 5, 6]);
    expect(await codeOf(ask(bob, "DELETE", `/v1/conversations/${id}`))).toBe(204);
    await evict(id);
    expect(await pulled(bob, id)).toEqual([]);
    expect((await listed(bob, id))?.deleted).toHaveLength(999); // those that are above
  });

  test("[LM-26] [ER-4] nothing of it outlives the person", async () => {
    const { ann, bob, id } = await pairUp();
    await say(ann, id, "one");
    await remove(bob, id, 1);
    const kept = () =>
      runInDurableObject(
        bindings.CONVERSATIONS.getByName(id),
        (_, { storage }) => storage.sql.exec("SELECT * FROM deleted").toArray().length,
      );
    expect(await kept()).toBe(1);
    await conversation(id).erase(bob.user.userId);
    expect(await kept()).toBe(0);
    expect(await conversation(id).deleteFor(newUserId(), VISIT, 1)).toMatchObject({ code: "not_found" });
  });
});
