import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import * as fc from "fast-check";
import { ulid } from "ulid";
import { describe, expect, test, vi } from "vitest";
import { DOORS, type Session, type StarredMessage } from "../../src/protocol/http.ts";
import type { ConversationId, DeviceId } from "../../src/protocol/ids.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { InboxStore } from "../../src/storage/inbox-store.ts";
import { bindings, newDeviceId, newUserId, TestSocket, until } from "../objects/support.ts";
import { signUp } from "./support/accounts.ts";
import { ask, groupOf, openPair, pairUp, say, wishOf } from "./support/worker.ts";

const on =
  (method: string) =>
  (me: Session, id: ConversationId, seq: number): Promise<{ status: number; json: { code: string } | null }> =>
    ask(me, method, `/v1/conversations/${id}/events/${seq}/star`);
const [star, unstar] = [on("PUT"), on("DELETE")];
const codeOf = async (answer: ReturnType<typeof star>) => {
  const { status, json } = await answer;
  return json?.code ?? status;
};
const page = async (me: Session, query = "") => {
  const { status, json } = await ask(me, "GET", `/v1/stars${query}`);
  expect(status).toBe(200);
  return DOORS.stars.answers[200].parse(json);
};
const textsOf = (stars: StarredMessage[]) =>
  stars.map(({ event, edit }) => {
    const { content } = edit ?? event;
    return content.type === "text" ? content.text : content.type;
  });
const listed = async (me: Session) => textsOf((await page(me)).stars);
const online = (me: Session, deviceId: DeviceId = newDeviceId(), cursor: string | null = null) =>
  TestSocket.caughtUp(me.user.userId, deviceId, cursor);
const wish = (me: Session, id: ConversationId, event: object) =>
  ask(me, "POST", `/v1/conversations/${id}/events`, wishOf(event));
const evict = ({ user }: Session, webSockets?: "close") =>
  evictDurableObject(bindings.INBOXES.getByName(user.userId), webSockets ? { webSockets } : {}).catch(() => {});

/** The stars of a conversation, as a device knows them that has heard all of these frames. */
function knownBy(frames: TestSocket["frames"], id: ConversationId, before: number[] = []): number[] {
  let known = before;
  for (const frame of frames) {
    const told = frame.type === "changed" || frame.type === "self" ? (frame.conversations ?? []) : [];
    for (const one of told) {
      if (one.conversationId !== id) continue;
      if (frame.type === "changed" && "head" in one) known = ("starred" in one && one.starred) || [];
      if (frame.type === "self" && "starred" in one && one.starred) known = one.starred;
    }
  }
  return known;
}

describe("starring", () => {
  test("[ST-1] a star is one's own, kept once however often it is put, and listed with its message, newest first", async () => {
    const { ann, bob, id } = await pairUp();
    const seqs = [await say(bob, id, "one"), await say(ann, id, "two"), await say(bob, id, "three")];
    for (const seq of [...seqs, seqs[0] as number]) expect((await star(ann, id, seq)).status).toBe(204);
    const { stars, incomplete } = await page(ann);
    expect([textsOf(stars), incomplete]).toEqual([["three", "two", "one"], false]);
    expect(stars[0]).toMatchObject({ conversationId: id, seq: seqs[2], event: { senderId: bob.user.userId } });
    expect(stars[0]?.starredAt).toBeGreaterThan(Date.now() - 60_000);
    expect(await listed(bob)).toEqual([]);
    await evict(ann);
    for (let i = 0; i < 2; i++) expect((await unstar(ann, id, seqs[1] as number)).status).toBe(204);
    expect(await listed(ann)).toEqual(["three", "one"]);
    expect((await star(ann, id, seqs[1] as number)).status).toBe(204);
    expect(await listed(ann)).toEqual(["two", "three", "one"]);
  });

  test("[ST-1] pages of stars, from several conversations, without gap or repeat", async () => {
    const ann = await signUp();
    const [bob, cat] = [await signUp(), await signUp()];
    const ids = [await openPair(bob, ann), await openPair(cat, ann), await groupOf(bob, ann)];
    for (let i = 0; i < 9; i++) {
      const [id, by] = [ids[i % 3] as ConversationId, i % 3 === 1 ? cat : bob];
      await star(ann, id, await say(by, id, `${i}`));
    }
    const seen: string[] = [];
    for (let query: string | undefined = "?limit=4"; query; ) {
      const { stars, cursor } = await page(ann, query);
      seen.push(...textsOf(stars));
      query = cursor && `?limit=4&cursor=${cursor}`;
    }
    expect(seen).toEqual(["8", "7", "6", "5", "4", "3", "2", "1", "0"]);
    for (const query of ["?cursor=x", "?cursor=0", "?limit=0", "?limit=101"])
      expect((await ask(ann, "GET", `/v1/stars${query}`)).json.code).toBe("invalid_request");
  });

  test("[ST-2] strangers are told not_found, and so is who does not see the message; what is gone cannot be starred", async () => {
    const [ann, bob, carol, eve] = [await signUp(), await signUp(), await signUp(), await signUp()];
    const id = await groupOf(ann, bob, carol);
    const before = await say(bob, id, "before");
    await ask(ann, "DELETE", `/v1/conversations/${id}/members/${carol.user.userId}`);
    const after = await say(bob, id, "after");
    for (const door of [star, unstar]) expect(await codeOf(door(eve, id, before))).toBe("not_found");
    expect(await codeOf(star(carol, id, before))).toBe(204); // hers to read, hers to star
    expect(await codeOf(star(carol, id, after))).toBe("not_found");
    for (const seq of [1, 999]) expect(await codeOf(star(ann, id, seq))).toBe("not_found"); // no message
    await wish(bob, id, { kind: "recall", targetSeq: after });
    expect(await codeOf(star(ann, id, after))).toBe("too_late");
    const unknown = `g${ulid()}` as ConversationId;
    for (const door of [star, unstar]) expect(await codeOf(door(ann, unknown, 1))).toBe("not_found");
    expect(await listed(carol)).toEqual(["before"]);
    const signedOut = { ...ann, accessToken: "x" };
    for (const answer of [star(signedOut, id, before), unstar(signedOut, id, before)])
      expect(await codeOf(answer)).toBe("unauthenticated");
  });

  test("[ST-2] what a blocked person says is not there to be starred", async () => {
    const { ann, bob, id } = await pairUp();
    await ask(ann, "PUT", `/v1/blocks/${bob.user.userId}`);
    expect(await codeOf(star(ann, id, await say(bob, id, "hush")))).toBe("not_found");
  });

  test("[ST-4] the list shows what is so now; what is recalled, expired or cleared is in it no more, and makes room", async () => {
    const { ann, bob, id } = await pairUp();
    const [edited, recalled] = [await say(bob, id, "first"), await say(bob, id, "recalled")];
    await ask(bob, "PATCH", `/v1/conversations/${id}`, { retentionMs: 60_000 });
    const expiring = await say(bob, id, "expiring");
    for (const seq of [edited, recalled, expiring]) await star(ann, id, seq);
    await wish(bob, id, { kind: "edit", targetSeq: edited, content: { type: "text", text: "as edited" } });
    await wish(bob, id, { kind: "recall", targetSeq: recalled });
    const phone = await online(ann);
    expect(knownBy(phone.frames, id)).toEqual([edited, recalled, expiring]);
    expect(await listed(ann)).toEqual(["expiring", "as edited"]);
    await until(() => knownBy(phone.frames, id).length === 2); // its devices hear of it
    await runInDurableObject(bindings.CONVERSATIONS.getByName(id), async (object) => {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
      const shown = object.shown(ann.user.userId, [expiring]);
      vi.useRealTimers();
      expect(shown).toMatchObject({ value: [{ event: { content: { type: "gone", because: "expired" } } }] });
    });
    await ask(ann, "DELETE", `/v1/conversations/${id}`);
    expect(knownBy((await online(ann)).frames, id)).toEqual([]); // also before anybody lists them
    expect(await listed(ann)).toEqual([]);
    const left = await runInDurableObject(bindings.INBOXES.getByName(ann.user.userId), (_, { storage }) =>
      storage.sql.exec("SELECT * FROM stars").toArray(),
    );
    expect(left).toEqual([]);
  });

  test("[ST-5] a user stars at most 1,000 messages; letting one go makes room", async () => {
    const { ann, bob, id } = await pairUp();
    const seqs = [await say(bob, id, "a"), await say(bob, id, "b")] as [number, number];
    await star(ann, id, seqs[0]);
    await runInDurableObject(bindings.INBOXES.getByName(ann.user.userId), (_, { storage }) => {
      for (let i = 1; i < LIMITS.stars; i++) storage.sql.exec("INSERT INTO stars VALUES (?, 1, ?, 0)", `x${i}`, -i);
    });
    await evict(ann);
    expect(await codeOf(star(ann, id, seqs[1]))).toBe("too_many_stars");
    expect(await codeOf(star(ann, id, seqs[0]))).toBe(204);
    await unstar(ann, id, seqs[0]);
    expect(await codeOf(star(ann, id, seqs[1]))).toBe(204);
  });
});

describe("on all of one's devices", () => {
  test("[ST-3] the other devices are told at once, and one that was away finds the same stars", async () => {
    const { ann, bob, id } = await pairUp();
    const [one, two] = [await say(bob, id, "one"), await say(bob, id, "two")];
    const away = newDeviceId();
    const first = await online(ann, away);
    const cursor = first.cursor;
    first.socket.close(1000);
    const [phone, tablet] = [await online(ann), await online(ann)];
    await star(ann, id, two);
    await star(ann, id, one);
    for (const socket of [phone, tablet]) await until(() => knownBy(socket.frames, id).length === 2);
    expect(knownBy(phone.frames, id)).toEqual([one, two]);
    expect(phone.of("self").every(({ conversations }) => conversations?.every(({ mine }) => mine === undefined))).toBe(
      true,
    );
    const back = await online(ann, away, cursor);
    expect(knownBy(back.frames, id)).toEqual([one, two]);
    back.socket.close(1000);
    await evict(ann);
    await unstar(ann, id, one);
    await unstar(ann, id, two);
    expect(knownBy((await online(ann, away, back.cursor)).frames, id)).toEqual([]);
    const bobs = await online(bob);
    expect(knownBy(bobs.frames, id)).toEqual([]);
  });

  test("[ST-3] [IX-7] however stars, unstars, disconnections and evictions cross, every device ends with the stars of the list", async () => {
    const act = fc.record({
      does: fc.constantFrom("star", "star", "unstar", "leave", "come", "evict", "crash"),
      n: fc.nat(3),
      device: fc.nat(1),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 12 }), async (acts) => {
        const { ann, bob, id } = await pairUp();
        const seqs: number[] = [];
        for (let i = 0; i < 4; i++) seqs.push(await say(bob, id, `${i}`));
        const devices = [0, 1].map(() => ({
          deviceId: newDeviceId(),
          cursor: null as string | null,
          known: [] as number[],
          socket: null as TestSocket | null,
        }));
        const leave = (device: (typeof devices)[number]) => {
          if (!device.socket) return;
          device.known = knownBy(device.socket.frames, id, device.known);
          device.cursor = device.socket.cursor;
          if (device.socket.closed === undefined) device.socket.socket.close(1000);
          device.socket = null;
        };
        const come = async (device: (typeof devices)[number]) => {
          device.socket ??= await online(ann, device.deviceId, device.cursor);
        };
        for (const device of devices) await come(device);
        const asked: Promise<unknown>[] = [];
        for (const { does, n, device: which } of acts) {
          const device = devices[which] as (typeof devices)[number];
          const seq = seqs[n] as number;
          if (does === "star") asked.push(star(ann, id, seq));
          if (does === "unstar") await unstar(ann, id, seq);
          if (does === "leave") leave(device);
          if (does === "come") await come(device);
          if (does === "evict") await evict(ann);
          if (does === "crash") {
            for (const one of devices) leave(one);
            await evict(ann, "close");
          }
        }
        asked.push(...seqs.slice(0, 2).map((seq, i) => (i ? star : unstar)(ann, id, seq)));
        await Promise.all(asked);
        await new Promise((resolve) => setTimeout(resolve, 50));
        for (const device of devices) {
          await come(device);
          await device.socket?.ask({ type: "watch", userIds: [] }); // behind everything that was told
          const stars = (await page(ann)).stars.map(({ seq }) => seq).sort((a, b) => a - b);
          expect(knownBy(device.socket?.frames ?? [], id, device.known)).toEqual(stars);
          device.socket?.socket.close(1000);
        }
      }),
      { numRuns: 20 },
    );
  });
});

test("[ST-6] an inbox of before there were stars and versions of contacts opens, with what it holds", async () => {
  const [userId, friend, other] = [newUserId(), newUserId(), newUserId()];
  const stub = bindings.INBOXES.getByName(userId);
  await runInDurableObject(stub, async (_, { storage }) => {
    for (const table of [
      "CREATE TABLE facts (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL)",
      "CREATE TABLE devices (device_id TEXT PRIMARY KEY, revoked_at INTEGER) WITHOUT ROWID",
      "CREATE TABLE changes (conversation_id TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
      "CREATE TABLE self (what TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
      "CREATE TABLE mine (conversation_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
      "CREATE TABLE contacts (user_id TEXT PRIMARY KEY) WITHOUT ROWID",
      "CREATE TABLE subscriptions (device_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
      "CREATE TABLE watchers (user_id TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID",
      "CREATE TABLE blocked (user_id TEXT PRIMARY KEY) WITHOUT ROWID",
    ])
      storage.sql.exec(table);
    const profile = { displayName: "Old", privacy: { lastSeen: "contacts", readReceipts: "nobody" } };
    storage.sql.exec("INSERT INTO facts VALUES (1, 'epoch')");
    storage.sql.exec("INSERT INTO self VALUES ('profile', ?)", JSON.stringify(profile));
    storage.sql.exec("INSERT INTO contacts VALUES (?)", friend);
  });
  for (let life = 0; life < 2; life++) {
    await runInDurableObject(stub, (_, { storage }) => {
      const store = new InboxStore(storage.sql, () => "never");
      expect([store.epoch, store.people.isContact(friend), store.people.isContact(other)]).toEqual([
        "epoch",
        true,
        life === 1,
      ]);
      const privacy = {
        lastSeen: "contacts",
        readReceipts: "nobody",
        conversations: "everyone",
        findable: "everyone",
        picture: "everyone",
      };
      expect(store.privacy).toEqual(privacy);
      expect(store.people.setContact(friend, false, 0)).toBe(true); // one that carries no newer version than the old row had
      expect(store.people.setContact(friend, true, 0)).toBe(true);
      store.people.setContact(other, true, 7);
      expect(store.stars.all()).toHaveLength(life);
      if (life === 0) store.stars.put("d0" as ConversationId, 3, 1);
    });
  }
});
