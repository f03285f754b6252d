import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import { heldOf, type ReplicaState } from "../../src/sdk/drawing.ts";
import { applyChange, NOTHING_STORED } from "../../src/sdk/state.ts";
import { LookingBack } from "../../web/model/looking-back.ts";
import { HERE, key, message } from "./support/script.ts";

const kept = [
  { type: "skipped", conversationId: HERE, from: 500, passed: null },
  { type: "grew", conversationId: HERE, covered: 501, events: [message(500), message(501, key(1))] },
] as const;
const stored: ReplicaState = kept.reduce(applyChange, NOTHING_STORED);

/** A window of two messages of long ago. */
function windowOn(state = signal(stored)) {
  const past = {
    ...{ events: [message(5), message(6)], hasOlder: true, hasNewer: true, isOver: false },
    ...{ messages: () => [], loadOlder: async () => 0, loadNewer: async () => 0 },
  };
  const back = new LookingBack({ state, around: async () => past });
  return { state, past, back };
}
const seqsIn = (state: ReplicaState) => heldOf(state, HERE).events.map(({ seq }) => seq);

test("[AP-40] a window of the past stands in the place of what is kept, until what ends it: then that is shown again", async () => {
  const { state, past, back } = windowOn();
  await back.to(HERE, 5);
  expect([seqsIn(back.stateOf(HERE)), back.isOpen]).toEqual([[5, 6], true]);
  past.isOver = true;
  expect(seqsIn(back.stateOf(HERE))).toEqual([500, 501]); // at once, whatever is told first
  expect(back.of(HERE)).toBe(past);
  state.value = { ...stored };
  expect([back.of(HERE), back.isOpen]).toEqual([null, false]);
  expect(back.stateOf(HERE)).toBe(state.value);
});

test("[AP-40] what is said now of a message in the window shows on it, and what waits to be sent has no place there", async () => {
  const { state, back } = windowOn();
  await back.to(HERE, 5);
  const edit = {
    ...message(502),
    kind: "edit",
    targetSeq: 6,
    content: { type: "text", text: "as it should be" },
  } as const;
  const grown = applyChange(state.value as never, { type: "grew", conversationId: HERE, covered: 502, events: [edit] });
  state.value = grown;
  expect(seqsIn(back.stateOf(HERE))).toEqual([5, 6, 502]);
  back.leave();
  expect(seqsIn(back.stateOf(HERE))).toEqual([500, 501, 502]);
});
