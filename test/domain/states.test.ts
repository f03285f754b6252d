import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Membership } from "../../src/domain/membership.ts";
import {
  ALIVE_MS,
  closed,
  GRACE_MS,
  isOpen,
  NO_SESSION,
  opened,
  presenceAt,
  type Signs,
} from "../../src/domain/presence.ts";
import { rawReceipt, receive, ticksFor } from "../../src/domain/receipts.ts";
import { changedMine, messageJob, NOT_MUTED, parkFor, readJob, rings } from "../../src/domain/ringing.ts";
import { MOST, shedAt, stageAt } from "../../src/domain/shedding.ts";
import { type RawTrace, receiptsSeen, traceSeen, traceState } from "../../src/domain/tracing.ts";
import { advanced, NO_TRAIL, passedAt, standing, stepsKept, type Trail } from "../../src/domain/trail.ts";
import { whoSeesTyping } from "../../src/domain/typing.ts";
import { mayShow, receiptSeen, ticksSeen } from "../../src/domain/visibility.ts";
import type { ConversationId, DeviceId, UserId } from "../../src/protocol/ids.ts";
import { Shed, type Visibility } from "../../src/protocol/states.ts";
import { always } from "../property.ts";

const ann = "ann" as UserId;
const bob = "bob" as UserId;
const cat = "cat" as UserId;
const member = (userId: UserId, from = 1, to: number | null = null): Membership => ({
  userId,
  role: "member",
  spans: [[from, to]],
});
const trail = (marks: { delivered?: number; read?: number }, shows: Visibility = "everyone"): Trail => {
  const received = receive(NO_TRAIL, marks, { shows, head: 100, now: 7, keep: 4 });
  if (!received.ok) throw new Error(received.code);
  return received.value;
};

describe("trails", () => {
  test("[RC-1] [TR-2] a cursor only moves forward, and tells when it passed a seq: exactly, or by when", () => {
    const moves = fc.array(fc.tuple(fc.nat(50), fc.nat(3)), { maxLength: 40 });
    always(
      fc.property(moves, fc.integer({ min: 1, max: 8 }), (steps, keep) => {
        let now = 1_000;
        let t: Trail = NO_TRAIL;
        const truth = new Map<number, number>();
        for (const [seq, wait] of steps) {
          now += wait;
          for (let s = standing(t, "read") + 1; s <= seq; s++) truth.set(s, now);
          t = advanced(t, "read", seq, now, keep);
        }
        expect(standing(t, "read")).toBe(Math.max(0, ...steps.map(([seq]) => seq)));
        expect(t.read?.length ?? 0).toBeLessThanOrEqual(keep);
        const oldest = t.read?.[0]?.[0] ?? 0;
        for (let seq = 1; seq <= 51; seq++) {
          const at = passedAt(t, "read", seq);
          if (seq > standing(t, "read")) expect(at).toBeUndefined();
          else expect(at).toBeGreaterThanOrEqual(truth.get(seq) as number);
          if (seq > oldest && at !== undefined) expect(at).toBe(truth.get(seq));
        }
      }),
    );
  });

  test("a checkpoint stays one small row, however many members there are", () => {
    expect([2, 100, 256, 1_024].map(stepsKept)).toEqual([16, 4, 1, 1]);
  });
});

describe("receipts and who may see them", () => {
  test("[RC-8] reading shows to those whom the reader lets see it at that time, and is never taken back", () => {
    const levels = fc.constantFrom<Visibility>("everyone", "contacts", "nobody");
    const reads = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), levels), { maxLength: 12 });
    always(
      fc.property(reads, (steps) => {
        let t: Trail = NO_TRAIL;
        let [all, contacts] = [0, 0];
        for (const [read, shows] of steps) {
          const next = receive(t, { read }, { shows, head: 20, now: 1, keep: 2 });
          if (next.ok) t = next.value;
          if (shows === "everyone") all = Math.max(all, read);
          if (shows !== "nobody") contacts = Math.max(contacts, read);
        }
        const raw = rawReceipt({ userId: bob }, t);
        expect(raw).toMatchObject({ read: all, contactsRead: contacts });
        expect(standing(t, "read")).toBe(Math.max(0, ...steps.map(([read]) => read)));
      }),
    );
  });

  test("[RC-8] [PR-5] it is mutual: who hides theirs does not see that of others; contacts see what contacts may", () => {
    const raw = { userId: bob, delivered: 9, read: 3, contactsRead: 7, at: 1 };
    const viewer = (readReceipts: Visibility, contacts: string[] = []) => ({
      readReceipts,
      isContact: (id: string) => contacts.includes(id),
    });
    expect(receiptSeen(viewer("everyone"), raw)).toEqual({ userId: bob, delivered: 9, read: 3, at: 1 });
    expect(receiptSeen(viewer("everyone", [bob]), raw).read).toBe(7);
    expect(receiptSeen(viewer("contacts", [bob]), raw).read).toBe(7);
    expect(receiptSeen(viewer("contacts"), raw)).toMatchObject({ delivered: 9, read: 0 });
    expect(receiptSeen(viewer("nobody", [bob]), raw)).toMatchObject({ delivered: 9, read: 0 });
    expect(ticksSeen(viewer("nobody"), { delivered: 5, read: 4 }, undefined)).toEqual({ delivered: 5, read: 0 });
    expect(ticksSeen(viewer("everyone"), { delivered: 5, read: 4 }, undefined)).toEqual({ delivered: 5, read: 4 });
    const table: [Visibility, Visibility, boolean, boolean][] = [
      ["everyone", "everyone", false, true],
      ["contacts", "everyone", false, false],
      ["contacts", "everyone", true, true],
      ["everyone", "contacts", false, false],
      ["everyone", "contacts", true, true],
      ["nobody", "everyone", true, false],
      ["everyone", "nobody", true, false],
    ];
    for (const [theirs, mine, contacts, seen] of table) expect(mayShow(theirs, mine, contacts)).toBe(seen);
  });

  test("[RC-9] ticks say what everybody else has; what was said before somebody came was not for them, who hides holds nobody up", () => {
    const roster = new Map([member(ann), member(bob), member(cat, 6)].map((m) => [m.userId, m]));
    const ticks = (trails: [UserId, Trail][]) => ticksFor(ann, roster, new Map(trails));
    expect(ticks([])).toEqual({ delivered: 0, read: 0 });
    expect(ticks([[bob, trail({ delivered: 8, read: 4 })]])).toEqual({ delivered: 5, read: 4 });
    expect(
      ticks([
        [bob, trail({ read: 9 })],
        [cat, trail({ delivered: 9, read: 7 })],
      ]),
    ).toEqual({ delivered: 9, read: 7 });
    const hidden = trail({ read: 9 }, "nobody");
    expect(
      ticks([
        [bob, hidden],
        [cat, trail({ delivered: 9, read: 7 })],
      ]),
    ).toEqual({ delivered: 9, read: 7 });
    expect(
      ticks([
        [bob, hidden],
        [cat, hidden],
      ]),
    ).toEqual({ delivered: 9, read: 0 });
    const left = new Map([member(ann), member(bob), member(cat, 1, 4)].map((m) => [m.userId, m]));
    expect(ticksFor(ann, left, new Map([[bob, trail({ read: 6 })]]))).toEqual({ delivered: 6, read: 6 });
  });

  test("[RC-10] [TR-3] an event's receipts are named below the limit and counted above it, and a trace shows reading as receipts do", () => {
    const raw: RawTrace = {
      seq: 3,
      appendedAt: 1,
      inHistory: false,
      crowd: false,
      members: [
        { userId: bob, state: "socket", socketAt: 2, deliveredAt: 3, readAt: 4, contactsReadAt: 4, pushes: [] },
        { userId: cat, state: "pushed", deliveredAt: 5, contactsReadAt: 6, pushes: [] },
        { userId: ann, state: "parked", pushes: [] },
      ],
    };
    const open = { readReceipts: "everyone" as const, isContact: (id: string) => id === cat };
    const hiding = { ...open, readReceipts: "nobody" as const };
    expect(receiptsSeen(open, raw)).toEqual({
      seq: 3,
      memberCount: 3,
      deliveredCount: 2,
      readCount: 2,
      members: [
        { userId: bob, deliveredAt: 3, readAt: 4 },
        { userId: cat, deliveredAt: 5, readAt: 6 },
        { userId: ann },
      ],
    });
    expect(receiptsSeen({ ...open, isContact: () => false }, raw).readCount).toBe(1);
    expect(receiptsSeen(hiding, raw)).toMatchObject({ deliveredCount: 2, readCount: 0 });
    expect(receiptsSeen(open, { ...raw, crowd: true })).not.toHaveProperty("members");
    expect(traceSeen(open, raw).members.map((m) => m.state)).toEqual(["read", "read", "parked"]);
    const hidden = traceSeen(hiding, raw);
    expect(hidden.members.map((m) => m.state)).toEqual(["delivered", "delivered", "parked"]);
    expect(JSON.stringify(hidden)).not.toMatch(/read/i);
  });
});

test("[TR-1] a trace names the furthest that an event has come", () => {
  const nowhere = { inboxAt: undefined, socketAt: undefined, rung: false, mode: "idle" as const };
  const table: [Partial<Parameters<typeof traceState>[0]>, string][] = [
    [{}, "waiting"],
    [{ mode: "calling" }, "waiting"],
    [{ mode: "lagging" }, "retrying"],
    [{ mode: "parked" }, "parked"],
    [{ inboxAt: 1, mode: "parked" }, "parked"],
    [{ inboxAt: 1 }, "inbox"],
    [{ inboxAt: 1, mode: "lagging" }, "inbox"],
    [{ inboxAt: 1, rung: true, mode: "parked" }, "pushed"],
    [{ inboxAt: 1, rung: true, socketAt: 2 }, "socket"],
  ];
  for (const [facts, state] of table) expect(traceState({ ...nowhere, ...facts })).toBe(state);
});

test("[TY-1] typing is seen by the other one, in a group by those who looked last, in a crowd by nobody", () => {
  const others = Array.from({ length: 40 }, (_, i) => `${i}` as UserId);
  const seenAt = new Map([["gone" as UserId, 100_000], ...others.map((id, i) => [id, i * 10_000] as const)]);
  const facts = { kind: "group" as const, others, seenAt, crowd: false };
  expect(whoSeesTyping(facts, 390_000)).toEqual(others.slice(-31)); // of those who looked in the last five minutes
  expect(whoSeesTyping(facts, 300_000)).toEqual(others.slice(-32));
  expect(whoSeesTyping({ ...facts, crowd: true }, 300_000)).toEqual([]);
  expect(whoSeesTyping({ ...facts, kind: "direct", others: [bob], seenAt: new Map() }, 0)).toEqual([bob]);
});

describe("presence", () => {
  const at = (signs: Partial<Signs>, now: number) =>
    presenceAt({ heardAt: null, leftAt: 0, session: NO_SESSION, ...signs }, now);

  test("[PR-1] online as long as the last sign of life is within the window", () => {
    expect(at({ heardAt: 1_000 }, 1_000 + ALIVE_MS)).toEqual({ state: "online" });
    const session = opened(NO_SESSION, 500);
    expect(at({ heardAt: 1_000, session }, 1_001 + ALIVE_MS)).toEqual({ state: "offline", lastSeenAt: 1_000 });
    expect(at({}, 5)).toEqual({ state: "offline" });
  });

  test("[PR-2] [PR-3] who has gone is offline after the grace only; who had fallen silent long before is so at once", () => {
    const session = closed(opened(NO_SESSION, 1_000), 4_000, 9_000);
    expect(session).toEqual({ openedAt: 1_000, closedAt: 9_000, lastSeenAt: 4_000 });
    expect(at({ session }, 9_000 + GRACE_MS)).toEqual({ state: "online" });
    expect(at({ session }, 9_001 + GRACE_MS)).toEqual({ state: "offline", lastSeenAt: 4_000 });
    const late = closed(opened(NO_SESSION, 1_000), 2_000, 2_001 + ALIVE_MS); // was offline before it was closed
    expect(at({ session: late }, 2_001 + ALIVE_MS)).toEqual({ state: "offline", lastSeenAt: 2_000 });
    const cut = opened(session, 20_000);
    expect(isOpen(cut)).toBe(true);
    expect(opened(cut, 30_000)).toBe(cut);
  });

  test("[PR-2] who leaves a device behind that turns out to be dead has the grace all the same", () => {
    const session = opened(NO_SESSION, 1_000);
    const dead = { heardAt: 2_000, leftAt: 60_000, session };
    const now = 2_001 + ALIVE_MS;
    expect(at(dead, now)).toEqual({ state: "online" });
    expect(at(dead, 60_001 + GRACE_MS)).toEqual({ state: "offline", lastSeenAt: 60_000 });
    const ended = closed(session, 2_000, now, 60_000);
    expect(ended).toEqual({ openedAt: 1_000, closedAt: 60_000, lastSeenAt: 60_000 });
    expect(at({ session: ended }, 60_000 + GRACE_MS)).toEqual({ state: "online" });
    expect(at({ session: ended }, 60_001 + GRACE_MS)).toEqual({ state: "offline", lastSeenAt: 60_000 });
  });

  test("[PR-3] sessions follow each other whatever the clock does", () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(50), fc.nat(50)), { maxLength: 30 });
    always(
      fc.property(steps, (acts) => {
        let session = NO_SESSION;
        for (const [opens, now, heardAt] of acts) {
          if (!opens && !isOpen(session)) continue;
          session = opens ? opened(session, now) : closed(session, heardAt, now);
          expect(isOpen(session)).toBe(opens);
          if (!opens) expect(session.lastSeenAt).toBeLessThanOrEqual(session.closedAt);
        }
      }),
    );
  });
});

describe("ringing", () => {
  const muted = { ...NOT_MUTED, mutedUntil: 100 };
  const piercing = { ...muted, mentionsPierce: true };

  test("[PU-2] [PU-3] a mute holds until its time; a mention goes through where the person lets it", () => {
    expect([rings(NOT_MUTED, false, 50), rings(muted, false, 50), rings(muted, false, 100)]).toEqual([
      true,
      false,
      true,
    ]);
    expect([rings(muted, true, 50), rings(piercing, true, 50), rings(piercing, false, 50)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  test("[IX-6] [PU-4] an inbox with nobody to tell and nobody to ring is parked, for a mute no longer than that", () => {
    const facts = { live: false, subscribed: true, mine: NOT_MUTED, now: 50 };
    expect(parkFor(facts)).toBeNull();
    expect(parkFor({ ...facts, live: true, mine: muted })).toBeNull();
    expect(parkFor({ ...facts, subscribed: false })).toEqual({ until: null, unlessMentioned: false });
    expect(parkFor({ ...facts, mine: muted })).toEqual({ until: 100, unlessMentioned: false });
    expect(parkFor({ ...facts, mine: piercing })).toEqual({ until: 100, unlessMentioned: true });
    expect(parkFor({ ...facts, mine: muted, now: 100 })).toBeNull();
  });

  test("what is given of my settings changes, the rest stays; a mute that has run out is none", () => {
    const mine = changedMine(NOT_MUTED, { mutedUntil: 60, pinned: true }, 50);
    expect(mine).toEqual({ mutedUntil: 60, mentionsPierce: false, pinned: true, archived: false });
    expect(changedMine(mine, { archived: true }, 55)).toEqual({ ...mine, archived: true });
    for (const mutedUntil of [null, 50, 3])
      expect(changedMine(mine, { mutedUntil }, 50)).not.toHaveProperty("mutedUntil");
  });

  test("[PU-5] [PU-6] a push tells the count always, and the rest where the device lets it", () => {
    const to = {
      userId: bob,
      deviceId: "phone" as DeviceId,
      subscription: { endpoint: { provider: "fcm" as const, token: "t" }, preview: true },
      conversationId: "d1" as ConversationId,
      now: 5,
    };
    const bell = { seq: 4, senderId: ann, unread: 2, mentioned: false, title: "Group", text: "x".repeat(999) };
    const job = messageJob(to, bell);
    expect(job).toMatchObject({ kind: "message", seq: 4, unread: 2, preview: { senderId: ann, title: "Group" } });
    expect(job.preview?.text?.length).toBe(161);
    const { text: _, ...cipher } = bell;
    expect(messageJob(to, cipher).preview).toEqual({ senderId: ann, title: "Group" });
    const silent = messageJob({ ...to, subscription: { ...to.subscription, preview: false } }, bell);
    expect(silent).not.toHaveProperty("preview");
    expect(readJob(to, 4, 0)).toEqual({
      userId: bob,
      deviceId: "phone",
      endpoint: { provider: "fcm", token: "t" },
      conversationId: "d1",
      decidedAt: 5,
      kind: "read",
      seq: 4,
      unread: 0,
    });
  });
});

describe("overload", () => {
  test("[OV-1] what is left out: typing, then presence, then receipts, then history; never messages", () => {
    expect(Shed.options).toEqual(["typing", "presence", "receipts", "history"]);
    const stages = [0, 999, 1_000, 2_000, 4_000, 8_000, 60_000].map((waitMs) => shedAt(stageAt(waitMs, 0)));
    expect(stages.map((shed) => shed.length)).toEqual([0, 0, 1, 2, 3, 4, 4]);
    for (const shed of stages) expect(shed).toEqual(Shed.options.slice(0, shed.length));
  });

  test("[OV-2] it rises at once and falls when the wait is half of what made it rise: one that hovers does not flutter", () => {
    expect([stageAt(8_000, 0), stageAt(7_999, MOST), stageAt(4_000, MOST), stageAt(3_999, MOST)]).toEqual([4, 4, 4, 3]);
    expect([stageAt(500, 1), stageAt(499, 1), stageAt(0, MOST)]).toEqual([1, 0, 0]);
    always(
      fc.property(fc.nat(20_000), fc.nat(MOST), (waitMs, before) => {
        const stage = stageAt(waitMs, before);
        expect(stageAt(waitMs, stage)).toBe(stage);
        expect(stage).toBeGreaterThanOrEqual(stageAt(waitMs, 0));
        expect(stage).toBeLessThanOrEqual(Math.max(before, stageAt(waitMs, 0)));
      }),
    );
  });
});
