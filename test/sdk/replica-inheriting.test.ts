import { expect, test } from "vitest";
import { applyChange, type Entry, NOTHING_STORED } from "../../src/sdk/state.ts";
import { deviceId } from "./support/ids.ts";
import { HERE, key, ME, message, messages, Script, summary } from "./support/script.ts";

const BEFORE = deviceId(9);
const standings = ({ replica }: Script) => replica.state.outbox.map(({ standing }) => standing);

/** Three messages are held, one of mine is acked past a gap, one has left without an answer, and one was never sent. */
function left(): Script {
  const script = new Script().open();
  script.hear({ type: "changed", conversations: [summary(3)] });
  script.page(1, 3);
  script.wish(1).wish(2);
  const [first] = script.all("send");
  if (first) script.ack(first, 6);
  script.tell({ type: "lost" });
  script.wish(3);
  script.tell({ type: "left", deviceId: BEFORE });
  return script;
}

test("[CL-57] what the server has is let go of when it wants the device no more; what was written stays, in order", () => {
  const { replica, disk } = left();
  expect(replica.state).toEqual(disk);
  expect(replica.state).toMatchObject({ cursor: null, conversations: {} });
  expect(replica.state.outbox.map(({ wishId }) => wishId)).toEqual([key(2), key(3)]);
});

test("[CL-58] what never left goes out under its key; what has left does not go out again by itself", () => {
  const script = left();
  expect(standings(script)).toEqual([
    { is: "unsure", after: 3 },
    { is: "waiting", sent: false },
  ]);
  script.sent.length = 0;
  script.open("reset");
  expect(script.all("send").map(({ idempotencyKey }) => idempotencyKey)).toEqual([key(3)]);
  script.tell({ type: "left", deviceId: BEFORE }); // and once more, before anybody knew
  expect(standings(script)[0]).toEqual({ is: "unsure", after: 3 });
});

const traced = (found: readonly { wishId: Entry["wishId"]; seq: number }[]) =>
  ({ type: "traced", conversationId: HERE, wishIds: [key(2)], found }) as const;

test("[CL-58] a wish of the device before that lies in the log has come, once, whether its event is here yet or not", () => {
  const far = left().open("reset");
  far.tell(traced([{ wishId: key(2), seq: 7 }]));
  expect(standings(far)[0]).toEqual({ is: "acked", seq: 7 });
  expect(far.outcomes.at(-1)).toEqual({ wishId: key(2), seq: 7 });
  const near = left().open("reset");
  near.hear({ type: "changed", conversations: [summary(8)] });
  near.page(1, 8);
  near.tell(traced([{ wishId: key(2), seq: 7 }]));
  expect(near.replica.state.outbox.map(({ wishId }) => wishId)).toEqual([key(3)]);
  near.tell(traced([]));
  expect(near.outcomes.filter(({ wishId }) => wishId === key(2))).toEqual([{ wishId: key(2), seq: 7 }]);
});

test("[CL-66] a search that has come so far goes on from there, also past a restart, and is over only at the end", () => {
  const script = left().open("reset");
  const before = script.outcomes.length;
  script.tell({ ...traced([]), reached: 210 });
  expect(standings(script)[0]).toEqual({ is: "unsure", after: 210 });
  expect(script.outcomes).toHaveLength(before);
  script.tell({ ...traced([{ wishId: key(2), seq: 300 }]), reached: 410 });
  expect(standings(script)[0]).toEqual({ is: "acked", seq: 300 });
});

test("[CL-58] its event is known by its key when it comes, also after it was thought lost", () => {
  const script = left().open("reset");
  script.tell(traced([]));
  expect(standings(script)[0]).toEqual({ is: "failed", code: "device_revoked" });
  expect(script.outcomes.at(-1)).toEqual({ wishId: key(2), code: "device_revoked" });
  const late = { ...message(1, key(2)), senderId: ME, deviceId: BEFORE };
  script.hear({ type: "events", conversationId: HERE, events: [late] });
  expect(script.replica.state.outbox.map(({ wishId }) => wishId)).toEqual([key(3)]);
});

test("[CL-58] another device's event under the same key is not it", () => {
  const script = left().open("reset");
  const [theirs] = messages(1, 1).map((event) => ({ ...event, senderId: ME, idempotencyKey: key(2) }));
  if (theirs) script.hear({ type: "events", conversationId: HERE, events: [theirs] });
  expect(standings(script)[0]).toEqual({ is: "unsure", after: 3 });
});

test("[CL-58] what was said of a message goes out again where the log does not have it: twice it changes nothing", () => {
  const event = { kind: "reaction", targetSeq: 2, emoji: "👍" } as const;
  const named = { wishId: key(2), idempotencyKey: key(2), conversationId: HERE, composedAt: 0, leftAs: BEFORE, event };
  const entry: Entry = { ...named, standing: { is: "unsure", after: 3 } };
  const script = new Script(applyChange(NOTHING_STORED, { type: "entry", entry })).open("reset");
  expect(script.all("send")).toEqual([]);
  script.tell(traced([]));
  expect(script.all("send")).toMatchObject([{ idempotencyKey: key(2), event }]);
});
