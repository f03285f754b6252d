import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterAll, expect, test } from "vitest";
import type { Env } from "../../src/platform/env.ts";
import type { MediaTicket, Session } from "../../src/protocol/http.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { signUp } from "../routes/support/accounts.ts";
import {
  ask,
  askUpload,
  face,
  faceWish,
  keyOf,
  openDirect,
  PICTURE,
  saying,
  setFace,
  sha256Of,
  showing,
} from "../routes/support/media.ts";
import { giveEnv, watchRows } from "./meters.ts";
import { bindings } from "./support.ts";

/**
 * What media costs, and what may be said of a message, counted where it is billed: rows of the objects' cursors and of D1's `meta`, one for
 * each `setAlarm`, a request for each call of an object and each alarm, and the store's operations (those of clients, too).
 */
const bill = { rows: 0, requests: 0, operations: 0 };
const acts: ({ act: string } & typeof bill)[] = [];

const counting = <T extends object>(target: T, wrap: (name: string, args: unknown[]) => unknown): T =>
  new Proxy(target, {
    get: (it, name) => {
      const member = Reflect.get(it, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => wrap(String(name), args) ?? member.apply(it, args);
    },
  });

const countingStatement = (statement: D1PreparedStatement): D1PreparedStatement =>
  counting(statement, (name, args) => {
    if (name === "bind") return countingStatement(statement.bind(...args));
    if (name !== "run" && name !== "all" && name !== "raw") return undefined;
    return statement.all<object>().then((answer) => {
      bill.rows += answer.meta.rows_written;
      return name === "raw" ? answer.results.map((row) => Object.values(row)) : answer; // which tells no `meta` itself
    });
  });
const countingDatabase = (database: D1Database): D1Database =>
  counting(database, (name, args) => {
    if (name === "prepare") return countingStatement(database.prepare(args[0] as string));
    if (name !== "batch") return undefined;
    return database.batch(args[0] as D1PreparedStatement[]).then((answers) => {
      for (const { meta } of answers) bill.rows += meta.rows_written;
      return answers;
    });
  });
const countingNamespace = <N extends object>(namespace: N): N =>
  counting(namespace, (name, args) => {
    if (name !== "getByName") return undefined;
    const stub = (Reflect.get(namespace, name) as (...a: unknown[]) => object).apply(namespace, args);
    return new Proxy(stub, {
      get:
        (it, method) =>
        (...rest: unknown[]) => {
          bill.requests += 1;
          return (Reflect.get(it, method) as (...a: unknown[]) => unknown)(...rest);
        },
    });
  });
const countingBucket = (bucket: R2Bucket): R2Bucket =>
  counting(bucket, (name, args) => {
    bill.operations += name === "resumeMultipartUpload" ? 0 : 1;
    if (name !== "resumeMultipartUpload") return undefined;
    const [key, uploadId] = args as [string, string];
    return counting(bucket.resumeMultipartUpload(key, uploadId), () => {
      bill.operations += 1;
    });
  });

/** History is written by `batch`, whose statements its own database has to have made. */
const historyOf = (database: D1Database): D1Database =>
  new Proxy(countingDatabase(database), {
    get: (it, name) => (name === "prepare" ? (query: string) => database.prepare(query) : Reflect.get(it, name)),
  });
const METERED: Env = {
  ...bindings,
  DIRECTORY: countingDatabase(bindings.DIRECTORY),
  HISTORY_0: historyOf(bindings.HISTORY_0),
  HISTORY_1: historyOf(bindings.HISTORY_1),
  CONVERSATIONS: countingNamespace(bindings.CONVERSATIONS),
  INBOXES: countingNamespace(bindings.INBOXES),
  MEDIA: countingBucket(bindings.MEDIA),
};

/** Puts meters on an object that is in memory. */
const meter = (stub: DurableObjectStub) =>
  runInDurableObject(stub, (object) => {
    const innards = object as unknown as Parameters<typeof watchRows>[0] & {
      env: Env;
      clock: { storage: DurableObjectStorage };
    };
    watchRows(innards, (cursor) => {
      bill.rows += cursor.rowsWritten;
    });
    innards.clock.storage = counting(innards.clock.storage, (name) => {
      if (name === "setAlarm") bill.rows += 1;
    });
    giveEnv(innards, METERED);
  });

/** The alarm, now. */
async function settle(id: ConversationId): Promise<void> {
  if (await runDurableObjectAlarm(bindings.CONVERSATIONS.getByName(id))) bill.requests += 1;
}

async function pair() {
  const [ann, bob] = [await signUp(), await signUp()];
  const id = await openDirect(ann, bob);
  await say(ann, id, { kind: "message", content: { type: "text", text: "warm up" } }, {});
  await settle(id);
  await meter(bindings.CONVERSATIONS.getByName(id));
  await meter(bindings.INBOXES.getByName(ann.user.userId));
  const userId: UserId = bob.user.userId;
  await meter(bindings.INBOXES.getByName(userId));
  return { ann, bob, id };
}

/** By HTTP; its seq. */
async function say(who: Session, id: ConversationId, event: object, changed: object = METERED): Promise<number> {
  const sent = await ask(who, "POST", `/v1/conversations/${id}/events`, { ...saying({}), event }, changed);
  if (sent.status !== 201) throw new Error(JSON.stringify(sent.json));
  return sent.json.seq;
}

async function costOf(act: string, run: () => Promise<void>): Promise<typeof bill> {
  Object.assign(bill, { rows: 0, requests: 0, operations: 0 });
  await run();
  acts.push({ act, ...bill });
  return { ...bill };
}

/** Ann's picture, from asking where to put it. */
async function showPicture(ann: Session, id: ConversationId): Promise<number> {
  const { upload, mediaId } = (await ask(ann, "POST", "/v1/media", await wishFor(id), METERED)).json as MediaTicket;
  if (upload) await METERED.MEDIA.put(keyOf(upload.url), PICTURE);
  return say(ann, id, { kind: "message", content: showing(mediaId) });
}
const wishFor = async (conversationId: ConversationId) => ({
  conversationId,
  contentType: "image/png",
  bytes: PICTURE.length,
  sha256: await sha256Of(PICTURE),
});

test("[MD-13] [LM-25] a picture writes five rows more than a text; its recall a row more than that of a text", async () => {
  const { ann, id } = await pair();
  const text = await costOf("text by HTTP to a parked peer, history included", async () => {
    await say(ann, id, { kind: "message", content: { type: "text", text: "hello" } });
    await settle(id);
  });
  let seq = 0;
  const picture = await costOf("picture: asked for, put, sent; history included", async () => {
    seq = await showPicture(ann, id);
    await settle(id);
  });
  expect(picture.rows - text.rows).toBe(5); // its row with three index entries, and the claim
  expect(picture.operations).toBe(3); // looked for, put, looked at
  const recall = await costOf("recall of a picture, history and bucket included", async () => {
    await say(ann, id, { kind: "recall", targetSeq: seq });
    await settle(id);
  });
  expect(recall.rows).toBe(5 + 4 + 1);
  expect(recall.operations).toBe(1);
  expect((await askUpload(ann, id)).upload).toBeDefined();
});

test("[PF-8] a person's own picture writes seven rows with its upload, replacing it three more, and looking at it none", async () => {
  const { ann, bob } = await pair();
  const set = async (word: string) => {
    const { upload, mediaId } = (await ask(ann, "POST", "/v1/media", await faceWish(face(word)), METERED))
      .json as MediaTicket;
    if (upload) await METERED.MEDIA.put(keyOf(upload.url), face(word).bytes ?? PICTURE);
    expect((await setFace(ann, mediaId, {}, METERED)).status).toBe(200);
    return mediaId;
  };
  const first = await costOf("a picture of one's own: asked for, put, set", async () => {
    await set("first");
  });
  expect(first).toEqual({ rows: 4 + 1 + 1 + 1, requests: 1, operations: 3 }); // media, its claim, the profile, the inbox's copy
  let mediaId = "";
  const next = await costOf("a picture of one's own: replaced", async () => {
    mediaId = await set("next");
  });
  expect(next).toEqual({ rows: 7 + 1 + 2, requests: 1, operations: 4 }); // and the one before goes
  const seen = await costOf("a picture of somebody: asked where it is", async () => {
    expect((await ask(bob, "GET", `/v1/users/${ann.user.userId}`, undefined, METERED)).json.avatarMediaId).toBe(
      mediaId,
    );
    expect((await ask(bob, "GET", `/v1/media/${mediaId}?as=url`, undefined, METERED)).status).toBe(200);
  });
  expect([seen.rows, seen.operations]).toEqual([0, 0]);
});

test("[MD-24] an upload in parts writes two rows besides those of its media, and one each time parts are told", async () => {
  const { ann, id } = await pair();
  const pieces = [1, 2, 3, 4, 5].map((n) => new Uint8Array(n < 5 ? LIMITS.partBytes : 1_000).fill(n));
  const bytes = 4 * LIMITS.partBytes + 1_000;
  const parts = await Promise.all(pieces.map(async (piece) => md5Of(piece)));
  const wish = { ...(await wishFor(id)), contentType: "video/mp4", bytes, parts };
  const cost = await costOf(
    `upload of ${pieces.length} parts: asked for, each put and told, put together`,
    async () => {
      const { mediaId, parted } = (await ask(ann, "POST", "/v1/media", wish, METERED)).json as MediaTicket;
      const url = new URL(parted?.parts[0]?.url ?? "");
      const store = METERED.MEDIA.resumeMultipartUpload(keyOf(url.href), url.searchParams.get("uploadId") ?? "");
      for (const [i, piece] of pieces.entries()) {
        const { etag } = await store.uploadPart(i + 1, piece);
        await ask(ann, "POST", `/v1/media/${mediaId}/upload/parts`, { parts: [{ part: i + 1, etag }] }, METERED);
      }
      expect((await ask(ann, "POST", `/v1/media/${mediaId}/upload/complete`, undefined, METERED)).status).toBe(204);
    },
  );
  expect(cost.rows).toBe(pieces.length + 4 + 2); // its media, and the upload, which comes and goes
  expect(cost.operations).toBe(pieces.length + 5); // looked for twice, begun, put together, looked at
});
async function md5Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("MD5", bytes))));
}

test("[LM-25] a reaction writes what a text does, an edit or recall a row more; a recall four more for every event whose words go", async () => {
  const { ann, bob, id } = await pair();
  const seq = await say(ann, id, { kind: "message", content: { type: "text", text: "hello" } });
  await settle(id);
  const late: [string, Session, object, number][] = [
    [
      "edit of a text, history included",
      ann,
      { kind: "edit", targetSeq: seq, content: { type: "text", text: "hi" } },
      5,
    ],
    ["reaction, history included", bob, { kind: "reaction", targetSeq: seq, emoji: "👍" }, 4],
    ["recall of a text that was edited once, history included", ann, { kind: "recall", targetSeq: seq }, 5 + 2 * 4],
  ];
  for (const [act, who, event, writes] of late) {
    const { rows } = await costOf(act, async () => {
      await say(who, id, event);
      await settle(id);
    });
    expect(rows, act).toBe(writes);
  }
});

test("[LM-25] a message that disappears writes two rows more when it is sent, and four when it is over", async () => {
  const { ann, id } = await pair();
  await bindings.CONVERSATIONS.getByName(id).set(ann.user.userId, { retentionMs: 60 * 60_000 });
  await settle(id);
  const sent = await costOf("text that will disappear, history included", async () => {
    await say(ann, id, { kind: "message", content: { type: "text", text: "hello" } });
    await settle(id);
  });
  expect(sent.rows).toBe(4 + 2); // an index entry, and the alarm for it
  await runInDurableObject(bindings.CONVERSATIONS.getByName(id), (_, { storage: { sql } }) => {
    const later = "UPDATE log SET expires_at = expires_at - ?1, body = json_set(body, '$.expiresAt', expires_at - ?1)";
    sql.exec(`${later} WHERE expires_at NOT NULL`, 61 * 60_000);
  });
  const { rows } = await costOf("expiry of a message, history included", () => settle(id));
  expect(rows).toBe(4);
});

afterAll(() => {
  for (const act of acts) console.log(`COST ${JSON.stringify(act)}`);
});
