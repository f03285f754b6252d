import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import * as fc from "fast-check";
import { ulid } from "ulid";
import { describe, expect, test } from "vitest";
import type { PushJob } from "../../src/domain/push.ts";
import type { ServerFrame } from "../../src/protocol/frames.ts";
import { DOORS, type Session } from "../../src/protocol/http.ts";
import type { ConversationId, DeviceId } from "../../src/protocol/ids.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { bindings, inbox, newDeviceId, TestSocket, until } from "../objects/support.ts";
import { signUp } from "./support/accounts.ts";
import { CUT, gate, InboxWire, over, sleep } from "./support/wires.ts";
import { ask, groupOf, openPair, pairUp, say, settle, wishOf } from "./support/worker.ts";

const on =
  (method: string) =>
  (me: Session, { user }: { user: { userId: string } }, changed = {}) =>
    ask(me, method, `/v1/blocks/${user.userId}`, undefined, changed);
const [block, unblock] = [on("PUT"), on("DELETE")];
const blocksOf = async (me: Session) => {
  const { json } = await ask(me, "GET", "/v1/blocks");
  return DOORS.blocks.answers[200].parse(json).blocks.map(({ userId }) => userId);
};
const deviceOf = ({ device }: Session) => device.deviceId;
const online = (me: Session, deviceId: DeviceId = deviceOf(me)) => TestSocket.caughtUp(me.user.userId, deviceId);
const evict = (id: ConversationId) => evictDurableObject(bindings.CONVERSATIONS.getByName(id)).catch(() => {}); // it may be out already
const wordsOf = (frames: ServerFrame[]) => JSON.stringify(frames);

/** What a user's devices are pushed. */
async function pushesOf({ user }: Session): Promise<PushJob[]> {
  const jobs: PushJob[] = [];
  const stub = bindings.INBOXES.getByName(user.userId);
  await runInDurableObject(stub, (object) => {
    const sendBatch = async (batch: { body: PushJob }[]) => void jobs.push(...batch.map(({ body }) => body));
    const { ringer } = object as unknown as { ringer: { env: object } };
    ringer.env = { ...bindings, PUSHES: { sendBatch } };
  });
  const endpoint = { provider: "web" as const, url: "https://push.example/1", p256dh: "p", auth: "a" };
  const subscribed = await inbox(user.userId).putSubscription(user.userId, newDeviceId(), { endpoint, preview: true });
  expect(subscribed).toMatchObject({ ok: true });
  return jobs;
}

/** Everything that the doors and a new device tell about a conversation, as one text. */
async function everythingOf(me: Session, id: ConversationId): Promise<string> {
  const path = `/v1/conversations/${id}`;
  const told: unknown[] = [];
  for (const way of [
    path,
    "/v1/conversations",
    `${path}/events?after=0&limit=200`,
    "/v1/search?q=hush&limit=50",
    `/v1/search?q=hush&conversationId=${id}`,
  ])
    told.push((await ask(me, "GET", way)).json);
  for (let before: number | undefined = 1e6; before !== undefined; ) {
    const { json } = await ask(me, "GET", `${path}/events?before=${before}&limit=2`);
    told.push(json);
    before = json.hasMore ? json.events.at(-1).seq : undefined;
  }
  const fresh = await online(me, newDeviceId());
  await fresh.ask({ type: "pull", conversationId: id, after: 0 });
  for (let after = 0; after < 40; after += 3) await fresh.ask({ type: "pull", conversationId: id, after, limit: 3 });
  told.push(fresh.frames);
  fresh.socket.close(1000);
  return JSON.stringify(told);
}

describe("what a blocked person writes", () => {
  const act = fc.constantFrom(
    "bob",
    "bob",
    "bob edits",
    "ann",
    "block",
    "unblock",
    "settle",
    "evict",
    "online",
    "offline",
  );

  test("[BL-1] [BL-2] never reaches a device of the blocker by any path, then or later; everything else does", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 14 }), async (acts) => {
        const { ann, bob, id } = await pairUp();
        const jobs = await pushesOf(ann);
        const sockets: TestSocket[] = [];
        const kept: string[] = [];
        const hushed: string[] = [];
        let blocked = false;
        let last = 0;
        const live = () => sockets.findLast((socket) => socket.closed === undefined && socket.socket.readyState === 1);
        for (const what of [...acts, "settle"]) {
          if (what === "block") expect((await block(ann, bob)).status).toBe(204);
          if (what === "unblock") expect((await unblock(ann, bob)).status).toBe(204);
          if (what === "block" || what === "unblock") blocked = what === "block";
          if (what === "bob") {
            const words = blocked ? `hush ${ulid()}` : `fine ${ulid()}`;
            last = await say(bob, id, words);
            (blocked ? hushed : kept).push(words);
          }
          if (what === "bob edits" && last > 0) {
            const words = blocked ? `hush ${ulid()}` : `fine ${ulid()}`;
            const event = { kind: "edit", targetSeq: last, content: { type: "text", text: words } };
            expect((await ask(bob, "POST", `/v1/conversations/${id}/events`, wishOf(event))).status).toBe(201);
            if (blocked) hushed.push(words);
          }
          if (what === "ann") {
            const sent = await ask(
              ann,
              "POST",
              `/v1/conversations/${id}/events`,
              wishOf({ kind: "message", content: { type: "text", text: "mine" } }),
            );
            expect(sent.status).toBe(blocked ? 403 : 201);
          }
          if (what === "settle") await settle(id);
          if (what === "evict") await evict(id);
          if (what === "online" && !live()) sockets.push(await online(ann));
          if (what === "offline") live()?.socket.close(1000);
        }
        await sleep(20);
        const reached = [
          await everythingOf(ann, id),
          ...sockets.map(({ frames }) => wordsOf(frames)),
          JSON.stringify(jobs),
        ];
        for (const words of hushed) for (const told of reached) expect(told).not.toContain(words);
        for (const words of kept) expect(reached[0]).toContain(words);
        const theirs = await everythingOf(bob, id);
        for (const words of [...kept, ...hushed]) expect(theirs).toContain(words);
      }),
      { numRuns: 10 },
    );
  }, 240_000);

  test("[BL-2] it rings nobody and counts nowhere; what comes after the unblocking does", async () => {
    const { ann, bob, id } = await pairUp();
    const jobs = await pushesOf(ann);
    await say(bob, id, "before");
    await until(() => jobs.length === 1);
    await block(ann, bob);
    for (let i = 0; i < 3; i++) await say(bob, id, `hush ${i}`);
    await settle(id);
    const mine = async () => (await ask(ann, "GET", "/v1/conversations")).json.conversations[0];
    expect(await mine()).toMatchObject({ unread: 1, head: 1, lastEvent: { content: { text: "before" } } });
    await unblock(ann, bob);
    expect(await mine()).toMatchObject({ unread: 1, head: 1, lastEvent: { content: { text: "before" } } });
    await say(bob, id, "after");
    await until(() => jobs.length === 2);
    expect(jobs[1]).toMatchObject({ unread: 2, preview: { text: "after" } });
    expect(await mine()).toMatchObject({ unread: 2, head: 5, lastEvent: { content: { text: "after" } } });
  });

  test("[BL-9] also in a conversation that had not begun", async () => {
    const [ann, bob] = [await signUp(), await signUp()];
    await block(ann, bob);
    const phone = await online(ann);
    const id = await openPair(bob, ann);
    await say(bob, id, "hush");
    await settle(id);
    expect((await ask(ann, "GET", "/v1/conversations")).json.conversations).toEqual([]);
    expect(await everythingOf(ann, id)).not.toContain('"hush"');
    expect(wordsOf(phone.frames)).not.toContain("hush");
  });

  test("[BL-10] in groups all is as before", async () => {
    const [ann, bob] = [await signUp(), await signUp()];
    const id = await groupOf(ann, bob);
    await block(ann, bob);
    const phone = await online(ann);
    await say(bob, id, "to all");
    await until(() => phone.texts.includes("to all"));
  });
});

describe("what the blocked person sees", () => {
  test("[BL-4] no receipt and no trace of the block: acks as ever, ticks that stay at sent", async () => {
    const { ann, bob, id } = await pairUp();
    const [phone, theirs] = [await online(ann), await online(bob)];
    await say(bob, id, "before");
    await until(() => phone.texts.length === 1);
    await block(ann, bob);
    const seq = await say(bob, id, "hush");
    phone.send({ type: "receipt", conversationId: id, delivered: 1, read: 1 });
    expect(await phone.ask({ type: "receipt", conversationId: id, read: seq } as never)).toMatchObject({
      code: "receipt_ahead",
    });
    await sleep(400);
    await settle(id);
    expect(theirs.of("receipts")).toEqual([]);
    const seen = (await ask(bob, "GET", `/v1/conversations/${id}`)).json.conversation;
    expect(seen).toMatchObject({ head: 2, mine: { role: "member" }, members: [{ joinedSeq: 1 }, { joinedSeq: 1 }] });
    const [listed] = (await ask(bob, "GET", "/v1/conversations")).json.conversations;
    expect(listed).toMatchObject({
      memberCount: 2,
      role: "member",
      receipts: [{ delivered: 0, read: 0 }],
      ticks: { delivered: 0, read: 0 },
    });
    const trace = (await ask(bob, "GET", `/v1/conversations/${id}/events/${seq}/trace`)).json;
    expect(trace.members).toEqual([{ userId: ann.user.userId, state: "parked", pushes: [] }]);
    const receipts = (await ask(bob, "GET", `/v1/conversations/${id}/events/${seq}/receipts`)).json;
    expect(receipts).toMatchObject({ memberCount: 1, deliveredCount: 0, readCount: 0 });
    expect((await ask(ann, "GET", "/v1/conversations")).json.conversations[0]).toMatchObject({ unread: 0, readSeq: 1 });
  });

  test("[BL-4] nor does the blocker hear of their reading, live or listed", async () => {
    const { ann, bob, id } = await pairUp();
    const [phone, theirs] = [await online(ann), await online(bob)];
    const seq = await say(ann, id, "mine");
    await until(() => theirs.texts.length === 1);
    await block(ann, bob);
    theirs.send({ type: "receipt", conversationId: id, delivered: seq, read: seq });
    await sleep(500);
    expect(phone.of("receipts")).toEqual([]);
    const [listed] = (await ask(ann, "GET", "/v1/conversations")).json.conversations;
    expect([listed.receipts, listed.ticks]).toEqual([undefined, undefined]);
  });

  test("[BL-5] neither sees the other's presence or typing any more", async () => {
    const { ann, bob, id } = await pairUp();
    const [phone, theirs] = [await online(ann), await online(bob)];
    const watch = async (socket: TestSocket, { user }: Session) =>
      (await socket.ask({ type: "watch", userIds: [user.userId] })) as Extract<ServerFrame, { type: "presence" }>;
    expect((await watch(theirs, ann)).users).toMatchObject([{ state: "online" }]);
    await block(ann, bob);
    await evictDurableObject(bindings.INBOXES.getByName(ann.user.userId));
    for (const [socket, other] of [
      [phone, bob],
      [theirs, ann],
    ] as const)
      expect((await watch(socket, other)).users).toEqual([{ userId: other.user.userId, state: "unknown" }]);
    for (const [socket, other] of [
      [phone, theirs],
      [theirs, phone],
    ] as const) {
      socket.send({ type: "typing", conversationId: id, active: true });
      await sleep(100);
      expect(other.of("typing")).toEqual([]);
    }
    expect((await ask(bob, "GET", `/v1/users/${ann.user.userId}`)).json.presence).toBeUndefined();
    await unblock(ann, bob);
    expect((await watch(theirs, ann)).users).toMatchObject([{ state: "online" }]);
  });

  test("[BL-6] the two are contacts no more; who is blocked may ask and is not heard", async () => {
    const { ann, bob } = await pairUp();
    const put = (me: Session, { user }: Session) => ask(me, "PUT", `/v1/contacts/${user.userId}`);
    const contacts = async (me: Session) => (await ask(me, "GET", "/v1/contacts")).json.contacts;
    await put(ann, bob);
    await put(bob, ann);
    await block(ann, bob);
    expect([await contacts(ann), await contacts(bob)]).toEqual([[], []]);
    expect((await put(bob, ann)).json).toMatchObject({ state: "requested" });
    expect([await contacts(ann), (await contacts(bob)).length]).toEqual([[], 1]);
    expect(await put(ann, bob)).toMatchObject({ status: 403, json: { code: "forbidden" } });
    await unblock(ann, bob);
    expect(await contacts(ann)).toMatchObject([{ state: "incoming" }]);
  });
});

test("[BL-3] who blocks cannot write to them; after unblocking they can", async () => {
  const { ann, bob, id } = await pairUp();
  await block(ann, bob);
  const events = `/v1/conversations/${id}/events`;
  const event = { kind: "message", content: { type: "text", text: "x" } };
  expect(await ask(ann, "POST", events, wishOf(event))).toMatchObject({ status: 403, json: { code: "forbidden" } });
  await unblock(ann, bob);
  expect((await ask(ann, "POST", events, wishOf(event))).json).toMatchObject({ seq: 1 });
});

test("[BL-7] blocking is a list of one's own, with an end; oneself and nobody are not on it", async () => {
  const [ann, bob, eve] = [await signUp(), await signUp(), await signUp()];
  for (let i = 0; i < 2; i++) expect((await block(ann, bob)).status).toBe(204);
  expect([await blocksOf(ann), await blocksOf(bob)]).toEqual([[bob.user.userId], []]);
  expect(await block(ann, ann)).toMatchObject({ status: 400 });
  expect(await block(ann, { user: { userId: ulid() } })).toMatchObject({ status: 404 });
  for (const userId of [ann.user.userId, ulid(), eve.user.userId])
    expect((await unblock(ann, { user: { userId } })).status).toBe(204);
  for (let i = 0; i < 2; i++) expect((await unblock(ann, bob)).status).toBe(204);
  expect(await blocksOf(ann)).toEqual([]);
  await bindings.DIRECTORY.prepare("INSERT INTO blocks SELECT ?1, 'x' || value FROM json_each(?2)")
    .bind(eve.user.userId, JSON.stringify(Array.from({ length: LIMITS.blocks }, (_, i) => i)))
    .run();
  expect(await block(eve, ann)).toMatchObject({ status: 409, json: { code: "too_many_blocks" } });
});

describe("the copies", () => {
  test("[BL-8] what fails half-way is unavailable, and a repeat finishes it", async () => {
    const { ann, bob, id } = await pairUp();
    const down = new InboxWire(async ({ method }) => {
      if (method === "setBlocked") throw CUT;
    });
    expect(await block(ann, bob, over(down))).toMatchObject({ status: 503 });
    expect((await block(ann, bob)).status).toBe(204);
    await say(bob, id, "hush");
    expect(await unblock(ann, bob, over(down))).toMatchObject({ status: 503 });
    expect((await unblock(ann, bob)).status).toBe(204);
    const seq = await say(bob, id, "fine");
    const { json } = await ask(ann, "GET", `/v1/conversations/${id}/events?after=0`);
    expect(json.events.map((event: { seq: number }) => event.seq)).toEqual([seq]);
    expect((await inbox(bob.user.userId).look(bob.user.userId, [ann.user.userId]))[0]?.state).toBe("offline");
  });

  test("[BL-8] however a block and an unblock cross, the copies end with what the row says", async () => {
    const { ann, bob, id } = await pairUp();
    const { open, passed } = gate();
    const { open: reached, passed: isReached } = gate();
    const slow = new InboxWire(async ({ method, args }) => {
      if (method !== "setBlocked" || args[1] !== true) return;
      reached();
      await passed;
    });
    const first = block(ann, bob, over(slow));
    await isReached;
    expect((await unblock(ann, bob)).status).toBe(204);
    open();
    expect((await first).status).toBe(204);
    for (let i = 0; i < 3; i++)
      await Promise.all([block(ann, bob), unblock(ann, bob), block(ann, bob), unblock(ann, bob)]);
    const blocked = (await blocksOf(ann)).length === 1;
    const sent = await ask(
      ann,
      "POST",
      `/v1/conversations/${id}/events`,
      wishOf({ kind: "message", content: { type: "text", text: "x" } }),
    );
    expect(sent.status).toBe(blocked ? 403 : 201);
    const [seen] = await inbox(bob.user.userId).look(bob.user.userId, [ann.user.userId]);
    expect(seen?.state).toBe(blocked ? "unknown" : "offline");
  });

  test("[BL-8] nobody but the conversation's members hides anything in it", async () => {
    const { id } = await pairUp();
    const eve = await signUp();
    const stub = bindings.CONVERSATIONS.getByName(id);
    expect(await stub.setBlock(eve.user.userId, true)).toMatchObject({ ok: false, code: "not_found" });
  });
});
