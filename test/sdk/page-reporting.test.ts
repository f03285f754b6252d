import { expect, test } from "vitest";
import { type Lend, Reporting } from "../../web/model/reporting.ts";
import { HERE, OTHER } from "./support/script.ts";

test("[AP-26] a report that was not answered is repeated under its key; one with other words is another one", async () => {
  const sent: { idempotencyKey: string; note?: string }[] = [];
  const answers = [{ ok: false, code: "unavailable" }, { ok: true }, { ok: true }, { ok: true }];
  const call = (_: string, { body }: { body: (typeof sent)[number] }) => Promise.resolve(answers[sent.push(body) - 1]);
  const reporting = new Reporting({ call } as unknown as Lend, {
    userId: OTHER,
    conversationId: HERE,
    seq: 7,
  });
  expect((await reporting.send("spam", "")).ok).toBe(false);
  expect((await reporting.send("spam", "")).ok).toBe(true);
  await reporting.send("spam", "more");
  await reporting.send("scam", "more");
  const [first, again, other, another] = sent.map(({ idempotencyKey }) => idempotencyKey);
  expect(again).toBe(first);
  expect(new Set([first, other, another]).size).toBe(3);
  expect(sent[0]).toEqual({ idempotencyKey: first, userId: OTHER, conversationId: HERE, seqs: [7], reason: "spam" });
  expect(sent[2]?.note).toBe("more");
});
