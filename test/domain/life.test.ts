import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideRepeat } from "../../src/domain/append.ts";
import {
  daysToMs,
  decideLate,
  edited,
  expiryOf,
  forwarded,
  isShownRung,
  type LateWish,
  tombstoneOf,
  wishOf,
} from "../../src/domain/life.ts";
import type { Membership } from "../../src/domain/membership.ts";
import { type Content, Event, type MediaContent, type MessageEvent, Wish } from "../../src/protocol/events.ts";
import { MediaId } from "../../src/protocol/ids.ts";
import { TIMES } from "../../src/protocol/limits.ts";
import { userId } from "../sdk/support/ids.ts";
import { message, OTHER, START } from "../sdk/support/script.ts";

const THIRD = userId("CARA");
const target = message(3);
const PHOTO: MediaContent = { type: "media", mediaId: MediaId.parse(THIRD), contentType: "image/png", bytes: 3 };
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

  test("[LM-23] a text is edited by a text and media by a caption; [LM-24] what was passed on by nothing", () => {
    const caption: LateWish = { kind: "edit", targetSeq: 3, content: { type: "caption" } };
    const media: MessageEvent = { ...target, content: PHOTO };
    expect([decide({ wish: caption, of: media }), decide({ wish: edit, of: media })]).toEqual([
      "ok",
      "invalid_request",
    ]);
    expect(decide({ wish: caption })).toBe("invalid_request");
    expect(decide({ wish: caption, of: media, after: TIMES.editMs + 1 })).toBe("too_late");
    expect(decide({ wish: caption, of: media, who: member(THIRD) })).toBe("forbidden");
    for (const of of [target, media]) {
      const passedOn = { ...of, content: forwarded(of.content as Content) };
      expect(decide({ wish: of === media ? caption : edit, of: passedOn })).toBe("forbidden");
      expect(decide({ wish: recall, of: passedOn })).toBe("ok");
    }
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

describe("what an edit and a hop make of content", () => {
  const full: MediaContent = { ...PHOTO, name: "a.png", caption: "old", mentions: [THIRD], replyTo: 2, width: 3 };

  test("[LM-23] an edit changes the caption and whom it names, and nothing else", () => {
    const { caption: _, mentions: __, ...rest } = full;
    expect(edited(full, { type: "caption", caption: "new" })).toEqual({ ...rest, caption: "new" });
    expect(edited(full, { type: "caption" })).toEqual(rest);
    expect(edited(full, { type: "caption", mentions: [OTHER] })).toEqual({ ...rest, mentions: [OTHER] });
    expect(edited(full, { type: "text", text: "x" })).toBe(full);
    const text: Content = { type: "text", text: "old", mentions: [THIRD], replyTo: 2 };
    expect(edited(text, { type: "text", text: "new" })).toEqual({ type: "text", text: "new", replyTo: 2 });
    expect(edited(text, { type: "caption", caption: "x" })).toBe(text);
  });

  test("[LM-24] what is passed on says and shows the same, to nobody by name and in answer to nothing, and counts its hops", () => {
    const { mentions: _, replyTo: __, ...rest } = full;
    expect(forwarded(full)).toEqual({ ...rest, forwards: 1 });
    let content: Content = { type: "text", text: "news", mentions: [THIRD], replyTo: 1 };
    const hops = Array.from({ length: 8 }, () => {
      content = forwarded(content);
      return content.forwards;
    });
    expect(hops).toEqual([1, 2, 3, 4, 5, 5, 5, 5]);
    expect(Wish.safeParse({ kind: "message", content }).success).toBe(true);
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
