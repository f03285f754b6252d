import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Contact } from "../../src/protocol/http.ts";
import { NOBODY, withChanges } from "../../web/acquaintance.ts";
import { hearListed, hearNews, NO_NEWS, newsIn } from "../../web/news.ts";
import { userId } from "./support/ids.ts";
import { HERE, summary } from "./support/script.ts";

const seqs = (...all: number[]) => all as never[];

describe("[AP-21] what is told beside the logs", () => {
  test("a listed conversation says all, and what it leaves out is none", () => {
    const listed = summary(9, { starred: seqs(3, 5), requestCount: 2 });
    const told = hearNews(NO_NEWS, { type: "changed", conversations: [listed] });
    expect(told).toEqual({ starred: { [HERE]: [3, 5] }, waiting: { [HERE]: 2 } });
    expect(hearNews(told, { type: "changed", conversations: [{ conversationId: HERE }] })).toEqual(told);
    expect(hearNews(told, { type: "changed", conversations: [summary(10)] })).toEqual(NO_NEWS);
    expect(hearListed(NO_NEWS, [listed])).toEqual(told);
  });

  test("another device of mine says what it changed, and nothing else of it", () => {
    const told = hearListed(NO_NEWS, [summary(9, { starred: seqs(3), requestCount: 1 })]);
    const read = { type: "self", conversations: [{ conversationId: HERE, readSeq: 4 }] } as const;
    expect(hearNews(told, { ...read, conversations: [...read.conversations] })).toBe(told);
    const starred = [{ conversationId: HERE, starred: seqs(3, 4) }];
    expect(hearNews(told, { type: "self", conversations: starred })).toEqual({ ...told, starred: { [HERE]: [3, 4] } });
    const none = [{ conversationId: HERE, starred: seqs() }];
    expect(hearNews(told, { type: "self", conversations: none })).toEqual({ ...told, starred: {} });
    const wrong = [{ conversationId: HERE, starred: ["x"] as never }];
    expect(hearNews(told, { type: "self", conversations: wrong })).toBe(told); // [AP-3]
    expect(hearNews(told, { type: "caught_up", cursor: "E.1" as never })).toBe(told);
  });

  test("what was kept is read back, and what does not fit is not [AP-3]", () => {
    const told = hearListed(NO_NEWS, [summary(9, { starred: seqs(3), requestCount: 1 })]);
    expect(newsIn(JSON.parse(JSON.stringify(told)))).toEqual(told);
    for (const wrong of [
      null,
      [],
      {},
      { starred: {} },
      { starred: { a: ["x"] }, waiting: {} },
      { starred: {}, waiting: { a: -1 } },
    ])
      expect(newsIn(wrong)).toBeNull();
    fc.assert(fc.property(fc.jsonValue(), (value) => void newsIn(value)));
  });
});

describe("contacts", () => {
  const contact = (name: string, state: Contact["state"]): Contact => ({
    ...{ userId: userId(name), handle: name.toLowerCase(), displayName: name, state },
  });
  test("[CT-14] [CT-15] what has changed takes its place, what ended is gone, and a new beginning forgets the old", () => {
    const first = withChanges(NOBODY, { version: 3, contacts: [contact("A", "incoming"), contact("B", "accepted")] });
    const next = withChanges(first, { version: 5, contacts: [contact("A", "accepted")], removed: [userId("B")] });
    expect(next).toEqual({ version: 5, contacts: [contact("A", "accepted")] });
    expect(withChanges(next, { version: 9, contacts: [contact("C", "requested")], reset: true })).toEqual({
      ...{ version: 9, contacts: [contact("C", "requested")] },
    });
  });
});
