import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import type { PushJob } from "../../src/domain/push.ts";
import type { Event } from "../../src/protocol/events.ts";
import { type ConversationId, InviteCode, type UserId } from "../../src/protocol/ids.ts";
import {
  bindings,
  command,
  conversation,
  inbox,
  newDeviceId,
  openDirect,
  openGroup,
  TestSocket,
  until,
  VISIT,
} from "./support.ts";

const endpoint = { provider: "fcm", token: "token" } as const;

async function say(id: ConversationId, userId: UserId, words: string): Promise<number> {
  const sent = await inbox(userId).send(id, command(userId, newDeviceId(), words));
  if (!sent.ok) throw new Error(sent.code);
  return sent.value.seq;
}
async function logOf(id: ConversationId, userId: UserId): Promise<Event[]> {
  const page = await conversation(id).pull(userId, VISIT, 0, 1_000);
  return page.ok ? page.value.bodies.map((body) => JSON.parse(body) as Event) : [];
}

/** What is put into the queue for this user, who is not connected. */
async function ringing(userId: UserId): Promise<PushJob[]> {
  const jobs: PushJob[] = [];
  await inbox(userId).putSubscription(userId, newDeviceId(), { endpoint, preview: true });
  await runInDurableObject(bindings.INBOXES.getByName(userId), (object) => {
    const sendBatch = async (batch: { body: PushJob }[]) => void jobs.push(...batch.map(({ body }) => body));
    Object.assign((object as unknown as { ringer: object }).ringer, { env: { ...bindings, PUSHES: { sendBatch } } });
  });
  return jobs;
}

test("[ER-9] the notification that shows what an erased person wrote is taken down, and another's stays", async () => {
  const { maker, members, id } = await openGroup(3);
  const [, ann = maker, bob = maker] = members;
  const jobs = await ringing(bob);
  await say(id, ann, "from ann");
  const last = await say(id, maker, "from another");
  await until(() => jobs.some(({ seq }) => seq === last));
  const rang = jobs.length;
  await conversation(id).erase(ann);
  const shown = await say(id, maker, "one more");
  await until(() => jobs.some(({ seq }) => seq === shown));
  expect(jobs.slice(rang).map(({ kind }) => kind)).toEqual(["message"]);
  await conversation(id).erase(maker);
  await until(() => jobs.some(({ kind }) => kind === "gone"));
  expect(jobs.at(-1)).toMatchObject({ kind: "gone", seq: shown, unread: 0 });
});

test("[ER-9] who is live hears of it in one event, finds nothing by pulling, and counts nothing unread", async () => {
  const { alice, bob, id } = await openDirect();
  for (const words of ["one", "two", "three"]) await say(id, alice, words);
  const bobs = await TestSocket.caughtUp(bob, newDeviceId());
  expect(await conversation(id).standing(bob, null)).toMatchObject({ value: { unread: 3 } });
  await conversation(id).erase(alice);
  await until(() => bobs.texts.includes("member"));
  const heard = bobs.of("events").flatMap(({ events }) => events);
  expect(heard).toMatchObject([{ kind: "member", change: "left", userId: alice, erased: true, seq: 4 }]);
  expect(await conversation(id).standing(bob, null)).toMatchObject({ value: { unread: 0 } });
  expect((await logOf(id, bob)).map((event) => (event.kind === "message" ? event.content : event.kind))).toEqual([
    ...Array(3).fill({ type: "gone", because: "recalled" }),
    "member",
  ]);
});

test("[ER-4] what a conversation knows of it outlives its memory: no append, no reading, no way back", async () => {
  const { maker, members, id } = await openGroup(3);
  const [, ann = maker] = members;
  await say(id, ann, "words");
  const code = InviteCode.parse(id.slice(1) + "A".repeat(22));
  await conversation(id).invite(maker, code, { readmits: true });
  await conversation(id).erase(ann);
  for (const isEvicted of [false, true]) {
    if (isEvicted) await evictDurableObject(bindings.CONVERSATIONS.getByName(id));
    const commands = [command(ann, newDeviceId(), "again")];
    const sent = await conversation(id).append(ann, {
      commands,
      aloneAs: null,
      confirmed: [],
      call: Date.now() * 2_000,
    });
    expect(sent).toMatchObject([{ code: "not_member" }]);
    expect(await conversation(id).join(ann, code)).toMatchObject({ code: "not_found" });
    expect(await conversation(id).putMember({ actorId: maker, userId: ann, role: "member" })).toMatchObject({
      code: "not_found",
    });
    expect(await conversation(id).describe(ann)).toMatchObject({ code: "not_found" });
    expect(await conversation(id).history(ann, { limit: 10 }, true)).toMatchObject({ code: "not_found" });
    expect(await conversation(id).attend(ann, VISIT)).toMatchObject({ code: "not_found" });
    expect(await conversation(id).describe(maker)).toMatchObject({ value: { members: { length: 2 } } });
  }
});

test("[ER-10] a conversation that nobody has begun stays unseen, and a block in it ends", async () => {
  const { alice, bob, id } = await openDirect();
  await conversation(id).setBlock(bob, true);
  expect(await conversation(id).erase(alice)).toMatchObject({ value: { done: true, others: [bob] } });
  expect(await logOf(id, bob)).toEqual([]);
  await runDurableObjectAlarm(bindings.CONVERSATIONS.getByName(id));
  expect((await inbox(bob).conversationIds()).length).toBe(0);
  expect(await say(id, bob, "to nobody")).toBe(1); // it was closed to him while he blocked
});

test("[ER-4] an id that nobody has opened, and one who never was in it, leave nothing behind", async () => {
  const { alice: stranger, id } = await openDirect();
  const { alice } = await openDirect();
  expect(await conversation(id).erase(alice)).toMatchObject({ code: "not_found" });
  expect(await conversation(id).leftOf(alice)).toMatchObject({ code: "not_found" });
  expect((await conversation(id).describe(stranger)).ok).toBe(true);
});
