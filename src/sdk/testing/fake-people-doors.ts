import type { DeviceId, MediaId, UserId } from "../../protocol/ids.ts";
import { refuse } from "../../protocol/result.ts";
import type { Contact, Doors } from "../client/wire.ts";
import { type Answer, type Ask, meOf, ok, profileFor, type Table } from "./fake-ask.ts";
import type { FakeDevice, FakePerson } from "./fake-people.ts";

/** The doors of accounts, devices and whom one knows. */

/** The real one counts what it takes away; nobody needs to know of this one. */
const NOTHING_ERASED: Doors["eraseMe"]["answer"]["counts"] = {
  ...{ accounts: 0, identities: 0, devices: 0, contacts: 0, blocks: 0, names: 0, reports: 0, copies: 0 },
  ...{ pushEndpoints: 0, conversations: 0, messages: 0, edits: 0, reactions: 0, invites: 0, historyRows: 0 },
  ...{ searchEntries: 0, mediaRows: 0, bucketObjects: 0, inboxRows: 0, unreached: 0 },
};
const pair = (a: string, b: string): string => `${a} ${b}`;

function session({ server, now }: Ask, person: FakePerson, device: FakeDevice): Answer<"signIn"> {
  const tokens = server.people.tokens(device, now);
  return ok({ user: meOf(person), device: server.people.describe(device, true), ...tokens });
}

export function contactsOf(ask: Ask): Contact[] {
  const { server, device } = ask;
  const { asked, people } = server.people;
  return [...people.values()].flatMap((person): Contact[] => {
    const [mine, theirs] = [
      asked.has(pair(device.userId, person.userId)),
      asked.has(pair(person.userId, device.userId)),
    ];
    if (!mine && !theirs) return [];
    return [{ ...profileFor(ask, person), state: mine && theirs ? "accepted" : mine ? "requested" : "incoming" }];
  });
}

export const PEOPLE_DOORS: Table = {
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
    const { avatarMediaId: before, ...person } = server.people.people.get(device.userId) as FakePerson;
    const { avatarMediaId = before ?? null } = body;
    if (avatarMediaId && !server.media.isUploadedBy(avatarMediaId, device.userId)) return refuse("invalid_request");
    if (before && before !== avatarMediaId) server.media.drop(before as MediaId);
    const privacy = { ...person.privacy, ...body.privacy };
    const picture = avatarMediaId ? { avatarMediaId } : {};
    const changed = { ...person, ...picture, displayName: body.displayName ?? person.displayName, privacy };
    server.people.people.set(device.userId, changed);
    const profile = { displayName: changed.displayName, privacy, ...picture };
    server.tellSelf(device.userId, device.deviceId, { type: "self", profile });
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
  findUser(ask) {
    const person = ask.server.people.byHandle(ask.query.get("handle") ?? "");
    return person ? ok(profileFor(ask, person)) : refuse("not_found");
  },
  user(ask) {
    const person = ask.server.people.people.get(ask.params.userId as UserId);
    return person ? ok(profileFor(ask, person)) : refuse("not_found");
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
  blocks(ask) {
    const { blocked, people } = ask.server.people;
    const mine = [...people.values()].filter(({ userId }) => blocked.has(pair(ask.device.userId, userId)));
    return ok({ blocks: mine.map((person) => profileFor(ask, person)) });
  },
  block({ server, device, params }) {
    server.people.blocked.add(pair(device.userId, params.userId ?? ""));
    return ok(null);
  },
  unblock({ server, device, params }) {
    server.people.blocked.delete(pair(device.userId, params.userId ?? ""));
    return ok(null);
  },
};
