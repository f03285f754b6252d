import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ServerFrame } from "../../src/protocol/frames.ts";
import { ConversationId, InviteCode, UserId } from "../../src/protocol/ids.ts";
import { OpenConversation, PushPayload } from "../../src/protocol/push.ts";
import { ReplicaState } from "../../src/sdk/index.ts";
import { isConversationId, isInviteCode, isUserId } from "../../web/checks.ts";
import { readFrame } from "../../web/frames.ts";
import { readOpen, readPayload } from "../../web/payload.ts";
import { smallIn } from "../../web/stored.ts";
import { HERE, key, messages, Script, summary } from "./support/script.ts";

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

  const frames = [
    { type: "welcome", id: 1, userId: ULID, deviceId: ULID, mode: "resume", serverTime: 1 },
    { type: "ack", id: 2, conversationId: HERE, seq: 1, eventId: ULID, receivedAt: 1, occurredAt: 1, duplicate: false },
    { type: "page", id: 3, conversationId: HERE, events: messages(1, 2), head: 2, floor: 1 },
    { type: "events", conversationId: HERE, events: messages(1, 1) },
    { type: "changed", conversations: [summary(3), { conversationId: HERE }] },
    { type: "caught_up", cursor: "E.1" },
    { type: "receipts", conversationId: HERE, receipts: [], ticks: { delivered: 1, read: 0 } },
    { type: "typing", conversationId: HERE, userId: ULID, active: true },
    { type: "presence", users: [{ userId: ULID, state: "online" }] },
    { type: "self", conversations: [{ conversationId: HERE, readSeq: 1 }] },
    { type: "degraded", shed: ["typing"] },
    { type: "error", code: "internal", detail: "", retryable: true },
  ];

  test("every frame that the schema takes is taken, and what lacks a field or is of another kind is not", () => {
    expect(new Set(frames.map(({ type }) => type)).size).toBe(ServerFrame.options.length);
    for (const frame of frames) {
      expect(ServerFrame.safeParse(frame).success).toBe(true);
      expect(readFrame(JSON.stringify(frame))).toEqual(frame);
      for (const name of Object.keys(frame)) {
        const { [name]: _, ...less } = frame as Record<string, unknown>;
        expect([frame.type, name, readFrame(JSON.stringify(less)) !== null]).toEqual([
          ...[frame.type, name, ServerFrame.safeParse(less).success],
        ]);
      }
    }
    const unknown = { ...frames[3], events: [{ ...messages(1, 1)[0], kind: "poll" }] };
    for (const frame of [unknown, { type: "later" }, { type: "toString" }, [], null, 1])
      expect(readFrame(JSON.stringify(frame))).toBeNull();
    expect(readFrame("pong?")).toBeNull();
  });

  test("a state that the schema takes is read back, and one that is spoilt is not, at whatever field", () => {
    const script = new Script().open().wish(1);
    script.hear({ type: "changed", conversations: [summary(1)] });
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 1) });
    const stored = { ...script.disk, shape: 2 };
    expect(ReplicaState.safeParse(stored).success).toBe(true);
    expect(smallIn(stored)?.outbox).toEqual(script.disk.outbox);
    expect(smallIn(stored)?.outbox[0]?.wishId).toBe(key(1));
    for (const name of ["cursor", "conversations", "outbox"]) expect(smallIn({ ...stored, [name]: 1 })).toBeNull();
    const held = stored.conversations[HERE];
    for (const name of ["covered", "from", "read", "told", "ticks", "mine", "memberCount"])
      expect(smallIn({ ...stored, conversations: { [HERE]: { ...held, [name]: "x" } } })).toBeNull();
    const [entry] = stored.outbox;
    for (const name of ["wishId", "idempotencyKey", "conversationId", "composedAt", "event", "standing"])
      expect(smallIn({ ...stored, outbox: [{ ...entry, [name]: 0.5 }] })).toBeNull();
  });
});
