import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatCursor, HAND_OUT_EVERY_MS, mayHandOut, mustWrite, resumeFrom } from "../../src/domain/changes.ts";
import { always } from "../property.ts";

const EPOCH = "01JZZZZZZZZZZZZZZZZZZZZZZZ";

test("[IX-1] a row is written when it is new or a device may stand past it, and only then", () => {
  expect(mustWrite(undefined, 0)).toBe(true);
  expect(mustWrite(4, 4)).toBe(true);
  expect(mustWrite(5, 4)).toBe(false);
});

test("[IX-4] own cursors resume, all others start over, none throws", () => {
  always(
    fc.property(fc.nat(1_000), fc.nat(1_000), (position, top) => {
      const expected = position <= top ? { mode: "resume", from: position } : { mode: "reset", from: 0 };
      expect(resumeFrom(formatCursor(EPOCH, position), { epoch: EPOCH, top })).toEqual(expected);
      expect(resumeFrom(formatCursor("0".repeat(26), position), { epoch: EPOCH, top })).toEqual({
        mode: "reset",
        from: 0,
      });
    }),
  );
  always(
    fc.property(fc.string(), (cursor) => {
      const { from } = resumeFrom(cursor, { epoch: EPOCH, top: 9 });
      expect(from).toBe(0);
    }),
  );
  expect(resumeFrom(null, { epoch: EPOCH, top: 9 })).toEqual({ mode: "resume", from: 0 });
});

test("[IX-2] a live device is handed a cursor when there is a newer one and its last is a minute old", () => {
  const socket = { handed: 3, handedAt: 1_000 };
  expect(mayHandOut(socket, 4, 1_000 + HAND_OUT_EVERY_MS)).toBe(true);
  expect(mayHandOut(socket, 4, 999 + HAND_OUT_EVERY_MS)).toBe(false);
  expect(mayHandOut(socket, 3, 1_000 + HAND_OUT_EVERY_MS)).toBe(false);
});

/**
 * The invariant of the index in its smallest form: devices that are handed cursors at any time, conversations that change at any time,
 * memory (`handed`) lost at any time. Whatever happened after a device took its cursor is listed past it.
 */
test("[IX-1] [IX-2] [IX-3] what a device has not been given is listed past its cursor, also after a loss of memory", () => {
  const step = fc.oneof(
    fc.record({ act: fc.constant("change" as const), conversation: fc.nat(3) }),
    fc.record({ act: fc.constant("handOut" as const), device: fc.nat(2) }),
    fc.record({ act: fc.constant("forget" as const) }),
  );
  always(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const rows = new Map<number, number>();
      let [top, handed] = [0, 0];
      const cursors = [0, 0, 0];
      const owed = cursors.map(() => new Set<number>());
      for (const s of steps) {
        if (s.act === "change") {
          if (mustWrite(rows.get(s.conversation), handed)) rows.set(s.conversation, ++top);
          for (const set of owed) set.add(s.conversation);
        } else if (s.act === "handOut") {
          cursors[s.device] = top; // it has just been given all there is
          owed[s.device]?.clear();
          handed = Math.max(handed, top);
        } else handed = top;
        owed.forEach((set, device) => {
          for (const conversation of set) expect(rows.get(conversation)).toBeGreaterThan(cursors[device] ?? 0);
        });
      }
    }),
  );
});
