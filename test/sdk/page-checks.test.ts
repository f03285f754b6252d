import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConversationId, InviteCode, UserId } from "../../src/protocol/ids.ts";
import { OpenConversation, PushPayload } from "../../src/protocol/push.ts";
import { isConversationId, isInviteCode, isUserId } from "../../web/checks.ts";
import { readOpen, readPayload } from "../../web/payload.ts";
import { HERE } from "./support/script.ts";

const ULID = "01J00000000000000000000002";
const junk = fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>(0, -1, 1.5, "", null, [], {}, true, "message"));
/** The value with one of its fields gone, or with junk in its place. */
const spoilt = (value: object) =>
  fc.tuple(fc.constantFrom(...Object.keys(value)), fc.option(junk, { nil: undefined })).map(([name, other]) => ({
    ...value,
    [name]: other,
  }));

describe("[AP-3] what the page checks by hand is what the schemas say", () => {
  test("ids and codes", () => {
    const code = `${"0".repeat(26)}${"a".repeat(22)}`;
    const texts = fc.oneof(fc.constantFrom(ULID, HERE, code, "", `d${ULID}`, `d${"0".repeat(26)}`), fc.string());
    fc.assert(
      fc.property(texts, fc.string({ maxLength: 1 }), (text, more) => {
        for (const each of [text, text + more, text.toLowerCase()]) {
          expect(isUserId(each)).toBe(UserId.safeParse(each).success);
          expect(isConversationId(each)).toBe(ConversationId.safeParse(each).success);
          expect(isInviteCode(each)).toBe(InviteCode.safeParse(each).success);
        }
      }),
    );
  });

  test("every letter in every place of an id or a code", () => {
    const letters = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
    for (const whole of [ULID, HERE, `${"0".repeat(26)}${"a".repeat(22)}`])
      for (let at = 0; at < whole.length; at++)
        for (const letter of letters) {
          const text = whole.slice(0, at) + letter + whole.slice(at + 1);
          const schemas = [UserId, ConversationId, InviteCode].map((schema) => schema.safeParse(text).success);
          expect([text, isUserId(text), isConversationId(text), isInviteCode(text)]).toEqual([text, ...schemas]);
        }
  });

  test("pushes, whole and spoilt", () => {
    const place = { conversationId: HERE, seq: 3, unread: 1 };
    const whole = [
      { type: "message", ...place, sender: { userId: ULID, displayName: "Ada" }, title: "Hiking", text: "Hello" },
      { type: "message", ...place },
      { type: "message", ...place, text: "Bye", expiresAt: 1_800_000_000_000 },
      { type: "read", ...place },
      { type: "gone", ...place, more: 1 },
    ];
    for (const payload of whole) expect(readPayload(JSON.stringify(payload))).toEqual(PushPayload.parse(payload));
    const each = fc.constantFrom(...whole).chain(spoilt);
    fc.assert(
      fc.property(each, (payload) => {
        const text = JSON.stringify(payload);
        expect(readPayload(text)).toEqual(PushPayload.safeParse(JSON.parse(text)).data ?? null);
      }),
      { numRuns: 500 },
    );
    for (const text of [undefined, "", "no JSON", "null", "[]", "1"]) expect(readPayload(text)).toBeNull();
    for (const value of [{ type: "open", conversationId: HERE }, { type: "open" }, null, 1])
      expect(readOpen(value)).toEqual(OpenConversation.safeParse(value).data ?? null);
  });
});
