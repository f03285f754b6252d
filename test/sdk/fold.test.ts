import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tombstoneOf } from "../../src/domain/life.ts";
import { Event } from "../../src/protocol/events.ts";
import { type Line, timelineOf } from "../../src/sdk/fold.ts";
import { heldOf } from "../../src/sdk/state.ts";
import { conversationId, deviceId, userId } from "./support/ids.ts";
import { HERE, key, ME, message, OTHER, Script, START, summary } from "./support/script.ts";

const CARA = userId("CARA");
type Late = { kind: "edit"; text: string } | { kind: "recall" } | { kind: "reaction"; emoji: string | null };

/** Something said at `seq` of the message at `targetSeq`, as the server would append it. */
function late(seq: number, targetSeq: number, said: Late, senderId = OTHER): Event {
  const { kind: _, content: __, ...envelope } = message(seq);
  const carried = said.kind === "edit" ? { kind: said.kind, content: { type: "text", text: said.text } } : said;
  return Event.parse({ ...envelope, senderId, targetSeq, ...carried });
}
const fold = (events: readonly Event[], now = START) => timelineOf(events, { me: ME, wishes: [], now });
const shown = (lines: readonly Line[]) =>
  lines.map((line) => {
    if (line.is === "note") return "note";
    const { content, edited, reactions } = line;
    const words = content.type === "text" ? content.text : content.type === "gone" ? `(${content.because})` : "";
    return `${words}${edited ? "*" : ""}${reactions.map(({ emoji, userIds }) => ` ${emoji}${userIds.length}`).join("")}`;
  });

describe("what a person sees", () => {
  test("[LM-11] a message as last edited, with the reactions of each, and nothing of what was recalled", () => {
    const events = [
      message(1),
      message(2),
      late(3, 1, { kind: "edit", text: "eins" }),
      late(4, 1, { kind: "edit", text: "one" }),
      late(5, 1, { kind: "reaction", emoji: "👍" }, ME),
      late(6, 1, { kind: "reaction", emoji: "👍" }, CARA),
      late(7, 2, { kind: "recall" }),
      late(8, 2, { kind: "reaction", emoji: "👍" }),
    ];
    expect(shown(fold(events))).toEqual(["one* 👍2", "(recalled)"]);
  });

  test("[LM-10] a member's reaction takes the place of the one before, and null takes it back", () => {
    const said = (...emojis: (string | null)[]) =>
      shown(fold([message(1), ...emojis.map((emoji, i) => late(i + 2, 1, { kind: "reaction", emoji }, ME))]));
    expect(said("👍", "❤️")).toEqual(["text 1 ❤️1"]);
    expect(said("👍", null)).toEqual(["text 1"]);
    expect(said("👍", null, "👍")).toEqual(["text 1 👍1"]);
  });

  test("[LM-11] what is said of a message that is not here shows nothing", () => {
    const events = [message(2), late(3, 1, { kind: "edit", text: "x" }), late(4, 1, { kind: "recall" })];
    expect(shown(fold(events))).toEqual(["text 2"]);
  });

  test("[LM-11] an edit leaves what the message answers", () => {
    const answer = Event.parse({ ...message(2), content: { type: "text", text: "b", replyTo: 1 } });
    const [, line] = fold([message(1), answer, late(3, 2, { kind: "edit", text: "c" })]);
    expect(line).toMatchObject({ content: { text: "c", replyTo: 1 }, edited: true });
  });

  test("[LM-11] [LM-23] a caption is changed and taken away, live and on its way; the picture stays", () => {
    const photo = {
      type: "media",
      mediaId: deviceId("PXTZ"),
      contentType: "image/png",
      bytes: 3,
      caption: "old",
      replyTo: 1,
    };
    const shot = Event.parse({ ...message(2), content: photo });
    const said = (seq: number, content: object) => {
      const { kind: _, content: __, ...envelope } = message(seq);
      return Event.parse({ ...envelope, kind: "edit", targetSeq: 2, content });
    };
    const [, line] = fold([message(1), shot, said(3, { type: "caption", caption: "new" })]);
    expect(line).toMatchObject({ content: { ...photo, caption: "new" }, edited: true });
    const [, bare] = fold([
      message(1),
      shot,
      said(3, { type: "caption", caption: "new" }),
      said(4, { type: "caption" }),
    ]);
    expect(bare).toMatchObject({ is: "message", edited: true });
    const { caption: _, ...rest } = photo;
    expect(bare?.is === "message" && bare.content).toEqual(rest);
    const wishes = [{ kind: "edit" as const, targetSeq: 2, content: { type: "caption" as const, caption: "soon" } }];
    const [, soon] = timelineOf([message(1), shot], { me: ME, wishes, now: START });
    expect(soon).toMatchObject({ content: { caption: "soon" }, edited: true });
    const [, gone] = fold([
      message(1),
      shot,
      late(5, 2, { kind: "recall" }),
      said(6, { type: "caption", caption: "x" }),
    ]);
    expect(gone).toMatchObject({ content: { type: "gone" }, edited: false });
  });

  test("[LM-11] what is on its way shows as if it had come", () => {
    const wishes = [
      { kind: "edit" as const, targetSeq: 1, content: { type: "text" as const, text: "soon" } },
      { kind: "reaction" as const, targetSeq: 1, emoji: "👍" },
      { kind: "recall" as const, targetSeq: 2 },
    ];
    const lines = timelineOf([message(1, key(1)), message(2, key(2))], { me: ME, wishes, now: START });
    expect(shown(lines)).toEqual(["soon* 👍1", "(recalled)"]);
  });

  test("[LM-12] what has expired is hidden on time, with its reactions", () => {
    const events = [{ ...message(1), expiresAt: START + 10 }, late(2, 1, { kind: "reaction", emoji: "👍" })];
    expect(shown(fold(events, START + 9))).toEqual(["text 1 👍1"]);
    expect(shown(fold(events, START + 10))).toEqual(["(expired)"]);
  });
});

/** A log that a server may have: messages, and what may be said of them; and the same with the tombstones in it. */
const logs = fc
  .array(
    fc.record({
      who: fc.constantFrom(ME, OTHER, CARA),
      what: fc.constantFrom("message", "message", "edit", "recall", "reaction"),
      to: fc.nat(),
      emoji: fc.constantFrom("👍", "❤️", null),
    }),
    { maxLength: 30 },
  )
  .map((acts) => {
    const events: Event[] = [];
    const gone = new Set<number>();
    for (const { who, what, to, emoji } of acts) {
      const seq = events.length + 1;
      const open = events.filter((event) => event.kind === "message" && !gone.has(event.seq));
      const target = open[to % Math.max(1, open.length)];
      if (what === "message" || !target) events.push({ ...message(seq), senderId: who } as Event);
      else if (what === "edit")
        events.push(late(seq, target.seq, { kind: "edit", text: `edit ${seq}` }, target.senderId));
      else if (what === "reaction") events.push(late(seq, target.seq, { kind: "reaction", emoji }, who));
      else {
        gone.add(target.seq);
        events.push(late(seq, target.seq, { kind: "recall" }, target.senderId));
      }
    }
    const kept = events.map((event) => {
      const isGone = gone.has(event.kind === "edit" ? event.targetSeq : event.seq);
      return isGone && (event.kind === "message" || event.kind === "edit")
        ? (tombstoneOf(event, "recalled") as Event)
        : event;
    });
    return { live: events, kept };
  });

describe("what a device keeps", () => {
  test("[LM-11] [LM-12] who heard everything live, in whatever pieces, and who was away holds and sees the same", () => {
    fc.assert(
      fc.property(logs, fc.array(fc.nat(6), { minLength: 1, maxLength: 30 }), ({ live, kept }, sizes) => {
        const there = new Script().open();
        for (let at = 0, i = 0; at < live.length; i++) {
          const size = 1 + (sizes[i % sizes.length] ?? 0);
          there.hear({ type: "events", conversationId: HERE, events: live.slice(at, at + size) });
          at += size;
        }
        const away = new Script().open();
        away.hear({ type: "changed", conversations: [summary(kept.length)] });
        if (kept.length > 0)
          away.hear({
            type: "page",
            id: away.newest("pull").id,
            conversationId: HERE,
            events: [...kept],
            head: kept.length,
            floor: 1,
          });
        expect(heldOf(there.disk, HERE).events).toEqual(heldOf(away.disk, HERE).events);
        expect(fold(heldOf(there.disk, HERE).events)).toEqual(fold(kept));
        expect(shown(fold(live))).toEqual(shown(fold(kept)));
      }),
    );
  });

  test("[LM-12] a recall takes the words off the disk, in the step in which it comes", () => {
    const script = new Script().open();
    script.hear({
      type: "events",
      conversationId: HERE,
      events: [message(1), late(2, 1, { kind: "edit", text: "secret" })],
    });
    expect(JSON.stringify(script.disk)).toContain("text 1");
    script.hear({ type: "events", conversationId: HERE, events: [late(3, 1, { kind: "recall" })] });
    expect(JSON.stringify(script.disk)).not.toMatch(/text 1|secret/);
  });

  test("[LM-12] what expires goes off the disk on time, also offline, by the time that the server told", () => {
    const script = new Script().open();
    const expiring = { ...message(1), expiresAt: START + 60_000 };
    script.hear({
      type: "events",
      conversationId: HERE,
      events: [expiring, late(2, 1, { kind: "edit", text: "secret" })],
    });
    expect(script.last?.wakeAt).toBeLessThanOrEqual(START + 60_000);
    script.tell({ type: "lost" });
    script.now = START + 59_000;
    script.tell({ type: "woke" });
    expect(JSON.stringify(script.disk)).toContain("text 1");
    script.now = START + 60_000;
    script.tell({ type: "woke" });
    expect(JSON.stringify(script.disk)).not.toMatch(/text 1|secret/);
    expect(heldOf(script.disk, HERE).events[0]).toMatchObject({ content: { type: "gone", because: "expired" } });
  });

  test("[CL-9] a late wish leaves the outbox with its event, like a message", () => {
    const script = new Script().open();
    script.hear({ type: "events", conversationId: HERE, events: [message(1)] });
    const event = { kind: "reaction", targetSeq: 1, emoji: "👍" } as const;
    script.tell({ type: "wish", conversationId: HERE, idempotencyKey: key(7), composedAt: START, event });
    expect(script.disk.outbox).toHaveLength(1);
    const { kind: _, content: __, ...envelope } = message(2, key(7));
    const mine = Event.parse({ ...envelope, ...event });
    script.hear({ type: "events", conversationId: HERE, events: [mine] });
    expect(script.disk.outbox).toEqual([]);
    expect(conversationId(1)).toBe(HERE);
    expect(mine).toMatchObject({ deviceId: deviceId(1) });
  });

  test("[LM-26] what was deleted on another device goes off the disk, and stays away however it comes again", () => {
    const script = new Script().open();
    script.hear({ type: "events", conversationId: HERE, events: [message(1), message(2, key(7)), message(3)] });
    script.hear({ type: "changed", conversations: [summary(3, { deleted: [{ from: 2, to: 2 }] })] });
    const held = () => heldOf(script.disk, HERE).events.map(({ seq }) => seq);
    expect(held()).toEqual([1, 3]);
    expect(heldOf(script.disk, HERE)).toMatchObject({ covered: 3, passed: key(7) }); // [CL-14] keys must pass it all the same
    script.hear({ type: "changed", conversations: [summary(5)] }); // that was under way since before
    const page = { conversationId: HERE, events: [message(4), message(5)], head: 5, floor: 1 };
    script.hear({ type: "page", id: script.newest("pull").id, ...page, deleted: [{ from: 5, to: 5 }] });
    expect(held()).toEqual([1, 3, 4]);
    script.hear({ type: "changed", conversations: [summary(5, { floor: 4, deleted: [{ from: 5, to: 5 }] })] });
    expect(heldOf(script.disk, HERE)).toMatchObject({ deleted: [[5, 5]], events: [{ seq: 4 }] });
  });

  test("[LM-16] what was cleared on another device goes, and stays away", () => {
    const script = new Script().open();
    script.hear({ type: "events", conversationId: HERE, events: [message(1), message(2), message(3)] });
    script.hear({ type: "changed", conversations: [summary(3, { floor: 3 })] });
    expect(heldOf(script.disk, HERE)).toMatchObject({ covered: 3, events: [{ seq: 3 }] });
    script.hear({ type: "events", conversationId: HERE, events: [message(1), message(2), message(4)] });
    expect(heldOf(script.disk, HERE).events.map(({ seq }) => seq)).toEqual([3, 4]);
  });
});
