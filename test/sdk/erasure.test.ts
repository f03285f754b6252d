import { expect, test } from "vitest";
import { tombstoneOf } from "../../src/domain/life.ts";
import { Event } from "../../src/protocol/events.ts";
import { timelineOf, tombstonesOf } from "../../src/sdk/fold.ts";
import { heldOf } from "../../src/sdk/state.ts";
import { eventId, userId } from "./support/ids.ts";
import { HERE, key, ME, message, OTHER, Script, START, summary } from "./support/script.ts";

const CARA = userId("CARA");
const GONE = { type: "gone", because: "recalled" };

/** Something said at `seq` of the message at `targetSeq`. */
function late(seq: number, targetSeq: number, said: object, senderId = OTHER): Event {
  const { kind: _, content: __, ...envelope } = message(seq);
  return Event.parse({ ...envelope, senderId, targetSeq, ...said });
}
const erased = (seq: number, who = OTHER): Event =>
  Event.parse({
    ...{ conversationId: HERE, seq, eventId: eventId(seq), senderId: who, receivedAt: START, occurredAt: START },
    ...{ kind: "member", userId: who, change: "left", erased: true },
  });
const edit = (text: string) => ({ kind: "edit", content: { type: "text", text } });
const by = (event: Event, senderId: typeof OTHER) => Event.parse({ ...event, senderId });

/** What everybody said before OTHER was erased: theirs, mine, and of either about the other. */
const LIVE: readonly Event[] = [
  message(1),
  message(2, key(1)),
  by(message(3), CARA),
  late(4, 1, edit("secret edit")),
  late(5, 2, { kind: "reaction", emoji: "🦄" }),
  late(6, 1, { kind: "reaction", emoji: "👍" }, CARA),
  late(7, 3, { kind: "reaction", emoji: "👍" }, ME),
  late(8, 3, edit("mine"), CARA),
];
/** The same as the server has it afterwards. */
const KEPT: readonly Event[] = LIVE.map((event) => {
  if (event.senderId !== OTHER) return event;
  if (event.kind === "reaction") return { ...event, emoji: null };
  return event.kind === "message" || event.kind === "edit" ? (tombstoneOf(event, "recalled") as Event) : event;
});
const open = (events: readonly Event[]) => {
  const script = new Script().open();
  script.hear({ type: "events", conversationId: HERE, events: [...events] });
  return script;
};
const held = (script: Script) => heldOf(script.disk, HERE).events;

const UNTIMED = { now: null, keepMs: Number.POSITIVE_INFINITY, unheard: [] };

test("[ER-9] a device that is there takes all of an erased person's words and reactions off its disk in the step in which it hears", () => {
  const script = open(LIVE);
  expect(JSON.stringify(script.disk)).toMatch(/text 1.*secret edit/);
  script.hear({ type: "events", conversationId: HERE, events: [erased(9)] });
  expect(JSON.stringify(script.disk)).not.toMatch(/text 1|secret edit|🦄/);
  expect(held(script)).toEqual([...KEPT, erased(9)]);
});

test("[ER-9] who hears it live, in pieces or late, and who pulls it a month later holds and shows the same", () => {
  const all = [...KEPT, erased(9)];
  const away = new Script().open();
  away.hear({ type: "changed", conversations: [summary(9)] });
  away.hear({ type: "page", id: away.newest("pull").id, conversationId: HERE, events: all, head: 9, floor: 1 });
  for (let cut = 1; cut <= LIVE.length; cut++) {
    const there = open(LIVE.slice(0, cut));
    there.hear({ type: "events", conversationId: HERE, events: [...KEPT.slice(cut), erased(9)] });
    expect(held(there)).toEqual(held(away));
  }
  const view = { me: ME, wishes: [], now: START };
  expect(timelineOf([...LIVE, erased(9)], view).map((line) => line.is === "message" && line.content)).toEqual(
    timelineOf(all, view).map((line) => line.is === "message" && line.content),
  );
});

test("[ER-9] what others said stays as it was, and what was gone before keeps its reason", () => {
  const expired = tombstoneOf(message(1) as Extract<Event, { kind: "message" }>, "expired") as Event;
  const lines = timelineOf([expired, ...LIVE.slice(1), erased(9)], { me: ME, wishes: [], now: START });
  expect(lines[0]).toMatchObject({ content: { type: "gone", because: "expired" }, reactions: [] });
  expect(lines[1]).toMatchObject({ content: { text: "text 2" }, reactions: [] });
  expect(lines[2]).toMatchObject({ content: { text: "mine" }, reactions: [{ emoji: "👍", userIds: [ME] }] });
  expect(tombstonesOf([...KEPT, erased(9)], UNTIMED)).toEqual([]);
  const [first] = tombstonesOf([...LIVE, erased(9)], UNTIMED);
  expect(first).toMatchObject({ seq: 1, content: GONE });
});

test("[ER-9] a client that does not know the field reads that the member has left", () => {
  const { erased: _, ...known } = erased(9) as Extract<Event, { kind: "member" }>;
  expect(Event.parse(known)).toMatchObject({ kind: "member", change: "left", userId: OTHER });
});
