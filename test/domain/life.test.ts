import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideRepeat } from "../../src/domain/append.ts";
import {
  daysToMs,
  decideLate,
  expiryOf,
  isShownRung,
  type LateWish,
  tombstoneOf,
  wishOf,
} from "../../src/domain/life.ts";
import type { Membership } from "../../src/domain/membership.ts";
import { Event, type MessageEvent, Wish } from "../../src/protocol/events.ts";
import { TIMES } from "../../src/protocol/limits.ts";
import { userId } from "../sdk/support/ids.ts";
import { message, OTHER, START } from "../sdk/support/script.ts";

const THIRD = userId("CARA");
const target = message(3);
const edit: LateWish = { kind: "edit", targetSeq: 3, content: { type: "text", text: "better" } };
const recall: LateWish = { kind: "recall", targetSeq: 3 };
const react = (emoji: string | null): LateWish => ({ kind: "reaction", targetSeq: 3, emoji });
const member = (who = OTHER, role: "admin" | "member" = "member"): Membership => ({
  userId: who,
  role,
  spans: [[1, null]],
});

type Asked = { wish: LateWish; who?: Membership; kind?: "direct" | "group"; after?: number; of?: MessageEvent | null };
const decide = ({ wish, who = member(), kind = "group", after = 0, of = target }: Asked): string => {
  const decided = decideLate({ kind, member: who, target: of ?? undefined, now: START + after }, wish);
  return decided.ok ? "ok" : decided.code;
};

describe("what may be said of a message", () => {
  test("[LM-1] of what is no message, or not theirs to see, nothing", () => {
    for (const wish of [edit, recall, react("👍"), react(null)])
      expect(decide({ wish, of: null })).toBe("invalid_request");
  });

  test("[LM-2] its sender edits a text, for a quarter of an hour", () => {
    expect(decide({ wish: edit })).toBe("ok");
    expect(decide({ wish: edit, after: TIMES.editMs })).toBe("ok");
    expect(decide({ wish: edit, after: TIMES.editMs + 1 })).toBe("too_late");
    expect(decide({ wish: edit, who: member(THIRD, "admin") })).toBe("forbidden");
  });

  test("[LM-3] its sender recalls it for two days, a group's admin always", () => {
    expect(decide({ wish: recall, after: TIMES.recallMs })).toBe("ok");
    expect(decide({ wish: recall, after: TIMES.recallMs + 1 })).toBe("too_late");
    expect(decide({ wish: recall, who: member(THIRD) })).toBe("forbidden");
    expect(decide({ wish: recall, who: member(THIRD, "admin"), after: 1e12 })).toBe("ok");
    expect(decide({ wish: recall, who: member(THIRD, "admin"), kind: "direct" })).toBe("forbidden");
    expect(decide({ wish: recall, who: member(OTHER, "admin"), after: 1e12 })).toBe("ok");
  });

  test("[LM-4] of a message that is gone nothing is said any more", () => {
    for (const because of ["recalled", "expired"] as const)
      for (const wish of [edit, recall, react("👍"), react(null)])
        expect(decide({ wish, of: tombstoneOf(target, because), who: member(OTHER, "admin") })).toBe("too_late");
  });

  test("[LM-10] every member may react to every message", () => {
    expect(decide({ wish: react("👍"), who: member(THIRD), after: 1e12 })).toBe("ok");
    expect(decide({ wish: react(null), who: member(THIRD) })).toBe("ok");
  });
});

describe("what stays", () => {
  const texts = fc.string({ minLength: 1, maxLength: 50, unit: "binary" });

  test("[LM-5] a tombstone is an event of the same place, sender and times, without the words", () => {
    fc.assert(
      fc.property(texts, fc.array(fc.constant(THIRD), { maxLength: 3 }), (text, mentions) => {
        const said = { ...target, content: { type: "text" as const, text: `secret ${text}`, mentions, replyTo: 1 } };
        const tombstone = Event.parse(JSON.parse(JSON.stringify(tombstoneOf(said, "recalled"))));
        expect(tombstone).toEqual({ ...target, content: { type: "gone", because: "recalled" } });
        expect(JSON.stringify(tombstone)).not.toContain("secret");
      }),
    );
  });

  test("[LM-6] a repeat of a wish whose words are gone is answered like any other repeat", () => {
    const wish = { kind: "message" as const, content: { type: "text" as const, text: "text 3" } };
    expect(decideRepeat(wishOf(target), wish)).toEqual({ ok: true, value: "duplicate" });
    expect(decideRepeat(wishOf(tombstoneOf(target, "recalled")), wish)).toEqual({ ok: true, value: "duplicate" });
    expect(decideRepeat(undefined, wish)).toMatchObject({ ok: false, code: "key_out_of_order" });
    expect(decideRepeat(wishOf(target), recall)).toMatchObject({ ok: false, code: "idempotency_conflict" });
  });

  test("[LM-6] every wish can be told from its event", () => {
    const { kind: _, content: __, ...envelope } = target;
    for (const wish of [edit, recall, react("👍"), react(null)]) {
      const event = Event.parse({ ...envelope, ...wish });
      expect("idempotencyKey" in event && wishOf(event)).toEqual(wish);
    }
  });

  test("[LM-9] a notification is taken down while it is the one for this message", () => {
    expect(isShownRung(5, { rung: 5, read: 3, newest: 4 })).toBe(true);
    expect(isShownRung(5, { rung: 4, read: 3, newest: 4 })).toBe(false);
    expect(isShownRung(5, { rung: 9, read: 5, newest: 0 })).toBe(false);
    expect(isShownRung(5, { rung: 9, read: 3, newest: 7 })).toBe(false);
  });
});

describe("[LM-10] a reaction is one emoji", () => {
  const emoji = (text: string) => Wish.safeParse({ kind: "reaction", targetSeq: 1, emoji: text }).success;

  test("as people see it", () => {
    for (const one of [
      "👍",
      "❤️",
      "❤",
      "👍🏽",
      "🇩🇪",
      "1️⃣",
      "👩‍❤️‍👨",
      "🏳️‍🌈",
      "🧑🏽‍🚀",
      "👁️‍🗨️",
      "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
      "👩🏿‍❤️‍💋‍👩🏻",
      "👨‍👩‍👧‍👦",
      "☝🏽",
      "🫠",
    ])
      expect(emoji(one), one).toBe(true);
  });

  test("and nothing else", () => {
    for (const other of [
      "",
      "a",
      "1",
      "👍👍",
      "👍 ",
      " 👍",
      "<b>",
      "🇩",
      "🇩🇪🇫🇷",
      "\u200d",
      "👍\u200d",
      "a️⃣",
      "👍".repeat(30),
      "\ud83d",
    ])
      expect(emoji(other), other).toBe(false);
  });
});

describe("how long messages are kept", () => {
  test("[LM-13] as the conversation has chosen, and never longer than the deployer says", () => {
    const at = (chosenMs: number, deployerMs: number) => expiryOf(1_000, { chosenMs, deployerMs });
    expect([at(0, 0), at(5, 0), at(0, 7), at(5, 7), at(9, 7)]).toEqual([null, 1_005, 1_007, 1_005, 1_007]);
    expect(["", undefined, "x", "-1", "0", "0.5", "30"].map(daysToMs)).toEqual([
      0, 0, 0, 0, 0, 43_200_000, 2_592_000_000,
    ]);
  });

  test("[LM-4] what has expired is gone before the alarm has come to it", () => {
    const expiring = { ...target, expiresAt: START + 5 };
    expect(decide({ wish: react("👍"), of: expiring, after: 4 })).toBe("ok");
    expect(decide({ wish: react("👍"), of: expiring, after: 5 })).toBe("too_late");
  });
});
