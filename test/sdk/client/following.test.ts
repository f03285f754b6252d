import { expect, test } from "vitest";
import { Following } from "../../../src/sdk/client/following.ts";
import { NO_MOMENT } from "../../../src/sdk/client/moment.ts";
import type { Sessions } from "../../../src/sdk/client/sessions.ts";
import { applyClientChange, type ClientChange, NOTHING_KEPT } from "../../../src/sdk/client/state.ts";
import type { Told } from "../../../src/sdk/client/told.ts";
import { heldOf } from "../../../src/sdk/state.ts";
import { conversationId } from "../support/ids.ts";
import { message } from "../support/script.ts";

const ID = conversationId(1);
const grew = (seq: number): ClientChange => ({
  ...{ type: "grew", conversationId: ID, covered: seq },
  events: [{ ...message(seq), conversationId: ID }],
});
const stateWith = (...seqs: number[]) => seqs.map(grew).reduce(applyClientChange, NOTHING_KEPT);

/** A tab that follows, and what tabs that lead say to it. */
function following() {
  const joins: (number | undefined)[] = [];
  const cleared: string[] = [];
  const tab = new Following(
    {
      ...{ tab: "me", sessions: { load: async () => {} } as unknown as Sessions },
      post: (told: Told) => void (told.type === "join" && joins.push(told.join)),
      ...{ onChange: () => {}, onCleared: () => cleared.push("cleared"), onLed: () => {}, onSettled: () => {} },
    },
    NOTHING_KEPT,
    true,
  );
  tab.join();
  const lead = () => tab.hear({ type: "lead" });
  const give = (leader: string, join: number | undefined, ...seqs: number[]) =>
    tab.hear({ ...{ type: "state", to: "me", leader, moment: NO_MOMENT }, join, state: stateWith(...seqs) });
  const tell = (leader: string | undefined, seq: number) =>
    tab.hear({ ...{ type: "delta", moment: NO_MOMENT, ended: [] }, leader, changes: [grew(seq)] });
  const seqs = () => heldOf(tab.state.replica, ID).events.map(({ seq }) => seq);
  return { tab, joins, cleared, lead, give, tell, seqs };
}

test("[CL-74] what a tab that has died told comes late, and is not applied to the state of the next one that leads", () => {
  const { joins, lead, give, tell, seqs } = following();
  give("first", 1, 1);
  tell("first", 2);
  lead();
  give("second", 2, 1, 2, 3);
  tell("first", 3);
  expect(seqs()).toEqual([1, 2, 3]);
  tell("second", 4);
  expect(seqs()).toEqual([1, 2, 3, 4]);
  expect(joins).toEqual([1, 2]);
});

test("[CL-74] nor does a state that a dead tab gave, which answers a join of before, take the place of the next one's", () => {
  const { tab, lead, give, tell, seqs } = following();
  lead();
  give("second", 2, 1, 2);
  give("first", 1, 1);
  tell("second", 3);
  expect([tab.leader, ...seqs()]).toEqual(["second", 1, 2, 3]);
});

test("[CL-74] nor does what is said of a store that was cleared before it", () => {
  const { tab, cleared, lead, give, seqs } = following();
  give("first", 1, 1);
  lead();
  give("second", 2, 1, 2);
  tab.hear({ type: "cleared", leader: "first" });
  expect([cleared.length, ...seqs()]).toEqual([0, 1, 2]);
  tab.hear({ type: "cleared", leader: "second" });
  expect([cleared.length, ...seqs()]).toEqual([1]);
});

test("[CL-74] a tab that leads, and whose page is older than these names, is believed", () => {
  const { tab, cleared, give, tell, seqs } = following();
  give("old", undefined, 1);
  tell(undefined, 2);
  expect(seqs()).toEqual([1, 2]);
  tab.hear({ type: "cleared" });
  expect(cleared).toHaveLength(1);
});
