import * as fc from "fast-check";
import { ulid } from "ulid";
import { describe, expect, test } from "vitest";
import type { Env } from "../../src/platform/env.ts";
import { Contact, type ContactState, type Session } from "../../src/protocol/http.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { ask, codeOf, downDatabase, env, signUp } from "./support/accounts.ts";
import { hide, isShown } from "./support/privacy.ts";
import { CUT, directoryCutAt, directoryHeldAt, gate, InboxWire, over, sleep } from "./support/wires.ts";

const on =
  (method: string) =>
  (me: Session, them: { user: { userId: string } }, changed: Partial<Env> = {}) =>
    ask(method, `/v1/contacts/${them.user.userId}`, { token: me.accessToken, env: changed });
const [put, remove] = [on("PUT"), on("DELETE")];
const listOf = async ({ accessToken: token }: Session): Promise<Contact[]> =>
  Contact.array().parse((await ask("GET", "/v1/contacts", { token })).json.contacts);
const stateOf = async (me: Session, them: Session): Promise<ContactState | undefined> =>
  (await listOf(me)).find((contact) => contact.userId === them.user.userId)?.state;
const pair = async () => [await signUp(), await signUp()] as const;
const accepted = async () => {
  const [ann, bob] = await pair();
  await put(ann, bob);
  await put(bob, ann);
  return [ann, bob] as const;
};
const told = ({ passed }: InboxWire) => passed.map(({ to, args: [other, is] }) => [to, other, is]);
const both = (a: Session, b: Session, is: boolean) => [
  [a.user.userId, b.user.userId, is],
  [b.user.userId, a.user.userId, is],
];

const showContacts = (...people: Session[]) => Promise.all(people.map((person) => hide(person, "contacts")));
const seen = async (a: Session, b: Session) => [await isShown(a, b), await isShown(b, a)];

describe("asking, accepting, ending", () => {
  test("[CT-1] one asks, the other sees it come in and accepts", async () => {
    const [ann, bob] = await pair();
    const profile = ({ user: { userId, handle, displayName } }: Session) => ({ userId, handle, displayName });
    const asked = await put(ann, bob);
    expect([asked.status, asked.json]).toEqual([200, { userId: bob.user.userId, state: "requested" }]);
    expect(await listOf(ann)).toEqual([{ ...profile(bob), state: "requested" }]);
    expect(await listOf(bob)).toEqual([{ ...profile(ann), state: "incoming" }]);
    expect((await put(bob, ann)).json).toEqual({ userId: ann.user.userId, state: "accepted" });
    expect(await listOf(ann)).toEqual([{ ...profile(bob), state: "accepted" }]);
    expect(await listOf(bob)).toEqual([{ ...profile(ann), state: "accepted" }]);
  });

  test("[CT-2] two who ask each other at the same moment are contacts, and each inbox knows it", async () => {
    for (let i = 0; i < 5; i++) {
      const [ann, bob] = await pair();
      await showContacts(ann, bob);
      const states = (await Promise.all([put(ann, bob), put(bob, ann)])).map(({ json }) => json.state).sort();
      expect(states).toEqual(["accepted", "requested"]);
      expect([await stateOf(ann, bob), await stateOf(bob, ann)]).toEqual(["accepted", "accepted"]);
      expect(await seen(ann, bob)).toEqual([true, true]);
    }
  });

  test("[CT-3] either side takes back, declines or ends, as often as it likes, and then it begins anew", async () => {
    const [ann, bob] = await pair();
    const ask = () => put(ann, bob);
    const accept = async () => {
      await ask();
      await put(bob, ann);
    };
    for (const begin of [async () => {}, ask, accept]) {
      for (const [one, other] of [
        [ann, bob],
        [bob, ann],
      ] as const) {
        await begin();
        await begin();
        for (let i = 0; i < 2; i++) expect(await remove(one, other)).toMatchObject({ status: 204, text: "" });
        expect([await listOf(ann), await listOf(bob)]).toEqual([[], []]);
        expect((await put(one, other)).json.state).toBe("requested");
        await remove(other, one);
      }
    }
  });

  test("[CT-4] oneself and nobody cannot be asked; nothing is stored and no inbox woken", async () => {
    const me = await signUp();
    const nobody = { user: { userId: ulid() } };
    const wire = new InboxWire();
    expect(codeOf(await put(me, me, over(wire)))).toBe("invalid_request");
    expect(codeOf(await put(me, nobody, over(wire)))).toBe("not_found");
    for (const userId of ["me", "", "%00", `${me.user.userId}x`, me.user.userId.toLowerCase()])
      expect(codeOf(await put(me, { user: { userId } }))).toBe(userId === "" ? "not_found" : "invalid_request");
    for (const them of [me, nobody]) expect((await remove(me, them, over(wire))).status).toBe(204);
    expect([wire.passed, await listOf(me)]).toEqual([[], []]);
  });

  test("[CT-5] past either limit it is too_many_contacts, for the one who asks and the one who is asked", async () => {
    const [full, pressed, me] = [await signUp(), await signUp(), await signUp()];
    const fill = ({ user }: Session, count: number, asker: string) =>
      env.DIRECTORY.prepare(
        `INSERT INTO contacts (low_id, high_id, asker_id) SELECT 'low-' || value, ?1, ${asker} FROM json_each(?2)`,
      )
        .bind(user.userId, JSON.stringify(Array.from({ length: count }, (_, i) => i)))
        .run();
    await fill(full, LIMITS.contacts, "NULL");
    await fill(pressed, LIMITS.contactRequests, "'low-' || value");
    expect(codeOf(await put(full, me))).toBe("too_many_contacts");
    expect(codeOf(await put(me, pressed))).toBe("too_many_contacts");
    expect(await listOf(me)).toEqual([]);
    expect((await put(me, full)).json.state).toBe("requested");
    expect(codeOf(await put(full, me))).toBe("too_many_contacts");
    expect(await stateOf(full, me)).toBe("incoming");
    expect((await put(pressed, me)).json.state).toBe("requested");
  });

  test("[CT-8] of other people's contacts nobody learns, and who is not signed in sees nothing", async () => {
    const [ann, bob] = await accepted();
    const eve = await signUp();
    await put(eve, ann);
    expect((await listOf(eve)).map(({ userId, state }) => [userId, state])).toEqual([[ann.user.userId, "requested"]]);
    expect((await listOf(bob)).map(({ userId }) => userId)).toEqual([ann.user.userId]);
    for (const method of ["PUT", "DELETE"])
      expect(codeOf(await ask(method, `/v1/contacts/${bob.user.userId}`))).toBe("unauthenticated");
    expect(codeOf(await ask("GET", "/v1/contacts"))).toBe("unauthenticated");
    await remove(eve, bob);
    expect(await stateOf(ann, bob)).toBe("accepted");
  });
});

describe("what the inboxes are told", () => {
  test("[CT-6] contacts begin with the row; then both inboxes, and a repeat tells them again", async () => {
    const [ann, bob] = await pair();
    await showContacts(ann, bob);
    const states: unknown[] = [];
    const wire = new InboxWire(async () => states.push(await stateOf(ann, bob)));
    await put(ann, bob, over(wire));
    expect(told(wire).sort()).toEqual(both(ann, bob, false).sort()); // a question makes nobody see more
    await put(bob, ann, over(wire));
    expect(states).toEqual(["requested", "requested", "accepted", "accepted"]);
    expect(told(wire).slice(2).sort()).toEqual(both(ann, bob, true).sort());
    await put(ann, bob, over(wire));
    expect(told(wire)).toHaveLength(6);
    expect(await seen(ann, bob)).toEqual([true, true]);
  });

  test("[CT-6] while an inbox cannot be told of a beginning, it is unavailable; repeating finishes it", async () => {
    const [ann, bob] = await pair();
    await showContacts(ann, bob);
    await put(ann, bob);
    for (const down of [bob, ann]) {
      const wire = new InboxWire(({ to }) => (to === down.user.userId ? Promise.reject(CUT) : Promise.resolve()));
      expect(codeOf(await put(bob, ann, over(wire)))).toBe("unavailable");
      expect(await stateOf(ann, bob)).toBe("accepted");
    }
    expect((await put(bob, ann)).json.state).toBe("accepted");
    expect(await seen(ann, bob)).toEqual([true, true]);
    const wire = new InboxWire();
    expect(codeOf(await put(ann, bob, { DIRECTORY: downDatabase(), ...over(wire) }))).toBe("unavailable");
    expect(wire.passed).toEqual([]);
  });

  test("[CT-6] contacts end in both inboxes before the row goes; half an end leaves it to be repeated", async () => {
    const [ann, bob] = await accepted();
    await showContacts(ann, bob);
    for (const down of [bob, ann]) {
      const wire = new InboxWire(({ to }) => (to === down.user.userId ? Promise.reject(CUT) : Promise.resolve()));
      expect(codeOf(await remove(ann, bob, over(wire)))).toBe("unavailable");
      expect([await stateOf(ann, bob), await stateOf(bob, ann)]).toEqual(["accepted", "accepted"]);
    }
    await put(ann, bob);
    expect(codeOf(await remove(ann, bob, { DIRECTORY: directoryCutAt("UPDATE") }))).toBe("unavailable");
    expect(await stateOf(ann, bob)).toBe("accepted");
    expect(await seen(ann, bob)).toEqual([false, false]);
    const states: unknown[] = [];
    const wire = new InboxWire(async () => states.push(await stateOf(ann, bob)));
    expect((await remove(ann, bob, over(wire))).status).toBe(204);
    expect(states.slice(0, 2)).toEqual(["accepted", "accepted"]);
    expect(told(wire).slice(0, 2).sort()).toEqual(both(ann, bob, false).sort());
    expect([await stateOf(ann, bob), await seen(ann, bob)]).toEqual([undefined, [false, false]]);
  });

  /** A PUT that has read `accepted` and has not told it yet. */
  async function latePut(me: Session, them: Session) {
    const [late, read] = [gate(), gate()];
    const wire = new InboxWire(() => {
      read.open();
      return late.passed;
    });
    const answer = put(me, them, over(wire));
    await read.passed;
    return async () => {
      late.open();
      expect((await answer).status).toBe(200);
    };
  }

  test("[CT-7] a PUT that tells late, when a DELETE is through, leaves nobody a contact", async () => {
    const [ann, bob] = await accepted();
    await showContacts(ann, bob);
    const tellLate = await latePut(ann, bob);
    await remove(bob, ann);
    await tellLate();
    expect([await stateOf(ann, bob), await seen(ann, bob)]).toEqual([undefined, [false, false]]);
  });

  test("[CT-7] nor one that tells between a DELETE's telling and its row", async () => {
    const [ann, bob] = await accepted();
    await showContacts(ann, bob);
    const tellLate = await latePut(ann, bob);
    const [reached, row] = [gate(), gate()];
    const removed = remove(bob, ann, { DIRECTORY: directoryHeldAt("UPDATE", reached.open, row.passed) });
    await reached.passed;
    expect(await seen(ann, bob)).toEqual([false, false]);
    await tellLate();
    row.open();
    expect((await removed).status).toBe(204);
    expect([await stateOf(ann, bob), await seen(ann, bob)]).toEqual([undefined, [false, false]]);
  });

  test("[CT-7] however PUTs and DELETEs of both cross, the inboxes end with what the list says", async () => {
    const wish = fc.record({ who: fc.nat(1), ends: fc.boolean(), after: fc.nat(12), delays: fc.array(fc.nat(12)) });
    await fc.assert(
      fc.asyncProperty(fc.array(wish, { minLength: 2, maxLength: 5 }), async (wishes) => {
        const people = await accepted();
        await showContacts(...people);
        const answers = await Promise.all(
          wishes.map(async ({ who, ends, after, delays }) => {
            let call = 0;
            const wire = new InboxWire(() => sleep(delays[call++ % (delays.length || 1)] ?? 0));
            await sleep(after);
            return (ends ? remove : put)(people[who] as Session, people[1 - who] as Session, over(wire));
          }),
        );
        expect(answers.map(({ status }) => status).filter((status) => status >= 300)).toEqual([]);
        const are = (await stateOf(...people)) === "accepted";
        expect(await seen(...people)).toEqual([are, are]);
      }),
      { numRuns: 25 },
    );
  });
});
