import { expect, test } from "vitest";
import { type Client, EdgewiseError } from "../../src/sdk/client/index.ts";
import { Once } from "../../web/model/once.ts";
import { Reporting } from "../../web/model/reporting.ts";
import { HERE, OTHER } from "./support/script.ts";

type Sent = Parameters<Client["reports"]["send"]>[0];
/** A key that is new each time. */
function keys(): () => string {
  let count = 0;
  return () => `key ${++count}`;
}

test("[AP-26] a report that was not answered is repeated under its key; one with other words is another one", async () => {
  const sent: Sent[] = [];
  const send = async (wanted: Sent) => {
    if (sent.push(wanted) === 1) throw new EdgewiseError("unavailable");
  };
  const reporting = new Reporting(
    { reports: { send }, newKey: keys() },
    { userId: OTHER, conversationId: HERE, seq: 7 },
  );
  expect(await reporting.send("spam", "")).toMatchObject({ ok: false, code: "unavailable" });
  expect((await reporting.send("spam", "")).ok).toBe(true);
  await reporting.send("spam", "more");
  await reporting.send("scam", "more");
  const [first, again, other, another] = sent.map(({ idempotencyKey }) => idempotencyKey);
  expect(again).toBe(first);
  expect(new Set([first, other, another]).size).toBe(3);
  expect(sent[0]).toEqual({ idempotencyKey: first, userId: OTHER, conversationId: HERE, seqs: [7], reason: "spam" });
  expect(sent[2]?.note).toBe("more");
});

test("[AP-39] what is asked for again in the same words keeps its name, and in other words gets another", () => {
  const once = new Once(keys());
  const first = once.keyOf({ title: "Garden", memberIds: ["bob"] });
  expect(once.keyOf({ title: "Garden", memberIds: ["bob"] })).toBe(first);
  const other = once.keyOf({ title: "Garden", memberIds: ["bob", "cleo"] });
  expect(other).not.toBe(first);
  expect(once.keyOf({ title: "Garden", memberIds: ["bob"] })).not.toBe(first);
});
