import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fold } from "../../src/domain/searching.ts";
import { DOORS, type SearchHit, type Session } from "../../src/protocol/http.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import { bindings, newUserId } from "../objects/support.ts";
import { downDatabase, signUp } from "./support/accounts.ts";
import { ask, groupOf, openPair, pairUp, say, settle, wishOf } from "./support/worker.ts";

type Page = { hits: SearchHit[]; cursor?: string | undefined; incomplete: boolean };
type More = { conversationId?: string; cursor?: string; limit?: number };

const asked = (session: Session, q: string, more: More = {}, changed = {}) => {
  const query = new URLSearchParams(Object.entries({ q, ...more }).map(([name, value]) => [name, `${value}`]));
  return ask(session, "GET", `/v1/search?${query}`, undefined, changed);
};
/** A page that fits the contract. */
async function find(session: Session, q: string, more: More = {}, changed = {}): Promise<Page> {
  const { status, json } = await asked(session, q, more, changed);
  if (status !== 200) throw new Error(JSON.stringify(json));
  return DOORS.search.answers[200].parse(json);
}
const seqs = ({ hits }: Page) => hits.map(({ seq }) => seq);
const snippets = ({ hits }: Page) => hits.map(({ snippet }) => snippet.text.slice(snippet.from, snippet.to));
async function findAll(session: Session, q: string, more: More = {}): Promise<SearchHit[]> {
  const all: SearchHit[] = [];
  for (let page = await find(session, q, more); ; page = await find(session, q, { ...more, cursor: page.cursor })) {
    all.push(...page.hits);
    if (page.cursor === undefined) return all;
  }
}

test("[SE-1] both find what was said between them; a stranger finds nothing, and of a conversation not even that it is there", async () => {
  const { ann, bob, id } = await pairUp();
  const eve = await signUp();
  const seq = await say(ann, id, "The password is swordfish");
  for (const when of ["before", "after"]) {
    for (const one of [ann, bob]) {
      expect(seqs(await find(one, "swordfish")), when).toEqual([seq]);
      expect(seqs(await find(one, "swordfish", { conversationId: id })), when).toEqual([seq]);
    }
    expect((await find(eve, "swordfish")).hits).toEqual([]);
    expect(await asked(eve, "swordfish", { conversationId: id })).toMatchObject({
      status: 404,
      json: { code: "not_found" },
    });
    await settle(id);
  }
  const unknown = await asked(ann, "swordfish", { conversationId: `d${newUserId()}` });
  expect(unknown).toMatchObject({ status: 404, json: { code: "not_found" } });
});

test("[SE-1] members find what was said while they were in, and nothing else", async () => {
  const [ann, bob, cat] = [await signUp(), await signUp(), await signUp()];
  const id = await groupOf(ann, bob);
  const path = `/v1/conversations/${id}/members/${cat.user.userId}`;
  const said: number[] = [];
  const tell = async () => said.push(await say(ann, id, `secret number ${said.length}`));
  await tell();
  await ask(ann, "PUT", path, {});
  await tell();
  await ask(ann, "DELETE", path);
  await tell();
  await ask(ann, "PUT", path, {});
  await tell();
  await ask(ann, "DELETE", path);
  await tell();
  for (let i = 0; i < 2; i++) {
    expect(seqs(await find(cat, "secret"))).toEqual([said[3], said[1]]);
    expect(seqs(await find(cat, "secret", { conversationId: id }))).toEqual([said[3], said[1]]);
    expect(seqs(await find(bob, "SECRET NUMBER"))).toEqual(said.toReversed());
    await settle(id);
  }
});

test("[SE-2] the newest come first, page by page, each once, also while more is said", async () => {
  const { ann, bob, id } = await pairUp();
  const other = await openPair(ann, await signUp());
  const said: [ConversationId, number][] = [];
  for (let i = 0; i < 9; i++) {
    const where = i % 3 === 0 ? other : id;
    said.push([where, await say(ann, where, `apple ${i}`)]);
    if (i === 5) for (const one of [id, other]) await settle(one);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const found: SearchHit[] = [];
  let page = await find(ann, "apple", { limit: 2 });
  found.push(...page.hits);
  while (page.cursor !== undefined) {
    await say(bob, id, "a new apple");
    page = await find(ann, "apple", { limit: 2, cursor: page.cursor });
    found.push(...page.hits);
  }
  expect(found.map((hit) => [hit.conversationId, hit.seq])).toEqual(said.toReversed());
});

test("[SE-2] hundreds of hits in long conversations are all found, in order", async () => {
  const { ann, id } = await pairUp();
  const said: number[] = [];
  for (let i = 0; i < 130; i++) said.push(await say(ann, id, i % 10 === 0 ? "needle" : "hay and more hay"));
  await settle(id);
  const needles = said.filter((_, i) => i % 10 === 0).toReversed();
  expect((await findAll(ann, "needle", { limit: 3 })).map(({ seq }) => seq)).toEqual(needles);
  expect((await findAll(ann, "hay", { limit: 50 })).length).toBe(117);
  expect((await findAll(ann, "ay", { limit: 50 })).length).toBe(117);
}, 120_000);

test("[SE-3] every script, in whatever case", async () => {
  const { ann, bob, id } = await pairUp();
  const texts = [
    "Привет, мир",
    "你好世界",
    "مرحبا بالعالم",
    "Crème brûlée",
    "ΟΔΟΣ Straße",
    "good 👍🏽 emoji",
    'say "hi" -now* (a OR b)',
  ];
  for (const words of texts) await say(bob, id, words);
  for (let i = 0; i < 2; i++) {
    const queries = [
      "ПРИВЕТ",
      "好世界",
      "你好",
      "世",
      "بالع",
      "CRÈME",
      "cre\u0300me",
      "οδος",
      "STRASSE",
      "👍🏽",
      "👍",
      '"hi"',
      "-now*",
      "(A or B)",
    ];
    for (const q of queries) expect((await find(ann, q)).hits, q).toHaveLength(1);
    expect(snippets(await find(ann, "мир"))).toEqual(["мир"]);
    expect((await find(ann, "creme")).hits).toEqual([]);
    await settle(id);
  }
});

test("[SE-3] no query is syntax: what holds the words is found, and nothing else; nothing breaks", async () => {
  const { ann, id } = await pairUp();
  const texts = [
    'NEAR("a b", 2) AND x*',
    "folded:abc OR def NOT ghi",
    "100% _under_ [x] {y} ^start",
    "''\"\" -- ; DROP TABLE events",
    "\\0 \u202E rtl",
  ];
  const all = new Map<number, string>();
  for (const words of texts) all.set(await say(ann, id, words), words);
  await settle(id);
  const piece = fc
    .constantFrom(...texts)
    .chain((t) => fc.tuple(fc.nat(t.length - 1), fc.nat(12)).map(([at, n]) => t.slice(at, at + n + 1)));
  const query = fc.oneof(
    piece,
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(..."\"*^:(){}-+AND OR'%_\\\0\u0301é"), minLength: 1, maxLength: 8 }),
  );
  await fc.assert(
    fc.asyncProperty(
      query.filter((q) => q.trim() !== ""),
      async (q) => {
        const words = fold(new TextDecoder().decode(new TextEncoder().encode(q.trim())));
        const expected = [...all].filter(([, t]) => fold(t).includes(words)).map(([seq]) => seq);
        expect((await findAll(ann, q, { limit: 50 })).map(({ seq }) => seq)).toEqual(expected.toReversed());
      },
    ),
    { numRuns: 60 },
  );
  for (const q of ["", "   ", "x".repeat(201)])
    expect(await asked(ann, q)).toMatchObject({ status: 400, json: { code: "invalid_request" } });
  for (const cursor of ["", "1", "a.b.c", `1.${id}.-1`, `01.${id}.1`, `9999999999999999.${id}.1`])
    expect(await asked(ann, "abc", { cursor })).toMatchObject({ status: 400, json: { code: "invalid_request" } });
  for (const limit of [0, 51]) expect((await asked(ann, "abc", { limit })).status).toBe(400);
}, 120_000);

test("[SE-5] an edited message is found by its newest words alone, a recalled one not at all", async () => {
  const { ann, bob, id } = await pairUp();
  const send = (event: unknown) => ask(ann, "POST", `/v1/conversations/${id}/events`, wishOf(event));
  const [first, second] = [await say(ann, id, "meet at the harbour"), await say(ann, id, "bring the documents")];
  await settle(id);
  await send({ kind: "edit", targetSeq: first, content: { type: "text", text: "meet at the station" } });
  await send({ kind: "edit", targetSeq: second, content: { type: "text", text: "bring the documents now" } });
  await send({ kind: "recall", targetSeq: second });
  for (let i = 0; i < 2; i++) {
    expect(seqs(await find(bob, "harbour"))).toEqual([]);
    expect(seqs(await find(bob, "station"))).toEqual([first]);
    expect(seqs(await find(bob, "meet"))).toEqual([first]);
    expect(seqs(await find(bob, "documents"))).toEqual([]);
    await settle(id);
  }
  const left = await Promise.all(
    [bindings.HISTORY_0, bindings.HISTORY_1].map((db) =>
      db.prepare(`SELECT rowid FROM texts WHERE texts MATCH '"ume"'`).all(),
    ),
  );
  expect(left.flatMap(({ results }) => results)).toEqual([]);
});

test("[SE-6] before it is shipped it is found in the conversation asked for and in those that changed last", async () => {
  const ann = await signUp();
  const ids: ConversationId[] = [];
  for (let i = 0; i < 22; i++) {
    const id = await openPair(ann, await signUp());
    await say(ann, id, "lantern");
    ids.push(id);
  }
  const places = async (q: string, more: More = {}) => (await findAll(ann, q, more)).map((hit) => hit.conversationId);
  expect((await places("lantern")).toSorted()).toEqual(ids.slice(2).toSorted());
  for (const id of ids.slice(0, 2)) {
    expect(await places("lantern", { conversationId: id })).toEqual([id]);
    await settle(id);
  }
  expect((await places("lantern")).toSorted()).toEqual(ids.toSorted());
});

test("[SE-7] what is away is told, and the others answer", async () => {
  const ann = await signUp();
  const ids: ConversationId[] = [];
  for (let i = 0; i < 12; i++) ids.push(await openPair(ann, await signUp()));
  for (const id of ids) {
    await say(ann, id, "umbrella");
    await settle(id);
  }
  expect(await find(ann, "umbrella", { limit: 50 })).toMatchObject({ incomplete: false });
  const all = await find(ann, "umbrella", { limit: 50 });
  const some = await find(ann, "umbrella", { limit: 50 }, { HISTORY_0: downDatabase() });
  expect(some.incomplete).toBe(true);
  expect([some.hits.length > 0, some.hits.length < all.hits.length]).toEqual([true, true]);
  const none = await find(ann, "umbrella", {}, { HISTORY_0: downDatabase(), HISTORY_1: downDatabase() });
  expect(none).toEqual({ hits: [], incomplete: true });
});

test("[SE-9] a snippet is bounded and shows the words", async () => {
  const { ann, id } = await pairUp();
  await say(ann, id, `${"x".repeat(5_000)} treasure ${"y".repeat(5_000)}`);
  const [hit] = (await find(ann, "TREASURE")).hits;
  expect(hit?.snippet.text.length).toBeLessThan(140);
  expect(hit?.snippet.text.slice(hit.snippet.from, hit.snippet.to)).toBe("treasure");
});
