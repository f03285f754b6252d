import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { indexNames } from "../../src/platform/chores.ts";
import type { Env } from "../../src/platform/env.ts";
import { DOORS, type Session } from "../../src/protocol/http.ts";
import { bindings } from "../objects/support.ts";
import { awayFromWindowEdge, signUp } from "./support/accounts.ts";
import { ask } from "./support/worker.ts";

const search = async (me: Session, q: string, changed: Partial<Env> = {}) => {
  const { status, json } = await ask(me, "GET", `/v1/users/search?q=${encodeURIComponent(q)}`, undefined, changed);
  return status === 200 ? DOORS.findPeople.answers[200].parse(json).users : (json.code as string);
};
const found = async (me: Session, q: string) => {
  const users = await search(me, q);
  return typeof users === "string" ? users : users.map(({ handle }) => handle);
};
const patch = async (me: Session, body: object) => expect((await ask(me, "PATCH", "/v1/me", body)).status).toBe(200);
const named = async (handle: string, displayName: string) => {
  const session = await signUp(handle);
  await patch(session, { displayName });
  return session;
};
const befriend = async (a: Session, b: Session) => {
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const)
    await ask(one, "PUT", `/v1/contacts/${other.user.userId}`);
};
const wordsIn = async ({ user }: Session) => {
  const query = bindings.DIRECTORY.prepare("SELECT word FROM name_words WHERE user_id = ? ORDER BY word");
  return (await query.bind(user.userId).all<{ word: string }>()).results.map(({ word }) => word);
};

describe("who is found", () => {
  test("[PE-1] [PE-2] by handle and by the words of a name, in the order of nearness", async () => {
    const me = await named("seeker", "Somebody Else");
    await named("quill", "Nobody at All");
    const friend = await named("zz.friend", "Quilla Friend");
    await named("quillon", "Xavier");
    await named("other1", "Ms. QUÍLLING");
    await named("other2", "Aquilla");
    await befriend(me, friend);
    expect(await found(me, "QUILL")).toEqual(["quill", "zz.friend", "quillon", "other1"]);
    expect((await search(me, "quill")) as object[]).toMatchObject([{ isContact: false }, { isContact: true }, {}, {}]);
    expect(await found(me, " @quillo ")).toEqual(["quillon"]);
    expect(await found(me, "fri quil")).toEqual(["zz.friend"]);
    expect(await found(me, "quill ms")).toEqual(["other1"]);
    expect(await found(me, "seeker")).toEqual([]);
    expect(Object.keys(((await search(me, "quill")) as object[])[0] ?? {}).sort()).toEqual([
      "displayName",
      "handle",
      "isContact",
      "userId",
    ]);
  });

  test("[PE-1] [PE-2] in scripts without spaces, and never more than 20", async () => {
    const me = await signUp();
    await named("xiaoming", "王小明");
    await named("taro", "山田太郎");
    expect([await found(me, "小明"), await found(me, "太郎"), await found(me, "田中")]).toEqual([
      ["xiaoming"],
      ["taro"],
      [],
    ]);
    for (let i = 0; i < 23; i++) await signUp(`crowd.${i}`);
    expect(await found(me, "crowd.")).toHaveLength(20);
  });

  test("[PE-2] [PE-5] what is asked is text: nothing hostile finds anybody, breaks anything or counts as a pattern", async () => {
    const me = await signUp();
    await signUp("victim");
    for (const q of [
      "%%%",
      "___",
      "vic%",
      "vi*",
      '"victim"*',
      "'; DROP TABLE users; --",
      "vic\0",
      "\\\\\\",
      "NEAR(a b)",
      "{}[]()",
      "​",
    ]) {
      expect(Array.isArray(await found(me, q)), q).toBe(true);
    }
    expect(await found(me, "vic%")).toEqual(["victim"]); // its word is `vic`
    expect(await found(me, "%im")).toEqual([]);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", minLength: 1, maxLength: 100 }), async (q) => {
        const { status, json } = await ask(me, "GET", `/v1/users/search?q=${encodeURIComponent(q.toWellFormed())}`);
        expect([status, json.code]).toEqual(
          q.toWellFormed().trim() === "" ? [400, "invalid_request"] : [200, undefined],
        );
      }),
      { numRuns: 60 },
    );
  });

  test("[PE-3] everyone, my contacts, or nobody finds me; a whole handle always does", async () => {
    const [me, stranger, hidden] = [await signUp(), await signUp(), await named("hide.and.seek", "Vera Verborgen")];
    await befriend(me, hidden);
    const finds = async (who: Session) => [
      await found(who, "verborgen"),
      await found(who, "hide.and"),
      await found(who, "Hide.And.Seek"),
    ];
    const all = [["hide.and.seek"], ["hide.and.seek"], ["hide.and.seek"]];
    const handleAlone = [[], [], ["hide.and.seek"]];
    expect([await finds(me), await finds(stranger)]).toEqual([all, all]);
    await patch(hidden, { privacy: { findable: "contacts" } });
    expect([await finds(me), await finds(stranger)]).toEqual([all, handleAlone]);
    expect(await wordsIn(hidden)).toEqual([]);
    await patch(hidden, { privacy: { findable: "nobody" } });
    expect([await finds(me), await finds(stranger)]).toEqual([handleAlone, handleAlone]);
    await patch(hidden, { privacy: { findable: "everyone" } });
    expect([await finds(me), await finds(stranger)]).toEqual([all, all]);
  });

  test("[PE-4] [BL-4] whom I block I do not find; who blocks me I find as any stranger does", async () => {
    const [ann, bob] = [await named("ann.blocks", "Annabella Blocker"), await named("bob.blocked", "Bobilius")];
    await ask(ann, "PUT", `/v1/blocks/${bob.user.userId}`);
    for (const q of ["bob.blocked", "bob.bl", "bobilius"]) expect(await found(ann, q), q).toEqual([]);
    const stranger = await signUp();
    for (const q of ["ann.blocks", "ann.bl", "annabella"])
      expect([q, await search(bob, q)]).toEqual([q, await search(stranger, q)]);
    expect(await found(bob, "annabella")).toEqual(["ann.blocks"]);
  });
});

describe("against harvesting", () => {
  test("[PE-5] two letters find a whole handle and contacts, and nobody else", async () => {
    const [me, friend] = [await signUp("xy"), await named("xyz.friend", "Xylophone")];
    const stranger = await named("xyz.stranger", "Xylo");
    expect([await found(stranger, "xy"), await found(me, "xyz")]).toEqual([["xy"], ["xyz.friend", "xyz.stranger"]]);
    await befriend(me, friend);
    expect([await found(me, "x"), await found(me, "xy")]).toEqual([["xyz.friend"], ["xyz.friend"]]);
  });

  test("[PE-5] 30 searches a minute, for all devices of a person together, where limits are strict", async () => {
    await awayFromWindowEdge();
    const [me, other] = [await signUp(), await signUp()];
    const strict = { RATE_LIMITS: "strict" };
    const codes: unknown[] = [];
    for (let i = 0; i < 40; i++) codes.push(await search(me, "nothing-to-find", strict));
    expect(codes.filter((code) => code === "rate_limited")).toHaveLength(10);
    expect(codes.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => []));
    expect(await search(other, "nothing-to-find", strict)).toEqual([]);
  });

  test("[PE-6] a deployer switches it off; whole handles are found as ever", async () => {
    const [me, { user }] = [await signUp(), await signUp("off.and.on")];
    expect(await search(me, "off.and", { PEOPLE_SEARCH: "off" })).toBe("people_search_not_offered");
    const byHandle = await ask(me, "GET", "/v1/users?handle=off.and.on", undefined, { PEOPLE_SEARCH: "off" });
    expect(byHandle.json.userId).toBe(user.userId);
  });

  test("[PE-5] who is not signed in searches nobody, and a question has a length", async () => {
    const me = await signUp();
    expect(await search({ ...me, accessToken: "x" }, "abc")).toBe("unauthenticated");
    for (const q of ["", " ", "x".repeat(101)]) expect(await search(me, q)).toBe("invalid_request");
  });
});

describe("the index", () => {
  test("[PE-7] it follows the name, however renamings and choices of several devices cross", async () => {
    const names = ["Ada Lovelace", "Ada King", "王小明", "🦊"];
    const body = fc.oneof(
      fc.record({ displayName: fc.constantFrom(...names) }),
      fc.record({ privacy: fc.record({ findable: fc.constantFrom("everyone", "contacts", "nobody") }) }),
    );
    const WORDS: Record<string, string[]> = {
      "Ada Lovelace": ["ada", "lovelace"],
      "Ada King": ["ada", "king"],
      王小明: ["小明", "明", "王小明"],
      "🦊": [],
    };
    await fc.assert(
      fc.asyncProperty(fc.array(body, { minLength: 1, maxLength: 6 }), async (changes) => {
        const me = await signUp();
        await patch(me, { displayName: "Ada King" });
        await Promise.all(changes.map((change) => patch(me, change)));
        const { displayName, privacy } = (await ask(me, "GET", "/v1/me")).json;
        expect(await wordsIn(me)).toEqual(
          privacy.findable === "everyone" ? [...(WORDS[displayName] as string[])].sort() : [],
        );
      }),
      { numRuns: 15 },
    );
  });

  test("[PE-8] people from before there was an index are found after the hourly chores, unless they hide", async () => {
    const [me, old, shy] = [
      await signUp(),
      await named("older.one", "Methusalem Ancient"),
      await named("older.two", "Methusalem Shy"),
    ];
    await patch(shy, { privacy: { findable: "contacts" } });
    const ids = JSON.stringify([old.user.userId, shy.user.userId]);
    await bindings.DIRECTORY.batch([
      bindings.DIRECTORY.prepare(
        "UPDATE users SET words = NULL WHERE user_id IN (SELECT value FROM json_each(?))",
      ).bind(ids),
      bindings.DIRECTORY.prepare("DELETE FROM name_words WHERE user_id IN (SELECT value FROM json_each(?))").bind(ids),
    ]);
    expect([await found(me, "methusalem"), await found(me, "older.")]).toEqual([[], ["older.one"]]);
    expect(await indexNames(bindings)).toBe(2);
    expect(await indexNames(bindings)).toBe(0);
    expect(await found(me, "methusalem anc")).toEqual(["older.one"]);
    expect([await wordsIn(old), await wordsIn(shy)]).toEqual([["ancient", "methusalem"], []]);
    await patch(shy, { privacy: { findable: "everyone" } });
    expect(await found(me, "methusalem")).toEqual(["older.one", "older.two"]);
  });
});
