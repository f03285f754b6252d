import { listDurableObjectIds, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";
import type { Plan } from "../../../src/domain/erasure.ts";
import type { Event } from "../../../src/protocol/events.ts";
import { Erasure, type Session } from "../../../src/protocol/http.ts";
import type { ConversationId, UserId } from "../../../src/protocol/ids.ts";
import worker from "../../../src/worker.ts";
import {
  bindings,
  command,
  conversation,
  inbox,
  newDeviceId,
  newKey,
  nextCall,
  TestSocket,
} from "../../objects/support.ts";
import { freshHandle, PASSWORD, signUp, type WholeSession } from "./accounts.ts";
import { PICTURE, showing, upload } from "./media.ts";
import { ask, groupOf, openPair, say, settle, wishOf } from "./worker.ts";

/** What is to be found nowhere afterwards. */
export const WORDS = ["xyzzyzebra", "plughquagga", "🦄"];

/** Everybody knows Ann, in every way there is. */
export type World = Awaited<ReturnType<typeof buildWorld>>;
export async function buildWorld() {
  const handle = `ann-${freshHandle()}-handle`;
  const [ann, bob, cara, dave, eve] = (await Promise.all([signUp(handle), signUp(), signUp(), signUp(), signUp()])) as [
    WholeSession,
    WholeSession,
    WholeSession,
    WholeSession,
    WholeSession,
  ];
  const id = (s: Session) => s.user.userId;
  await ask(ann, "PATCH", "/v1/me", { displayName: `Ann ${WORDS[0]}` });
  const direct = await openPair(ann, bob);
  const wish = (who: Session, where: ConversationId, event: object) =>
    ask(who, "POST", `/v1/conversations/${where}/events`, wishOf(event));
  const hers = await say(ann, direct, `${WORDS[0]} one`);
  const his = await say(bob, direct, "bob stays");
  await wish(ann, direct, { kind: "edit", targetSeq: hers, content: { type: "text", text: `${WORDS[1]} two` } });
  await wish(ann, direct, { kind: "reaction", targetSeq: his, emoji: "🦄" });
  await wish(bob, direct, { kind: "reaction", targetSeq: hers, emoji: "👍" });
  const picture = await upload(ann, direct);
  const told = { name: `${WORDS[0]}.png`, caption: `${WORDS[1]} caption`, thumbnail: "QUJD" };
  await wish(ann, direct, { kind: "message", content: { ...showing(picture), ...told } });
  const bobs = await upload(bob, direct); // the same bytes
  await wish(bob, direct, { kind: "message", content: { ...showing(bobs), caption: "bob's picture" } });
  await upload(ann, direct, { contentType: "image/gif" }); // never sent
  await settle(direct);
  await say(ann, direct, `${WORDS[0]} not shipped`);
  const group = await groupOf(ann, bob, cara);
  await sayMany(ann, group, `${WORDS[0]}`);
  await sayMany(cara, group, "cara");
  await ask(ann, "POST", `/v1/conversations/${group}/invites`, {});
  await settle(group);
  const past = await groupOf(bob, ann);
  await say(ann, past, `${WORDS[1]} in the past`);
  await ask(ann, "DELETE", `/v1/conversations/${past}/members/${id(ann)}`);
  await ask(ann, "PUT", `/v1/contacts/${id(bob)}`);
  await ask(bob, "PUT", `/v1/contacts/${id(ann)}`);
  await ask(cara, "PUT", `/v1/contacts/${id(ann)}`);
  await ask(ann, "PUT", `/v1/blocks/${id(dave)}`);
  await ask(eve, "PUT", `/v1/blocks/${id(ann)}`);
  await ask(ann, "PATCH", `/v1/conversations/${direct}/mine`, { pinned: true });
  const endpoint = { provider: "fcm", token: `${WORDS[0]}-token` } as const;
  await inbox(id(ann)).putSubscription(id(ann), ann.device.deviceId, { endpoint, preview: true });
  await bindings.DIRECTORY.prepare("INSERT INTO identities VALUES ('https://issuer.example', ?1, ?2)")
    .bind(`${WORDS[0]}-subject-${id(ann)}`, id(ann))
    .run();
  const socket = await TestSocket.caughtUp(id(ann), ann.device.deviceId);
  await socket.ask({ type: "watch", userIds: [id(bob)] });
  await inbox(id(bob)).watched({ viewerId: id(ann), lastSeen: "everyone", until: Date.now() + 60_000 });
  await TestSocket.caughtUp(id(bob), newDeviceId()); // so that his inbox has been made, and keeps the lease
  await inbox(id(bob)).watched({ viewerId: id(ann), lastSeen: "everyone", until: Date.now() + 60_000 });
  return { ann, bob, cara, dave, eve, direct, group, past, handle, socket, picture, bobs, key: newKey() };
}

/** Twenty messages in one call: enough for an entry of the index. */
async function sayMany({ user, device }: Session, id: ConversationId, words: string): Promise<void> {
  const commands = Array.from({ length: 20 }, (_, i) => command(user.userId, device.deviceId, `${words} ${i}`));
  await conversation(id).append(user.userId, { commands, aloneAs: null, confirmed: [], call: nextCall() });
}

/** Every value of every table of every store that holds one of these, by place. */
export async function scan(words: readonly string[]): Promise<string[]> {
  const places: [string, string][] = [];
  for (const shard of ["HISTORY_0", "HISTORY_1", "DIRECTORY"] as const)
    places.push(
      ...(await tablesOf(bindings[shard])).map(([table, all]): [string, string] => [`${shard}.${table}`, all]),
    );
  for (const [kind, namespace] of [
    ["inbox", bindings.INBOXES],
    ["conversation", bindings.CONVERSATIONS],
  ] as const)
    for (const objectId of await listDurableObjectIds(namespace as never))
      places.push(
        ...(await rowsOf(namespace.get(objectId) as never)).map(([t, all]): [string, string] => [`${kind}.${t}`, all]),
      );
  const { objects } = await bindings.MEDIA.list({ include: ["httpMetadata", "customMetadata"] });
  places.push(["bucket", JSON.stringify(objects)]);
  return [
    ...new Set(places.filter(([, all]) => words.some((word) => all.includes(word))).map(([place]) => place)),
  ].sort();
}
export const hersAnywhere = ({ handle, ann }: World): Promise<string[]> =>
  scan([...WORDS, handle, "QUJD", `${ann.user.userId}-subject`]);

async function tablesOf(db: D1Database): Promise<[string, string][]> {
  const { results } = await db
    .prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name <> 'texts'",
    )
    .all<{ name: string }>();
  return Promise.all(
    results.map(async ({ name }): Promise<[string, string]> => {
      const rows = await db.prepare(`SELECT * FROM "${name}"`).raw();
      return [name, rows.map((row) => row.map(asText).join(" ")).join("\n")];
    }),
  );
}
const asText = (value: unknown): string =>
  Array.isArray(value)
    ? String.fromCharCode(...(value as number[]))
    : typeof value === "string"
      ? value
      : JSON.stringify(value);

export function rowsOf(stub: DurableObjectStub): Promise<[string, string][]> {
  return runInDurableObject(stub, (_, { storage: { sql } }) => {
    const tables = sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").toArray();
    const own = tables.filter(({ name }) => !name.startsWith("_cf") && !name.startsWith("sqlite_"));
    return own.map(({ name }): [string, string] => [
      name,
      JSON.stringify(sql.exec(`SELECT * FROM "${name}"`).toArray()),
    ]);
  });
}

export const inboxStub = (userId: UserId): DurableObjectStub => bindings.INBOXES.getByName(userId) as never;
export const conversationStub = (id: ConversationId): DurableObjectStub =>
  bindings.CONVERSATIONS.getByName(id) as never;

// biome-ignore lint/suspicious/noExplicitAny: tests reach inside, to inject faults
export type Inside = any;
export const inside = <T>(
  userId: UserId,
  act: (object: Inside, state: DurableObjectState) => T | Promise<T>,
): Promise<T> => runInDurableObject(inboxStub(userId), act as never) as Promise<T>;
export const planOf = (userId: UserId): Promise<Plan | undefined> => inside(userId, (object) => object.store.erasure);

/** So many ms later, by every clock. Timers go on as they are. */
export function later(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}
export const backToNow = (): void => void vi.useRealTimers();

/** Runs the alarms of the erasure, and of the conversations, until it is done. `before`: what happens before each. */
export async function finish(world: World, before: () => Promise<unknown> = async () => {}): Promise<void> {
  const { userId } = world.ann.user;
  for (let rounds = 0; rounds < 40; rounds++) {
    const plan = await planOf(userId);
    if (!plan) return backToNow();
    if (plan.dueAt > Date.now()) later(plan.dueAt - Date.now() + 1);
    await before();
    await runDurableObjectAlarm(inboxStub(userId));
    for (const id of [world.direct, world.group, world.past]) await settle(id);
  }
  throw new Error(`never done: ${JSON.stringify(await planOf(userId))}`);
}

export const OPERATOR = "operator-token-of-the-tests";
export async function operate(method: string, path: string, token = OPERATOR, body?: object) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
  const response = await worker.fetch(new Request(`https://edgewise.test${path}`, init), bindings);
  const words = await response.text();
  return { status: response.status, text: words, headers: response.headers };
}
export async function recordOf(userId: UserId): Promise<Erasure> {
  return Erasure.parse(JSON.parse((await operate("GET", `/v1/operator/erasures/${userId}`)).text));
}
export const eraseMe = (who: Session, password = PASSWORD, changed = {}) =>
  ask(who, "DELETE", "/v1/me", { password }, changed);

/** Everything somebody may see of a conversation, by the history door. */
export async function logFor(who: Session, id: ConversationId): Promise<Event[]> {
  const { json } = await ask(who, "GET", `/v1/conversations/${id}/events?after=0&limit=200`);
  return json.events;
}
/** What others wrote and made, as it stands: nothing of it changes. */
export async function othersWork(world: World): Promise<unknown> {
  const { ann, bob, cara, direct, group, past, bobs } = world;
  const not = (event: Event) => event.senderId !== ann.user.userId;
  const logs = await Promise.all([logFor(bob, direct), logFor(cara, group), logFor(bob, past)]);
  const row = await bindings.DIRECTORY.prepare("SELECT * FROM media WHERE media_id = ?")
    .bind(bobs)
    .first<{ object_key: string }>();
  const bytes = await (await bindings.MEDIA.get(row?.object_key ?? ""))?.text();
  if (bytes !== new TextDecoder().decode(PICTURE)) throw new Error("Bob's bytes are gone");
  return { logs: logs.map((log) => log.filter(not)), media: row };
}
