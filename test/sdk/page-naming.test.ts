import { describe, expect, test } from "vitest";
import type { Conversation } from "../../src/protocol/http.ts";
import type { Names } from "../../web/names.ts";
import { Naming } from "../../web/naming.ts";
import { userId } from "./support/ids.ts";
import { HERE, ME, message } from "./support/script.ts";

const BEN = userId("BEN");
/** A group as its server describes it to me. */
const group = (role: "admin" | "member" | null, more: Partial<Conversation> = {}) =>
  ({
    conversationId: HERE,
    kind: "group",
    members: [],
    mine: { role, delivered: 0, read: 0, unread: 0 },
    ...more,
  }) as unknown as Conversation;
const naming = (known?: Conversation): Naming => {
  const names = { conversation: () => known, handle: () => "ben", name: () => "ben" };
  return new Naming(names as unknown as Names, ME);
};
const may = (known: Conversation) =>
  (["sending", "setting", "adding"] as const).map((what) => naming(known).may(HERE, what));

describe("naming", () => {
  test("whoever makes a group made it, and whoever comes by an invite joined", () => {
    const { deviceId: _, idempotencyKey: __, composedAt: ___, sentAt: ____, content: _____, ...event } = message(1);
    const came = (seq: number, senderId: typeof ME, who: typeof ME) =>
      naming(group("admin")).note({
        ...event,
        seq: seq as never,
        kind: "member",
        change: "added",
        senderId,
        userId: who,
      });
    expect(came(1, ME, ME)).toBe("you made the group");
    expect(came(7, BEN, BEN)).toBe("ben joined by an invite");
    expect(came(7, ME, ME)).toBe("you joined by an invite");
    expect(came(7, ME, BEN)).toBe("you added ben");
  });

  test("[AP-28] [GR-8] what may be done is what the group's admins have laid down", () => {
    expect(may(group("admin", { sending: "admins" }))).toEqual([true, true, true]);
    expect(may(group("member"))).toEqual([true, false, false]);
    expect(may(group("member", { sending: "admins", setting: "members", adding: "members" }))).toEqual([
      ...[false, true, true],
    ]);
    expect(may(group(null, { setting: "members" }))).toEqual([false, false, false]);
    expect(may(group("member", { kind: "direct" }))).toEqual([true, true, false]);
    expect(naming(group("member")).rules(HERE)).toEqual({
      ...{ sending: "members", setting: "admins", adding: "admins", approval: false, history: "joined" },
    });
  });
});
