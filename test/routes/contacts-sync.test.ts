import { evictDurableObject } from "cloudflare:test";
import * as fc from "fast-check";
import { ulid } from "ulid";
import { describe, expect, test } from "vitest";
import { type Contact, DOORS, type Session } from "../../src/protocol/http.ts";
import { LIMITS, TIMES } from "../../src/protocol/limits.ts";
import { bindings, inbox, newDeviceId, TestSocket, until } from "../objects/support.ts";
import { signUp } from "./support/accounts.ts";
import { ask } from "./support/worker.ts";

const on = (method: string, area: string) => (me: Session, them: Session) =>
  ask(me, method, `/v1/${area}/${them.user.userId}`);
const [put, remove] = [on("PUT", "contacts"), on("DELETE", "contacts")];
const [block, unblock] = [on("PUT", "blocks"), on("DELETE", "blocks")];
const people = (count: number) => Promise.all(Array.from({ length: count }, () => signUp()));
const idOf = ({ user }: Session) => user.userId;

const get = async (me: Session, query = "") => {
  const { status, json } = await ask(me, "GET", `/v1/contacts${query}`);
  expect(status).toBe(200);
  return DOORS.contacts.answers[200].parse(json);
};

/** What a device holds that asks for what has changed and never for the whole. */
class Copy {
  readonly held = new Map<string, Contact>();
  version = 0;
  resets = 0;
  private readonly me: Session;
  constructor(me: Session) {
    this.me = me;
  }

  async sync(): Promise<void> {
    for (let query: string | undefined = `?since=${this.version}`; query !== undefined; ) {
      const { contacts, removed = [], version, reset, cursor } = await get(this.me, query);
      if (reset) {
        this.held.clear();
        this.resets += 1;
      }
      for (const contact of contacts) this.held.set(contact.userId, contact);
      for (const userId of removed) this.held.delete(userId);
      if (cursor === undefined) this.version = version;
      query = cursor && `?cursor=${cursor}`;
    }
  }

  get list() {
    return [...this.held.values()].sort((a, b) => (a.handle < b.handle ? -1 : 1));
  }
}

describe("what has changed since", () => {
  test("[CT-14] without `since` the whole list comes as ever, with its version", async () => {
    const [ann, bob] = (await people(2)) as [Session, Session];
    expect(await get(ann)).toEqual({ contacts: [], version: expect.any(Number) });
    await put(ann, bob);
    const { contacts, version } = await get(ann);
    expect(contacts).toEqual([expect.objectContaining({ userId: idOf(bob), state: "requested" })]);
    expect(await get(ann, `?since=${version}`)).toEqual({ contacts: [], removed: [], version: expect.any(Number) });
    await put(bob, ann);
    expect((await get(ann, `?since=${version}`)).contacts).toMatchObject([{ userId: idOf(bob), state: "accepted" }]);
    await remove(bob, ann);
    expect(await get(ann, `?since=${version}`)).toMatchObject({ contacts: [], removed: [idOf(bob)] });
  });

  test("[CT-14] [CT-1] [BL-6] however people ask, accept, end, block and unblock, each copy ends as the whole list", async () => {
    const act = fc.record({
      who: fc.nat(3),
      whom: fc.nat(3),
      does: fc.constantFrom(put, put, remove, block, unblock),
      syncs: fc.nat(3),
    });
    const steps = fc.array(fc.array(act, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(steps, async (rounds) => {
        const all = await people(4);
        const copies = all.map((one) => new Copy(one));
        for (const copy of copies) await copy.sync();
        for (const acts of rounds) {
          await Promise.all(
            acts.map(async ({ who, whom, does, syncs }) => {
              const [one, other] = [all[who] as Session, all[whom] as Session];
              if (one !== other) await does(one, other);
              await copies[syncs]?.sync();
            }),
          );
        }
        for (const [i, copy] of copies.entries()) {
          await copy.sync();
          expect(copy.list).toEqual((await get(all[i] as Session)).contacts);
          expect(copy.resets).toBe(1); // the first time
        }
      }),
      { numRuns: 15 },
    );
  });

  /** So many contacts of one user, as they were before there were versions. */
  const fill = async ({ user }: Session, count: number) => {
    const ids = Array.from({ length: count }, () => ulid());
    await bindings.DIRECTORY.batch([
      bindings.DIRECTORY.prepare(
        `INSERT INTO users (user_id, handle, display_name, last_seen, read_receipts, created_at, signed_in_at)
         SELECT value, lower(value), 'x', 'everyone', 'everyone', 0, 0 FROM json_each(?)`,
      ).bind(JSON.stringify(ids)),
      bindings.DIRECTORY.prepare(
        "INSERT INTO contacts (low_id, high_id) SELECT min(value, ?1), max(value, ?1) FROM json_each(?2)",
      ).bind(user.userId, JSON.stringify(ids)),
    ]);
    return ids;
  };

  test("[CT-14] pages: a long list comes whole, also when it is older than versions, and what changes meanwhile with it", async () => {
    const [ann, bob] = (await people(2)) as [Session, Session];
    const ids = await fill(ann, LIMITS.contactsPage + 20);
    const first = await get(ann, "?since=0");
    expect(first).toMatchObject({ reset: true, cursor: expect.any(String), removed: [] });
    expect(first.contacts).toHaveLength(LIMITS.contactsPage);
    const gone = first.contacts[0]?.userId as string;
    await ask(ann, "DELETE", `/v1/contacts/${gone}`);
    await put(bob, ann);
    const second = await get(ann, `?cursor=${first.cursor}`);
    expect(second).toMatchObject({ removed: [gone] });
    expect(second).not.toHaveProperty("cursor");
    expect(second).not.toHaveProperty("reset");
    const told = [...first.contacts, ...second.contacts]
      .map(({ userId }) => userId as string)
      .filter((id) => id !== gone);
    expect(told.sort()).toEqual([...ids.filter((id) => id !== gone), idOf(bob)].sort());
    expect((await get(ann, `?since=${second.version}`)).contacts).toEqual([]);
  });

  test("[CT-15] what has ended is told for 90 days; a version that is older, or none of these, begins anew", async () => {
    const [ann, bob, cat] = (await people(3)) as [Session, Session, Session];
    await put(ann, bob);
    await remove(ann, bob);
    const copy = new Copy(ann);
    await copy.sync();
    const age = (ms: number) =>
      bindings.DIRECTORY.prepare(
        "UPDATE contacts SET low_version = low_version - ?1, high_version = high_version - ?1 WHERE ?2 IN (low_id, high_id)",
      )
        .bind(ms, idOf(ann))
        .run();
    const rows = async () =>
      (await bindings.DIRECTORY.prepare("SELECT 1 FROM contacts WHERE ?1 IN (low_id, high_id)").bind(idOf(ann)).all())
        .results.length;
    await age(TIMES.contactsToldMs - 60_000);
    expect((await get(ann, `?since=${Date.now() - TIMES.contactsToldMs + 10_000}`)).removed).toEqual([idOf(bob)]);
    await put(ann, cat);
    expect(await rows()).toBe(2);
    await remove(ann, cat);
    await age(2 * 24 * 60 * 60_000);
    for (const since of [0, Date.now() - TIMES.contactsToldMs - 1_000, Date.now() + 60_000, 999_999_999_999_999])
      expect(await get(ann, `?since=${since}`)).toMatchObject({ reset: true, contacts: [], removed: [] });
    await put(ann, cat);
    expect(await rows()).toBe(1); // the one that was forgotten has gone with this act
    await copy.sync();
    expect([copy.list.map(({ userId }) => userId), copy.resets]).toEqual([[idOf(cat)], 1]);
  });

  test("[CT-15] a cursor or version that is not one of ours is refused; nobody asks who is not signed in", async () => {
    const [ann] = (await people(1)) as [Session];
    for (const query of [
      "since=-1",
      "since=x",
      "since=",
      "cursor=1.2",
      "cursor=0.0.",
      `cursor=01.2.${idOf(ann)}`,
      "since=1&cursor=1",
    ])
      expect((await ask(ann, "GET", `/v1/contacts?${query}`)).json.code, query).toBe("invalid_request");
    expect((await ask({ ...ann, accessToken: "x" }, "GET", "/v1/contacts?since=0")).json.code).toBe("unauthenticated");
  });

  test("[CT-5] requests that came to nothing have an end, too; who has been refused so often asks nobody new", async () => {
    const [ann, bob] = (await people(2)) as [Session, Session];
    await bindings.DIRECTORY.prepare(
      `INSERT INTO contacts SELECT 'low-' || value, ?1, ?1, ?2, ?2, 1 FROM json_each(?3)`,
    )
      .bind(idOf(ann), Date.now(), JSON.stringify(Array.from({ length: LIMITS.contactsEnded }, (_, i) => i)))
      .run();
    expect((await put(ann, bob)).json.code).toBe("too_many_contacts");
    expect((await put(bob, ann)).json.state).toBe("requested");
    expect((await put(ann, bob)).json.state).toBe("accepted");
  });
});

describe("devices that are connected", () => {
  const online = (me: Session) => TestSocket.caughtUp(idOf(me), newDeviceId());
  const versions = (socket: TestSocket) => socket.of("self").flatMap(({ contactsVersion }) => contactsVersion ?? []);

  test("[CT-16] hear of a request, its answer and its end at once, on both sides and on each device", async () => {
    const [ann, bob] = (await people(2)) as [Session, Session];
    const sockets = await Promise.all([online(ann), online(ann), online(bob), online(bob)]);
    for (const [i, act] of [() => put(ann, bob), () => put(bob, ann), () => remove(ann, bob)].entries()) {
      await act();
      await until(() => sockets.every((socket) => versions(socket).length > i));
      for (const [socket, me] of sockets.map((socket, k) => [socket, k < 2 ? ann : bob] as const)) {
        const heard = versions(socket).at(-1) as number;
        const { contacts, removed = [], version } = await get(me, `?since=${heard - 1}`);
        expect([contacts.length + removed.length, version]).toEqual([1, heard]);
      }
    }
  });

  test("[CT-16] [BL-4] [BL-6] a blocker hears no request until they block no more; who is blocked hears of neither", async () => {
    const [ann, bob] = (await people(2)) as [Session, Session];
    const [anns, bobs] = await Promise.all([online(ann), online(bob)]);
    const copy = new Copy(bob);
    await block(ann, bob);
    await put(bob, ann);
    await until(() => versions(bobs).length === 1); // his own request
    await copy.sync();
    await evictDurableObject(bindings.INBOXES.getByName(idOf(bob)));
    await block(ann, bob); // finds and ends his request: he hears of that as of any end
    await until(() => versions(bobs).length === 2);
    await put(bob, ann);
    await until(() => versions(bobs).length === 3);
    await copy.sync();
    const { version } = await get(ann);
    expect([versions(anns), (await get(ann)).contacts]).toEqual([[expect.any(Number)], []]); // the end of what she had never heard of
    await unblock(ann, bob);
    await until(() => versions(anns).length === 2);
    expect((await get(ann, `?since=${version}`)).contacts).toMatchObject([{ userId: idOf(bob), state: "incoming" }]);
    const before = await get(bob, `?since=${copy.version}`);
    expect([before.contacts, before.removed, versions(bobs).length]).toEqual([[], [], 3]);
  });

  test("[BL-4] blocking somebody with whom nothing is, or nothing any more, tells their devices nothing", async () => {
    const [ann, bob, cat] = (await people(3)) as [Session, Session, Session];
    await put(ann, bob);
    await remove(bob, ann);
    await evictDurableObject(bindings.INBOXES.getByName(idOf(bob))).catch(() => {});
    const [bobs, cats] = await Promise.all([online(bob), online(cat)]);
    await block(ann, bob);
    await block(ann, cat);
    await unblock(ann, bob);
    await cats.ask({ type: "watch", userIds: [] });
    await bobs.ask({ type: "watch", userIds: [] });
    expect([versions(bobs), versions(cats)]).toEqual([[], []]);
  });

  test("[CT-7] [CT-10] an inbox believes nothing that is older than what it knows, also after it was evicted", async () => {
    const [ann, bob] = (await people(2)) as [Session, Session];
    const self = { displayName: "Ann", privacy: ann.user.privacy };
    const hidden = { ...self, privacy: { ...self.privacy, conversations: "nobody" as const } };
    const admits = () => inbox(idOf(ann)).admits(idOf(bob), null);
    await inbox(idOf(ann)).setProfile(
      { ...self, privacy: { ...self.privacy, conversations: "contacts" } },
      newDeviceId(),
      5,
    );
    await inbox(idOf(ann)).setContact(idOf(bob), true, 10, "changed");
    expect(await admits()).toBe(true);
    await inbox(idOf(ann)).setContact(idOf(bob), false, 9, "changed");
    expect(await admits()).toBe(true);
    await inbox(idOf(ann)).setContact(idOf(bob), false, 11, "changed");
    expect(await admits()).toBe(false);
    await evictDurableObject(bindings.INBOXES.getByName(idOf(ann)));
    await inbox(idOf(ann)).setContact(idOf(bob), true, 10, "changed");
    expect(await admits()).toBe(false);
    await inbox(idOf(ann)).setContact(idOf(bob), true, 12, "changed");
    expect(await admits()).toBe(true);
    await inbox(idOf(ann)).setProfile(hidden, newDeviceId(), 4);
    expect(await admits()).toBe(true);
    await inbox(idOf(ann)).setProfile(hidden, newDeviceId(), 6);
    expect(await admits()).toBe(false);
  });
});
