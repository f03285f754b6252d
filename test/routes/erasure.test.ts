import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, expect, test } from "vitest";
import { SETTLES_MS } from "../../src/domain/erasure.ts";
import { Event } from "../../src/protocol/events.ts";
import { Erasure, type Session } from "../../src/protocol/http.ts";
import { bindings, conversation, inbox, newKey, TestSocket, text, until } from "../objects/support.ts";
import { ask as accounts, codeOf, PASSWORD, refresh, signIn, signUp, WholeSession } from "./support/accounts.ts";
import {
  backToNow,
  buildWorld,
  eraseMe,
  finish,
  hersAnywhere,
  inboxStub,
  later,
  logFor,
  operate,
  othersWork,
  planOf,
  recordOf,
  rowsOf,
  scan,
} from "./support/erasure.ts";
import { see } from "./support/media.ts";
import { ask, say, settle } from "./support/worker.ts";

afterEach(backToNow);

test("[ER-2] [ER-7] [ER-8] [ER-9] [ER-12] a person is gone from every table, object and bucket, and others' work is as it was", async () => {
  const world = await buildWorld();
  const { ann, bob, direct } = world;
  const { userId } = ann.user;
  expect(await hersAnywhere(world)).toEqual(
    expect.arrayContaining(["DIRECTORY.identities", "DIRECTORY.users", "conversation.log", "inbox.subscriptions"]),
  );
  const before = await othersWork(world);
  const bobs = await TestSocket.caughtUp(bob.user.userId, bob.device.deviceId);
  const begun = await eraseMe(ann);
  expect(begun).toMatchObject({ status: 202, json: { userId, state: "erasing", askedBy: "user" } });
  await until(() => world.socket.closed === 4001);
  await finish(world);
  expect(await hersAnywhere(world)).toEqual([]);
  expect(await othersWork(world)).toEqual(before);
  const record = await recordOf(userId);
  expect(record).toMatchObject({ state: "done", rescan: { remaining: {} } });
  expect(Object.values(record.rescan?.remaining ?? {}).filter((n) => n !== 0)).toEqual([]);
  expect(record.counts).toMatchObject({
    ...{ accounts: 1, identities: 1, devices: 1, contacts: 2, blocks: 2, pushEndpoints: 1, invites: 1 },
    ...{ conversations: 5, messages: 24, edits: 1, reactions: 1, historyRows: 24, mediaRows: 2, bucketObjects: 2 },
  });
  expect(record.counts.searchEntries).toBeGreaterThan(0);
  expect(await rowsOf(inboxStub(userId))).toEqual([]);
  await until(() =>
    bobs.frames.some((f) => f.type === "events" && f.events.some((e) => e.kind === "member" && e.erased)),
  );
  for (const event of await logFor(bob, direct)) expect(() => Event.parse(event)).not.toThrow();
});

test("[ER-9] the user's id and devices' ids stay in tombstones, membership and others' mentions alone", async () => {
  const world = await buildWorld();
  const { ann, bob, group } = world;
  await ask(bob, "POST", `/v1/conversations/${group}/events`, {
    ...{ idempotencyKey: world.key, composedAt: 1, sentAt: 1 },
    event: { kind: "message", content: { type: "text", text: "hi", mentions: [ann.user.userId] } },
  });
  await eraseMe(ann);
  await finish(world);
  const shards = (places: string[]) => [...new Set(places.map((place) => place.replace(/HISTORY_\d/, "HISTORY")))];
  expect(shards(await scan([ann.user.userId]))).toEqual([
    "DIRECTORY.contacts", // whose contact they were, for as long as what has ended is told
    "DIRECTORY.erasures", // the record
    "HISTORY.events", // as in the log
    "conversation.erased", // that nothing of theirs is taken any more
    "conversation.log", // the sender of tombstones, who is named by membership events, and whom others mention
    "conversation.members", // who the other one of a direct conversation was, and since when
  ]);
  expect(shards(await scan([ann.device.deviceId]))).toEqual(["HISTORY.events", "conversation.log"]); // tombstones
});

test("[ER-1] a stranger, a wrong password, none, and the proof of somebody else are refused, and nothing is begun", async () => {
  const [ann, bob] = [await signUp(), await signUp(undefined, "another password")];
  expect(await eraseMe(ann, "wrong password")).toMatchObject({ status: 401, json: { code: "invalid_credentials" } });
  expect(await eraseMe(ann, "another password")).toMatchObject({ status: 401 });
  for (const body of [
    undefined,
    {},
    { password: PASSWORD, token: "x" },
    { password: PASSWORD, more: 1 },
    { password: "" },
  ])
    expect((await ask(ann, "DELETE", "/v1/me", body)).json.code).toBe("invalid_request");
  expect((await ask(ann, "DELETE", "/v1/me", { token: "x.y.z" })).json.code).toBe("invalid_credentials");
  const nobody = { ...ann, accessToken: "x" };
  expect((await eraseMe(nobody)).json.code).toBe("unauthenticated");
  for (const token of [ann.accessToken, "x"])
    for (const [method, path] of [
      ["DELETE", `/v1/operator/users/${ann.user.userId}`],
      ["GET", `/v1/operator/erasures/${ann.user.userId}`],
      ["GET", "/v1/operator/erasures"],
    ] as const)
      expect((await operate(method, path, token)).status).toBe(401);
  expect((await ask(ann, "GET", "/v1/me")).status).toBe(200);
  expect((await operate("GET", `/v1/operator/erasures/${ann.user.userId}`)).status).toBe(404);
  expect(await planOf(ann.user.userId)).toBeUndefined();
  for (let guess = 0; guess < 30; guess++) await eraseMe(bob, `guess ${guess}`);
  expect((await eraseMe(bob, "another password")).status).toBe(401); // [AC-16] too many guesses: the right one is refused, too
});

test("[ER-16] a refresh token of theirs is told of the erasure; a revoked device and a forged token are told nothing of it", async () => {
  const world = await buildWorld();
  const { ann, bob, handle } = world;
  const other = WholeSession.parse((await signIn(handle)).json);
  await accounts("DELETE", `/v1/me/devices/${other.device.deviceId}`, { token: ann.accessToken });
  const before = await refresh(other.refreshToken);
  expect(before).toMatchObject({ status: 401, json: { code: "device_revoked" } });
  expect(before.json).not.toHaveProperty("erased");
  await eraseMe(ann);
  for (const { refreshToken } of [ann, other])
    expect(await refresh(refreshToken)).toMatchObject({ status: 401, json: { code: "device_revoked", erased: true } });
  for (const forged of [`${ann.refreshToken}x`, ann.accessToken, bob.refreshToken.slice(0, -2)])
    expect((await refresh(forged)).json).not.toHaveProperty("erased");
  expect((await ask(ann, "GET", "/v1/me")).json).not.toHaveProperty("erased"); // an access token is asked for much more often
  await finish(world);
});

test("[ER-2] at once: no sign-in, no token, no profile, no contact; and a repeat is harmless", async () => {
  const world = await buildWorld();
  const { ann, bob, handle } = world;
  const { userId } = ann.user;
  await eraseMe(ann);
  expect(codeOf(await signIn(handle))).toBe("invalid_credentials");
  expect(codeOf(await refresh(ann.refreshToken))).toBe("device_revoked");
  expect((await ask(ann, "GET", "/v1/me")).json.code).toBe("device_revoked");
  expect((await ask(bob, "GET", `/v1/users/${userId}`)).status).toBe(404);
  expect((await ask(bob, "GET", `/v1/users?handle=${handle}`)).status).toBe(404);
  expect((await ask(bob, "PUT", `/v1/contacts/${userId}`)).status).toBe(404);
  expect((await ask(bob, "PUT", `/v1/conversations/direct/${userId}`)).status).toBe(404);
  const begunAt = (await recordOf(userId)).begunAt;
  expect((await operate("DELETE", `/v1/operator/users/${userId}`)).status).toBe(202);
  expect((await recordOf(userId)).begunAt).toBe(begunAt);
  await finish(world);
  expect((await operate("DELETE", `/v1/operator/users/${userId}`)).text).toContain('"state":"done"');
  expect(await planOf(userId)).toBeUndefined();
});

test("[ER-3] the handle is nobody's any more", async () => {
  const world = await buildWorld();
  await eraseMe(world.ann);
  const body = {
    handle: world.handle.toUpperCase(),
    password: PASSWORD,
    displayName: "Impostor",
    device: { name: "x" },
  };
  expect(codeOf(await accounts("POST", "/v1/auth/sign-up", { body }))).toBe("handle_taken");
  await finish(world);
  expect(codeOf(await accounts("POST", "/v1/auth/sign-up", { body }))).toBe("handle_taken");
  expect(await scan([world.handle])).toEqual([]);
});

test("[ER-10] the other one of a direct conversation keeps what they said; the list and the conversation survive the missing profile", async () => {
  const world = await buildWorld();
  const { ann, bob, eve, direct } = world;
  await eraseMe(ann);
  await finish(world);
  const { json } = await ask(bob, "GET", "/v1/conversations");
  const listed = json.conversations.find((c: { conversationId: string }) => c.conversationId === direct);
  expect(listed).toMatchObject({ kind: "direct", peer: { userId: ann.user.userId }, lastEvent: { erased: true } });
  expect(listed.peer).not.toHaveProperty("handle");
  const described = await ask(bob, "GET", `/v1/conversations/${direct}`);
  expect(described.json.conversation.members).toMatchObject([{ userId: bob.user.userId }]);
  const log = await logFor(bob, direct);
  expect(log.find((e) => e.senderId === bob.user.userId)).toMatchObject({ content: { text: "bob stays" } });
  expect((await ask(bob, "GET", "/v1/contacts")).json.contacts).toEqual([]);
  expect((await ask(eve, "GET", "/v1/blocks")).json.blocks).toEqual([]);
  expect((await ask(bob, "GET", `/v1/search?q=xyzzyzebra`)).json.hits).toEqual([]);
  expect((await see(bob, world.picture)).status).toBe(404);
  expect((await see(bob, world.bobs)).status).toBe(200);
  expect((await say(bob, direct, "anybody there?")) > 0).toBe(true);
});

test("[ER-11] the group of a last admin goes to who has been in it longest, their invites let in nobody, and they come back by none", async () => {
  const world = await buildWorld();
  const { ann, bob, cara, group } = world;
  const { json: invite } = await ask(ann, "POST", `/v1/conversations/${group}/invites`, { readmits: true });
  await eraseMe(ann);
  await finish(world);
  const { conversation } = (await ask(cara, "GET", `/v1/conversations/${group}`)).json;
  expect(conversation.members).toMatchObject([
    { userId: bob.user.userId, role: "admin" },
    { userId: cara.user.userId, role: "member" },
  ]);
  expect((await ask(await signUp(), "POST", `/v1/invites/${invite.code}/join`)).status).toBe(404);
  expect((await ask(bob, "PUT", `/v1/conversations/${group}/members/${ann.user.userId}`, {})).status).toBe(404);
  const past = await logFor(bob, world.past);
  expect(past.at(-1)).toMatchObject({ kind: "member", change: "left", erased: true });
});

test("[ER-4] what is said by a device that is still on its way, or put into a conversation meanwhile, does not survive", async () => {
  const world = await buildWorld();
  const { ann, bob, direct, group } = world;
  const { userId } = ann.user;
  await eraseMe(ann);
  expect((await inbox(userId).send(direct, wish(ann, "late xyzzyzebra"))) satisfies unknown).toMatchObject({
    code: "device_revoked",
  });
  const append = (call: number) =>
    conversation(group).append(userId, {
      commands: [wish(ann, "late xyzzyzebra")],
      aloneAs: null,
      confirmed: [],
      call,
    });
  expect(await append(Date.now() * 1_000)).toMatchObject([{ ok: true }]); // it had left the inbox before
  await settle(group);
  await finish(world);
  expect(await append(Date.now() * 1_001)).toMatchObject([{ code: "not_member" }]);
  expect(await conversation(group).pull(userId, { devices: 1, held: null }, 0, 10)).toMatchObject({
    code: "not_found",
  });
  expect(await hersAnywhere(world)).toEqual([]);
  expect((await ask(bob, "GET", `/v1/conversations/${group}`)).status).toBe(200);
});

test("[ER-6] media that is uploaded with a URL from before goes, too, and what a token still makes meanwhile", async () => {
  const world = await buildWorld();
  const { ann, bob } = world;
  const { userId } = ann.user;
  await eraseMe(ann);
  const key = await bindings.DIRECTORY.prepare("SELECT object_key FROM media WHERE user_id = ?")
    .bind(userId)
    .first<string>("object_key");
  const round = async () => {
    const plan = await planOf(userId);
    if (plan && plan.dueAt > Date.now()) later(plan.dueAt - Date.now() + 1);
    await runDurableObjectAlarm(inboxStub(userId));
  };
  await round();
  await bindings.MEDIA.put(key ?? "", "late bytes"); // a signed URL is good for a quarter of an hour
  await bindings.DIRECTORY.prepare(
    "INSERT INTO contacts VALUES (?1, ?2, NULL, 1, 1, 0) ON CONFLICT DO UPDATE SET ended = 0",
  )
    .bind(...[userId, bob.user.userId].sort())
    .run();
  await finish(world);
  expect(await bindings.MEDIA.head(key ?? "")).toBeNull();
  expect((await recordOf(userId)).counts).toMatchObject({ contacts: 3, mediaRows: 2 });
  expect(await scan([key ?? ""])).toEqual([]);
});

test("[ER-14] the operator erases whom they name, sees how far it is, and lists those under way", async () => {
  const people = [await signUp(), await signUp(), await signUp()];
  const [one, two] = people as [Session, Session, Session];
  for (const { user } of [one, two]) {
    const begun = await operate("DELETE", `/v1/operator/users/${user.userId}`);
    expect([begun.status, Erasure.parse(JSON.parse(begun.text))]).toMatchObject([
      202,
      { state: "erasing", askedBy: "operator", rounds: 0 },
    ]);
  }
  expect((await operate("DELETE", `/v1/operator/users/${one.device.deviceId}`)).status).toBe(404);
  const listed = async (cursor = "") => {
    const page = JSON.parse((await operate("GET", `/v1/operator/erasures${cursor}`)).text);
    return page.erasures.map((erasure: { userId: string }) => erasure.userId);
  };
  const ids = [one, two].map(({ user }) => user.userId);
  expect(await listed()).toEqual(expect.arrayContaining(ids));
  expect(await listed(`?cursor=${ids.toSorted()[0]}`)).not.toContain(ids.toSorted()[0]);
  await expect.poll(async () => (await recordOf(one.user.userId)).state).toBe("settling");
  const settling = await recordOf(one.user.userId);
  expect(settling).toMatchObject({ state: "settling", rounds: 1, counts: { accounts: 1, devices: 1 } });
  expect(JSON.stringify(settling)).not.toContain(one.user.handle);
  later(SETTLES_MS + 1_000);
  await runDurableObjectAlarm(inboxStub(one.user.userId));
  backToNow();
  await expect.poll(async () => (await recordOf(one.user.userId)).state).toBe("done");
  expect(await recordOf(one.user.userId)).toMatchObject({ rounds: 2 });
  expect(await listed()).not.toContain(one.user.userId);
  expect((await ask(people[2] as Session, "GET", "/v1/me")).status).toBe(200);
});

function wish(who: Session, words: string) {
  const now = Date.now();
  return {
    ...{
      userId: who.user.userId,
      deviceId: who.device.deviceId,
      idempotencyKey: newKey(),
      composedAt: now,
      sentAt: now,
    },
    event: text(words),
  };
}
