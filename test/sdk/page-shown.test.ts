import { expect, test } from "vitest";
import type { Names } from "../../web/names.ts";
import { Naming } from "../../web/naming.ts";
import type { Row } from "../../web/rows.ts";
import { shownRows } from "../../web/shown.ts";
import type { UserId } from "../../web/wire.ts";
import { userId } from "./support/ids.ts";
import { ME, message, START } from "./support/script.ts";

const [ANNA, BEN, CLEO, DAN] = [userId("ANNA"), userId("BEN"), userId("C"), userId("DAN")] as const;
const HANDLES: Record<string, string> = { [ANNA]: "anna", [BEN]: "ben", [CLEO]: "cleo", [DAN]: "dan" };
const handle = (id: UserId) => HANDLES[id] ?? "me";
const naming = new Naming({ conversation: () => undefined, handle, name: handle } as unknown as Names, ME);

const { deviceId: _, idempotencyKey: __, composedAt: ___, sentAt: ____, content: _____, ...event } = message(1);
type Change = "added" | "removed";
/** A note that one person did this to another, so many minutes after the beginning. */
const note = (seq: number, senderId: UserId, who: UserId, change: Change = "added", minutes = 0): Row => ({
  ...{ is: "note", key: `${seq}`, seq, at: START + minutes * 60_000 },
  event: { ...event, seq: seq as never, kind: "member", change, senderId, userId: who },
});
const told = (rows: readonly Row[], count = rows.length) =>
  shownRows(rows, count, {
    ...{ me: ME, isGroup: true, now: START, unreadFrom: null, nameOf: handle, handleOf: handle },
    noteOf: (row) => naming.note(row.event, row.also),
  }).map((row) => (row.is === "note" ? row.note : row.is));

test("[AP-50] those whom one person brings in in one go are told in one line, I first, three by their names at most", () => {
  expect(told([note(2, ANNA, BEN), note(3, ANNA, CLEO)])).toEqual(["anna added ben and cleo"]);
  expect(told([note(2, ANNA, BEN), note(3, ANNA, CLEO), note(4, ANNA, ME)])).toEqual(["anna added you, ben and cleo"]);
  expect(told([BEN, CLEO, DAN, ME].map((who, i) => note(2 + i, ANNA, who)))).toEqual([
    "anna added you, ben and 2 others",
  ]);
});

test("[AP-50] what another did, was done later, or was something else has a line of its own", () => {
  expect(told([note(2, ANNA, BEN), note(3, CLEO, DAN)])).toEqual(["anna added ben", "cleo added dan"]);
  expect(told([note(2, ANNA, BEN), note(3, ANNA, CLEO, "added", 6)])).toEqual(["anna added ben", "anna added cleo"]);
  expect(told([note(2, ANNA, BEN), note(3, ANNA, BEN, "removed")])).toEqual(["anna added ben", "anna removed ben"]);
  expect(told([note(2, ANNA, ANNA), note(3, ANNA, BEN)])).toEqual(["anna joined by an invite", "anna added ben"]);
});

test("[AP-50] the line is read when the last of them is, and stays the same when earlier ones come above", () => {
  const rows = [note(2, ANNA, BEN), note(3, ANNA, CLEO), note(4, ANNA, DAN)];
  const shown = (count: number) => shownRows(rows, count, { ...SPEAKING });
  expect(shown(3)).toMatchObject([{ seq: 4, key: "4" }]);
  expect(shown(2)).toMatchObject([{ seq: 4, key: "4" }]);
});
const SPEAKING = {
  me: ME,
  isGroup: true,
  now: START,
  unreadFrom: null,
  nameOf: handle,
  handleOf: handle,
  noteOf: () => "",
};
