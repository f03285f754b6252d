import type { ConversationId, DeviceId, UserId } from "../../protocol/ids.ts";
import { type Result, refuse } from "../../protocol/result.ts";
import { DOOR_TABLE } from "../client/door-table.ts";
import { isRetryable } from "../client/errors.ts";
import type { Contact, DoorName, Doors, ErrorCode } from "../client/wire.ts";
import type { FakeConversation } from "./fake-conversation.ts";
import { exportLines, fileOf } from "./fake-export.ts";
import type { FakeDevice, FakePerson } from "./fake-people.ts";
import type { FakeServer } from "./fake-server.ts";

/** Who asks, and what with: the doors trust it, as the SDK's types hold callers to it. */
export type Ask = {
  readonly server: FakeServer;
  readonly device: FakeDevice;
  readonly params: Record<string, string>;
  readonly query: URLSearchParams;
  // biome-ignore lint/suspicious/noExplicitAny: a body is what the door's own type says, and each door reads its own
  readonly body: any;
  readonly now: number;
};
type Answer<D extends DoorName> = Result<Doors[D]["answer"], ErrorCode>;
type Table = { readonly [D in DoorName]?: (ask: Ask) => Answer<D> };

const ok = <T>(value: T): Result<T, ErrorCode> => ({ ok: true, value });
export const meOf = ({ password: _, ...me }: FakePerson) => me;
export const profileOf = ({ userId, handle, displayName }: FakePerson) => ({ userId, handle, displayName });
/** The real one counts what it takes away; nobody needs to know of this one. */
const NOTHING_ERASED: Doors["eraseMe"]["answer"]["counts"] = {
  ...{ accounts: 0, identities: 0, devices: 0, contacts: 0, blocks: 0, names: 0, reports: 0, copies: 0 },
  ...{ pushEndpoints: 0, conversations: 0, messages: 0, edits: 0, reactions: 0, invites: 0, historyRows: 0 },
  ...{ searchEntries: 0, mediaRows: 0, bucketObjects: 0, inboxRows: 0, unreached: 0 },
};
const pair = (a: string, b: string): string => `${a} ${b}`;

/** The conversation of a path, if the one who asks is, or was, in it. */
function placeOf({ server, device, params }: Ask): FakeConversation | null {
  const conversation = server.conversations.get((params.id ?? "") as ConversationId);
  return conversation?.members.has(device.userId) ? conversation : null;
}
const described = (place: FakeConversation, { device }: Ask) => ok({ conversation: place.describeFor(device.userId) });

function session({ server, now }: Ask, person: FakePerson, device: FakeDevice): Answer<"signIn"> {
  const tokens = server.people.tokens(device, now);
  return ok({ user: meOf(person), device: server.people.describe(device, true), ...tokens });
}

export function contactsOf({ server, device }: Ask): Contact[] {
  const { asked, people } = server.people;
  return [...people.values()].flatMap((person): Contact[] => {
    const [mine, theirs] = [
      asked.has(pair(device.userId, person.userId)),
      asked.has(pair(person.userId, device.userId)),
    ];
    if (!mine && !theirs) return [];
    return [{ ...profileOf(person), state: mine && theirs ? "accepted" : mine ? "requested" : "incoming" }];
  });
}

/** A member comes, goes, or gets another role. */
function changeMember(ask: Ask, change: "added" | "removed" | "left" | "role", role: "admin" | "member" | undefined) {
  const { server, device, params, now } = ask;
  const place = placeOf(ask);
  if (!place) return refuse<ErrorCode>("not_found");
  const by = place.members.get(device.userId);
  if (change !== "left" && by?.role !== "admin") return refuse<ErrorCode>("forbidden");
  const userId = params.userId as UserId;
  const event = place.change(device.userId, { kind: "member", userId, change, ...(role ? { role } : {}) }, now);
  server.publish(place, event, null);
  return described(place, ask);
}

const TABLE: Table = {
  signUp(ask) {
    const { handle, password, displayName, device } = ask.body;
    const { people } = ask.server;
    if (people.byHandle(handle) || people.spent.has(handle.toLowerCase())) return refuse("handle_taken");
    const person = ask.server.people.add(handle, password, displayName, ask.now);
    return session(ask, person, ask.server.people.enter(person.userId, device.name, undefined, ask.now));
  },
  signIn(ask) {
    const { handle, password, device } = ask.body;
    const person = ask.server.people.byHandle(handle);
    if (person?.password !== password || !person) return refuse("invalid_credentials");
    return session(ask, person, ask.server.people.enter(person.userId, device.name, device.id, ask.now));
  },
  refresh({ server, body, now }) {
    const known = server.people.whose(body.refreshToken);
    if (known?.kind !== "refresh") return refuse("device_revoked");
    const { device, generation } = known;
    const { idempotencyKey: key } = body;
    const isRepeat = generation === device.generation - 1 && key !== undefined && key === device.renewedBy;
    if (generation !== device.generation && !isRepeat) {
      server.endDevice(device.deviceId);
      return refuse("refresh_reused");
    }
    if (!isRepeat) Object.assign(device, { generation: generation + 1, renewedBy: key });
    return ok(server.people.tokens(device, now));
  },
  signOut({ server, device }) {
    server.endDevice(device.deviceId);
    return ok(null);
  },
  me: ({ server, device }) => ok(meOf(server.people.people.get(device.userId) as FakePerson)),
  changeMe({ server, device, body }) {
    const person = server.people.people.get(device.userId) as FakePerson;
    const privacy = { ...person.privacy, ...body.privacy };
    const changed = { ...person, displayName: body.displayName ?? person.displayName, privacy };
    server.people.people.set(device.userId, changed);
    return ok(meOf(changed));
  },
  eraseMe({ server, device, body, now }) {
    const { userId } = device;
    if (server.people.people.get(userId)?.password !== body.password) return refuse("invalid_credentials");
    server.erase(userId, now);
    return ok({ userId, state: "erasing", askedBy: "user", begunAt: now, rounds: 0, counts: NOTHING_ERASED });
  },
  devices({ server, device }) {
    const mine = [...server.people.devices.values()].filter(({ userId }) => userId === device.userId);
    return ok({ devices: mine.map((each) => server.people.describe(each, each === device)) });
  },
  revokeDevice({ server, device, params }) {
    const other = server.people.devices.get(params.deviceId as DeviceId);
    if (other?.userId !== device.userId) return refuse("not_found");
    server.endDevice(other.deviceId);
    return ok(null);
  },
  findUser({ server, query }) {
    const person = server.people.byHandle(query.get("handle") ?? "");
    return person ? ok(profileOf(person)) : refuse("not_found");
  },
  user({ server, params }) {
    const person = server.people.people.get(params.userId as UserId);
    return person ? ok(profileOf(person)) : refuse("not_found");
  },
  contacts: (ask) => ok({ contacts: contactsOf(ask), reset: true, version: ask.server.people.contactsVersion }),
  putContact(ask) {
    const userId = ask.params.userId ?? "";
    if (!ask.server.people.people.has(userId as UserId)) return refuse("not_found");
    ask.server.people.asked.add(pair(ask.device.userId, userId));
    ask.server.tellContacts(ask.device.userId, userId as UserId);
    return ok({ userId, state: contactsOf(ask).find((contact) => contact.userId === userId)?.state ?? "requested" });
  },
  removeContact({ server, device, params }) {
    server.people.asked.delete(pair(device.userId, params.userId ?? ""));
    server.people.asked.delete(pair(params.userId ?? "", device.userId));
    server.tellContacts(device.userId, (params.userId ?? "") as UserId);
    return ok(null);
  },
  blocks({ server, device }) {
    const people = [...server.people.people.values()];
    return ok({
      blocks: people.filter(({ userId }) => server.people.blocked.has(pair(device.userId, userId))).map(profileOf),
    });
  },
  block({ server, device, params }) {
    server.people.blocked.add(pair(device.userId, params.userId ?? ""));
    return ok(null);
  },
  unblock({ server, device, params }) {
    server.people.blocked.delete(pair(device.userId, params.userId ?? ""));
    return ok(null);
  },
  openDirect(ask) {
    const { server, device, params, now } = ask;
    const userId = params.userId as UserId;
    if (!server.people.people.has(userId)) return refuse("not_found");
    const [a = "", b = ""] = [device.userId, userId].sort();
    const id = `d${a.slice(-13)}${b.slice(-13)}` as ConversationId;
    return described(server.conversations.get(id) ?? server.make(id, "direct", device.userId, [userId], now), ask);
  },
  createGroup(ask) {
    const { server, device, body, now } = ask;
    const id = `g${body.idempotencyKey ?? server.people.newId()}` as ConversationId;
    const known = server.conversations.get(id);
    if (known) return described(known, ask);
    const place = server.make(id, "group", device.userId, body.memberIds, now);
    server.publish(place, place.change(device.userId, { kind: "settings", title: body.title }, now), null);
    return described(place, ask);
  },
  conversation(ask) {
    const place = placeOf(ask);
    return place ? described(place, ask) : refuse("not_found");
  },
  changeConversation(ask) {
    const place = placeOf(ask);
    if (!place) return refuse("not_found");
    const { title } = ask.body;
    if (title !== undefined)
      ask.server.publish(place, place.change(ask.device.userId, { kind: "settings", title }, ask.now), null);
    return described(place, ask);
  },
  deleteEvent(ask) {
    const place = placeOf(ask);
    if (!place?.deleteFor(ask.device.userId, Number(ask.params.seq))) return refuse("not_found");
    ask.server.tellChanged(ask.device.userId, place);
    return ok(null);
  },
  changeMine(ask) {
    const place = placeOf(ask);
    if (!place) return refuse("not_found");
    const { mutedUntil, ...rest } = {
      mentionsPierce: false,
      pinned: false,
      archived: false,
      ...place.mine.get(ask.device.userId),
      ...ask.body,
    };
    const mine = { ...rest, ...(typeof mutedUntil === "number" ? { mutedUntil } : {}) };
    place.mine.set(ask.device.userId, mine);
    const told = { conversationId: place.id, mine };
    ask.server.tellSelf(ask.device.userId, ask.device.deviceId, { type: "self", conversations: [told] });
    return ok(mine);
  },
  putMember(ask) {
    const isHere = placeOf(ask)?.isMember(ask.params.userId as UserId);
    return changeMember(ask, isHere ? "role" : "added", ask.body?.role ?? "member");
  },
  removeMember(ask) {
    const isMe = ask.params.userId === ask.device.userId;
    const changed = changeMember(ask, isMe ? "left" : "removed", undefined);
    return changed.ok ? ok(null) : changed;
  },
  history(ask) {
    const place = placeOf(ask);
    if (!place) return refuse("not_found");
    const { device, query } = ask;
    const [after, before, limit] = [query.get("after"), query.get("before"), Number(query.get("limit") ?? 50)];
    const all = place.visibleTo(device.userId);
    const wanted =
      after === null
        ? all.filter(({ seq }) => seq < Number(before ?? Number.MAX_SAFE_INTEGER)).reverse()
        : all.filter(({ seq }) => seq > Number(after));
    const events = wanted.slice(0, limit);
    return ok({ events, head: place.headFor(device.userId), floor: 1, hasMore: wanted.length > limit });
  },
  search({ server, device, query }) {
    const wanted = (query.get("q") ?? "").toLowerCase();
    const all = [...server.conversations.values()].flatMap((place) => place.visibleTo(device.userId));
    const hits = all.flatMap((event) => {
      if (event.kind !== "message" || event.content.type !== "text") return [];
      const from = event.content.text.toLowerCase().indexOf(wanted);
      if (from < 0) return [];
      const { conversationId, seq, eventId, senderId, receivedAt, occurredAt, content } = event;
      const snippet = { text: content.text, from, to: from + wanted.length };
      return [{ conversationId, seq, eventId, senderId, receivedAt, occurredAt, snippet }];
    });
    return ok({ hits: hits.reverse(), incomplete: false });
  },
  health: () => ok({ status: "ok" }),
};

/** Doors that nobody needs to be signed in for. */
const OPEN = new Set<DoorName>(["signUp", "signIn", "exchange", "refresh", "health"]);

/** Answers a request as the real doors do, and says which door did; a door that is not here is `unavailable`. */
export function answerDoor(
  server: FakeServer,
  path: string,
  { method = "GET", headers, body }: RequestInit,
): { door: DoorName | null; response: Response } {
  const [pathname = "", search = ""] = path.split("?");
  for (const door of Object.keys(DOOR_TABLE) as DoorName[]) {
    const [wanted, pattern = ""] = DOOR_TABLE[door].split(" ");
    const params = wanted === method ? matched(pattern, pathname) : null;
    if (!params) continue;
    const token = new Headers(headers).get("authorization")?.replace("Bearer ", "") ?? "";
    const parsed = typeof body === "string" ? JSON.parse(body) : undefined;
    const asked = { server, params, body: parsed, query: new URLSearchParams(search), now: Date.now() };
    return { door, response: answerOf(door, token, asked) };
  }
  return { door: null, response: problem("not_found") };
}

function answerOf(name: DoorName, token: string, asked: Omit<Ask, "device">): Response {
  const { server } = asked;
  const refusal = server.takeRefusal(name);
  if (refusal) return problem(refusal.code, refusal.retryAfterMs);
  const { people } = server;
  if (name === "refresh" && people.isOfErased(asked.body.refreshToken))
    return problem("device_revoked", undefined, true);
  if (!OPEN.has(name) && people.isOfErased(token)) return problem("device_revoked");
  const known = people.whose(token);
  const isTaken = known?.kind === "access" && known.generation >= known.device.accessFrom;
  if (!OPEN.has(name) && !isTaken) return problem(known ? "token_expired" : "unauthenticated");
  const ask = { ...asked, device: known?.device as FakeDevice };
  if (name === "exportMe") return fileOf(exportLines(ask), server.takeCut());
  const answer = TABLE[name]?.(ask);
  if (!answer) return problem("unavailable");
  return answer.ok ? json(200, answer.value) : problem(answer.code);
}

function matched(pattern: string, path: string): Record<string, string> | null {
  const names = [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
  const found = new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, "([^/]+)")}$`).exec(path);
  return found ? Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(found[i + 1] ?? "")])) : null;
}

const json = (status: number, value: unknown): Response =>
  new Response(value === null ? null : JSON.stringify(value), {
    status: value === null ? 204 : status,
    headers: { "content-type": "application/json", date: new Date().toUTCString() },
  });

function problem(code: ErrorCode, retryAfterMs?: number, erased = false): Response {
  const after = retryAfterMs === undefined ? {} : { retryAfterMs };
  const body = {
    type: `/docs#${code}`,
    title: code,
    status: 400,
    code,
    detail: "a test wants it so",
    retryable: isRetryable(code),
    ...after,
    ...(erased ? { erased } : {}),
  };
  return new Response(JSON.stringify(body), { status: 400, headers: { "content-type": "application/problem+json" } });
}
