import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decideAppend } from "../../src/domain/append.ts";
import { FIRST_RULES, rulesOf } from "../../src/domain/group-rules.ts";
import { maySet, newsOf, type SettingsChange } from "../../src/domain/group-settings.ts";
import { unfitAsAvatar } from "../../src/domain/media.ts";
import {
  applyChange,
  canSee,
  decidePut,
  floorFor,
  isOpened,
  type MemberChange,
  type Membership,
} from "../../src/domain/membership.ts";
import { planPage } from "../../src/domain/paging.ts";
import { ticksFor } from "../../src/domain/receipts.ts";
import type { Wish } from "../../src/protocol/events.ts";
import type { GroupRules } from "../../src/protocol/group-rules.ts";
import type { ConversationId, MediaId, UserId } from "../../src/protocol/ids.ts";
import { always } from "../property.ts";

const id = (name: string) => name as UserId;
const member = (name: string, role: Membership["role"] = "member"): Membership => ({
  userId: id(name),
  role,
  spans: [[1, null]],
});
const rosterOf = (...members: Membership[]) => new Map(members.map((m) => [m.userId, m]));
const gone = (name: string): Membership => ({ ...member(name), spans: [[1, 4]] });
const code = <T>(result: { ok: true; value: T } | { ok: false; code: string }) => (result.ok ? "ok" : result.code);
const picture = "m1" as MediaId;

const COMMON: SettingsChange[] = [{ title: "x" }, { retentionMs: 0 }, { avatarMediaId: null }];
const RULES: SettingsChange[] = [
  { sending: "admins" },
  { setting: "members" },
  { adding: "members" },
  { approval: true },
  { history: "all" },
];

test("[GR-8] who may change what: admins all of it, members what they are let, and never the rules", () => {
  const roster = rosterOf(member("ann", "admin"), member("bob"), gone("cat"));
  const says = (who: string, change: SettingsChange, settings: SettingsChange = {}) =>
    code(maySet({ kind: "group", roster, actorId: id(who), settings }, change));
  for (const change of [...COMMON, ...RULES]) {
    for (const settings of [{}, { setting: "admins" }, { setting: "members" }] as SettingsChange[]) {
      expect(says("ann", change, settings)).toBe("ok");
      expect(says("cat", change, settings)).toBe("not_member");
      expect(says("eve", change, settings)).toBe("not_found");
      const isLet = settings.setting === "members" && COMMON.includes(change);
      expect(says("bob", change, settings), JSON.stringify([change, settings])).toBe(isLet ? "ok" : "forbidden");
    }
  }
  const both = { title: "x", approval: false }; // also where the rule would change nothing
  expect(says("bob", both, { setting: "members" })).toBe("forbidden");
});

test("[GR-3] [LM-14] of a direct conversation nothing but how long messages are kept is set, by either", () => {
  const roster = rosterOf(member("ann"), member("bob"));
  const says = (change: SettingsChange, actorId = id("ann")) =>
    code(maySet({ kind: "direct", roster, actorId, settings: {} }, change));
  expect(says({ retentionMs: 60_000 })).toBe("ok");
  expect(says({ retentionMs: 60_000 }, id("eve"))).toBe("not_found");
  for (const change of [{ title: "x" }, { avatarMediaId: picture }, { retentionMs: 0, title: "x" }, ...RULES])
    expect(says(change), JSON.stringify(change)).toBe("forbidden");
});

test("[GR-8] what is so already is no news", () => {
  expect(newsOf({ title: "x" }, { title: "x", retentionMs: 0, avatarMediaId: null, ...FIRST_RULES })).toBeNull();
  expect(newsOf({ title: "x" }, { title: undefined })).toBeNull();
  const change: SettingsChange = { title: "x", sending: "admins", avatarMediaId: picture };
  expect(newsOf({ title: "x" }, change)).toEqual({ sending: "admins", avatarMediaId: picture });
  expect(newsOf({ avatarMediaId: picture, approval: true }, { avatarMediaId: null, approval: false })).toEqual({
    avatarMediaId: null,
    approval: false,
  });
  expect(rulesOf({})).toEqual(FIRST_RULES);
  expect(rulesOf({ approval: true })).toEqual({ ...FIRST_RULES, approval: true });
});

test("[GR-9] where admins alone send, a member says nothing new, and may take back and react", () => {
  const text = { type: "text" as const, text: "x" };
  const wishes: [Wish, string][] = [
    [{ kind: "message", content: text }, "forbidden"],
    [{ kind: "edit", targetSeq: 1, content: text }, "forbidden"],
    [{ kind: "recall", targetSeq: 1 }, "ok"],
    [{ kind: "reaction", targetSeq: 1, emoji: "👍" }, "ok"],
    [{ kind: "reaction", targetSeq: 1, emoji: null }, "ok"],
  ];
  for (const [wish, expected] of wishes) {
    expect(code(decideAppend(member("bob"), 3, wish, { sending: "admins" })), wish.kind).toBe(expected);
    expect(code(decideAppend(member("ann", "admin"), 3, wish, { sending: "admins" }))).toBe("ok");
    expect(code(decideAppend(member("bob"), 3, wish, { sending: "members" }))).toBe("ok");
    expect(code(decideAppend(gone("cat"), 3, wish, { sending: "admins" }))).toBe("not_member");
  }
});

test("[GR-10] members bring in members where they are let: no admins, no one removed, and by invite alone where it needs approval", () => {
  const roster = rosterOf(member("ann", "admin"), member("bob"), gone("cat"));
  const put = (actor: string, rules: Partial<GroupRules>, more: object = {}) =>
    decidePut({
      ...{ kind: "group", roster, actorId: id(actor), userId: id("dan"), role: "member", removedAt: null },
      rules: { ...FIRST_RULES, ...rules },
      ...more,
    });
  expect(code(put("bob", {}))).toBe("forbidden");
  expect(put("bob", { adding: "members" })).toMatchObject({ value: { change: "added", role: "member" } });
  expect(code(put("bob", { adding: "members" }, { role: "admin" }))).toBe("forbidden");
  expect(code(put("bob", { adding: "members" }, { removedAt: 4 }))).toBe("forbidden");
  expect(code(put("bob", { adding: "members", approval: true }))).toBe("forbidden");
  expect(code(put("bob", { adding: "members" }, { userId: id("bob"), role: "admin" }))).toBe("forbidden"); // a role, not an adding
  expect(code(put("bob", { adding: "members" }, { userId: id("ann"), role: "member" }))).toBe("forbidden");
  expect(code(put("cat", { adding: "members" }))).toBe("not_member");
  expect(code(put("eve", { adding: "members" }))).toBe("not_found");
  expect(code(put("ann", { adding: "admins", approval: true }, { removedAt: 4, role: "admin" }))).toBe("ok");
});

test("[GR-11] a picture is an image that browsers show, of whoever sets it and made for this group", () => {
  const conversationId = "g" as ConversationId;
  const wanting = { userId: id("ann"), conversationId };
  const known = { ...wanting, contentType: "image/png", bytes: 3 };
  expect(unfitAsAvatar(known, wanting)).toBeNull();
  const unfit = [
    undefined,
    { ...known, userId: id("bob") },
    { ...known, conversationId: "other" as ConversationId },
    { ...known, contentType: "video/mp4" },
    { ...known, contentType: "image/svg+xml" },
  ];
  for (const one of unfit) expect(unfitAsAvatar(one, wanting), JSON.stringify(one)).not.toBeNull();
});

/** Someone's comings and goings, each with whether the past was open then. */
const comings = fc.array(fc.record({ gap: fc.nat(3), open: fc.boolean() }), { minLength: 1, maxLength: 7 });
function lived(acts: { gap: number; open: boolean }[]) {
  let m: Membership | undefined;
  let seq = 0;
  const added: { seq: number; open: boolean }[] = [];
  const stays: [number, number | null][] = [];
  for (const [i, { gap, open }] of acts.entries()) {
    seq += gap + 1;
    const isComing = i % 2 === 0;
    const change: MemberChange = { userId: id("dan"), change: isComing ? "added" : "left" };
    m = applyChange(m, change, seq, open ? "all" : "joined");
    if (isComing) added.push({ seq, open });
    if (isComing) stays.push([seq, null]);
    else stays.splice(-1, 1, [stays.at(-1)?.[0] as number, seq]);
  }
  return { m: m as Membership, head: seq + 3, added, stays };
}

test("[GR-13] who comes for the first time while the past is open sees it whole; a gap stays a gap", () => {
  always(
    fc.property(comings, (acts) => {
      const { m, head, added, stays } = lived(acts);
      const first = added[0] as (typeof added)[0];
      const isThere = (seq: number) => stays.some(([from, to]) => from <= seq && (to === null || seq <= to));
      for (let seq = 1; seq <= head; seq++)
        expect(canSee(m, seq), `${seq}`).toBe(isThere(seq) || (first.open && seq < first.seq));
      expect(floorFor(m)).toBe(first.open ? 1 : first.seq);
      expect(m.spans.at(-1)?.[0]).toBe(added.at(-1)?.seq); // they joined then, whatever they see
      const { ranges } = planPage(m, head, { after: 0, limit: 1_000 });
      const paged = ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
      expect(paged).toEqual(Array.from({ length: head }, (_, i) => i + 1).filter((seq) => canSee(m, seq)));
    }),
  );
});

test("[GR-14] what was opened is not waited for, and what was said while they were in is", () => {
  always(
    fc.property(comings, (acts) => {
      const { m, head, added } = lived(acts);
      const first = added[0] as (typeof added)[0];
      for (let seq = 1; seq <= head; seq++) expect(isOpened(m, seq)).toBe(first.open && seq < first.seq);
    }),
  );
  const ann = member("ann", "admin");
  const dan = applyChange(undefined, { userId: id("dan"), change: "added" }, 8, "all");
  expect(ticksFor("ann", rosterOf(ann, dan), new Map())).toEqual({ delivered: 7, read: 7 });
});
